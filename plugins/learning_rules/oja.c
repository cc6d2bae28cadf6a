/* A Hebbian term: each hidden neuron also learns by Oja's rule, dw = y (x - y w), which alone turns
 * its weights into the first principal component of its input, of length 1 (Oja 1982). A rule of
 * depth 3.
 *
 * y = W x without bias and activation. What the optimizer takes as gradient is
 *   dW = dy^T x - strength mean(y x^T - y^2 W),
 * the mean over images and, for a convolution, over places. The error that goes down is
 * backpropagation's. The last layer has no Hebbian term: its output is the answer. */
#include <bioft/rule_util.h>

typedef struct {
    double strength;
    const bioft_host *host;
    const bioft_layer_ops *ops;
} oja;

static const bioft_option options[] = {
    { .name = "strength", .type = BIOFT_F64, .offset = offsetof(oja, strength), .def = 1e-5,
      .min = 0.0, .max = 1e6, .help = "of the Hebbian term beside the error's" },
};

static bioft_status create(void *self, const bioft_host *host)
{
    return bioft_take_layer_ops(host, &((oja *)self)->ops);
}

/* y [max_batch][out] and the product y x^T of W's shape, one after the other. */
static bioft_status work_space(const oja *p, const bioft_layer *layer, float **ret_y,
                               float **ret_product)
{
    const size_t out = (size_t)layer->out_channels * layer->out_h * layer->out_w;
    const size_t floats = layer->max_batch * out + layer->count;
    void *memory;
    bioft_status st = p->host->scratch(p->host, "oja", floats * sizeof(float), &memory);
    if (st != BIOFT_OK)
        return st;
    *ret_y = memory;
    *ret_product = *ret_y + layer->max_batch * out;
    return BIOFT_OK;
}

static bioft_status attach(void *self, const bioft_layer *layer, const float *w)
{
    float *y, *product;
    (void)w;
    return work_space(self, layer, &y, &product);      /* [step] may not ask for more */
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

/* dw -= scale (y x^T - y^2 w), neuron by neuron. */
static void subtract(const bioft_layer *layer, uint32_t n, const float *w, const float *y,
                     const float *product, float scale, float *dw)
{
    const size_t area = (size_t)layer->out_h * layer->out_w, channels = layer->out_channels;
    const size_t each = layer->count / channels;
    for (size_t c = 0; c < channels; c++) {
        double square = 0.0;
        for (size_t i = 0; i < n; i++)
            for (size_t place = 0; place < area; place++) {
                const double v = (double)y[(i * channels + c) * area + place];
                square += v * v;
            }
        for (size_t k = c * each; k < (c + 1) * each; k++)
            dw[k] -= scale * (product[k] - (float)square * w[k]);
    }
}

static bioft_status local(void *self, const bioft_layer *layer, const bioft_local *io)
{
    const oja *p = self;
    const float places = (float)io->n * (float)layer->out_h * (float)layer->out_w;
    float *y, *product;
    if (!io->dw)
        return BIOFT_OK;
    bioft_status st = work_space(p, layer, &y, &product);
    if (st != BIOFT_OK)
        return st;
    st = error_term(p, layer, io);
    if (st != BIOFT_OK)
        return st;
    st = p->ops->forward(p->host, layer, io->n, io->w, io->x, y);
    if (st != BIOFT_OK)
        return st;
    st = p->ops->weight_gradient(p->host, layer, io->n, io->x, y, product);
    if (st != BIOFT_OK)
        return st;
    subtract(layer, io->n, io->w, y, product, (float)p->strength / places, io->dw);
    return BIOFT_OK;
}

static const bioft_rule rule = {
    .struct_size = sizeof(rule), .attach = attach, .route = route, .local = local,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_RULE, "oja", "1.0", "bioft", "MIT"),
    .summary = "backpropagation with a Hebbian term by Oja's rule: dw = y (x - y w)",
    .reference = "Oja, Journal of Mathematical Biology 15, 1982",
    .instance_size = sizeof(oja), BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(oja, host), .create = create, .vtable = &rule,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
