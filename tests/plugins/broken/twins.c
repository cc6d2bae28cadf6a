/* Two plugins of one kind and name in one file. */
#include "broken.h"

static const bioft_rule rule = { .struct_size = sizeof rule };
static const bioft_plugin plugin = { BROKEN_HEAD(BIOFT_KIND_RULE, "twins"), .vtable = &rule };

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index < 2 ? &plugin : NULL; }
