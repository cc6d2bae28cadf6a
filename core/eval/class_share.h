/* How unevenly samples lie over classes: what a constant answer would get. */
#ifndef EVAL_CLASS_SHARE_H
#define EVAL_CLASS_SHARE_H

#include "eval/figure.h"

/* The part of n predictions that the most frequent label has; 0 of none. */
bioft_status class_share(const struct prediction *p, uint64_t n, double *ret, struct error *err);

#endif
