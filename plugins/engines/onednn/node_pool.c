/* Pooling on channels in blocks: max, average and adaptive average, all lanes of a block at once. */
#include "backend.h"

#include "lanes.h"

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
    uint32_t in[2], lanes; /* height, width */
};

/* The places of an output's window that are inside the image. */
static struct places places_of(const bioft_node *d, uint32_t axis, uint32_t at, uint32_t input)
{
    return places_inside((int64_t)at * d->stride[axis] - d->padding[axis], d->kernel[axis], d->dilation[axis], input);
}

/* Along one axis, the first value inside the image. */
static size_t first_of(const bioft_node *d, uint32_t axis, uint32_t at, struct places places)
{
    return (size_t)((int64_t)at * d->stride[axis] - d->padding[axis] + (int64_t)places.from * d->dilation[axis]);
}

static struct pool_window window_of(const struct plane *l, uint32_t oy, struct places y, uint32_t ox)
{
    const bioft_node *d = l->d;
    const struct places x = places_of(d, 1, ox, l->in[1]);
    const size_t row = (size_t)l->in[1] * l->lanes;

    return (struct pool_window){
        .first = first_of(d, 0, oy, y) * row + first_of(d, 1, ox, x) * l->lanes,
        .down = d->dilation[0] * row,
        .right = (size_t)d->dilation[1] * l->lanes,
        .rows = y.to - y.from,
        .columns = x.to - x.from,
        .position = y.from * d->kernel[1] + x.from,
        .width = d->kernel[1],
    };
}

static void max_plane(const struct plane *l, const struct lanes *set, const float *x, float *y, uint16_t *positions)
{
    for (uint32_t oy = 0; oy < l->d->height; oy++) {
        const struct places rows = places_of(l->d, 0, oy, l->in[0]);
        for (uint32_t ox = 0; ox < l->d->width; ox++, y += l->lanes, positions += positions ? l->lanes : 0) {
            const struct pool_window w = window_of(l, oy, rows, ox);
            set->pool_max(&w, l->lanes, x, y, positions);
        }
    }
}

/* BIOFT_STRAIGHT_THROUGH: a share of the error in equal parts to the values of the window, the rest to the largest. */
static void max_window_straight(const struct plane *l, const struct lanes *set, const struct pool_window *w,
                                const float *dy, const uint16_t *positions, float *dx)
{
    const float inside = (float)(w->rows * w->columns);
    float rest[MOST_BLOCK];

    for (uint32_t i = 0; i < l->lanes; i++)
        rest[i] = (1.0f - STRAIGHT_SHARE) * dy[i];
    set->pool_max_error(w, l->lanes, rest, positions, dx);
    for (uint32_t row = 0; row < w->rows; row++)
        for (uint32_t column = 0; column < w->columns; column++)
            for (uint32_t i = 0; i < l->lanes; i++)
                dx[w->first + row * w->down + column * w->right + i] += STRAIGHT_SHARE * dy[i] / inside;
}

static void max_plane_error(const struct plane *l, const struct lanes *set, const float *dy, const uint16_t *positions,
                            float *dx, bool straight)
{
    for (uint32_t oy = 0; oy < l->d->height; oy++) {
        const struct places rows = places_of(l->d, 0, oy, l->in[0]);
        for (uint32_t ox = 0; ox < l->d->width; ox++, dy += l->lanes, positions += l->lanes) {
            const struct pool_window w = window_of(l, oy, rows, ox);
            if (straight)
                max_window_straight(l, set, &w, dy, positions, dx);
            else
                set->pool_max_error(&w, l->lanes, dy, positions, dx);
        }
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
    const struct lanes *set = lanes_for(x->block);
    const bool max = n->def->op == BIOFT_OP_MAXPOOL, back = phase == BACKWARD;
    const float *source = back ? gradient_at(p, n->y, first) : value_at(p, n->x[0], first);
    float *target = back ? gradient_at(p, n->x[0], first) : value_at(p, n->y, first);
    uint16_t *positions = max && goes_back(p) ? (uint16_t *)(void *)n->saved + first * y->floats : NULL;

    for (size_t b = 0; b < blocks; b++) {
        if (back && !n->adds[0]) /* plane by plane, which the cache then holds */
            memset(target, 0, in * sizeof *target);
        if (!max)
            average_plane(&l, source, target, back);
        else if (back)
            max_plane_error(&l, set, source, positions, target, straight_through(p));
        else
            max_plane(&l, set, source, target, positions);
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
