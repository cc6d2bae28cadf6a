/* Difference target propagation: each layer is told what its output should have been, by learned
 * inverses of the layers above, and no error goes down through weights (Lee, Zhang, Fischer and
 * Bengio 2015). A rule of depth 4, for chains.
 *
 * h_0 is the image, h_i+1 = f_i(h_i), f_L-1 the head. Targets, n images:
 *   t_L-1 = h_L-1 - target_rate n dL/dh_L-1,     t_i = h_i + g_i(t_i+1) - g_i(h_i+1);
 * block i learns |h_i+1 - t_i+1|^2 / 2, the head the loss itself, and the inverse
 *   g_i(h) = s(V_i h + c_i), s tanh where block i-1 ends in tanh, else the identity,
 * learns |g_i(f_i(x)) - x|^2 / 2 at x = h_i + noise N(0, 1), by gradient steps normalised by the
 * mean of |f_i(x)|^2. V_i is dense, from all of h_i+1 to all of h_i: this is for small networks. */
#include <bioft/rule_util.h>
#include <bioft/util.h>
#include <math.h>
#include <string.h>

enum { MOST_WEIGHTS = 1 << 26 }; /* of one inverse */

typedef struct {
    double target_rate, inverse_rate, noise;
    const bioft_host *host;
    const bioft_layer_ops *ops;
    const bioft_layer *below;     /* the layer attached before */
    size_t all, largest, weights; /* floats an image: all h, the largest h */
} dtp;

static const bioft_option options[] = {
    { .name = "target_rate",
      .type = BIOFT_F64,
      .offset = offsetof(dtp, target_rate),
      .def = 0.1,
      .min = 1e-6,
      .max = 1e6,
      .help = "how far the topmost target goes down the loss" },
    { .name = "inverse_rate",
      .type = BIOFT_F64,
      .offset = offsetof(dtp, inverse_rate),
      .def = 0.1,
      .min = 0.0,
      .max = 2.0,
      .help = "normalised learning rate of the inverses" },
    { .name = "noise",
      .type = BIOFT_F64,
      .offset = offsetof(dtp, noise),
      .def = 0.1,
      .min = 0.0,
      .max = 1e6,
      .help = "its deviation where the inverses learn" },
};

static bioft_status create(void *self, const bioft_host *host)
{
    return bioft_take_layer_ops(host, &((dtp *)self)->ops);
}

static size_t inputs(const bioft_layer *layer) { return (size_t)layer->in_channels * layer->in_h * layer->in_w; }

/* The inverse of block i, from the input of `above` to the input of layer i; V, then c, in every
 * checkpoint under the key of layer i. */
typedef struct {
    bioft_layer linear;
    float *v, *c;
    int is_tanh;
} inverse;

static bioft_status inverse_of(const dtp *p, const bioft_layer *below, const bioft_layer *layer,
                               const bioft_layer *above, inverse *ret)
{
    const size_t from = inputs(above), to = inputs(layer);
    ret->linear = (bioft_layer){
        .struct_size = sizeof(bioft_layer),
        .kind = BIOFT_LAYER_LINEAR,
        .name = layer->name,
        .key = layer->key,
        .out_channels = (uint32_t)to,
        .in_channels = (uint32_t)from,
        .groups = 1,
        .in_h = 1,
        .in_w = 1,
        .out_h = 1,
        .out_w = 1,
        .kernel = { 1, 1 },
        .stride = { 1, 1 },
        .dilation = { 1, 1 },
        .max_batch = layer->max_batch,
        .count = from * to,
        .fan_in = from,
        .fan_out = to,
    };
    ret->is_tanh = below->activation == BIOFT_ACT_TANH;
    if (to > MOST_WEIGHTS / from)
        return bioft_failf(p->host, BIOFT_ERR_UNSUPPORTED,
                           "the inverse of block '%s' would have %zu x %zu weights: target "
                           "propagation is for small networks",
                           layer->name, to, from);
    bioft_status st = p->host->state(p->host, layer->key, from * to + to, &ret->v);
    if (st == BIOFT_OK)
        ret->c = ret->v + from * to;
    return st;
}

/* All of a step's arrays, one after the other, each for `n` images. */
typedef struct {
    float *h;              /* h_1 to h_L */
    float *target, *lower; /* t_i+1, t_i */
    float *a, *b;          /* what comes and goes */
    float *dv;             /* [largest inverse] */
} work;

