/* Plugins that exist only here, behind the three calls of the registry that the room manifest makes. */
#ifndef TEST_FAKE_REGISTRY_H
#define TEST_FAKE_REGISTRY_H

#include "plugin/registry.h"

/* What the last registry_create was given; "" before. "command line | manifest", colon lists. */
extern char fake_places[1024];

#endif
