/* A layer without a program: its work space belongs to the engine and stays. */
#include "api.h"

#include "conv.h"
#include "memory.h"

enum { OUTPUT = 0, INPUT_ERROR, WEIGHT_GRADIENT, PHASE_COUNT };
enum { FEATURES = 128 }; /* of a linear layer, a task */

struct job {
    struct engine *e;
    const bioft_layer *layer;
    struct conv conv;
    uint32_t phase, n, sums;
    size_t features; /* of a linear layer, that are dealt out */
    const float *a, *b;
    float *ret, *partial; /* partial: [sums][weights], or ret where one sum is all */
};

static void conv_task(void *ctx, size_t index, uint32_t thread)
{
    const struct job *j = ctx;
    const struct conv *c = &j->conv;
    const struct blas *blas = &j->e->blas;
    const size_t each = j->phase == OUTPUT        ? c->row_blocks
                        : j->phase == INPUT_ERROR ? (size_t)c->groups * c->channel_blocks
                                                  : (size_t)c->groups * c->slices;
    const size_t which = index / each; /* image, or sum over images */
    const uint32_t block = (uint32_t)(index % each);
    float *work = j->e->layer_work + c->columns * thread;
    size_t first, count;

    if (j->phase == OUTPUT) {
        conv_forward(blas, c, block, j->a, NULL, j->b + which * c->x_floats, j->ret + which * c->y_floats, work);
    } else if (j->phase == INPUT_ERROR) {
        conv_input_error(blas, c, block, j->a, j->b + which * c->y_floats, false, j->ret + which * c->x_floats, work);
    } else {
        first = part(j->n, j->sums, which);
        count = part(j->n, j->sums, which + 1) - first;
        conv_weight_gradient(blas, c, block, (uint32_t)count, j->a + first * c->x_floats, j->b + first * c->y_floats,
                             false, j->partial + which * c->weights, NULL, work);
    }
}

static void linear_task(void *ctx, size_t index, uint32_t thread)
{
    const struct job *j = ctx;
    const struct blas *blas = &j->e->blas;
    const size_t in = j->layer->in_channels, out = j->layer->out_channels, parts = parts_of(j->features, FEATURES);
    const size_t from = part(j->features, parts, index), count = part(j->features, parts, index + 1) - from;

    (void)thread;
    if (j->phase == OUTPUT)
        gemm(blas, NO, YES, j->n, count, in, j->b, in, j->a + from * in, in, false, j->ret + from, out);
    else if (j->phase == INPUT_ERROR)
        gemm(blas, NO, NO, j->n, count, out, j->b, out, j->a + from, in, false, j->ret + from, in);
    else
        gemm(blas, YES, NO, count, in, j->n, j->b + from, out, j->a, in, false, j->ret + from * in, in);
}

static bioft_status grow(struct engine *e, size_t floats)
{
    float *work;

    if (floats <= e->layer_work_floats)
        return BIOFT_OK;
    work = memory_take(floats, sizeof *work);
    if (!work)
        return e->host->fail(e->host, BIOFT_ERR_MEMORY, "out of memory for a layer's work space");
    memory_give(e->layer_work);
    e->layer_work = work;
    e->layer_work_floats = floats;
    return BIOFT_OK;
}

static bioft_status run_conv(struct job *j)
{
    const bioft_layer *l = j->layer;
    const size_t threads = parallel_threads(&j->e->parallel);
    size_t tasks, columns;
    bioft_status st;

    j->conv = conv_plan(l);
    j->sums = conv_sums(&j->conv, j->n);
    columns = (j->conv.columns * threads + 15) / 16 * 16;
    st = grow(j->e, columns + (j->phase == WEIGHT_GRADIENT && j->sums > 1 ? j->sums * j->conv.weights : 0));
    if (st != BIOFT_OK)
        return st;
    j->partial = j->sums > 1 ? j->e->layer_work + columns : j->ret;
    tasks = j->phase == OUTPUT        ? (size_t)j->n * j->conv.row_blocks
            : j->phase == INPUT_ERROR ? (size_t)j->n * j->conv.groups * j->conv.channel_blocks
                                      : (size_t)j->sums * j->conv.groups * j->conv.slices;
    parallel_run(&j->e->parallel, tasks, conv_task, j);
    for (uint32_t s = 0; j->phase == WEIGHT_GRADIENT && j->sums > 1 && s < j->sums; s++)
        for (size_t i = 0; i < j->conv.weights; i++)
            j->ret[i] = s == 0 ? j->partial[i] : j->ret[i] + j->partial[s * j->conv.weights + i];
    return BIOFT_OK;
}

bioft_status engine_layer(void *self, const bioft_layer *layer, uint32_t phase, uint32_t n, const float *a,
                          const float *b, float *ret)
{
    struct engine *e = self;
    struct job j = { .e = e, .layer = layer, .phase = phase, .n = n, .a = a, .b = b, .ret = ret };

    if (phase >= PHASE_COUNT || n == 0)
        return bioft_failf(e->host, BIOFT_ERR_INVALID, "layer '%s': phase %u of %u images", layer->name, phase, n);
    if (layer->kind == BIOFT_LAYER_CONV2D)
        return run_conv(&j);
    if (layer->kind != BIOFT_LAYER_LINEAR)
        return bioft_failf(e->host, BIOFT_ERR_UNSUPPORTED, "layer '%s': kind %u", layer->name, layer->kind);
    j.features = phase == INPUT_ERROR ? layer->in_channels : layer->out_channels;
    parallel_run(&e->parallel, parts_of(j.features, FEATURES), linear_task, &j);
    return BIOFT_OK;
}
