/* The roofline's two lines as this machine draws them: the rate of large products, the rate of
 * memory. */
#include "cli/bench.h"

#include "base/clock.h"
#include <stdlib.h>

enum {
    ROWS = 1024,
    IN = 1024,
    OUT = 2048, /* of the product: images, features */
    PRODUCTS = 8,
    FLOATS = 16 * 1024 * 1024,
    PIECES = 64, /* of each of the three arrays: 64 MiB */
    PASSES = 4,
};

/* A network that is one linear layer. */
struct product {
    bioft_node nodes[2];
    bioft_parameter weight;
    bioft_layer layer;
    struct graph graph;
};

static void product_init(struct product *p)
{
    const bioft_node none = { .struct_size = sizeof none,
                              .height = 1,
                              .width = 1,
                              .layer = BIOFT_NONE,
                              .weight = BIOFT_NONE,
                              .bias = BIOFT_NONE,
                              .running_mean = BIOFT_NONE,
                              .running_var = BIOFT_NONE };

    *p = (struct product){ .nodes = { none, none } };
    p->nodes[0].op = BIOFT_OP_INPUT;
    p->nodes[0].channels = IN;
    p->nodes[1].op = BIOFT_OP_LINEAR;
    p->nodes[1].input_count = 1;
    p->nodes[1].channels = OUT;
    p->nodes[1].layer = p->nodes[1].weight = 0;
    p->weight = (bioft_parameter){ .struct_size = sizeof p->weight,
                                   .kind = BIOFT_PARAM_WEIGHT,
                                   .name = "weight",
                                   .dims = 2,
                                   .shape = { OUT, IN },
                                   .count = (size_t)OUT * IN };
    p->layer = (bioft_layer){ .struct_size = sizeof p->layer,
                              .kind = BIOFT_LAYER_LINEAR,
                              .name = "product",
                              .flags = BIOFT_LAYER_FIRST | BIOFT_LAYER_LAST,
                              .out_channels = OUT,
                              .in_channels = IN,
                              .groups = 1,
                              .outputs = OUT,
                              .in_h = 1,
                              .in_w = 1,
                              .out_h = 1,
                              .out_w = 1,
                              .kernel = { 1, 1 },
                              .stride = { 1, 1 },
                              .dilation = { 1, 1 },
                              .count = p->weight.count,
                              .fan_in = IN,
                              .fan_out = OUT };
    p->graph = (struct graph){ .view = { .struct_size = sizeof p->graph.view,
                                         .node_count = 2,
                                         .parameter_count = 1,
                                         .layer_count = 1,
                                         .node_size = sizeof *p->nodes,
                                         .parameter_size = sizeof p->weight,
                                         .layer_size = sizeof p->layer,
                                         .channels = IN,
                                         .height = 1,
                                         .width = 1,
                                         .outputs = OUT,
                                         .nodes = p->nodes,
                                         .parameters = &p->weight,
                                         .layers = &p->layer },
                               .nodes = p->nodes,
                               .parameters = &p->weight,
                               .layers = &p->layer };
}

static bioft_status time_products(struct program *p, const float *x, float *out, double *ret, struct error *err)
{
    double best = 0;
    bioft_status st = BIOFT_OK;

    for (int i = 0; st == BIOFT_OK && i < PRODUCTS; i++) {
        const double start = clock_seconds();
        st = program_forward(p, ROWS, x, 0, out, err);
        const double seconds = clock_seconds() - start;
        best = i == 0 || seconds < best ? seconds : best;
    }
    *ret = 2.0 * ROWS * IN * OUT / best;
    return st;
}

