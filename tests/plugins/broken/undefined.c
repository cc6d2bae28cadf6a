/* Calls a function that nothing provides: plugins link to nothing of the host. */
#include "broken.h"

void function_of_the_host(void);

static bioft_status step_end(void *self, uint64_t step)
{
    (void)self;
    (void)step;
    function_of_the_host();
    return BIOFT_OK;
}

static const bioft_rule rule = { .struct_size = sizeof rule, .step_end = step_end };
static const bioft_plugin plugin = { BROKEN_HEAD(BIOFT_KIND_RULE, "undefined"), .vtable = &rule };

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
