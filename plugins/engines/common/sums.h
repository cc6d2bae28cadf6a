/* Sums in a fixed order that the compiler can vectorise: lanes side by side, then the lanes one by one. */
#ifndef COMMON_SUMS_H
#define COMMON_SUMS_H

#include <stddef.h>

enum { SUM_LANES = 16, SUM_RUN = 1024 }; /* floats that are added in float before they go on in double */

static inline double sum_lanes(const float lanes[SUM_LANES])
{
    double sum = 0;

    for (int i = 0; i < SUM_LANES; i++)
        sum += (double)lanes[i];
    return sum;
}

/* Sum of x[i]. */
static inline float sum_of(const float *x, size_t count)
{
    double sum = 0;

    while (count > 0) {
        size_t n = count < SUM_RUN ? count : SUM_RUN, whole = n - n % SUM_LANES;
        float lanes[SUM_LANES] = { 0 };

        for (size_t i = 0; i < whole; i += SUM_LANES)
            for (size_t k = 0; k < SUM_LANES; k++)
                lanes[k] += x[i + k];
        for (size_t i = whole; i < n; i++)
            lanes[i - whole] += x[i];
        sum += sum_lanes(lanes);
        x += n;
        count -= n;
    }
    return (float)sum;
}

/* Sum of x[i]^2, in double throughout. */
static inline double sum_squares(const float *x, size_t count)
{
    const size_t whole = count - count % SUM_LANES;
    double lanes[SUM_LANES] = { 0 }, sum = 0;

    for (size_t i = 0; i < whole; i += SUM_LANES)
        for (size_t k = 0; k < SUM_LANES; k++)
            lanes[k] += (double)x[i + k] * (double)x[i + k];
    for (size_t i = whole; i < count; i++)
        lanes[i - whole] += (double)x[i] * (double)x[i];
    for (size_t k = 0; k < SUM_LANES; k++)
        sum += lanes[k];
    return sum;
}

/* Sum of (x[i] - a) * (y[i] - b). */
static inline double sum_product(const float *x, float a, const float *y, float b, size_t count)
{
    double sum = 0;

    while (count > 0) {
        size_t n = count < SUM_RUN ? count : SUM_RUN, whole = n - n % SUM_LANES;
        float lanes[SUM_LANES] = { 0 };

        for (size_t i = 0; i < whole; i += SUM_LANES)
            for (size_t k = 0; k < SUM_LANES; k++)
                lanes[k] += (x[i + k] - a) * (y[i + k] - b);
        for (size_t i = whole; i < n; i++)
            lanes[i - whole] += (x[i] - a) * (y[i] - b);
        sum += sum_lanes(lanes);
        x += n;
        y += n;
        count -= n;
    }
    return sum;
}

#endif
