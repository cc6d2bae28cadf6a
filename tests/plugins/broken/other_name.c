/* A plugin that nobody would find by its name. */
#include "broken.h"

static const bioft_rule rule = { .struct_size = sizeof rule };
static const bioft_plugin plugin = { BROKEN_HEAD(BIOFT_KIND_RULE, "another"), .vtable = &rule };

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
