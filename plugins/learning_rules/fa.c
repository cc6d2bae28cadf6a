/* FA: the feedback is a fixed random matrix (Lillicrap, Cownden, Tweed and Akerman 2016). */
#include <bioft/rule.h>

/* M ~ U[-sqrt 3, sqrt 3) or N(0, 1): of root mean square 1, so that V's is s. */
#define SQRT3 1.7320508075688772f

typedef struct {
    int32_t scale, distribution;
    double constant;
} fa;

static const char *const scales[] = { "none", "xavier", "kaiming", "match_norm", "constant", NULL };
static const char *const distributions[] = { "uniform", "normal", NULL };

static const bioft_option options[] = {
    { .name = "scale", .type = BIOFT_CHOICE, .offset = offsetof(fa, scale),
      .def = BIOFT_SCALE_XAVIER, .choices = scales, .help = "s: what the size of V follows" },
    { .name = "constant", .type = BIOFT_F64, .offset = offsetof(fa, constant),
      .def = 1.0, .min = 0.0, .max = 1e30, .help = "s where scale is constant; 0: no feedback" },
    { .name = "distribution", .type = BIOFT_CHOICE, .offset = offsetof(fa, distribution),
      .def = 0, .choices = distributions, .help = "of M: U[-sqrt 3, sqrt 3) or N(0, 1)" },
};

static bioft_status feedback(void *self, const bioft_layer *layer, bioft_feedback *ret)
{
    const fa *p = self;
    (void)layer;
    ret->g = BIOFT_G_ONE;
    ret->m = p->distribution == 0 ? BIOFT_M_UNIFORM : BIOFT_M_NORMAL;
    ret->low = p->distribution == 0 ? -SQRT3 : 0.0f;
    ret->high = p->distribution == 0 ? SQRT3 : 1.0f;
    ret->scale = (uint32_t)p->scale;
    ret->constant = (float)p->constant;
    return BIOFT_OK;
}

static const bioft_rule rule = { .struct_size = sizeof(rule), .feedback = feedback };

static const bioft_plugin plugin = {
    .magic = BIOFT_MAGIC, .struct_size = sizeof(plugin), .abi_version = BIOFT_ABI_VERSION,
    .kind = BIOFT_KIND_RULE, .name = "fa", .version = "1.0", .author = "bioft", .license = "MIT",
    .summary = "feedback alignment: V = s M, M random and fixed",
    .reference = "Lillicrap, Cownden, Tweed, Akerman, Nature Communications 2016",
    .instance_size = sizeof(fa), .options = options,
    .option_count = sizeof(options) / sizeof(*options), .option_size = sizeof(*options),
    .vtable = &rule,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
