/* A plugin of another major version of the ABI. */
#include "broken.h"

static const bioft_rule rule = { .struct_size = sizeof(rule) };

static const bioft_plugin plugin = {
    .magic = BIOFT_MAGIC,
    .struct_size = sizeof(plugin),
    .abi_version = (BIOFT_ABI_MAJOR + 7u) << 16,
    .kind = BIOFT_KIND_RULE,
    .name = "old_abi",
    .version = "1",
    .author = "bioft",
    .license = "MIT",
    .summary = "of another ABI",
    .reference = "",
    .vtable = &rule,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
