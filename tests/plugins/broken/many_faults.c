/* Several faults, all of which are to be told at once. */
#include "broken.h"

static const bioft_option options[] = {
    { .name = "decay", .type = BIOFT_F64, .offset = offsetof(struct self, first), .def = 2, .max = 1 },
    { .name = "decay", .type = 99, .offset = offsetof(struct self, second), .help = "a number" },
};
static const bioft_rule rule = { .struct_size = sizeof rule, .flags = 1 };
static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_RULE, "many_faults", "", "tests", "MIT"),
    .summary = "a\nb",
    .reference = "",
    .instance_size = sizeof(struct self),
    BROKEN_OPTIONS(options),
    .flags = 2,
    .vtable = &rule,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
