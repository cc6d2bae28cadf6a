/* A descriptor that says it ends before its options do. */
#include "broken.h"

static const bioft_rule rule = { .struct_size = sizeof rule };
static const bioft_plugin plugin = {
    .magic = BIOFT_MAGIC,
    .struct_size = 64,
    .abi_version = BIOFT_ABI_VERSION,
    .kind = BIOFT_KIND_RULE,
    .name = "truncated",
    .vtable = &rule,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
