/* uSF: the feedback is the sign of the weights (Liao, Leibo and Poggio 2016). */
#include <bioft/rule_util.h>

typedef struct {
    bioft_scale_choice size;
} usf;

static const bioft_option options[] = { BIOFT_OPTION_SCALE(usf, size, BIOFT_SCALE_XAVIER) };

static bioft_status feedback(void *self, const bioft_layer *layer, bioft_feedback *ret)
{
    (void)layer;
    ret->g = BIOFT_G_SIGN;
    bioft_take_scale(&((const usf *)self)->size, ret);
    return BIOFT_OK;
}

static const bioft_rule rule = { .struct_size = sizeof(rule), .feedback = feedback };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_RULE, "usf", "1.0", "bioft", "MIT"),
    .summary = "uniform sign-concordant feedback: V = s sign(W)",
    .reference = "Liao, Leibo, Poggio, AAAI 2016",
    .instance_size = sizeof(usf),
    BIOFT_OPTIONS(options),
    .vtable = &rule,
    .notes = (const char *const[]){ BIOFT_NOTE_SCALE, NULL },
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
