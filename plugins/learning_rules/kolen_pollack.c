/* Kolen-Pollack: W and V get the same step and the same decay, so W - V decays to nothing
 * (Kolen and Pollack 1994; Akrout et al. 2019, equations 16 and 17). A rule of depth 2. */
#include <bioft/rule.h>
#include <math.h>
#include <string.h>

typedef struct {
    double decay;
    const bioft_host *host;
} kolen_pollack;

static const bioft_option options[] = {
    { .name = "decay",
      .type = BIOFT_F64,
      .offset = offsetof(kolen_pollack, decay),
      .def = 1e-3,
      .min = 0.0,
      .max = 1.0,
      .unit = "per update",
      .help = "shrinks W and V alike; V aligns in about 3/decay updates, from scratch" },
};

/* The layer's V, in every checkpoint under the layer's key. */
static bioft_status feedback_of(const kolen_pollack *p, const bioft_layer *layer, float **ret)
{
    return p->host->state(p->host, layer->key, layer->count, ret);
}

static bioft_status attach(void *self, const bioft_layer *layer, const float *w)
{
    const kolen_pollack *p = self;
    const float deviation = sqrtf(2.0f / (float)(layer->fan_in + layer->fan_out));
    float *v;
    (void)w;
    bioft_status st = feedback_of(p, layer, &v);
    if (st != BIOFT_OK)
        return st;
    st = p->host->random(p->host, BIOFT_NORMAL, layer->key, 0, 0, v, layer->count);
    for (size_t i = 0; st == BIOFT_OK && i < layer->count; i++)
        v[i] *= deviation;
    return st;
}

static bioft_status fill_feedback(void *self, const bioft_layer *layer, uint64_t step, const float *w, float *v)
{
    float *own;
    (void)step, (void)w;
    bioft_status st = feedback_of(self, layer, &own);
    if (st == BIOFT_OK)
        memcpy(v, own, layer->count * sizeof(*v));
    return st;
}

/* dw is the optimizer's step: V takes it too, and both shrink by one share of what they were. */
static bioft_status after_update(void *self, const bioft_layer *layer, uint64_t step, float *w, const float *dw,
                                 int32_t *ret_changed)
{
    const kolen_pollack *p = self;
    const float decay = (float)p->decay;
    float *v;
    (void)step;
    bioft_status st = feedback_of(p, layer, &v);
    for (size_t i = 0; st == BIOFT_OK && i < layer->count; i++) {
        const float old = w[i] - dw[i];
        v[i] += dw[i] - decay * v[i];
        w[i] -= decay * old;
    }
    if (st == BIOFT_OK)
        *ret_changed = 1;
    return st;
}

static const bioft_rule rule = {
    .struct_size = sizeof(rule),
    .attach = attach,
    .fill_feedback = fill_feedback,
    .after_update = after_update,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_RULE, "kolen_pollack", "1.0", "bioft", "MIT"),
    .summary = "feedback that learns with the weights",
    .reference = "Kolen, Pollack 1994; Akrout, Wilson, Humphreys, Lillicrap, Tweed, NeurIPS 2019",
    .instance_size = sizeof(kolen_pollack),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(kolen_pollack, host),
    .vtable = &rule,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
