/* What a descriptor says, for people. */
#ifndef PLUGIN_SHOW_H
#define PLUGIN_SHOW_H

#include "plugin/options.h"

/* Everything: what it is, paper, options with types, ranges, defaults, an example as manifest lines. */
void plugin_show(const struct plugin *p, struct text *ret);
void plugin_show_json(const struct plugin *p, struct text *ret);

#endif
