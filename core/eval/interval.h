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
/* The seed of an array's own stream, from its bytes: other values draw other samples, equal ones the
 * same. */
uint64_t interval_stream(const double *values, uint64_t n);

/* The 95% interval of a mean of n values, each within [low, high]: the bootstrap from the array's own
 * stream. Where all are alike, or fewer than 30, it reaches at least to the means that a share w at low
 * and at high would give (w is Wilson's upper end of 0 in n: what none of n samples shows): values that
 * are all alike have no interval of width 0, and at an end of the range Wilson's. Never outside
 * [low, high]. */
struct interval interval_mean(const double *values, uint64_t n, double low, double high);

#endif
