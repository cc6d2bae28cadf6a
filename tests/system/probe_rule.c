/* Rules whose robustness is known, for a network of one linear layer.
 *   probe_plain    backpropagation: it hides nothing
 *   probe_redraw   V is normal at random, anew in each update
 *   probe_vanish   after a number of updates it makes the weights so large that cross-entropy has no gradient left
 *   probe_shrink   pulls every weight towards zero after each update (soft threshold), so that only what carries the class
 *                  is left: the exact worst case in a ball is better, truly */
#include <bioft/rule.h>
#include <math.h>
#include <stddef.h>

typedef struct {
    int64_t at;
    double by;
} probe;

static const bioft_option vanish_options[] = {
    { .name = "at",
      .type = BIOFT_I64,
      .offset = offsetof(probe, at),
      .def = 1,
      .min = 1,
      .max = 1e6,
      .help = "update" },
};
static const bioft_option shrink_options[] = {
    { .name = "by",
      .type = BIOFT_F64,
      .offset = offsetof(probe, by),
      .def = 0.001,
      .min = 0,
      .max = 1,
      .help = "each update" },
};

/* splitmix64 */
static double uniform(uint64_t *s)
{
    uint64_t z = *s += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ z >> 31) >> 11) / 9007199254740992.0;
}

static bioft_status draw(void *self, const bioft_layer *layer, uint64_t step, uint64_t number, const float *w, float *v)
{
    uint64_t s = step << 20 ^ number << 40 ^ layer->index;

    (void)self;
    (void)w;
    for (size_t i = 0; i < layer->count; i++)
        v[i] = (float)(uniform(&s) - uniform(&s));
    return BIOFT_OK;
}

static bioft_status fill(void *self, const bioft_layer *layer, uint64_t step, const float *w, float *v)
{
    return draw(self, layer, step, 0, w, v);
}

static bioft_status vanish(void *self, const bioft_layer *layer, uint64_t step, float *w, const float *dw,
                           int32_t *ret_changed)
{
    (void)dw;
    *ret_changed = step + 1 == (uint64_t)((probe *)self)->at;
    for (size_t i = 0; *ret_changed && i < layer->count; i++)
        w[i] *= 1e5f;
    return BIOFT_OK;
}

static bioft_status shrink(void *self, const bioft_layer *layer, uint64_t step, float *w, const float *dw,
                           int32_t *ret_changed)
{
    const float by = (float)((probe *)self)->by;

    (void)step;
    (void)dw;
    for (size_t i = 0; i < layer->count; i++)
        w[i] = copysignf(fmaxf(fabsf(w[i]) - by, 0.0f), w[i]);
    *ret_changed = 1;
    return BIOFT_OK;
}

static const bioft_rule plain_rule = { .struct_size = sizeof plain_rule };
static const bioft_rule redraw_rule = { .struct_size = sizeof redraw_rule, .fill_feedback = fill, .fill_draw = draw };
static const bioft_rule vanish_rule = { .struct_size = sizeof vanish_rule, .after_update = vanish };
static const bioft_rule shrink_rule = { .struct_size = sizeof shrink_rule, .after_update = shrink };

#define RULE(NAME, VTABLE) \
    .magic = BIOFT_MAGIC, .struct_size = sizeof(bioft_plugin), .abi_version = BIOFT_ABI_VERSION, \
    .kind = BIOFT_KIND_RULE, .name = NAME, .version = "1", .author = "bioft", .license = "MIT", .summary = NAME, \
    .reference = "", .instance_size = sizeof(probe), .option_size = sizeof(bioft_option), .vtable = VTABLE
static const bioft_plugin plugins[] = {
    { RULE("probe_plain", &plain_rule) },
    { RULE("probe_redraw", &redraw_rule) },
    { RULE("probe_vanish", &vanish_rule), .options = vanish_options, .option_count = 1 },
    { RULE("probe_shrink", &shrink_rule), .options = shrink_options, .option_count = 1 },
};

const bioft_plugin *bioft_plugin_entry(uint32_t index);
const bioft_plugin *bioft_plugin_entry(uint32_t index)
{
    return index < sizeof plugins / sizeof *plugins ? &plugins[index] : NULL;
}
