/* An option with the name of a key of the manifest. */
#include "broken.h"

static const bioft_option options[] = {
    { .name = "layers", .type = BIOFT_F64, .offset = offsetof(struct self, first), .help = "a number" },
};
static const bioft_rule rule = { .struct_size = sizeof rule };
static const bioft_plugin plugin = { BROKEN_HEAD(BIOFT_KIND_RULE, "reserved_name"), BROKEN_OPTIONS(options),
                                     .vtable = &rule };

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
