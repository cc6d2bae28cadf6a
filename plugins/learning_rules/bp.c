/* Backpropagation: the feedback is W itself (Rumelhart, Hinton and Williams 1986). */
#include <bioft/rule.h>

/* V = W is what a rule without callbacks has. */
static const bioft_rule rule = { .struct_size = sizeof(rule) };

static const bioft_plugin plugin = {
    .magic = BIOFT_MAGIC, .struct_size = sizeof(plugin), .abi_version = BIOFT_ABI_VERSION,
    .kind = BIOFT_KIND_RULE, .name = "bp", .version = "1.0", .author = "bioft", .license = "MIT",
    .summary = "backpropagation: V = W",
    .reference = "Rumelhart, Hinton, Williams, Nature 1986", .vtable = &rule,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
