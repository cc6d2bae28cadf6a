/* Convolutions that the library has only plain loops for, by OpenBLAS's products with columns: the whole of one, where
 * its channels are too few or its groups odd, or only a first layer's error of the input, for attacks. */
#include "backend.h"

#include <string.h>

static const struct blas *blas_of(const struct program *p) { return &p->engine->blas; }

/* The parts of a node's scratch: columns, then one image's input, then its output. */
static size_t aligned(size_t floats) { return (floats + 15) / 16 * 16; }

size_t columns_work(const struct conv *c) { return aligned(c->columns) + aligned(c->x_floats) + c->y_floats; }

static float *x_work(const struct conv *c, float *work) { return work + aligned(c->columns); }

static float *y_work(const struct conv *c, float *work) { return x_work(c, work) + aligned(c->x_floats); }

static const float *plain(const struct tensor *t, const float *array, float *copy)
{
    if (t->block == 1)
        return array;
    tensor_export(t, array, 1, copy);
    return copy;
}

/* A folded batchnorm's factors, which belong to the weights, on the error instead. */
static const float *scaled(const struct convolution_node *own, const float *dy, float *copy)
{
    const struct conv *c = &own->columns;
    const size_t channels = (size_t)c->groups * c->out, plane = c->y_floats / channels;

    if (!own->batchnorm)
        return dy;
    for (size_t o = 0; o < channels; o++)
        for (size_t i = 0; i < plane; i++)
            copy[o * plane + i] = own->factor[o] * dy[o * plane + i];
    return copy;
}

void columns_input_error(struct program *p, struct node *n, uint32_t first, uint32_t count, float *work)
{
    const struct convolution_node *own = n->own;
    const struct conv *c = &own->columns;
    const struct tensor *x = &p->tensors[n->x[0]], *y = &p->tensors[n->y];
    const bool direct = x->block == 1;

    for (uint32_t i = first; i < first + count; i++) {
        float *dx = direct ? gradient_at(p, n->x[0], i) : x_work(c, work);
        const float *dy = plain(y, gradient_at(p, n->y, i), y_work(c, work));

        dy = scaled(own, dy, y_work(c, work));
        for (uint32_t b = 0; b < c->groups * c->channel_blocks; b++)
            conv_input_error(blas_of(p), c, b, n->v, dy, direct && n->adds[0], dx, work);
        if (!direct)
            tensor_import(x, dx, 1, n->adds[0], gradient_at(p, n->x[0], i));
    }
}

static void images(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count, float *work)
{
    const struct conv *c = &convolution_of(n)->columns;

    if (phase == BACKWARD && n->wants[0])
        columns_input_error(p, n, first, count, work);
    for (uint32_t i = first; phase == FORWARD && i < first + count; i++) {
        const float *x = plain(&p->tensors[n->x[0]], value_at(p, n->x[0], i), x_work(c, work));
        for (uint32_t b = 0; b < c->row_blocks; b++)
            conv_forward(blas_of(p), c, b, parameter_value(p, n->def->weight), parameter_value(p, n->def->bias), x,
                         value_at(p, n->y, i), work);
    }
}

static size_t tasks(const struct program *p, const struct node *n, enum phase phase)
{
    return n->trains && phase == GRADIENT ? parts_of(p->n, convolution_of(n)->each)
           : n->trains && phase == REDUCE ? 1
                                          : 0;
}

static void weight_gradient(struct program *p, struct node *n, size_t index, float *work)
{
    const struct convolution_node *own = n->own;
    const struct conv *c = &own->columns;
    const uint32_t first = (uint32_t)index * own->each, last = first + own->each < p->n ? first + own->each : p->n;
    float *dw = n->sums + index * columns_sum(own, n);

    for (uint32_t i = first; i < last; i++) {
        const float *x = plain(&p->tensors[n->x[0]], value_at(p, n->x[0], i), x_work(c, work));
        for (uint32_t s = 0; s < c->groups * c->slices; s++)
            conv_weight_gradient(blas_of(p), c, s, 1, x, gradient_at(p, n->y, i), i > first, dw, dw + c->weights, work);
    }
}

static void add_up(const struct program *p, const struct node *n, size_t from, size_t count, float *ret)
{
    const size_t sums = parts_of(p->n, convolution_of(n)->each), stride = columns_sum(convolution_of(n), n);

    for (size_t i = 0; ret && i < count; i++) {
        float sum = accumulates(p) ? ret[i] : 0;
        for (size_t s = 0; s < sums; s++)
            sum += n->sums[s * stride + from + i];
        ret[i] = sum;
    }
}

static void task(struct program *p, struct node *n, enum phase phase, size_t index, float *work)
{
    const size_t weights = convolution_of(n)->columns.weights;

    if (phase == GRADIENT) {
        weight_gradient(p, n, index, work);
        return;
    }
    add_up(p, n, 0, weights, parameter_gradient(p, n->def->weight));
    add_up(p, n, weights, n->def->channels, parameter_gradient(p, n->def->bias));
}

const struct operator operator_columns = { .images = images, .tasks = tasks, .task = task };
