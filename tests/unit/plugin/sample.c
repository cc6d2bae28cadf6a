/* A file of one plugin, or with -DPAIR of a rule and a loss, or with -DTWO of two rules, for the registry's tests. */
#include <bioft/loss.h>
#include <bioft/rule.h>

static const bioft_rule rule = { .struct_size = sizeof rule };
static const bioft_plugin plugin = {
    .magic = BIOFT_MAGIC, .struct_size = sizeof plugin, .abi_version = BIOFT_ABI_VERSION, .kind = BIOFT_KIND_RULE,
    .name = NAME, .version = VERSION, .author = "tests", .license = "MIT", .summary = "a sample", .reference = "",
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
    .magic = BIOFT_MAGIC, .struct_size = sizeof second, .abi_version = BIOFT_ABI_VERSION, .kind = BIOFT_KIND_LOSS,
    .name = NAME, .version = VERSION, .author = "tests", .license = "MIT", .summary = "a sample", .reference = "",
    .vtable = &loss,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index)
{
    return index == 0 ? &plugin : index == 1 ? &second : NULL;
}
#elif defined(TWO)
static const bioft_plugin second = {
    .magic = BIOFT_MAGIC, .struct_size = sizeof second, .abi_version = BIOFT_ABI_VERSION, .kind = BIOFT_KIND_RULE,
    .name = NAME "_b", .version = VERSION, .author = "tests", .license = "MIT", .summary = "a sample",
    .reference = "", .vtable = &rule,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index)
{
    return index == 0 ? &plugin : index == 1 ? &second : NULL;
}
#else
const bioft_plugin *bioft_plugin_entry(uint32_t index)
{
    return index == 0 ? &plugin : NULL;
}
#endif
