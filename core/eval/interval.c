/* Intervals of 95%. */
#include "eval/interval.h"

#include "base/random.h"
#include "base/sha256.h"
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    DRAWS = 1000,
    WORDS = 256,
    FEW = 30 /* values, of which a bootstrap alone knows too little */
};

struct interval interval_wilson(uint64_t k, uint64_t n)
{
    const double z = 1.959963984540054, count = (double)n, p = n ? (double)k / count : 0.0;
    if (n == 0)
        return (struct interval){ 0.0, 1.0 };
    const double middle = p + z * z / (2.0 * count), scale = 1.0 + z * z / count;
    const double half = z * sqrt(p * (1.0 - p) / count + z * z / (4.0 * count * count));
    /* The ends are exact: rounding must not leave 1e-17 where the formula gives 0, or 1 - 1e-16
     * for 1. */
    return (struct interval){ k == 0 ? 0.0 : (middle - half) / scale, k == n ? 1.0 : (middle + half) / scale };
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

struct interval interval_bootstrap(const double *values, uint64_t n, uint64_t seed)
{
    double means[DRAWS];

    if (n == 0)
        return (struct interval){ 0.0, 1.0 };
    for (uint64_t draw = 0; draw < DRAWS; draw++)
        means[draw] = resampled_mean(values, n, seed, draw);
    qsort(means, DRAWS, sizeof *means, by_value);
    return (struct interval){ quantile(means, DRAWS, 0.025), quantile(means, DRAWS, 0.975) };
}

uint64_t interval_stream(const double *values, uint64_t n)
{
    char hex[SHA256_HEX];

    sha256_bytes(values, (size_t)n * sizeof *values, hex);
    hex[16] = '\0';
    return strtoull(hex, NULL, 16);
}

struct interval interval_mean(const double *values, uint64_t n, double low, double high)
{
    const double share = interval_wilson(0, n).high;
    double mean = 0.0;
    bool alike = true;

    if (n == 0)
        return (struct interval){ low, high };
    for (uint64_t i = 0; i < n; i++) {
        mean += values[i];
        alike = alike && fabs(values[i] - values[0]) <= 1e-12;
    }
    mean /= (double)n;
    struct interval ci = interval_bootstrap(values, n, interval_stream(values, n));
    if (alike || n < FEW) {
        ci.low = fmin(ci.low, mean - share * (mean - low));
        ci.high = fmax(ci.high, mean + share * (high - mean));
    }
    return (struct interval){ fmax(low, ci.low), fmin(high, ci.high) };
}
