/* DRTP, direct random target projection: the error of every hidden layer is its label's own fixed
 * random vector, known before the forward pass is over (Frenkel, Lefebvre and Bol 2021). A rule of
 * depth 3.
 *
 * dx = (1/n) sum of B_c over the classes c that the image has, where B_c has the shape of the
 * layer's input: B ~ U[-a, a), a = sqrt(6 / elements of the input). 1/n because losses are means
 * over the batch. Pooling, normalisation and activations below have their true derivatives; the
 * last layer's gradient is the loss's own.
 *
 * The hidden layers are told the classes alone, and nothing of what the network answers: only an
 * activation that saturates, as the paper's tanh, ends their growth. Where a batch has no labels,
 * in attacks on unlabelled input, nothing is sent. */
#include <bioft/rule.h>
#include <math.h>
#include <string.h>

typedef struct {
    int32_t relu;
    const bioft_host *host;
} drtp;

static const bioft_option options[] = {
    { .name = "relu",
      .type = BIOFT_BOOL,
      .offset = offsetof(drtp, relu),
      .help = "true: with ReLU too, behind which a neuron's target pushes it without end" },
};

static size_t elements(const bioft_layer *layer) { return (size_t)layer->in_channels * layer->in_h * layer->in_w; }

static bioft_status attach(void *self, const bioft_layer *layer, const float *w)
{
    const drtp *p = self;
    void *row;
    (void)w;
    if (layer->activation == BIOFT_ACT_RELU && !p->relu)
        return p->host->fail(p->host, BIOFT_ERR_UNSUPPORTED,
                             "direct random targets are for activations that saturate, as tanh, "
                             "and here follows a ReLU; relu: true trains all the same");
    return p->host->scratch(p->host, "row", elements(layer) * sizeof(float), &row);
}

static bioft_status route(void *self, const bioft_layer *layer, bioft_route *ret)
{
    (void)self;
    if (!(layer->flags & BIOFT_LAYER_FIRST))
        ret->writes = BIOFT_DX;
    return BIOFT_OK;
}

static int has_class(const bioft_batch *batch, size_t image, uint32_t c)
{
    return batch->labels[image * batch->label_words + c / 64] >> c % 64 & 1;
}

/* B_c is drawn where an image of the batch has the class, the same at every step. */
static bioft_status add_class(const drtp *p, const bioft_layer *layer, const bioft_local *io, uint32_t c, float *row)
{
    const size_t count = elements(layer);
    const float a = sqrtf(6.0f / (float)count), mean = 1.0f / (float)io->n;
    bioft_status st = BIOFT_OK;
    int drawn = 0;
    for (size_t i = 0; st == BIOFT_OK && i < io->n; i++) {
        if (!has_class(io->batch, i, c))
            continue;
        if (!drawn)
            st = p->host->random(p->host, BIOFT_UNIFORM, layer->key, c, 0, row, count);
        drawn = 1;
        for (size_t k = 0; st == BIOFT_OK && k < count; k++)
            io->dx[i * count + k] += mean * a * (2.0f * row[k] - 1.0f);
    }
    return st;
}

static bioft_status local(void *self, const bioft_layer *layer, const bioft_local *io)
{
    const drtp *p = self;
    void *row;
    if (!io->dx)
        return BIOFT_OK;
    bioft_status st = p->host->scratch(p->host, "row", elements(layer) * sizeof(float), &row);
    if (st != BIOFT_OK)
        return st;
    memset(io->dx, 0, io->n * elements(layer) * sizeof(float));
    for (uint32_t c = 0; st == BIOFT_OK && io->batch && c < io->batch->classes; c++)
        st = add_class(p, layer, io, c, row);
    return st;
}

static const bioft_rule rule = {
    .struct_size = sizeof(rule),
    .attach = attach,
    .route = route,
    .local = local,
};

static const char *const notes[] = {
    "The random target reaches a layer's input: behind pooling, whose true derivative passes "
    "it on to the layer below.",
    "The target is divided by the number of images in the batch, since losses are means.",
    NULL,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_RULE, "drtp", "1.0", "bioft", "MIT"),
    .summary = "direct random target projection: dx = y* B, y* the label, B random and fixed",
    .reference = "Frenkel, Lefebvre, Bol, Frontiers in Neuroscience 2021",
    .instance_size = sizeof(drtp),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(drtp, host),
    .vtable = &rule,
    .notes = notes,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
