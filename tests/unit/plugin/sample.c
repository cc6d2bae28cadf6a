/* A file of one plugin, or with -DPAIR of a rule and a loss, or with -DTWO of two rules, for the registry's tests. */
#include <bioft/loss.h>
#include <bioft/rule.h>

static const bioft_rule rule = { .struct_size = sizeof rule };
static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_RULE, NAME, VERSION, "tests", "MIT"),
    .summary = "a sample",
    .reference = "",
    .vtable = &rule,
};

#ifdef PAIR
static bioft_status value(void *self, const float *out, const bioft_batch *batch, double *ret_value, float *ret_d_out)
{
    (void)self;
    (void)out;
    (void)batch;
    (void)ret_d_out;
    *ret_value = 0;
    return BIOFT_OK;
}

static const bioft_loss loss = { .struct_size = sizeof loss, .value = value };
static const bioft_plugin second = {
    BIOFT_PLUGIN(BIOFT_KIND_LOSS, NAME, VERSION, "tests", "MIT"),
    .summary = "a sample",
    .reference = "",
    .vtable = &loss,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : index == 1 ? &second : NULL; }
#elif defined(TWO)
static const bioft_plugin second = {
    BIOFT_PLUGIN(BIOFT_KIND_RULE, NAME "_b", VERSION, "tests", "MIT"),
    .summary = "a sample",
    .reference = "",
    .vtable = &rule,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : index == 1 ? &second : NULL; }
#else
const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
#endif
