/* Sign symmetry with constrained norm: V = sign(W) as large as W, and W keeps the norm that it
 * began with (Moskovitz, Litwin-Kumar and Abbott 2018). A rule of depths 1 and 2. */
#include <bioft/rule_util.h>
#include <math.h>

typedef struct {
    bioft_scale_choice size;
    const bioft_host *host;
} sign_symmetry;

static const bioft_option options[] = {
    BIOFT_OPTION_SCALE(sign_symmetry, size, BIOFT_SCALE_MATCH_NORM),
};

static bioft_status feedback(void *self, const bioft_layer *layer, bioft_feedback *ret)
{
    (void)layer;
    ret->g = BIOFT_G_SIGN;
    bioft_take_scale(&((const sign_symmetry *)self)->size, ret);
    return BIOFT_OK;
}

static double norm(const float *w, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += (double)w[i] * (double)w[i];
    return sqrt(sum);
}

/* |W| before the first update, in every checkpoint under the layer's key. */
static bioft_status first_norm(const sign_symmetry *p, const bioft_layer *layer, float **ret)
{
    return p->host->state(p->host, layer->key, 1, ret);
}

static bioft_status attach(void *self, const bioft_layer *layer, const float *w)
{
    float *first;
    bioft_status st = first_norm(self, layer, &first);
    if (st == BIOFT_OK)
        *first = (float)norm(w, layer->count);
    return st;
}

static bioft_status after_update(void *self, const bioft_layer *layer, uint64_t step, float *w, const float *dw,
                                 int32_t *ret_changed)
{
    const double now = norm(w, layer->count);
    float *first;
    (void)step, (void)dw;
    bioft_status st = first_norm(self, layer, &first);
    if (st != BIOFT_OK || !(*first > 0.0f) || !(now > 0.0))
        return st;
    for (size_t i = 0; i < layer->count; i++)
        w[i] *= (float)((double)*first / now);
    *ret_changed = 1;
    return BIOFT_OK;
}

static const bioft_rule rule = {
    .struct_size = sizeof(rule),
    .feedback = feedback,
    .attach = attach,
    .after_update = after_update,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_RULE, "sign_symmetry", "1.0", "bioft", "MIT"),
    .summary = "sign symmetry with constrained norm: V = s sign(W), |W| stays what it was at first",
    .reference = "Moskovitz, Litwin-Kumar, Abbott, arXiv:1812.06488, 2018",
    .instance_size = sizeof(sign_symmetry),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(sign_symmetry, host),
    .vtable = &rule,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
