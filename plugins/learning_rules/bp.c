/* Backpropagation: the feedback is W itself (Rumelhart, Hinton and Williams 1986). */
#include <bioft/rule.h>

/* V = W is what a rule without callbacks has. */
static const bioft_rule rule = { .struct_size = sizeof(rule) };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_RULE, "bp", "1.0", "bioft", "MIT"),
    .summary = "backpropagation: V = W",
    .reference = "Rumelhart, Hinton, Williams, Nature 1986",
    .vtable = &rule,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
