/* FA: the feedback is a fixed random matrix (Lillicrap, Cownden, Tweed and Akerman 2016). */
#include <bioft/rule_util.h>

typedef struct {
    bioft_scale_choice size;
    bioft_distribution_choice m;
} fa;

static const bioft_option options[] = {
    BIOFT_OPTION_SCALE(fa, size, BIOFT_SCALE_XAVIER),
    BIOFT_OPTION_DISTRIBUTION(fa, m),
};

static bioft_status feedback(void *self, const bioft_layer *layer, bioft_feedback *ret)
{
    const fa *p = self;
    (void)layer;
    ret->g = BIOFT_G_ONE;
    bioft_take_distribution(&p->m, ret);
    bioft_take_scale(&p->size, ret);
    return BIOFT_OK;
}

static const bioft_rule rule = { .struct_size = sizeof(rule), .feedback = feedback };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_RULE, "fa", "1.0", "bioft", "MIT"),
    .summary = "feedback alignment: V = s M, M random and fixed",
    .reference = "Lillicrap, Cownden, Tweed, Akerman, Nature Communications 2016",
    .instance_size = sizeof(fa),
    BIOFT_OPTIONS(options),
    .vtable = &rule,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
