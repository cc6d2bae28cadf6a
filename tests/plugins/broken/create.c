/* A rule that opens well and whose first instance takes the process down: by a trap or by exit(). */
#include <bioft/rule.h>
#include <stdlib.h>

static bioft_status create(void *self, const bioft_host *host)
{
    (void)self;
    (void)host;
    if (WAY)
        __builtin_trap();
    exit(0);
}

static const bioft_rule rule = { .struct_size = sizeof rule };

static const bioft_plugin plugin = {
    .magic = BIOFT_MAGIC,
    .struct_size = sizeof plugin,
    .abi_version = BIOFT_ABI_VERSION,
    .kind = BIOFT_KIND_RULE,
    .name = WAY ? "create_ill" : "create_exits",
    .version = "1.0",
    .author = "bioft",
    .license = "MIT",
    .summary = "dies while it is made",
    .reference = "",
    .create = create,
    .vtable = &rule,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