static bioft_status work_space(const dtp *p, size_t n, work *ret)
{
    void *memory;
    const size_t floats = n * (p->all + 4 * p->largest) + p->weights;
    bioft_status st = p->host->scratch(p->host, "dtp", floats * sizeof(float), &memory);
    if (st != BIOFT_OK)
        return st;
    ret->h = memory;
    ret->target = ret->h + n * p->all;
    ret->lower = ret->target + n * p->largest;
    ret->a = ret->lower + n * p->largest;
    ret->b = ret->a + n * p->largest;
    ret->dv = ret->b + n * p->largest;
    return BIOFT_OK;
}

/* Layers come from below; with the third comes the first inverse, of block 1. */
static bioft_status attach(void *self, const bioft_layer *layer, const float *w)
{
    dtp *p = self;
    const bioft_layer *below = p->below;
    const size_t in = inputs(layer), last = layer->flags & BIOFT_LAYER_LAST ? layer->outputs : 0;
    bioft_status st = BIOFT_OK;
    inverse g;
    work space;
    (void)w;
    if (layer->flags & BIOFT_LAYER_FIRST)
        p->all = p->largest = p->weights = 0;
    else
        p->all += in;
    p->all += last;
    p->largest = in > p->largest ? in : p->largest;
    p->largest = last > p->largest ? last : p->largest;
    if (below && !(below->flags & BIOFT_LAYER_FIRST) && !(layer->flags & BIOFT_LAYER_FIRST)) {
        st = inverse_of(p, below, below, layer, &g);
        if (st == BIOFT_OK)
            st = p->host->random(p->host, BIOFT_NORMAL, below->key, 0, 0, g.v, g.linear.count);
        for (size_t k = 0; st == BIOFT_OK && k < g.linear.count; k++)
            g.v[k] *= sqrtf(2.0f / (float)(g.linear.fan_in + g.linear.fan_out));
        p->weights = g.linear.count > p->weights ? g.linear.count : p->weights;
    }
    p->below = layer;
    return st == BIOFT_OK && last > 0 ? work_space(p, layer->max_batch, &space) : st;
}

/* ret = g(h) */
static bioft_status inverted(const dtp *p, const inverse *g, uint32_t n, const float *h, float *ret)
{
    const size_t to = g->linear.out_channels;
    bioft_status st = p->ops->forward(p->host, &g->linear, n, g->v, h, ret);
    for (size_t k = 0; st == BIOFT_OK && k < n * to; k++) {
        ret[k] += g->c[k % to];
        ret[k] = g->is_tanh ? tanhf(ret[k]) : ret[k];
    }
    return st;
}

/* One step of the inverse at h + noise, through the block. */
static bioft_status learn_inverse(const dtp *p, const bioft_step *step, uint32_t index, const inverse *g,
                                  const float *h, const work *s)
{
    const uint32_t n = step->batch->n;
    const size_t to = g->linear.out_channels, from = g->linear.in_channels;
    float *x = s->a, *y = s->b, *error = s->target;
    double square = 0.0;
    bioft_status st = p->host->random(p->host, BIOFT_NORMAL, g->linear.key, step->batch->step + 1, 0, x, n * to);
    for (size_t k = 0; k < n * to; k++)
        x[k] = h[k] + (float)p->noise * x[k];
    if (st == BIOFT_OK)
        st = step->block_forward(step, index, n, x, y);
    if (st == BIOFT_OK)
        st = inverted(p, g, n, y, error);
    for (size_t k = 0; st == BIOFT_OK && k < n * to; k++) {
        const float r = error[k];
        error[k] = (r - x[k]) * (g->is_tanh ? 1.0f - r * r : 1.0f);
    }
    if (st == BIOFT_OK)
        st = p->ops->weight_gradient(p->host, &g->linear, n, y, error, s->dv);
    for (size_t k = 0; k < n * from; k++)
        square += (double)y[k] * (double)y[k];
    const float rate = (float)(p->inverse_rate / (square + (double)n)); /* c has input 1 */
    for (size_t k = 0; st == BIOFT_OK && k < g->linear.count; k++)
        g->v[k] -= rate * s->dv[k];
    for (size_t k = 0; st == BIOFT_OK && k < n * to; k++)
        g->c[k % to] -= rate * error[k];
    return st;
}

