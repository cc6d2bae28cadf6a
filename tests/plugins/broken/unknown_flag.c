/* A flag that no version knows. */
#include "broken.h"

static const bioft_rule rule = { .struct_size = sizeof rule, .flags = 0x40 };
static const bioft_plugin plugin = { BROKEN_HEAD(BIOFT_KIND_RULE, "unknown_flag"), .vtable = &rule };

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
