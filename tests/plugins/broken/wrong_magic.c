/* No descriptor of bioft at all. */
#include "broken.h"

static const bioft_rule rule = { .struct_size = sizeof rule };
static const bioft_plugin plugin = { .magic = 0x464c457fu, .struct_size = sizeof plugin, .vtable = &rule };

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
