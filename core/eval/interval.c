/* Intervals of 95%. */
#include "eval/interval.h"

#include <math.h>

struct interval interval_wilson(uint64_t k, uint64_t n)
{
    const double z = 1.959963984540054, count = (double)n, p = n ? (double)k / count : 0.0;
    if (n == 0)
        return (struct interval){ 0.0, 1.0 };
    const double middle = p + z * z / (2.0 * count), scale = 1.0 + z * z / count;
    const double half = z * sqrt(p * (1.0 - p) / count + z * z / (4.0 * count * count));
    /* The ends are exact: rounding must not leave 1e-17 where the formula gives 0, or 1 - 1e-16 for 1. */
    return (struct interval){ k == 0 ? 0.0 : (middle - half) / scale, k == n ? 1.0 : (middle + half) / scale };
}