/* t_i = h_i + g(t_i+1) - g(h_i+1) */
static bioft_status lower_target(const dtp *p, uint32_t n, const inverse *g, const float *h, const float *h_above,
                                 const work *s)
{
    const size_t to = g->linear.out_channels;
    bioft_status st = inverted(p, g, n, s->target, s->lower);
    if (st != BIOFT_OK)
        return st;
    st = inverted(p, g, n, h_above, s->a);
    for (size_t k = 0; st == BIOFT_OK && k < n * to; k++)
        s->lower[k] += h[k] - s->a[k];
    return st;
}

/* Forward through all blocks; the head learns the loss, and its input gets the first target. */
static bioft_status top(const dtp *p, const bioft_step *step, work *s, const float **ret_below, double *ret_value)
{
    const uint32_t n = step->batch->n, head = step->layers - 1;
    const size_t in = inputs(step->layer(step, head));
    const float *x = step->batch->x;
    float *h = s->h;
    bioft_status st = BIOFT_OK;
    for (uint32_t i = 0; st == BIOFT_OK && i < head; i++) {
        st = step->block_forward(step, i, n, x, h);
        x = h;
        h += n * inputs(step->layer(step, i + 1));
    }
    if (st == BIOFT_OK)
        st = step->block_forward(step, head, n, x, h);
    if (st == BIOFT_OK)
        st = step->loss(step, h, ret_value, s->a);
    if (st == BIOFT_OK)
        st = step->block_backward(step, head, n, s->a, s->b);
    if (st == BIOFT_OK)
        st = step->update(step, head);
    for (size_t k = 0; st == BIOFT_OK && k < n * in; k++)
        s->target[k] = x[k] - (float)p->target_rate * (float)n * s->b[k];
    *ret_below = x;
    return st;
}

/* Block i, given h_i, h_i+1 and in s->target t_i+1; leaves t_i there. */
static bioft_status block(const dtp *p, const bioft_step *step, uint32_t i, const float *h, const float *h_above,
                          work *s)
{
    const bioft_layer *layer = step->layer(step, i), *above = step->layer(step, i + 1);
    const uint32_t n = step->batch->n;
    const size_t out = inputs(above);
    inverse g;
    for (size_t k = 0; k < n * out; k++)
        s->a[k] = (h_above[k] - s->target[k]) / (float)n;
    bioft_status st = step->block_backward(step, i, n, s->a, NULL);
    if (st != BIOFT_OK || i == 0)
        return st == BIOFT_OK ? step->update(step, i) : st;
    st = inverse_of(p, step->layer(step, i - 1), layer, above, &g);
    if (st == BIOFT_OK)
        st = lower_target(p, n, &g, h, h_above, s);
    if (st == BIOFT_OK)
        st = learn_inverse(p, step, i, &g, h, s);
    if (st == BIOFT_OK)
        st = step->update(step, i);
    float *lower = s->lower;
    s->lower = s->target;
    s->target = lower;
    return st;
}

static bioft_status train(void *self, const bioft_step *step, double *ret_value)
{
    const dtp *p = self;
    const uint32_t n = step->batch->n;
    const float *above;
    work s;
    bioft_status st = work_space(p, n, &s);
    if (st != BIOFT_OK)
        return st;
    st = top(p, step, &s, &above, ret_value);
    for (uint32_t i = step->layers - 1; st == BIOFT_OK && i-- > 0;) {
        const float *h = i == 0 ? step->batch->x : above - n * inputs(step->layer(step, i));
        st = block(p, step, i, h, above, &s);
        above = h;
    }
    return st;
}

static const bioft_own_step own_step = { .struct_size = sizeof(own_step), .train = train };

static const void *extension(void *self, const char *id)
{
    (void)self;
    return strcmp(id, "bioft.step/0") == 0 ? &own_step : NULL;
}

static const bioft_rule rule = { .struct_size = sizeof(rule), .attach = attach };

static const char *const notes[] = {
    "The inverses learn by gradient steps normalised by the mean of their squared input; the "
    "paper uses an optimizer for them.",
    "The inverses are dense, also between convolutions.",
    NULL,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_RULE, "dtp", "1.0", "bioft", "MIT"),
    .summary = "difference target propagation: targets by learned inverses; chains of layers",
    .reference = "Lee, Zhang, Fischer, Bengio, ECML PKDD 2015",
    .instance_size = sizeof(dtp),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(dtp, host),
    .create = create,
    .extension = extension,
    .vtable = &rule,
    .notes = notes,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
