/* exp by a polynomial, without branches, so that loops over it become vectors and have the same bits everywhere: libm's
 * is not vectorised and differs from one libm to the next. */
#ifndef COMMON_EXPONENTIAL_H
#define COMMON_EXPONENTIAL_H

#include <stdint.h>

/* e^x = 2^k e^r, |r| <= ln(2)/2, by Taylor's series of e^r to its seventh power: relative error below 2e-7. Above 88 it
 * stays e^88, below -87 e^-87. NaN gives NaN. */
static inline float exponential(float x)
{
    const float most = 88.0f, least = -87.0f, log2_e = 1.44269504f, ln2_high = 0.693145752f, ln2_low = 1.42860677e-6f;
    union {
        int32_t i;
        float f;
    } power;
    float v = x < most ? x : most, k, r, e;

    v = v > least ? v : least;
    k = v * log2_e;
    power.i = (int32_t)(k + (k < 0 ? -0.5f : 0.5f));
    k = (float)power.i;
    r = (v - k * ln2_high) - k * ln2_low;
    e = 1.0f + r * (1.0f + r * (0.5f + r * (1.66666667e-1f +
                                            r * (4.16666667e-2f +
                                                 r * (8.33333333e-3f + r * (1.38888889e-3f + r * 1.98412698e-4f))))));
    power.i = (power.i + 127) * (1 << 23);
    e *= power.f;
    return x == x ? e : x;
}

#endif
