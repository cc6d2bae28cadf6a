/* Pooling on channels in blocks: max, average and adaptive average, all lanes of a block at once. */
#include "backend.h"

#include <math.h>
#include <string.h>

/* One axis of a window, cut to the image. */
struct reach {
    uint32_t from, to;
};

/* Torch's bins where it is adaptive: floor(i * input / output) to ceil((i + 1) * input / output). */
static struct reach reach_of(const bioft_node *d, uint32_t axis, uint32_t at, uint32_t input)
{
    const uint32_t output = axis == 0 ? d->height : d->width;
    int64_t from, to;

    if (d->op == BIOFT_OP_ADAPTIVE_AVGPOOL)
        return (struct reach){ (uint32_t)((uint64_t)at * input / output),
                               (uint32_t)(((uint64_t)(at + 1) * input + output - 1) / output) };
    from = (int64_t)at * d->stride[axis] - d->padding[axis];
    to = from + d->kernel[axis];
    return (struct reach){ (uint32_t)(from > 0 ? from : 0), (uint32_t)(to < input ? to : input) };
}

/* What torch divides by: the window without what hangs over the padding, or only what is in the image. */
static float divisor_of(const bioft_node *d, const uint32_t at[2], const uint32_t in[2], const struct reach r[2])
{
    int64_t sides[2];

    for (int i = 0; i < 2; i++) {
        int64_t from = (int64_t)at[i] * d->stride[i] - d->padding[i], to = from + d->kernel[i];
        int64_t end = (int64_t)in[i] + d->padding[i + 2];
        sides[i] = to < end ? to - from : end - from;
        if (d->exclude_padding || d->op == BIOFT_OP_ADAPTIVE_AVGPOOL)
            sides[i] = (int64_t)r[i].to - r[i].from;
    }
    return (float)(sides[0] * sides[1]);
}

/* One block's plane of one image. */
struct plane {
    const bioft_node *d;
    uint32_t in[2], lanes;          /* height, width */
};

/* The places of a window that are inside the image, along one axis: [from, to). */
static struct reach places_of(const bioft_node *d, uint32_t axis, uint32_t at, uint32_t input)
{
    const int64_t start = (int64_t)at * d->stride[axis] - d->padding[axis], step = d->dilation[axis];
    const int64_t from = start < 0 ? (-start + step - 1) / step : 0;
    const int64_t to = (int64_t)input > start ? ((int64_t)input - start + step - 1) / step : 0;

    return (struct reach){ (uint32_t)from, (uint32_t)(to < d->kernel[axis] ? to : d->kernel[axis]) };
}

/* One window: its places inside the image and the value at place 0, 0, which may be outside. */
struct window {
    struct reach y, x;
    int64_t row, column;
};
static struct window window_of(const struct plane *l, uint32_t oy, uint32_t ox)
{
    const bioft_node *d = l->d;

    return (struct window){ places_of(d, 0, oy, l->in[0]), places_of(d, 1, ox, l->in[1]),
                            (int64_t)oy * d->stride[0] - d->padding[0], (int64_t)ox * d->stride[1] - d->padding[1] };
}

static int64_t value_of(const struct plane *l, const struct window *w, uint32_t ky, uint32_t kx, uint32_t lanes)
{
    return ((w->row + (int64_t)ky * l->d->dilation[0]) * l->in[1] + w->column + (int64_t)kx * l->d->dilation[1]) *
           lanes;
}

/* Positions are counted in the window, and in float, so that one comparison chooses for both. Of equal values the
 * first in scan order stays; NaN wins, as in torch. */
static void max_window(const struct plane *l, const float *x, const struct window *w, float *restrict y,
                              uint16_t *restrict positions, const uint32_t lanes)
{
    const uint32_t width = l->d->kernel[1];
    const float first = (float)(w->y.from * width + w->x.from);
    float best[16], where[16];

    for (uint32_t i = 0; i < lanes; i++) {
        best[i] = -INFINITY;
        where[i] = first;
    }
    for (uint32_t ky = w->y.from; ky < w->y.to; ky++)
        for (uint32_t kx = w->x.from; kx < w->x.to; kx++) {
            const float *restrict v = x + value_of(l, w, ky, kx, lanes);
            const float position = (float)(ky * width + kx);
            for (uint32_t i = 0; i < lanes; i++) {
                const float a = v[i], b = best[i], at = where[i];
                const int keep = (a <= b) | (b != b);
                where[i] = keep ? at : position;
                best[i] = keep ? b : a;
            }
        }
    for (uint32_t i = 0; i < lanes; i++)
        y[i] = best[i];
    for (uint32_t i = 0; positions && i < lanes; i++)
        positions[i] = (uint16_t)where[i];
}

