/* Student's t distribution. */
#ifndef EVAL_STUDENT_H
#define EVAL_STUDENT_H

#include <stdint.h>

/* With `df` degrees of freedom, 1 and more: probability of being below t, and the reverse for
 * 0 < p < 1. */
double student_below(double t, uint64_t df);
double student_quantile(double p, uint64_t df);

#endif
