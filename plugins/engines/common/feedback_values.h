/* The values of V on a piece of a layer: loops that a compiler makes vectors of, in each width its own copy. The
 * arithmetic of an element is the same in all of them. */
#ifndef COMMON_FEEDBACK_VALUES_H
#define COMMON_FEEDBACK_VALUES_H

#include <bioft/plugin.h>
#include <bioft/rule.h>

#include <stddef.h>

struct feedback_values {
    const float *w, *m; /* m NULL: ones */
    float *v;           /* may be m */
    size_t count;
};

/* m = low + width m: a distribution from host->random's. */
typedef void feedback_shift_fn(float low, float width, float *m, size_t count);
/* v = scale (m g(w)) */
typedef void feedback_product_fn(uint32_t g, float scale, const struct feedback_values *a);
feedback_shift_fn feedback_shift_avx2; /* only where the CPU has AVX2 */
feedback_product_fn feedback_product_avx2;

static inline void shift_values(float low, float width, float *m, size_t count)
{
    for (size_t i = 0; i < count; i++)
        m[i] = low + width * m[i];
}

/* 1, -1, or w where it is 0 or NaN. */
static inline float sign_of(float w) { return w > 0 ? 1.0f : w < 0 ? -1.0f : w; }

static inline void multiply_values(uint32_t g, float scale, const struct feedback_values *a)
{
    const float *w = a->w, *m = a->m;
    float *v = a->v;

    if (g == BIOFT_G_IDENTITY && m)
        for (size_t i = 0; i < a->count; i++)
            v[i] = scale * (m[i] * w[i]);
    else if (g == BIOFT_G_IDENTITY)
        for (size_t i = 0; i < a->count; i++)
            v[i] = scale * w[i];
    else if (g == BIOFT_G_SIGN && m)
        for (size_t i = 0; i < a->count; i++)
            v[i] = scale * (m[i] * sign_of(w[i]));
    else if (g == BIOFT_G_SIGN)
        for (size_t i = 0; i < a->count; i++)
            v[i] = scale * sign_of(w[i]);
    else
        for (size_t i = 0; i < a->count; i++)
            v[i] = m ? scale * m[i] : scale;
}

#endif
