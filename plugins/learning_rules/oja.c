/* A Hebbian term: the hidden neurons of a layer also learn by Oja's subspace rule, which alone turns
 * their weights into an orthonormal basis of the first principal components of their input (Oja
 * 1989). A rule of depth 3.
 *
 * y = W x without bias and activation. What the optimizer takes as gradient is
 *   dW = E - strength |E| H / |H|,   E = dy^T x,   H = mean(y x^T - y y^T W),
 * the mean over images and, for a convolution, over places; in y y^T neurons of the same group. Of a
 * single neuron H is Oja's rule of 1982, y (x - y w), whose decay y^2 w bounds w; with that decay
 * alone all the neurons of a layer become the same first component. The size of the term is relative
 * to the error's, since no fixed one fits inputs and errors of every scale. The error that goes down
 * is backpropagation's. The last layer has no Hebbian term: its output is the answer. */
#include <bioft/rule_util.h>
#include <math.h>

typedef struct {
    double strength;
    const bioft_host *host;
    const bioft_layer_ops *ops;
} oja;

static const bioft_option options[] = {
    { .name = "strength",
      .type = BIOFT_F64,
      .offset = offsetof(oja, strength),
      .def = 0.1,
      .min = 0.0,
      .max = 1e6,
      .help = "size of the Hebbian term, as a share of the error's gradient" },
};

static bioft_status create(void *self, const bioft_host *host)
{
    return bioft_take_layer_ops(host, &((oja *)self)->ops);
}

/* A layer's work space, one array after the other. */
typedef struct {
    float *y;               /* [max_batch][out] */
    float *hebbian, *decay; /* as W: y x^T; y y^T W */
    float *gram;            /* [out channels][channels of the group]: y y^T */
} work;

static size_t gram_size(const bioft_layer *layer)
{
    return (size_t)layer->out_channels * (layer->out_channels / layer->groups);
}

static bioft_status work_space(const oja *p, const bioft_layer *layer, work *ret)
{
    const size_t out = (size_t)layer->out_channels * layer->out_h * layer->out_w;
    const size_t floats = layer->max_batch * out + 2 * layer->count + gram_size(layer);
    void *memory;
    bioft_status st = p->host->scratch(p->host, "oja", floats * sizeof(float), &memory);
    if (st != BIOFT_OK)
        return st;
    ret->y = memory;
    ret->hebbian = ret->y + layer->max_batch * out;
    ret->decay = ret->hebbian + layer->count;
    ret->gram = ret->decay + layer->count;
    return BIOFT_OK;
}

static bioft_status attach(void *self, const bioft_layer *layer, const float *w)
{
    work s;
    (void)w;
    return work_space(self, layer, &s); /* [step] may not ask for more */
}

static bioft_status route(void *self, const bioft_layer *layer, bioft_route *ret)
{
    (void)self;
    if (layer->flags & BIOFT_LAYER_LAST)
        return BIOFT_OK;
    ret->reads = BIOFT_X | BIOFT_W | BIOFT_DY;
    ret->writes = BIOFT_DW;
    return BIOFT_OK;
}

/* The error's part: dw = dy^T x, db the sum of dy. */
static bioft_status error_term(const oja *p, const bioft_layer *layer, const bioft_local *io)
{
    const size_t area = (size_t)layer->out_h * layer->out_w;
    const float *dy = io->dy;
    for (size_t i = 0; io->db && i < io->n; i++)
        for (size_t c = 0; c < layer->out_channels; c++)
            for (size_t place = 0; place < area; place++)
                io->db[c] += *dy++;
    return p->ops->weight_gradient(p->host, layer, io->n, io->x, io->dy, io->dw);
}

/* A 1x1 convolution from the layer's outputs to as many, over h x w places. */
static bioft_layer among_outputs(const bioft_layer *layer, uint32_t h, uint32_t w)
{
    return (bioft_layer){
        .struct_size = sizeof(bioft_layer),
        .kind = BIOFT_LAYER_CONV2D,
        .name = layer->name,
        .key = layer->key,
        .out_channels = layer->out_channels,
        .in_channels = layer->out_channels,
        .groups = layer->groups,
        .in_h = h,
        .in_w = w,
        .out_h = h,
        .out_w = w,
        .kernel = { 1, 1 },
        .stride = { 1, 1 },
        .dilation = { 1, 1 },
        .max_batch = layer->max_batch,
        .count = gram_size(layer),
        .fan_in = layer->out_channels / layer->groups,
        .fan_out = layer->out_channels / layer->groups,
    };
}

/* y x^T - y y^T W, the sum over images and places, into s->hebbian. */
static bioft_status hebbian_term(const oja *p, const bioft_layer *layer, const bioft_local *io, work *s)
{
    const bioft_layer outputs = among_outputs(layer, layer->out_h, layer->out_w);
    const bioft_layer rows = among_outputs(layer, 1, (uint32_t)(layer->count / layer->out_channels));
    bioft_status st = p->ops->forward(p->host, layer, io->n, io->w, io->x, s->y);
    if (st == BIOFT_OK)
        st = p->ops->weight_gradient(p->host, layer, io->n, io->x, s->y, s->hebbian);
    if (st == BIOFT_OK)
        st = p->ops->weight_gradient(p->host, &outputs, io->n, s->y, s->y, s->gram);
    if (st == BIOFT_OK)
        st = p->ops->forward(p->host, &rows, 1, s->gram, io->w, s->decay);
    for (size_t k = 0; st == BIOFT_OK && k < layer->count; k++)
        s->hebbian[k] -= s->decay[k];
    return st;
}

static double norm(const float *x, size_t count)
{
    double sum = 0.0;
    for (size_t k = 0; k < count; k++)
        sum += (double)x[k] * (double)x[k];
    return sqrt(sum);
}

static bioft_status local(void *self, const bioft_layer *layer, const bioft_local *io)
{
    const oja *p = self;
    work s;
    if (!io->dw)
        return BIOFT_OK;
    bioft_status st = work_space(p, layer, &s);
    if (st != BIOFT_OK)
        return st;
    st = error_term(p, layer, io);
    if (st != BIOFT_OK)
        return st;
    st = hebbian_term(p, layer, io, &s);
    if (st != BIOFT_OK)
        return st;
    const double size = norm(s.hebbian, layer->count);
    const float scale = size > 0.0 ? (float)(p->strength * norm(io->dw, layer->count) / size) : 0.0f;
    for (size_t k = 0; k < layer->count; k++)
        io->dw[k] -= scale * s.hebbian[k];
    return BIOFT_OK;
}

static const bioft_rule rule = {
    .struct_size = sizeof(rule),
    .attach = attach,
    .route = route,
    .local = local,
};

static const char *const notes[] = {
    "The papers' rule is unsupervised; here its term, of the size that strength says, is "
    "added to backpropagation's gradient.",
    "The subspace rule has the decay y y^T W; the rule of 1982, whose decay is y^2 w, makes "
    "all neurons of a layer the same.",
    NULL,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_RULE, "oja", "1.0", "bioft", "MIT"),
    .summary = "backpropagation with a Hebbian term by Oja's subspace rule: dW = y x - y y W",
    .reference = "Oja, International Journal of Neural Systems 1, 1989; Journal of Mathematical Biology 15, 1982",
    .instance_size = sizeof(oja),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(oja, host),
    .create = create,
    .vtable = &rule,
    .notes = notes,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
