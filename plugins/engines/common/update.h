/* One optimizer step on a piece of a parameter: loops that a compiler makes vectors of, in each width its own copy. The
 * arithmetic of an element is the same in all of them. */
#ifndef COMMON_UPDATE_H
#define COMMON_UPDATE_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

/* What all elements of a step share, rounded once. */
struct update_numbers {
    float scale, decay, beta1, rest1, beta2, rest2, eps, root2, momentum;
    bool first;
};

struct update_arrays {
    float *w, *m, *v; /* m: SGD's momentum, where it has some */
    const float *g;
    size_t count;
};

/* 1 where something is not finite. */
typedef unsigned update_fn(const struct update_numbers *u, const struct update_arrays *a, float step);
update_fn update_adam_avx2, update_sgd_avx2; /* only where the CPU has AVX2 */

/* Not finite, NaN included. Written without a branch. */
static inline unsigned odd(float x) { return !(fabsf(x) <= FLT_MAX); }

static inline unsigned adam_step(const struct update_numbers *u, const struct update_arrays *a, float step)
{
    float *restrict w = a->w, *restrict m = a->m, *restrict v = a->v;
    const float *restrict g = a->g;
    unsigned bad = 0;

    for (size_t i = 0; i < a->count; i++) {
        float gradient = u->scale * g[i] + u->decay * w[i];
        float mean = u->beta1 * m[i] + u->rest1 * gradient;
        float square = u->beta2 * v[i] + u->rest2 * gradient * gradient;
        float next = w[i] - step * (mean / (sqrtf(square) / u->root2 + u->eps));

        m[i] = mean;
        v[i] = square;
        bad |= odd(square) | odd(next); /* an infinite square is a weight that will never move again */
        w[i] = next;
    }
    return bad;
}

static inline unsigned sgd_step(const struct update_numbers *u, const struct update_arrays *a, float step)
{
    const bool keeps = u->momentum != 0.0f;
    float *restrict w = a->w, *restrict b = a->m;
    const float *restrict g = a->g;
    unsigned bad = 0;

    for (size_t i = 0; i < a->count; i++) {
        float gradient = u->scale * g[i] + u->decay * w[i], next;

        if (keeps) {
            gradient = u->first ? gradient : u->momentum * b[i] + gradient;
            b[i] = gradient;
        }
        next = w[i] - step * gradient;
        bad |= odd(next);
        w[i] = next;
    }
    return bad;
}

#endif
