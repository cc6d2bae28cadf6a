/* Nodes that work value by value: input, relu, dropout, add. */
#include "program.h"

#include <string.h>

/* The values of some images: where they begin, how many. */
struct span {
    float *x, *y, *dx, *dy;
    size_t count;
};
static struct span span_of(const struct program *p, const struct node *n, uint32_t first, uint32_t count)
{
    return (struct span){
        .x = value_at(p, n->x[0], first),
        .y = value_at(p, n->y, first),
        .dx = p->tensors[n->x[0]].gradient ? gradient_at(p, n->x[0], first) : NULL,
        .dy = p->tensors[n->y].gradient ? gradient_at(p, n->y, first) : NULL,
        .count = count * p->tensors[n->y].floats,
    };
}

/* The caller's images are his again when forward returns; backward reads this copy. */
static void input_images(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count,
                         float *work)
{
    const size_t floats = p->tensors[n->y].floats;

    (void)work;
    if (phase == FORWARD && p->input != p->tensors[n->y].value)
        memcpy(value_at(p, n->y, first), p->input + first * floats, count * floats * sizeof(float));
}

/* NaN stays NaN, so that it is seen where training looks for it. In place or not, each loop has its own function:
 * the compiler vectorises what it knows not to overlap. */
static void relu_in_place(float *y, size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] = y[i] < 0 ? 0 : y[i];
}

static void relu(const float *restrict x, float *restrict y, size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] = x[i] < 0 ? 0 : x[i];
}

static void relu_error_in_place(const float *restrict y, float *restrict d, size_t count)
{
    for (size_t i = 0; i < count; i++)
        d[i] = y[i] <= 0 ? 0 : d[i];
}

static void relu_error(const float *restrict y, const float *restrict dy, bool add, float *restrict dx, size_t count)
{
    if (add)
        for (size_t i = 0; i < count; i++)
            dx[i] += y[i] <= 0 ? 0 : dy[i];
    else
        for (size_t i = 0; i < count; i++)
            dx[i] = y[i] <= 0 ? 0 : dy[i];
}

/* BIOFT_STRAIGHT_THROUGH; dx may be dy. */
static void relu_straight(const float *y, const float *dy, bool add, float *dx, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const float d = y[i] <= 0 ? STRAIGHT_SHARE * dy[i] : dy[i];
        dx[i] = add ? dx[i] + d : d;
    }
}

static void relu_images(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count,
                        float *work)
{
    const struct span s = span_of(p, n, first, count);

    (void)work;
    if (phase == FORWARD && n->in_place)
        relu_in_place(s.y, s.count);
    else if (phase == FORWARD)
        relu(s.x, s.y, s.count);
    else if (n->wants[0] && straight_through(p))
        relu_straight(s.y, s.dy, n->adds[0] && !n->in_place, s.dx, s.count);
    else if (n->wants[0] && n->in_place)
        relu_error_in_place(s.y, s.dx, s.count);
    else if (n->wants[0])
        relu_error(s.y, s.dy, n->adds[0], s.dx, s.count);
}

static void dropout_images(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count,
                           float *work)
{
    const struct span s = span_of(p, n, first, count);
    const size_t start = first * p->tensors[n->y].floats;
    const float drop = n->def->dropout, scale = drop < 1 ? 1 / (1 - drop) : 0;
    float *mask = n->saved + start;
    char stream[32];
    bioft_status st;

    (void)work;
    if (phase == BACKWARD) {
        for (size_t i = 0; n->wants[0] && i < s.count; i++)
            s.dx[i] = n->adds[0] ? s.dx[i] + mask[i] * s.dy[i] : mask[i] * s.dy[i];
        return;
    }
    snprintf(stream, sizeof stream, "dropout/%u", n->index);
    st = p->engine->host->random(p->engine->host, BIOFT_UNIFORM, stream, p->dropout_key, start, mask, s.count);
    if (st != BIOFT_OK)
        atomic_store(&p->failed, st);
    for (size_t i = 0; i < s.count; i++) {
        mask[i] = mask[i] < drop ? 0 : scale;
        s.y[i] = mask[i] * s.x[i];
    }
}

static void add_images(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count, float *work)
{
    const struct span s = span_of(p, n, first, count);
    const float *other = value_at(p, n->x[1], first);

    (void)work;
    if (phase == FORWARD) {
        for (size_t i = 0; i < s.count; i++)
            s.y[i] = s.x[i] + other[i];
        return;
    }
    for (int k = 0; k < 2; k++) {
        float *dx;
        if (!n->wants[k])
            continue;
        dx = gradient_at(p, n->x[k], first);
        if (n->adds[k])
            for (size_t i = 0; i < s.count; i++)
                dx[i] += s.dy[i];
        else
            memcpy(dx, s.dy, s.count * sizeof *dx);
    }
}

const struct operator operator_input = { .images = input_images };
const struct operator operator_relu = { .images = relu_images, .by_value = true };
const struct operator operator_dropout = { .images = dropout_images, .by_value = true };
const struct operator operator_add = { .images = add_images };