static bioft_status product_peak(struct bench *b, double *ret, struct error *err)
{
    const bioft_use use = program_use(BIOFT_EVAL, b->precision, ROWS, b->pool);
    struct product product;
    struct model *m = NULL;
    struct program *p = NULL;
    float *x = mem_aligned((size_t)ROWS * IN, sizeof *x), *out = mem_aligned((size_t)ROWS * OUT, sizeof *out);
    float *w = mem_aligned((size_t)IN * OUT, sizeof *w);
    bioft_status st = x && out && w ? BIOFT_OK : error_memory(err, "a product");

    product_init(&product);
    for (size_t i = 0; st == BIOFT_OK && i < (size_t)ROWS * IN; i++)
        x[i] = 0.5f + (float)(i % 7);
    for (size_t i = 0; st == BIOFT_OK && i < (size_t)IN * OUT; i++)
        w[i] = 0.25f + (float)(i % 5);
    if (st == BIOFT_OK)
        st = model_create(b->opened, &product.graph, &m, err);
    if (st == BIOFT_OK)
        st = model_write(m, BIOFT_VALUE, 0, w, err);
    if (st == BIOFT_OK)
        st = program_create(m, &use, NULL, &p, err);
    if (st == BIOFT_OK)
        st = time_products(p, x, out, ret, err);
    program_destroy(p);
    model_destroy(m);
    free(x);
    free(out);
    free(w);
    return st;
}

struct triad {
    float *a, *b, *c;
};

static void triad_piece(void *ctx, size_t index, uint32_t thread)
{
    const struct triad *t = ctx;
    const size_t first = index * (FLOATS / PIECES);
    float *restrict a = t->a + first;
    const float *restrict b = t->b + first, *restrict c = t->c + first;

    (void)thread;
    for (size_t i = 0; i < FLOATS / PIECES; i++)
        a[i] = b[i] + 3.0f * c[i];
}

static bioft_status triad_peak(struct bench *b, double *ret, struct error *err)
{
    struct triad t = { mem_aligned(FLOATS, sizeof(float)), mem_aligned(FLOATS, sizeof(float)),
                       mem_aligned(FLOATS, sizeof(float)) };
    double best = 0;
    bioft_status st = t.a && t.b && t.c ? BIOFT_OK : error_memory(err, "the triad's arrays");

    for (size_t i = 0; st == BIOFT_OK && i < FLOATS; i++)
        t.b[i] = t.c[i] = 1.0f;
    for (int i = 0; st == BIOFT_OK && i <= PASSES; i++) {
        const double start = clock_seconds();
        pool_run(b->pool, PIECES, triad_piece, &t);
        const double seconds = clock_seconds() - start;
        if (i > 0) /* the first one meets pages that are not there yet */
            best = i == 1 || seconds < best ? seconds : best;
    }
    if (st == BIOFT_OK)
        *ret = 3.0 * sizeof(float) * FLOATS / best;
    free(t.a);
    free(t.b);
    free(t.c);
    return st;
}

bioft_status bench_peaks(struct bench *b, struct bench_peaks *ret, struct error *err)
{
    bioft_status st = product_peak(b, &ret->flops, err);
    return st == BIOFT_OK ? triad_peak(b, &ret->bytes, err) : st;
}

/* Backward: the weights' gradient as much again as forward, and the input's error but where the
 * input is the images. */
double bench_step_flops(const struct bench *b)
{
    double forward = 2.0 * (double)graph_work(b->network.graph), first = 0;

    for (uint32_t i = 0; i < b->network.graph->view.node_count; i++) {
        const bioft_node *n = &b->network.graph->nodes[i];
        if (n->layer != BIOFT_NONE && n->input_count > 0 && n->input[0] == 0)
            first += 2.0 * (double)b->network.graph->layers[n->layer].count * n->height * n->width;
    }
    return b->batch * (b->train ? 3 * forward - first : forward);
}

double bench_update_bytes(const struct bench *b)
{
    enum { READ = 4, WRITTEN = 3 }; /* value, gradient, two moments; all but the gradient */
    return b->train ? (double)graph_parameter_total(b->network.graph) * sizeof(float) * (READ + WRITTEN) : 0;
}
