/* Pooling nodes: maxpool, avgpool, adaptive_avgpool, plane by plane. */
#include "program.h"

#include <math.h>
#include <string.h>

/* One axis of a window, cut to the image. */
struct reach {
    uint32_t from, to;
};

static struct reach reach_of(const bioft_node *d, uint32_t axis, uint32_t at, uint32_t input)
{
    int64_t from = (int64_t)at * d->stride[axis] - d->padding[axis], to = from + d->kernel[axis];

    return (struct reach){ (uint32_t)(from > 0 ? from : 0), (uint32_t)(to < input ? to : input) };
}

/* Torch's bins: floor(i * input / output) to ceil((i + 1) * input / output). */
static struct reach bin_of(uint32_t at, uint32_t input, uint32_t output)
{
    uint64_t from = (uint64_t)at * input / output, to = ((uint64_t)(at + 1) * input + output - 1) / output;

    return (struct reach){ (uint32_t)from, (uint32_t)to };
}

/* What torch divides by: the window without what hangs over the padding, or only what is in the image. */
static float divisor_of(const bioft_node *d, uint32_t oy, uint32_t ox, const bioft_node *x, struct reach ry,
                        struct reach rx)
{
    uint32_t in[2] = { x->height, x->width }, at[2] = { oy, ox };
    int64_t sides[2];

    if (d->exclude_padding)
        return (float)((uint64_t)(ry.to - ry.from) * (rx.to - rx.from));
    for (int i = 0; i < 2; i++) {
        int64_t from = (int64_t)at[i] * d->stride[i] - d->padding[i], to = from + d->kernel[i];
        int64_t end = (int64_t)in[i] + d->padding[i + 2];
        sides[i] = (to < end ? to : end) - from;
    }
    return (float)(sides[0] * sides[1]);
}

struct planes {
    const bioft_node *d, *x;      /* the pool, and the node whose output it reads */
    size_t first, count, in, out; /* planes of the batch, floats of one */
};
static struct planes planes_of(const struct program *p, const struct node *n, uint32_t first, uint32_t count)
{
    const bioft_node *d = n->def, *x = &p->model->network.nodes[d->input[0]];

    return (struct planes){ d,
                            x,
                            (size_t)first * d->channels,
                            (size_t)count * d->channels,
                            (size_t)x->height * x->width,
                            (size_t)d->height * d->width };
}

/* One place of the window along a row of outputs: where its value is larger it wins, so of equal ones the first in scan
 * order stays; NaN wins as in torch. Without a branch, so that it vectorises. */
static void max_place(const float *restrict line, uint32_t start, uint32_t stride, uint32_t count, float *restrict y,
                      uint32_t *restrict positions)
{
    for (uint32_t i = 0; i < count; i++) {
        float v = line[(size_t)i * stride];
        bool better = v > y[i] || v != v || positions[i] == BIOFT_NONE;
        y[i] = better ? v : y[i];
        positions[i] = better ? start + i * stride : positions[i];
    }
}

/* The outputs whose place kx of the window is inside the image: [from, to). */
static struct reach outputs_of(const bioft_node *d, uint32_t kx, uint32_t input)
{
    const int64_t stride = d->stride[1], offset = (int64_t)kx * d->dilation[1] - d->padding[1];
    int64_t from = offset < 0 ? (-offset + stride - 1) / stride : 0;
    int64_t to = (int64_t)input > offset ? ((int64_t)input - 1 - offset) / stride + 1 : 0;

    to = to < d->width ? to : d->width;
    return (struct reach){ (uint32_t)(from < to ? from : to), (uint32_t)to };
}

/* The common window, 2x2 with stride 2 and whole in the image: one row of outputs at once. */
static void max_row_2x2(const float *restrict upper, const float *restrict lower, uint32_t start, uint32_t width,
                        uint32_t count, float *restrict y, uint32_t *restrict positions)
{
    for (uint32_t i = 0; i < count; i++) {
        float a = upper[2 * i], b = upper[2 * i + 1], c = lower[2 * i], d = lower[2 * i + 1];
        uint32_t at = start + 2 * i, where = at;

        where = b > a || b != b ? at + 1 : where;
        a = b > a || b != b ? b : a;
        where = c > a || c != c ? at + width : where;
        a = c > a || c != c ? c : a;
        where = d > a || d != d ? at + width + 1 : where;
        a = d > a || d != d ? d : a;
        y[i] = a;
        positions[i] = where;
    }
}

static bool is_2x2(const struct planes *l)
{
    const bioft_node *d = l->d;

    return d->kernel[0] == 2 && d->kernel[1] == 2 && d->stride[0] == 2 && d->stride[1] == 2 && d->dilation[0] == 1 &&
           d->dilation[1] == 1 && d->padding[0] == 0 && d->padding[1] == 0 && 2 * (uint64_t)d->height <= l->x->height &&
           2 * (uint64_t)d->width <= l->x->width;
}

static void max_row(const struct planes *l, const float *x, uint32_t oy, float *y, uint32_t *positions)
{
    const bioft_node *d = l->d;
    const uint32_t width = l->x->width;

    for (uint32_t i = 0; i < d->width; i++) {
        y[i] = -INFINITY;
        positions[i] = BIOFT_NONE;
    }
    for (uint32_t ky = 0; ky < d->kernel[0]; ky++) {
        int64_t iy = (int64_t)oy * d->stride[0] - d->padding[0] + (int64_t)ky * d->dilation[0];
        if (iy < 0 || iy >= l->x->height)
            continue;
        for (uint32_t kx = 0; kx < d->kernel[1]; kx++) {
            struct reach r = outputs_of(d, kx, width);
            int64_t start = iy * width + (int64_t)r.from * d->stride[1] + (int64_t)kx * d->dilation[1] - d->padding[1];
            max_place(x + start, (uint32_t)start, d->stride[1], r.to - r.from, y + r.from, positions + r.from);
        }
    }
}

