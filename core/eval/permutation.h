/* The paired permutation test of a mean difference. */
#ifndef EVAL_PERMUTATION_H
#define EVAL_PERMUTATION_H

#include "base/error.h"
#include <stddef.h>

/* Two-sided p-value that n paired differences are as likely to have either sign, by their sum
 * (Fisher, The Design of Experiments, 1935, section 21). With up to 20 differences that are not 0
 * every assignment of signs is counted; with more, 99,999 are drawn by the keyed generator, stream
 * "permutation", and p = (reached + 1) / 100,000, or, as soon as 200 reach it, 200 by the number
 * drawn (Besag and Clifford, Biometrika 78, 1991). Equal arrays give equal values. All 0, or n 0: 1. */
bioft_status permutation_test(const double *differences, size_t n, double *ret_p, struct error *err);

#endif
