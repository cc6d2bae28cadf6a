/* Intervals of 95%. */
#ifndef EVAL_INTERVAL_H
#define EVAL_INTERVAL_H

#include <stdint.h>

struct interval {
    double low, high;
};
/* Wilson's score interval for k successes of n (Wilson 1927), z = 1.959963984540054. n 0: [0, 1]. */
struct interval interval_wilson(uint64_t k, uint64_t n);

#endif
