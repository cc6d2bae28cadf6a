/* Two options in one place. */
#include "broken.h"

static const bioft_option options[] = {
    { .name = "decay", .type = BIOFT_F64, .offset = offsetof(struct self, first), .help = "a number" },
    { .name = "mirror", .type = BIOFT_BOOL, .offset = offsetof(struct self, first) + 4, .help = "yes or no" },
};
static const bioft_rule rule = { .struct_size = sizeof rule };
static const bioft_plugin plugin = { BROKEN_HEAD(BIOFT_KIND_RULE, "options_overlap"), BROKEN_OPTIONS(options),
                                     .vtable = &rule };

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
