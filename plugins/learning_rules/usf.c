/* uSF: the feedback is the sign of the weights (Liao, Leibo and Poggio 2016). */
#include <bioft/rule.h>

typedef struct {
    int32_t scale;
    double constant;
} usf;

static const char *const scales[] = { "none", "xavier", "kaiming", "match_norm", "constant", NULL };

static const bioft_option options[] = {
    { .name = "scale", .type = BIOFT_CHOICE, .offset = offsetof(usf, scale),
      .def = BIOFT_SCALE_XAVIER, .choices = scales, .help = "s: what the size of V follows" },
    { .name = "constant", .type = BIOFT_F64, .offset = offsetof(usf, constant),
      .def = 1.0, .min = 0.0, .max = 1e30, .help = "s where scale is constant; 0: no feedback" },
};

static bioft_status feedback(void *self, const bioft_layer *layer, bioft_feedback *ret)
{
    const usf *p = self;
    (void)layer;
    ret->g = BIOFT_G_SIGN;
    ret->scale = (uint32_t)p->scale;
    ret->constant = (float)p->constant;
    return BIOFT_OK;
}

static const bioft_rule rule = { .struct_size = sizeof(rule), .feedback = feedback };

static const bioft_plugin plugin = {
    .magic = BIOFT_MAGIC, .struct_size = sizeof(plugin), .abi_version = BIOFT_ABI_VERSION,
    .kind = BIOFT_KIND_RULE, .name = "usf", .version = "1.0", .author = "bioft", .license = "MIT",
    .summary = "uniform sign-concordant feedback: V = s sign(W)",
    .reference = "Liao, Leibo, Poggio, AAAI 2016", .instance_size = sizeof(usf),
    .options = options, .option_count = sizeof(options) / sizeof(*options),
    .option_size = sizeof(*options), .vtable = &rule,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
