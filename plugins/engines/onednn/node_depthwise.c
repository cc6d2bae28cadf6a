/* Depthwise convolutions on channels in blocks that the library has no kernels for: large kernels, padding that is not
 * the same on both sides. Forward and the error of the input image by image; of the gradients a block of channels is a
 * task, over all images in their order. */
#include "backend.h"

#include "lanes.h"

#include <string.h>

static struct depthwise shape_of(const struct program *p, const struct node *n)
{
    const bioft_node *d = n->def, *x = &p->model->network.nodes[d->input[0]];
    struct depthwise ret = { .in = { x->height, x->width }, .out = { d->height, d->width } };

    for (int a = 0; a < 2; a++) {
        ret.kernel[a] = d->kernel[a];
        ret.stride[a] = d->stride[a];
        ret.dilation[a] = d->dilation[a];
        ret.before[a] = d->padding[a];
    }
    return ret;
}

bool depthwise_suits(const struct program *p, const struct node *n)
{
    const bioft_node *d = n->def;
    const struct tensor *x = &p->tensors[n->x[0]];

    return d->groups == d->channels && d->channels == x->channels && x->block > 1 && x->block <= MOST_BLOCK &&
           (uint64_t)d->kernel[0] * d->kernel[1] <= DEPTHWISE_TAPS;
}

/* Of a block of channels: [tap][block], and the bias; zero for what fills up the last one. */
struct weights {
    float w[DEPTHWISE_TAPS * MOST_BLOCK], bias[MOST_BLOCK];
};
static void take_weights(const struct program *p, const struct node *n, const float *from, size_t first,
                         struct weights *ret)
{
    const uint32_t block = p->tensors[n->x[0]].block, taps = n->def->kernel[0] * n->def->kernel[1];
    const float *bias = parameter_value(p, n->def->bias);

    memset(ret, 0, sizeof *ret);
    for (size_t l = 0; l < block && first + l < n->def->channels; l++) {
        ret->bias[l] = bias ? bias[first + l] : 0;
        for (uint32_t t = 0; t < taps; t++)
            ret->w[t * block + l] = from[(first + l) * taps + t];
    }
}

static void images(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count, float *work)
{
    const struct tensor *x = &p->tensors[n->x[0]], *y = &p->tensors[n->y];
    const struct lanes *set = lanes_for(x->block);
    const struct depthwise d = shape_of(p, n);
    const size_t in = x->plane * x->block, out = y->plane * y->block;
    struct weights w;

    (void)work;
    if (phase == BACKWARD && !n->wants[0])
        return;
    for (size_t b = 0; b < parts_of(x->channels, x->block); b++) {
        take_weights(p, n, phase == FORWARD ? parameter_value(p, n->def->weight) : n->v, b * x->block, &w);
        for (uint32_t i = first; i < first + count; i++) {
            if (phase == FORWARD) {
                set->depthwise(&d, x->block, value_at(p, n->x[0], i) + b * in, w.w, w.bias,
                               value_at(p, n->y, i) + b * out);
                continue;
            }
            float *dx = gradient_at(p, n->x[0], i) + b * in;
            if (!n->adds[0])
                memset(dx, 0, in * sizeof *dx);
            set->depthwise_error(&d, x->block, gradient_at(p, n->y, i) + b * out, w.w, dx);
        }
    }
}

static size_t tasks(const struct program *p, const struct node *n, enum phase phase)
{
    const struct tensor *x = &p->tensors[n->x[0]];

    return n->trains && phase == GRADIENT ? parts_of(x->channels, x->block) : 0;
}

static void task(struct program *p, struct node *n, enum phase phase, size_t index, float *work)
{
    const struct tensor *x = &p->tensors[n->x[0]], *y = &p->tensors[n->y];
    const struct lanes *set = lanes_for(x->block);
    const struct depthwise d = shape_of(p, n);
    const uint32_t taps = d.kernel[0] * d.kernel[1], block = x->block;
    double dw[DEPTHWISE_TAPS * MOST_BLOCK] = { 0 }, db[MOST_BLOCK] = { 0 };
    float *weight = parameter_gradient(p, n->def->weight), *bias = parameter_gradient(p, n->def->bias);

    (void)phase;
    (void)work;
    for (uint32_t i = 0; i < p->n; i++)
        set->depthwise_gradient(&d, block, value_at(p, n->x[0], i) + index * x->plane * block,
                                gradient_at(p, n->y, i) + index * y->plane * block, dw, db);
    for (size_t l = 0, c = index * block; l < block && c < n->def->channels; l++, c++) {
        for (uint32_t t = 0; weight && t < taps; t++)
            weight[c * taps + t] = (accumulates(p) ? weight[c * taps + t] : 0) + (float)dw[t * block + l];
        if (bias)
            bias[c] = (accumulates(p) ? bias[c] : 0) + (float)db[l];
    }
}

const struct operator operator_depthwise = { .images = images, .tasks = tasks, .task = task };
