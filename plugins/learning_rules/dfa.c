/* DFA, direct feedback alignment: every layer's error comes straight from the network's output
 * through a fixed random matrix (Nokland 2016). A rule of depth 3.
 *
 * The error that a layer passes down is not dy V but dx[n][c][y][x] = sum_k e[n][k] B[k][c], where
 * e = dL/d(output) and B is a matrix [outputs][input channels] of the layer: for a linear layer one
 * column a feature; for a convolution one a channel, the same at every place, since one kernel
 * serves all places. (BioTorch sends e, broadcast over the output's places, through a transposed
 * convolution with a random kernel: at stride 1 and away from the border that is a constant plane
 * a channel too.) B ~ U[-a, a), a = sqrt(6 / (outputs + elements of the layer's input)).
 *
 * Pooling, normalisation and activations below have their true derivatives, and a layer's weight
 * gradient is made of the error that reached it. The first layer sends none; an attack's gradient
 * passes it through its own weights. */
#include <bioft/rule.h>
#include <math.h>

typedef struct {
    const bioft_host *host;
} dfa;

/* The layer's B, in every checkpoint under the layer's key. */
static bioft_status matrix(const dfa *p, const bioft_layer *layer, float **ret)
{
    return p->host->state(p->host, layer->key, (size_t)layer->outputs * layer->in_channels, ret);
}

static bioft_status attach(void *self, const bioft_layer *layer, const float *w)
{
    const dfa *p = self;
    const size_t area = (size_t)layer->in_h * layer->in_w;
    const size_t count = (size_t)layer->outputs * layer->in_channels;
    const float a = sqrtf(6.0f / (float)(layer->outputs + layer->in_channels * area));
    float *b;
    (void)w;
    if (layer->flags & BIOFT_LAYER_FIRST)
        return BIOFT_OK;
    bioft_status st = matrix(p, layer, &b);
    if (st != BIOFT_OK)
        return st;
    st = p->host->random(p->host, BIOFT_UNIFORM, layer->key, 0, 0, b, count);
    for (size_t i = 0; st == BIOFT_OK && i < count; i++)
        b[i] = a * (2.0f * b[i] - 1.0f);
    return st;
}

static bioft_status route(void *self, const bioft_layer *layer, bioft_route *ret)
{
    (void)self;
    if (layer->flags & BIOFT_LAYER_FIRST)
        return BIOFT_OK;
    ret->reads = BIOFT_E;
    ret->writes = BIOFT_DX;
    return BIOFT_OK;
}

static bioft_status local(void *self, const bioft_layer *layer, const bioft_local *io)
{
    const size_t channels = layer->in_channels, outputs = layer->outputs;
    const size_t area = (size_t)layer->in_h * layer->in_w;
    float *b;
    bioft_status st = matrix(self, layer, &b);
    if (st != BIOFT_OK || !io->dx)
        return st;
    for (size_t i = 0; i < io->n; i++)
        for (size_t c = 0; c < channels; c++) {
            float error = 0.0f, *dx = io->dx + (i * channels + c) * area;
            for (size_t k = 0; k < outputs; k++)
                error += io->e[i * outputs + k] * b[k * channels + c];
            for (size_t place = 0; place < area; place++)
                dx[place] = error;
        }
    return BIOFT_OK;
}

static const bioft_rule rule = {
    .struct_size = sizeof(rule),
    .attach = attach,
    .route = route,
    .local = local,
};

static const char *const notes[] = {
    "The paper is of fully connected layers; of a convolution B has one number per channel, "
    "the same at every place.",
    "B sends the error to a layer's input, below which pooling, normalisation and activation "
    "have their true derivatives.",
    NULL,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_RULE, "dfa", "1.0", "bioft", "MIT"),
    .summary = "direct feedback alignment: dx = e B, B random and fixed",
    .reference = "Nokland, NeurIPS 2016",
    .instance_size = sizeof(dfa),
    BIOFT_HOST_AT(dfa, host),
    .vtable = &rule,
    .notes = notes,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
