/* Intervals of 95%. */
#ifndef EVAL_INTERVAL_H
#define EVAL_INTERVAL_H

#include <stddef.h>
#include <stdint.h>

struct interval {
    double low, high;
};
/* Wilson's score interval for k successes of n (Wilson 1927), z = 1.959963984540054. n 0:
 * [0, 1]. */
struct interval interval_wilson(uint64_t k, uint64_t n);

/* Percentile bootstrap of a mean over queries (Efron 1979): 1,000 times n of the values are drawn
 * with replacement by the keyed generator, stream "bootstrap", draw i by key i; the ends are
 * the 2.5% and 97.5% points of the means, between neighbours by a straight line. Ranks of one query
 * are no independent samples, so nothing simpler holds. n below 2^32; n 0: [0, 1]. */
struct interval interval_bootstrap(const double *values, uint64_t n, uint64_t seed);
/* The same with `draws` draws, whose means are left in ascending order in means[draws]. */
struct interval interval_bootstrap_means(const double *values, uint64_t n, uint64_t seed, double *means, size_t draws);

#endif