/* positions: one row's where `keep` is false, else the plane's. */
static void max_plane(const struct planes *l, const float *x, float *y, uint32_t *positions, bool keep)
{
    const uint32_t width = l->x->width;
    const bool small = is_2x2(l);

    for (uint32_t oy = 0; oy < l->d->height; oy++, y += l->d->width, positions += keep ? l->d->width : 0) {
        const uint32_t start = 2 * oy * width;
        if (small)
            max_row_2x2(x + start, x + start + width, start, width, l->d->width, y, positions);
        else
            max_row(l, x, oy, y, positions);
    }
}

/* BIOFT_STRAIGHT_THROUGH: a share of each error in equal parts to the values of its window, the rest to the largest. */
static void max_plane_straight(const struct planes *l, const float *dy, const uint32_t *positions, float *dx)
{
    const bioft_node *d = l->d;

    for (uint32_t k = 0; k < l->out; k++) {
        const int64_t top = (int64_t)(k / d->width) * d->stride[0] - d->padding[0];
        const int64_t left = (int64_t)(k % d->width) * d->stride[1] - d->padding[1];
        uint32_t inside = 0;
        for (int pass = 0; pass < 2; pass++)
            for (uint32_t i = 0; i < d->kernel[0] * d->kernel[1]; i++) {
                const int64_t y = top + (int64_t)(i / d->kernel[1]) * d->dilation[0];
                const int64_t x = left + (int64_t)(i % d->kernel[1]) * d->dilation[1];
                if (y < 0 || x < 0 || y >= l->x->height || x >= l->x->width)
                    continue;
                if (pass == 0)
                    inside++;
                else
                    dx[y * l->x->width + x] += STRAIGHT_SHARE * dy[k] / (float)inside;
            }
        dx[positions[k]] += (1.0f - STRAIGHT_SHARE) * dy[k];
    }
}

static void max_images(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count, float *work)
{
    const struct planes l = planes_of(p, n, first, count);
    const bool keep = goes_back(p);
    uint32_t *positions = keep ? (uint32_t *)(void *)n->saved + l.first * l.out : (uint32_t *)(void *)work;

    if (phase == FORWARD) {
        const float *x = value_at(p, n->x[0], first);
        float *y = value_at(p, n->y, first);
        for (size_t i = 0; i < l.count; i++, x += l.in, y += l.out, positions += keep ? l.out : 0)
            max_plane(&l, x, y, positions, keep);
    } else if (n->wants[0]) {
        const float *dy = gradient_at(p, n->y, first);
        float *dx = gradient_at(p, n->x[0], first);
        if (!n->adds[0])
            memset(dx, 0, l.count * l.in * sizeof *dx);
        for (size_t i = 0; i < l.count; i++, dx += l.in, dy += l.out, positions += l.out) {
            if (straight_through(p))
                max_plane_straight(&l, dy, positions, dx);
            for (size_t k = 0; !straight_through(p) && k < l.out; k++)
                dx[positions[k]] += dy[k];
        }
    }
}

/* Mean of a window of each plane, or its share of the error sent back. */
static void average(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count, bool adaptive)
{
    const struct planes l = planes_of(p, n, first, count);
    const uint32_t width = l.x->width, height = l.x->height;
    const float *x = value_at(p, n->x[0], first), *dy;
    float *y = value_at(p, n->y, first), *dx;

    if (phase == BACKWARD && !n->wants[0])
        return;
    dy = phase == BACKWARD ? gradient_at(p, n->y, first) : NULL;
    dx = phase == BACKWARD ? gradient_at(p, n->x[0], first) : NULL;
    if (dx && !n->adds[0])
        memset(dx, 0, l.count * l.in * sizeof *dx);
    for (uint32_t oy = 0; oy < l.d->height; oy++)
        for (uint32_t ox = 0; ox < l.d->width; ox++) {
            struct reach ry = adaptive ? bin_of(oy, height, l.d->height) : reach_of(l.d, 0, oy, height);
            struct reach rx = adaptive ? bin_of(ox, width, l.d->width) : reach_of(l.d, 1, ox, width);
            float divisor = adaptive ? (float)((uint64_t)(ry.to - ry.from) * (rx.to - rx.from))
                                     : divisor_of(l.d, oy, ox, l.x, ry, rx);
            size_t at = (size_t)oy * l.d->width + ox;
            for (size_t i = 0; i < l.count; i++) {
                float sum = 0, share = dx ? dy[i * l.out + at] / divisor : 0;
                for (uint32_t iy = ry.from; iy < ry.to; iy++)
                    for (uint32_t ix = rx.from; ix < rx.to; ix++) {
                        size_t from = i * l.in + (size_t)iy * width + ix;
                        if (dx)
                            dx[from] += share;
                        else
                            sum += x[from];
                    }
                if (!dx)
                    y[i * l.out + at] = sum / divisor;
            }
        }
}

static void average_images(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count,
                           float *work)
{
    (void)work;
    average(p, n, phase, first, count, false);
}

static void adaptive_images(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count,
                            float *work)
{
    (void)work;
    average(p, n, phase, first, count, true);
}

const struct operator operator_maxpool = { .images = max_images };
const struct operator operator_avgpool = { .images = average_images };
const struct operator operator_adaptive = { .images = adaptive_images };
