/* A small project for a plugin that already does something right. */
#ifndef CLI_PLUGIN_NEW_H
#define CLI_PLUGIN_NEW_H

#include "base/error.h"

/* Makes FOLDER (by default NAME) with the plugin's source, a build, a test, a manifest and a README. */
bioft_status plugin_new(const char *kind, const char *name, const char *folder, struct error *err);

#endif
