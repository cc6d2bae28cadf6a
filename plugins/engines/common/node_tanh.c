/* Tanh nodes, by a tanh of our own: libm's is not vectorised, and its bits differ from one libm to the next. */
#include "program.h"

/* tanh(x)/x on [0, 0.64] and 2^f on [-1/2, 1/2]: polynomials fitted for the smallest largest relative error, 6e-9
 * and 2e-9. Above 0.6 tanh is (1 - t)/(1 + t) with t = exp(-2x) = 2^k 2^f. Both sides are computed, so that a loop
 * over this has no branch. Error below 2e-7. NaN gives NaN. */
static inline float hyperbolic_tangent(float v)
{
    const float middle = 0.6f, largest = 10.0f, log2_e_twice = 2.88539008f;
    float x = v < 0 ? -v : v, s = x * x, y, k, f, t;
    union {
        int32_t i;
        float f;
    } power;

    f = -log2_e_twice * (x < largest ? x : largest);
    power.i = (int32_t)(f - 0.5f);
    k = (float)power.i;
    f -= k;
    power.i = (power.i + 127) * (1 << 23);
    t = 1.0f +
        f * (0.693147203f + f * (0.240226479f + f * (0.0555033216f +
                                                     f * (0.0096184386f + f * (0.00133990034f + f * 0.00015353258f)))));
    t *= power.f;
    y = (1.0f - t) / (1.0f + t);
    s = x +
        x * s * (-0.333332695f + s * (0.133310923f + s * (-0.0537096576f + s * (0.0205388203f + s * -0.00559101635f))));
    y = x < middle ? s : y;
    y = v < 0 ? -y : y;
    return x <= largest ? y : v > 0 ? 1.0f : v < 0 ? -1.0f : v;
}

static void images(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count, float *work)
{
    const size_t floats = count * p->tensors[n->y].floats;
    const float *x = value_at(p, n->x[0], first), *dy;
    float *y = value_at(p, n->y, first), *dx;

    (void)work;
    if (phase == FORWARD) {
        for (size_t i = 0; i < floats; i++)
            y[i] = hyperbolic_tangent(x[i]);
        return;
    }
    if (!n->wants[0])
        return;
    dx = gradient_at(p, n->x[0], first);
    dy = gradient_at(p, n->y, first);
    if (straight_through(p)) {
        for (size_t i = 0; i < floats; i++) {
            const float slope = 1.0f - y[i] * y[i], d = dy[i] * (slope < STRAIGHT_SHARE ? STRAIGHT_SHARE : slope);
            dx[i] = n->adds[0] ? dx[i] + d : d;
        }
        return;
    }
    for (size_t i = 0; i < floats; i++)
        dx[i] = n->adds[0] ? dx[i] + dy[i] * (1.0f - y[i] * y[i]) : dy[i] * (1.0f - y[i] * y[i]);
}

const struct operator operator_tanh = { .images = images, .by_value = true };
