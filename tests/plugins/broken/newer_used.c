/* Built against newer headers, and uses what is new in them: a callback behind the last that this version knows. */
#include "broken.h"

static void callback(void) {}

static const struct {
    bioft_rule rule;
    void (*newer)(void);
} vtable = { .rule = { .struct_size = sizeof vtable }, .newer = callback };
static const bioft_plugin plugin = {
    .magic = BIOFT_MAGIC,
    .struct_size = sizeof plugin,
    .abi_version = BIOFT_ABI_MAJOR << 16 | 9,
    .kind = BIOFT_KIND_RULE,
    .name = "newer_used",
    .version = "1.0",
    .author = "tests",
    .license = "MIT",
    .summary = "a broken plugin",
    .reference = "",
    .vtable = &vtable,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
