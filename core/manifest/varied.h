/* What a sweep varies. */
#ifndef MANIFEST_VARIED_H
#define MANIFEST_VARIED_H

#include "manifest/experiment.h"

/* Fills `varied` of the experiment and its trials from their settings. false: out of memory. */
bool varied_find(struct experiment *e);

#endif
