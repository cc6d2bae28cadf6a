/* Nodes that work value by value: clip, sigmoid, hardsigmoid, hardswish, silu, gelu. NaN stays NaN. */
#include "exponential.h"
#include "program.h"

#include <math.h>
#include <string.h>

/* What a value's output and its derivative are computed of; the derivative is at least `least`. */
struct bounds {
    float low, high, least;
};

static inline float at_least(float slope, float least) { return slope < least ? least : slope; }

static inline float clip_of(float x, struct bounds b)
{
    float v = x < b.low ? b.low : x;
    return v > b.high ? b.high : v;
}

static inline float clip_slope(float y, struct bounds b) { return y <= b.low || y >= b.high ? 0.0f : 1.0f; }

static inline float sigmoid_of(float x, struct bounds b)
{
    (void)b;
    return 1.0f / (1.0f + exponential(-x));
}

static inline float sigmoid_slope(float y, struct bounds b)
{
    (void)b;
    return y * (1.0f - y);
}

static inline float hardsigmoid_of(float x, struct bounds b)
{
    (void)b;
    return clip_of(x * (1.0f / 6.0f) + 0.5f, (struct bounds){ .low = 0.0f, .high = 1.0f });
}

static inline float hardsigmoid_slope(float y, struct bounds b)
{
    (void)b;
    return y <= 0.0f || y >= 1.0f ? 0.0f : 1.0f / 6.0f;
}

static inline float hardswish_of(float x, struct bounds b) { return x * hardsigmoid_of(x, b); }

static inline float hardswish_slope(float x, struct bounds b)
{
    float v = x * (1.0f / 3.0f) + 0.5f;

    (void)b;
    v = x < -3.0f ? 0.0f : v;
    return x > 3.0f ? 1.0f : v;
}

static inline float silu_of(float x, struct bounds b) { return x * sigmoid_of(x, b); }

static inline float silu_slope(float x, struct bounds b)
{
    float s = sigmoid_of(x, b);
    return s * (1.0f + x * (1.0f - s));
}

/* The normal distribution function Phi(x) = (1 + erf(x/sqrt(2)))/2 by Abramowitz and Stegun 7.1.26, error below 1e-7;
 * e: exp(-x^2/2). */
static inline float normal_distribution(float x, float e)
{
    float t = 1.0f / (1.0f + 0.231641888f * (x < 0 ? -x : x));
    float rest = 0.5f * e * t *
                 (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
    return x < 0 ? rest : 1.0f - rest;
}

static inline float gelu_of(float x, struct bounds b)
{
    (void)b;
    return x * normal_distribution(x, exponential(-0.5f * x * x));
}

static inline float gelu_slope(float x, struct bounds b)
{
    float e = exponential(-0.5f * x * x);

    (void)b;
    return normal_distribution(x, e) + x * e * 0.398942280f;
}

/* One operator's two loops. from: x, or y where the derivative is of that. */
#define ACTIVATION(name) \
    static void name##_forward(const float *x, struct bounds b, float *y, size_t count) \
    { \
        for (size_t i = 0; i < count; i++) \
            y[i] = name##_of(x[i], b); \
    } \
    static void name##_backward(const float *from, struct bounds b, const float *dy, bool add, float *dx, \
                                size_t count) \
    { \
        if (add) \
            for (size_t i = 0; i < count; i++) \
                dx[i] += dy[i] * at_least(name##_slope(from[i], b), b.least); \
        else \
            for (size_t i = 0; i < count; i++) \
                dx[i] = dy[i] * at_least(name##_slope(from[i], b), b.least); \
    }

ACTIVATION(clip)
ACTIVATION(sigmoid)
ACTIVATION(hardsigmoid)
ACTIVATION(hardswish)
ACTIVATION(silu)
ACTIVATION(gelu)

struct activation {
    void (*forward)(const float *x, struct bounds b, float *y, size_t count);
    void (*backward)(const float *from, struct bounds b, const float *dy, bool add, float *dx, size_t count);
    bool by_output; /* the derivative is of y */
    float steepest;
};
static struct activation activation_of(uint32_t op)
{
    switch (op) {
    case BIOFT_OP_CLIP: return (struct activation){ clip_forward, clip_backward, true, 1.0f };
    case BIOFT_OP_SIGMOID: return (struct activation){ sigmoid_forward, sigmoid_backward, true, 0.25f };
    case BIOFT_OP_HARDSIGMOID:
        return (struct activation){ hardsigmoid_forward, hardsigmoid_backward, true, 1.0f / 6.0f };
    case BIOFT_OP_HARDSWISH: return (struct activation){ hardswish_forward, hardswish_backward, false, 1.0f };
    case BIOFT_OP_SILU: return (struct activation){ silu_forward, silu_backward, false, 1.0f };
    default: return (struct activation){ gelu_forward, gelu_backward, false, 1.0f };
    }
}

/* Lanes that fill up the last block of channels are 0. */
static void clear_lanes(const struct tensor *t, float *y, uint32_t count)
{
    const size_t used = t->channels % t->block, last = t->floats - t->plane * t->block;

    for (uint32_t i = 0; used > 0 && i < count; i++)
        for (size_t k = 0; k < t->plane; k++)
            memset(y + i * t->floats + last + k * t->block + used, 0, (t->block - used) * sizeof *y);
}

static void images(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count, float *work)
{
    const struct activation a = activation_of(n->def->op);
    const struct bounds b = { n->def->low, n->def->high,
                              straight_through(p) ? STRAIGHT_SHARE * a.steepest : -INFINITY };
    const size_t floats = count * p->tensors[n->y].floats;
    const float *x = value_at(p, n->x[0], first);
    float *y = value_at(p, n->y, first);

    (void)work;
    if (phase == FORWARD) {
        a.forward(x, b, y, floats);
        clear_lanes(&p->tensors[n->y], y, count);
    } else if (n->wants[0]) {
        a.backward(a.by_output ? y : x, b, gradient_at(p, n->y, first), n->adds[0], gradient_at(p, n->x[0], first),
                   floats);
    }
}

const struct operator operator_activation_over = { .images = images, .by_value = true };
const struct operator operator_activation = { .images = images };