static void max_plane(const struct plane *l, const float *x, float *y, uint16_t *positions)
{
    for (uint32_t oy = 0; oy < l->d->height; oy++)
        for (uint32_t ox = 0; ox < l->d->width; ox++, y += l->lanes, positions += positions ? l->lanes : 0) {
            const struct window w = window_of(l, oy, ox);
            max_window(l, x, &w, y, positions, l->lanes);
        }
}

/* The error goes to the one place that won, lane by lane. */
static void max_window_error(const struct plane *l, const float *restrict dy, const uint16_t *restrict positions,
                                    const struct window *w, float *restrict dx, const uint32_t lanes)
{
    float where[16];

    for (uint32_t i = 0; i < lanes; i++)
        where[i] = positions[i];
    for (uint32_t ky = w->y.from; ky < w->y.to; ky++)
        for (uint32_t kx = w->x.from; kx < w->x.to; kx++) {
            float *restrict d = dx + value_of(l, w, ky, kx, lanes);
            const float position = (float)(ky * l->d->kernel[1] + kx);
            for (uint32_t i = 0; i < lanes; i++) {
                const float error = dy[i], at = where[i];
                d[i] += at == position ? error : 0.0f;
            }
        }
}

static void max_plane_error(const struct plane *l, const float *dy, const uint16_t *positions, float *dx)
{
    for (uint32_t oy = 0; oy < l->d->height; oy++)
        for (uint32_t ox = 0; ox < l->d->width; ox++, dy += l->lanes, positions += l->lanes) {
            const struct window w = window_of(l, oy, ox);
            max_window_error(l, dy, positions, &w, dx, l->lanes);
        }
}

static inline void average_window(const struct plane *l, const float *x, const struct reach r[2], float divisor,
                                  float *restrict y, const uint32_t lanes)
{
    float sum[16] = { 0 };

    for (uint32_t iy = r[0].from; iy < r[0].to; iy++)
        for (uint32_t ix = r[1].from; ix < r[1].to; ix++)
            for (uint32_t i = 0; i < lanes; i++)
                sum[i] += x[((size_t)iy * l->in[1] + ix) * lanes + i];
    for (uint32_t i = 0; i < lanes; i++)
        y[i] = sum[i] / divisor;
}

static void average_error(const struct plane *l, const float *dy, const struct reach r[2], float divisor, float *dx)
{
    for (uint32_t iy = r[0].from; iy < r[0].to; iy++)
        for (uint32_t ix = r[1].from; ix < r[1].to; ix++)
            for (uint32_t i = 0; i < l->lanes; i++)
                dx[((size_t)iy * l->in[1] + ix) * l->lanes + i] += dy[i] / divisor;
}

/* x to y, or dy to dx where dx is given. */
static void average_plane(const struct plane *l, const float *from, float *to, bool back)
{
    for (uint32_t oy = 0; oy < l->d->height; oy++)
        for (uint32_t ox = 0; ox < l->d->width; ox++) {
            const uint32_t at[2] = { oy, ox };
            const struct reach r[2] = { reach_of(l->d, 0, oy, l->in[0]), reach_of(l->d, 1, ox, l->in[1]) };
            const float divisor = divisor_of(l->d, at, l->in, r);
            const size_t y = ((size_t)oy * l->d->width + ox) * l->lanes;
            if (back)
                average_error(l, from + y, r, divisor, to);
            else if (l->lanes == 16)
                average_window(l, from, r, divisor, to + y, 16);
            else
                average_window(l, from, r, divisor, to + y, 8);
        }
}

static void pool(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count)
{
    const struct tensor *x = &p->tensors[n->x[0]], *y = &p->tensors[n->y];
    const bioft_node *from = &p->model->network.nodes[n->def->input[0]];
    const struct plane l = { n->def, { from->height, from->width }, x->block };
    const size_t blocks = count * parts_of(x->channels, x->block), in = x->plane * x->block, out = y->plane * y->block;
    const bool max = n->def->op == BIOFT_OP_MAXPOOL, back = phase == BACKWARD;
    const float *source = back ? gradient_at(p, n->y, first) : value_at(p, n->x[0], first);
    float *target = back ? gradient_at(p, n->x[0], first) : value_at(p, n->y, first);
    uint16_t *positions = max && goes_back(p) ? (uint16_t *)(void *)n->saved + first * y->floats : NULL;

    if (back && !n->adds[0])
        memset(target, 0, blocks * in * sizeof *target);
    for (size_t b = 0; b < blocks; b++) {
        if (!max)
            average_plane(&l, source, target, back);
        else if (back)
            max_plane_error(&l, source, positions, target);
        else
            max_plane(&l, source, target, positions);
        source += back ? out : in;
        target += back ? in : out;
        positions += positions ? out : 0;
    }
}

static void images(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count, float *work)
{
    (void)work;
    if (phase == FORWARD || n->wants[0])
        pool(p, n, phase, first, count);
}

const struct operator operator_pool_max = { .images = images };
const struct operator operator_pool_average = { .images = images };
