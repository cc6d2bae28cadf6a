/* Weight mirror: a layer sends noise forward and V learns, by a Hebbian product, from what came
 * out, so that V finds W without being told it (Akrout et al. 2019). A rule of depth 2.
 *
 * After every update, x ~ N(0, 1) and y = W x, without bias and activation:
 *   V <- (1 - rate) V + rate mean(y x^T),
 * whose mean goes to W, since the mean of x x^T is the identity. The decay is the rate, so that V's
 * size follows W's. For a convolution x is noise on one patch under the kernel. */
#include <bioft/rule_util.h>
#include <math.h>
#include <string.h>

typedef struct {
    double rate;
    int64_t samples, first;
    const bioft_host *host;
    const bioft_layer_ops *ops;
} weight_mirror;

static const bioft_option options[] = {
    { .name = "rate",
      .type = BIOFT_F64,
      .offset = offsetof(weight_mirror, rate),
      .def = 0.02,
      .min = 1e-6,
      .max = 1.0,
      .unit = "per update",
      .help = "share of V that is new each time" },
    { .name = "samples",
      .type = BIOFT_I64,
      .offset = offsetof(weight_mirror, samples),
      .def = 64,
      .min = 1,
      .max = 65536,
      .help = "noise vectors at a time: more align V better" },
    { .name = "first",
      .type = BIOFT_I64,
      .offset = offsetof(weight_mirror, first),
      .def = 100,
      .min = 0,
      .max = 1000000,
      .help = "times that V is mirrored before the first update" },
};

static bioft_status create(void *self, const bioft_host *host)
{
    return bioft_take_layer_ops(host, &((weight_mirror *)self)->ops);
}

/* The layer's V, in every checkpoint under the layer's key. */
static bioft_status feedback_of(const weight_mirror *p, const bioft_layer *layer, float **ret)
{
    return p->host->state(p->host, layer->key, layer->count, ret);
}

/* The same weights on an input of one patch. */
static bioft_layer one_patch(const bioft_layer *layer)
{
    bioft_layer one = *layer;
    if (layer->kind == BIOFT_LAYER_CONV2D) {
        one.in_h = layer->kernel[0];
        one.in_w = layer->kernel[1];
        one.out_h = one.out_w = 1;
        for (size_t i = 0; i < 2; i++)
            one.stride[i] = one.dilation[i] = 1;
        memset(one.padding, 0, sizeof(one.padding));
    }
    return one;
}

/* Noise, what comes out, and their product, one after the other. */
static bioft_status work_space(const weight_mirror *p, const bioft_layer *one, float **ret_x, float **ret_y,
                               float **ret_product)
{
    const size_t in = (size_t)one->in_channels * one->in_h * one->in_w;
    const size_t n = (size_t)p->samples, floats = n * (in + one->out_channels) + one->count;
    void *memory;
    bioft_status st = p->host->scratch(p->host, "mirror", floats * sizeof(float), &memory);
    if (st != BIOFT_OK)
        return st;
    *ret_x = memory;
    *ret_y = *ret_x + n * in;
    *ret_product = *ret_y + n * one->out_channels;
    return BIOFT_OK;
}

/* One look into the mirror; each has its own noise. */
static bioft_status mirror(const weight_mirror *p, const bioft_layer *layer, uint64_t look, const float *w, float *v)
{
    const bioft_layer one = one_patch(layer);
    const uint32_t n = (uint32_t)p->samples;
    const size_t in = (size_t)one.in_channels * one.in_h * one.in_w;
    const float keep = (float)(1.0 - p->rate), take = (float)(p->rate / n);
    float *x, *y, *product;
    bioft_status st = work_space(p, &one, &x, &y, &product);
    if (st != BIOFT_OK)
        return st;
    st = p->host->random(p->host, BIOFT_NORMAL, layer->key, look + 1, 0, x, n * in);
    if (st != BIOFT_OK)
        return st;
    st = p->ops->forward(p->host, &one, n, w, x, y);
    if (st != BIOFT_OK)
        return st;
    st = p->ops->weight_gradient(p->host, &one, n, x, y, product);
    for (size_t i = 0; st == BIOFT_OK && i < layer->count; i++)
        v[i] = keep * v[i] + take * product[i];
    return st;
}

static bioft_status attach(void *self, const bioft_layer *layer, const float *w)
{
    const weight_mirror *p = self;
    const float deviation = sqrtf(2.0f / (float)(layer->fan_in + layer->fan_out));
    const bioft_layer one = one_patch(layer);
    float *v, *x, *y, *product;
    bioft_status st = feedback_of(p, layer, &v);
    if (st == BIOFT_OK)
        st = p->host->random(p->host, BIOFT_NORMAL, layer->key, 0, 0, v, layer->count);
    for (size_t i = 0; st == BIOFT_OK && i < layer->count; i++)
        v[i] *= deviation;
    if (st == BIOFT_OK)
        st = work_space(p, &one, &x, &y, &product); /* [step] may not ask for more */
    for (uint64_t look = 0; st == BIOFT_OK && look < (uint64_t)p->first; look++)
        st = mirror(p, layer, look, w, v);
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

static bioft_status after_update(void *self, const bioft_layer *layer, uint64_t step, float *w, const float *dw,
                                 int32_t *ret_changed)
{
    const weight_mirror *p = self;
    float *v;
    (void)dw, (void)ret_changed;
    bioft_status st = feedback_of(p, layer, &v);
    return st == BIOFT_OK ? mirror(p, layer, (uint64_t)p->first + step, w, v) : st;
}

static const bioft_rule rule = {
    .struct_size = sizeof(rule),
    .attach = attach,
    .fill_feedback = fill_feedback,
    .after_update = after_update,
};

static const char *const notes[] = {
    "The noise passes through the weights alone, without bias and activation.",
    "A convolution is mirrored on one patch under its kernel.",
    "V is a running mean, whose decay is the rate; the paper has a rate and a decay.",
    NULL,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_RULE, "weight_mirror", "1.0", "bioft", "MIT"),
    .summary = "weight mirror: V learns W from noise sent through the layer",
    .reference = "Akrout, Wilson, Humphreys, Lillicrap, Tweed, NeurIPS 2019",
    .instance_size = sizeof(weight_mirror),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(weight_mirror, host),
    .create = create,
    .vtable = &rule,
    .notes = notes,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
