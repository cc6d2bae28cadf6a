/* brSF: the weights' signs with random magnitudes, new after each update (Liao et al. 2016). */
#include "random_sign.h"

static bioft_status feedback(void *self, const bioft_layer *layer, bioft_feedback *ret)
{
    (void)layer;
    return random_sign_feedback(self, BIOFT_REDRAW_EACH_UPDATE, ret);
}

static const bioft_rule rule = { .struct_size = sizeof(rule), .feedback = feedback };

static const char *const notes[] = {
    BIOFT_NOTE_SCALE,
    BIOFT_NOTE_MAGNITUDE,
    "M is drawn anew after each update; an attack through the rule's own gradient uses the last draw unless it has eot.",
    NULL,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_RULE, "brsf", "1.0", "bioft", "MIT"),
    .summary = "batchwise random sign-concordant feedback: V = s M sign(W), M redrawn each update",
    .reference = "Liao, Leibo, Poggio, AAAI 2016",
    .instance_size = sizeof(random_sign),
    BIOFT_OPTIONS(options),
    .create = create,
    .vtable = &rule,
    .notes = notes,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
