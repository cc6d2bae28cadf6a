/* A default that the option itself would refuse. */
#include "broken.h"

static const bioft_option options[] = {
    { .name = "decay",
      .type = BIOFT_F64,
      .offset = offsetof(struct self, first),
      .def = 2,
      .max = 1,
      .help = "a number" },
};
static const bioft_rule rule = { .struct_size = sizeof rule };
static const bioft_plugin plugin = { BROKEN_HEAD(BIOFT_KIND_RULE, "default_out_of_range"), BROKEN_OPTIONS(options),
                                     .vtable = &rule };

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
