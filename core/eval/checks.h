/* Sanity checks over a trial's figures (algorithms.md, 8.7): what makes a robustness figure suspect. */
#ifndef EVAL_CHECKS_H
#define EVAL_CHECKS_H

#include "base/memory.h"
#include "eval/figure.h"

/* Sets `warnings` of the figures of one trial, and the worst case over attacks and gradients of each epsilon as further
 * figures (attack "worst"), one a split and stage, into *ret_worst. largest_class_share: of the attacked samples. */
bioft_status checks_run(struct figure *figures, size_t count, double largest_class_share, struct arena *arena,
                        struct figure **ret_worst, size_t *ret_worst_count, struct error *err);

#endif
