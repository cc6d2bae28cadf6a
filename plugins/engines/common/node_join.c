/* Nodes of two tensors, and parts of one: multiply, concat, slice. */
#include "plain.h"
#include "sums.h"

#include <string.h>

static size_t plane_of(const bioft_node *d) { return (size_t)d->height * d->width; }

/* Where a value of the second factor stands; a side of 1 is repeated. */
struct steps {
    size_t channel, row, column;
};
static struct steps steps_of(const bioft_node *x)
{
    return (struct steps){ x->channels > 1 ? plane_of(x) : 0, x->height > 1 ? x->width : 0, x->width > 1 };
}

static bool is_gate(const bioft_node *x, const bioft_node *other)
{
    return other->channels == x->channels && plane_of(other) == 1;
}

/* One factor a channel (Hu, Shen and Sun 2018). */
static void gate_forward(const struct plain *a)
{
    const size_t plane = plane_of(a->d);

    for (size_t c = 0; c < a->d->channels; c++) {
        const float factor = a->other[c];
        for (size_t i = c * plane; i < (c + 1) * plane; i++)
            a->y[i] = factor * a->x[i];
    }
}

static void gate_backward(const struct plain *a)
{
    const size_t plane = plane_of(a->d);

    for (size_t c = 0; c < a->d->channels; c++) {
        const float factor = a->other[c];
        for (size_t i = c * plane; a->dx && i < (c + 1) * plane; i++)
            a->dx[i] += factor * a->dy[i];
        if (a->other_dx)
            a->other_dx[c] += (float)sum_product(a->x + c * plane, 0, a->dy + c * plane, 0, plane);
    }
}

static void multiply_forward(const struct plain *a)
{
    const struct steps s = steps_of(a->other_from);
    float *y = a->y;
    const float *x = a->x;

    if (is_gate(a->from, a->other_from)) {
        gate_forward(a);
        return;
    }
    for (size_t c = 0; c < a->d->channels; c++)
        for (size_t i = 0; i < a->d->height; i++)
            for (size_t k = 0; k < a->d->width; k++)
                *y++ = *x++ * a->other[c * s.channel + i * s.row + k * s.column];
}

static void multiply_backward(const struct plain *a)
{
    const struct steps s = steps_of(a->other_from);
    size_t at = 0;

    if (is_gate(a->from, a->other_from)) {
        gate_backward(a);
        return;
    }
    for (size_t c = 0; c < a->d->channels; c++)
        for (size_t i = 0; i < a->d->height; i++)
            for (size_t k = 0; k < a->d->width; k++, at++) {
                const size_t second = c * s.channel + i * s.row + k * s.column;
                if (a->dx)
                    a->dx[at] += a->dy[at] * a->other[second];
                if (a->other_dx)
                    a->other_dx[second] += a->dy[at] * a->x[at];
            }
}

/* A tensor cut along an axis: so many runs of values that stand together. */
struct runs {
    size_t count, floats;
};
static struct runs runs_of(const bioft_node *d, uint32_t axis)
{
    if (axis == 0)
        return (struct runs){ 1, d->channels * plane_of(d) };
    return axis == 1 ? (struct runs){ d->channels, plane_of(d) }
                     : (struct runs){ (size_t)d->channels * d->height, d->width };
}

static void add_run(float *to, const float *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] += from[i];
}

static void concat_forward(const struct plain *a)
{
    const struct runs x = runs_of(a->from, a->d->axis), other = runs_of(a->other_from, a->d->axis);

    for (size_t i = 0; i < x.count; i++) {
        float *y = a->y + i * (x.floats + other.floats);
        memcpy(y, a->x + i * x.floats, x.floats * sizeof *y);
        memcpy(y + x.floats, a->other + i * other.floats, other.floats * sizeof *y);
    }
}

static void concat_backward(const struct plain *a)
{
    const struct runs x = runs_of(a->from, a->d->axis), other = runs_of(a->other_from, a->d->axis);

    for (size_t i = 0; i < x.count; i++) {
        const float *dy = a->dy + i * (x.floats + other.floats);
        if (a->dx)
            add_run(a->dx + i * x.floats, dy, x.floats);
        if (a->other_dx)
            add_run(a->other_dx + i * other.floats, dy + x.floats, other.floats);
    }
}

/* Floats before the slice in each run. */
static size_t slice_from(const struct plain *a)
{
    return a->d->from * (a->d->axis == 0 ? plane_of(a->from) : a->d->axis == 1 ? a->from->width : 1);
}

static void slice_forward(const struct plain *a)
{
    const struct runs x = runs_of(a->from, a->d->axis), y = runs_of(a->d, a->d->axis);

    for (size_t i = 0; i < y.count; i++)
        memcpy(a->y + i * y.floats, a->x + i * x.floats + slice_from(a), y.floats * sizeof *a->y);
}

static void slice_backward(const struct plain *a)
{
    const struct runs x = runs_of(a->from, a->d->axis), y = runs_of(a->d, a->d->axis);

    for (size_t i = 0; a->dx && i < y.count; i++)
        add_run(a->dx + i * x.floats + slice_from(a), a->dy + i * y.floats, y.floats);
}

const struct plain_operator plain_multiply = { .forward = multiply_forward, .backward = multiply_backward };
const struct plain_operator plain_concat = { .forward = concat_forward, .backward = concat_backward };
const struct plain_operator plain_slice = { .forward = slice_forward, .backward = slice_backward };
