/* DFA, direct feedback alignment: every layer's error comes straight from the network's output through a fixed random
 * matrix (Nokland 2016). A rule of depth 3.
 *
 * The error that layer l passes down is not dy V but dx[n][j] = sum_k e[n][k] B[k][j], e = dL/d(output), B one dense
 * matrix [outputs][in elements] a layer, for convolutions too (in elements = channels x height x width of the input).
 * B ~ U[-a, a), a = sqrt(6 / (outputs + in elements)): the Xavier bound of a matrix of that shape. Below, pooling and
 * activations have their true derivatives, and each layer's weight gradient is made of the error that reached it. The
 * first layer sends no error and has no B; an attack's gradient passes it through its own weights. */
#include <bioft/rule.h>
#include <math.h>
#include <string.h>

typedef struct {
    const bioft_host *host;
} dfa;

static bioft_status create(void *self, const bioft_host *host)
{
    ((dfa *)self)->host = host;
    return BIOFT_OK;
}

static size_t in_elements(const bioft_layer *layer)
{
    return (size_t)layer->in_channels * layer->in_h * layer->in_w;
}

/* The layer's B, [outputs][in elements], in every checkpoint under the layer's key. */
static bioft_status matrix(const dfa *p, const bioft_layer *layer, float **ret)
{
    return p->host->state(p->host, layer->key, layer->outputs * in_elements(layer), ret);
}

static bioft_status attach(void *self, const bioft_layer *layer, const float *w)
{
    const dfa *p = self;
    const size_t in = in_elements(layer), count = layer->outputs * in;
    const float a = sqrtf(6.0f / (float)(layer->outputs + in));
    float *b;
    (void)w;
    if (layer->flags & BIOFT_LAYER_FIRST)
        return BIOFT_OK;
    bioft_status st = matrix(p, layer, &b);
    if (st == BIOFT_OK)
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
    const size_t in = in_elements(layer);
    float *b;
    bioft_status st = matrix(self, layer, &b);
    if (st != BIOFT_OK || !io->dx)
        return st;
    memset(io->dx, 0, io->n * in * sizeof(float));
    for (size_t i = 0; i < io->n; i++)
        for (size_t k = 0; k < layer->outputs; k++) {
            const float e = io->e[i * layer->outputs + k], *row = b + k * in;
            float *dx = io->dx + i * in;
            for (size_t j = 0; j < in; j++)
                dx[j] += e * row[j];
        }
    return BIOFT_OK;
}

static const bioft_rule rule = {
    .struct_size = sizeof(rule), .attach = attach, .route = route, .local = local,
};

static const bioft_plugin plugin = {
    .magic = BIOFT_MAGIC, .struct_size = sizeof(plugin), .abi_version = BIOFT_ABI_VERSION,
    .kind = BIOFT_KIND_RULE, .name = "dfa", .version = "1.0", .author = "bioft", .license = "MIT",
    .summary = "direct feedback alignment: dx = e B, B random and fixed",
    .reference = "Nokland, NeurIPS 2016", .instance_size = sizeof(dfa), .create = create, .vtable = &rule,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
