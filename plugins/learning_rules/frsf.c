/* frSF: the weights' signs with random magnitudes that stay (Liao, Leibo and Poggio 2016). */
#include "random_sign.h"

static bioft_status feedback(void *self, const bioft_layer *layer, bioft_feedback *ret)
{
    (void)layer;
    return random_sign_feedback(self, BIOFT_REDRAW_NEVER, ret);
}

static const bioft_rule rule = { .struct_size = sizeof(rule), .feedback = feedback };

static const char *const notes[] = { BIOFT_NOTE_SCALE, BIOFT_NOTE_MAGNITUDE, NULL };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_RULE, "frsf", "1.0", "bioft", "MIT"),
    .summary = "fixed random sign-concordant feedback: V = s M sign(W), M >= 0 drawn once",
    .reference = "Liao, Leibo, Poggio, AAAI 2016",
    .instance_size = sizeof(random_sign),
    BIOFT_OPTIONS(options),
    .create = create,
    .vtable = &rule,
    .notes = notes,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
