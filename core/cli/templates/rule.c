/* @NAME@: a learning rule. In the backward pass every conv and linear layer multiplies the error by V where
 * backpropagation uses its weights W; a rule says what V is. This one: V = s sign(W), the weights' signs without their
 * sizes. */
#include <bioft/rule.h>
#include <math.h>

/* The instance: the host writes the options into it before anything is called. */
typedef struct {
    double size;
} state;

static const bioft_option options[] = {
    { .name = "size",
      .type = BIOFT_F64,
      .offset = offsetof(state, size),
      .def = 1.0,
      .min = 0.0,
      .max = 1e6,
      .help = "how large V is, as a part of 1/sqrt(3 fan_in)" },
};

/* Asked once per layer. V = s * M o g(W), elementwise; what is not set stays g = identity, M = 1, s = 1. */
static bioft_status feedback(void *self, const bioft_layer *layer, bioft_feedback *ret)
{
    const state *p = self;
    ret->g = BIOFT_G_SIGN;
    ret->scale = BIOFT_SCALE_CONSTANT;
    ret->constant = (float)(p->size / sqrt(3.0 * (double)layer->fan_in));
    return BIOFT_OK;
}

/* Where a declaration is not enough, leave `feedback` out and write V yourself in fill_feedback; to see every update,
 * after_update; to write a layer's errors and gradients, route and local. rule.h has them all. */
static const bioft_rule rule = { .struct_size = sizeof(rule), .feedback = feedback };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_RULE, "@NAME@", "0.1", "you", "MIT"),
    .summary = "feedback by the weights' signs: V = s sign(W)",
    .reference = "the paper it implements",
    .instance_size = sizeof(state),
    BIOFT_OPTIONS(options),
    .vtable = &rule,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
