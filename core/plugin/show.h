/* What a descriptor says, for people and for programs. */
#ifndef PLUGIN_SHOW_H
#define PLUGIN_SHOW_H

#include "plugin/options.h"

/* Everything: what it is, paper, options with types, ranges, defaults, an example as manifest lines. */
void plugin_show(const struct plugin *p, struct text *ret);
void plugin_show_json(const struct plugin *p, struct text *ret);

/* The names of what its flags and its norm say and of the optional callbacks it has: "needs gradient", "linf". Calls
 * `each` for every one. */
void plugin_traits(const struct plugin *p, void (*each)(void *ctx, const char *trait), void *ctx);
/* "at least 0", "from 0 to 1", "" where there are no bounds. */
void option_range_text(const bioft_option *o, struct text *ret);

#endif
