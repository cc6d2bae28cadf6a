/* Conv2d nodes: the blocks of conv.h as tasks, the sums over images in a fixed number of parts. */
#include "columns.h"

enum { REDUCE_FLOATS = 16384 };

/* Tasks of one image. */
static uint32_t per_image(const struct conv *c, enum phase phase)
{
    return phase == FORWARD ? c->row_blocks : c->groups * c->channel_blocks;
}

static size_t tasks(const struct program *p, const struct node *n, enum phase phase)
{
    const struct conv *c = columns_of(n);
    uint32_t sums = conv_sums(c, p->n);

    switch (phase) {
    case FORWARD: return (size_t)p->n * c->row_blocks;
    case BACKWARD: return n->wants[0] ? (size_t)p->n * per_image(c, phase) : 0;
    case GRADIENT: return n->trains ? (size_t)sums * c->groups * c->slices : 0;
    default: return n->trains && sums > 1 ? parts_of(columns_sum_floats(n), REDUCE_FLOATS) : 0;
    }
}

static void weight_gradient(struct program *p, struct node *n, size_t index, float *work)
{
    const struct conv *c = columns_of(n);
    const size_t slices = (size_t)c->groups * c->slices, sum = index / slices;
    const uint32_t sums = conv_sums(c, p->n), first = (uint32_t)part(p->n, sums, sum);
    const uint32_t count = (uint32_t)part(p->n, sums, sum + 1) - first;
    bool add = accumulates(p);
    float *dw = parameter_gradient(p, n->def->weight), *db = parameter_gradient(p, n->def->bias);

    if (sums > 1) {
        dw = n->sums + sum * columns_sum_floats(n);
        db = db ? dw + c->weights : NULL;
        add = false;
    }
    conv_weight_gradient(&p->engine->blas, c, (uint32_t)(index % slices), count, value_at(p, n->x[0], first),
                         gradient_at(p, n->y, first), add, dw, db, work);
}

static void reduce_range(const struct program *p, const struct node *n, size_t from, size_t to, float *ret)
{
    const uint32_t sums = conv_sums(columns_of(n), p->n);
    const float *sum = n->sums + from;
    uint32_t first = 0;

    if (!accumulates(p)) {
        for (size_t i = 0; i < to - from; i++)
            ret[i] = sum[i];
        first = 1;
    }
    for (uint32_t s = first; s < sums; s++) {
        sum = n->sums + s * columns_sum_floats(n) + from;
        for (size_t i = 0; i < to - from; i++)
            ret[i] += sum[i];
    }
}

static void reduce(const struct program *p, const struct node *n, size_t index)
{
    const size_t weights = columns_of(n)->weights, all = columns_sum_floats(n), from = index * REDUCE_FLOATS;
    const size_t to = from + REDUCE_FLOATS < all ? from + REDUCE_FLOATS : all;
    float *db = parameter_gradient(p, n->def->bias);

    if (from < weights)
        reduce_range(p, n, from, to < weights ? to : weights, parameter_gradient(p, n->def->weight) + from);
    if (to > weights && db) {
        size_t start = from > weights ? from : weights;
        reduce_range(p, n, start, to, db + (start - weights));
    }
}

static void task(struct program *p, struct node *n, enum phase phase, size_t index, float *work)
{
    const struct conv *c = columns_of(n);
    const struct blas *blas = &p->engine->blas;
    uint32_t image, block;

    if (phase == GRADIENT || phase == REDUCE) {
        if (phase == GRADIENT)
            weight_gradient(p, n, index, work);
        else
            reduce(p, n, index);
        return;
    }
    image = (uint32_t)(index / per_image(c, phase));
    block = (uint32_t)(index % per_image(c, phase));
    if (phase == FORWARD)
        conv_forward(blas, c, block, parameter_value(p, n->def->weight), parameter_value(p, n->def->bias),
                     value_at(p, n->x[0], image), value_at(p, n->y, image), work);
    else
        conv_input_error(blas, c, block, n->v, gradient_at(p, n->y, image), n->adds[0], gradient_at(p, n->x[0], image),
                         work);
}

static void images(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count, float *work)
{
    const size_t each = per_image(columns_of(n), phase);

    if (phase == BACKWARD && !n->wants[0])
        return;
    for (size_t i = first * each; i < (first + count) * each; i++)
        task(p, n, phase, i, work);
}

const struct operator operator_conv = { .images = images, .tasks = tasks, .task = task };
