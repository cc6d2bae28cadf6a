/* Intervals of 95%. */
#include "eval/interval.h"

#include "base/random.h"
#include <math.h>
#include <stdlib.h>

enum { DRAWS = 1000, WORDS = 256 };

struct interval interval_wilson(uint64_t k, uint64_t n)
{
    const double z = 1.959963984540054, count = (double)n, p = n ? (double)k / count : 0.0;
    if (n == 0)
        return (struct interval){ 0.0, 1.0 };
    const double middle = p + z * z / (2.0 * count), scale = 1.0 + z * z / count;
    const double half = z * sqrt(p * (1.0 - p) / count + z * z / (4.0 * count * count));
    /* The ends are exact: rounding must not leave 1e-17 where the formula gives 0, or 1 - 1e-16
     * for 1. */
    return (struct interval){ k == 0 ? 0.0 : (middle - half) / scale,
                              k == n ? 1.0 : (middle + half) / scale };
}

/* The mean of n values drawn with replacement. */
static double resampled_mean(const double *values, uint64_t n, uint64_t seed, uint64_t draw)
{
    uint32_t words[WORDS];
    double sum = 0.0;

    for (uint64_t first = 0; first < n; first += WORDS) {
        const size_t count = n - first < WORDS ? (size_t)(n - first) : WORDS;
        random_fill(BIOFT_BITS, seed, "bootstrap", draw, first, words, count);
        for (size_t i = 0; i < count; i++)
            sum += values[words[i] * n >> 32];
    }
    return sum / (double)n;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *sorted, size_t count, double q)
{
    const double at = q * (double)(count - 1), part = at - floor(at);
    const size_t i = (size_t)at;
    return i + 1 < count ? sorted[i] + part * (sorted[i + 1] - sorted[i]) : sorted[i];
}

struct interval interval_bootstrap_means(const double *values, uint64_t n, uint64_t seed, double *means, size_t draws)
{
    if (n == 0)
        return (struct interval){ 0.0, 1.0 };
    for (uint64_t draw = 0; draw < draws; draw++)
        means[draw] = resampled_mean(values, n, seed, draw);
    qsort(means, draws, sizeof *means, by_value);
    return (struct interval){ quantile(means, draws, 0.025), quantile(means, draws, 0.975) };
}

struct interval interval_bootstrap(const double *values, uint64_t n, uint64_t seed)
{
    double means[DRAWS];
    return interval_bootstrap_means(values, n, seed, means, DRAWS);
}
