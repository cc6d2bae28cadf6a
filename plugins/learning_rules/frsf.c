/* frSF: the weights' signs with random magnitudes that stay (Liao, Leibo and Poggio 2016). */
#include <bioft/rule.h>

typedef struct {
    int32_t scale, magnitude;
    double constant, low, high;
} frsf;

static const char *const scales[] = { "none", "xavier", "kaiming", "match_norm", "constant", NULL };
static const char *const magnitudes[] = { "uniform", "abs_normal", NULL };

/* The default U[0, sqrt 3) has root mean square 1, as |N(0, 1)| has, so that V's is s. */
static const bioft_option options[] = {
    { .name = "scale", .type = BIOFT_CHOICE, .offset = offsetof(frsf, scale),
      .def = BIOFT_SCALE_XAVIER, .choices = scales, .help = "s: what the size of V follows" },
    { .name = "constant", .type = BIOFT_F64, .offset = offsetof(frsf, constant),
      .def = 1.0, .min = 0.0, .max = 1e30, .help = "s where scale is constant; 0: no feedback" },
    { .name = "magnitude", .type = BIOFT_CHOICE, .offset = offsetof(frsf, magnitude),
      .def = 0, .choices = magnitudes, .help = "of M: U[low, high) or |N(0, 1)|" },
    { .name = "low", .type = BIOFT_F64, .offset = offsetof(frsf, low),
      .def = 0.0, .min = 0.0, .max = 1e30, .help = "smallest magnitude where it is uniform" },
    { .name = "high", .type = BIOFT_F64, .offset = offsetof(frsf, high),
      .def = 1.7320508075688772, .min = 1e-30, .max = 1e30,
      .help = "largest magnitude where it is uniform" },
};

static bioft_status create(void *self, const bioft_host *host)
{
    const frsf *p = self;
    if (p->low >= p->high)
        return host->fail(host, BIOFT_ERR_INVALID, "low must be below high");
    return BIOFT_OK;
}

static bioft_status feedback(void *self, const bioft_layer *layer, bioft_feedback *ret)
{
    const frsf *p = self;
    (void)layer;
    ret->g = BIOFT_G_SIGN;
    ret->m = p->magnitude == 0 ? BIOFT_M_UNIFORM : BIOFT_M_ABS_NORMAL;
    ret->low = p->magnitude == 0 ? (float)p->low : 0.0f;
    ret->high = p->magnitude == 0 ? (float)p->high : 1.0f;
    ret->scale = (uint32_t)p->scale;
    ret->constant = (float)p->constant;
    return BIOFT_OK;
}

static const bioft_rule rule = { .struct_size = sizeof(rule), .feedback = feedback };

static const bioft_plugin plugin = {
    .magic = BIOFT_MAGIC, .struct_size = sizeof(plugin), .abi_version = BIOFT_ABI_VERSION,
    .kind = BIOFT_KIND_RULE, .name = "frsf", .version = "1.0", .author = "bioft", .license = "MIT",
    .summary = "fixed random sign-concordant feedback: V = s M sign(W), M >= 0 drawn once",
    .reference = "Liao, Leibo, Poggio, AAAI 2016", .instance_size = sizeof(frsf),
    .options = options, .option_count = sizeof(options) / sizeof(*options),
    .option_size = sizeof(*options), .create = create, .vtable = &rule,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
