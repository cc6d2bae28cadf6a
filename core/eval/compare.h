/* Paired comparisons: two networks on the same samples, two rules over the same seeds; and what is
 * left of many p-values after Holm's correction. */
#ifndef EVAL_COMPARE_H
#define EVAL_COMPARE_H

#include "eval/figure.h"
#include "eval/interval.h"

/* A difference, 95% interval and two-sided p-value. */
struct comparison {
    double difference;
    struct interval ci;
    double p;
    uint64_t n; /* samples, or seeds */
};

/* Two-sided exact test of McNemar (1947): `only_a` and `only_b` samples that one network alone has
 * right are as the falls of a coin. Twice the smaller tail of the binomial, 1 at most. */
double compare_mcnemar(uint64_t only_a, uint64_t only_b);
/* 95% interval of p_a - p_b where `both` samples are right for both and `neither` for none:
 * Newcombe's hybrid score interval for paired data (Statistics in Medicine 17, 1998, method 10).
 * All 0: [-1, 1]. */
struct interval compare_newcombe(uint64_t both, uint64_t only_a, uint64_t only_b, uint64_t neither);

/* Figure a minus figure b, sample by sample: McNemar's test with Newcombe's interval where right
 * answers are counted, else a paired bootstrap of the mean difference (percentile interval; p is
 * the share of 4,999 draws, moved to mean 0, that reach the difference found). *ret_paired false,
 * and nothing else set, unless both have the same samples. */
bioft_status compare_figures(const struct figure *a, const struct figure *b, struct comparison *ret,
                             bool *ret_paired, struct error *err);

/* Mean of n values, one a seed: seeds are a random effect, so its interval is Student's over them
 * and p is of the two-sided t-test that the mean is 0. n 1: the interval is infinite, p 1. */
struct comparison compare_seeds(const double *values, uint64_t n);
/* Fewer are shown with their interval, and never called significant. */
enum { COMPARE_SEEDS = 5 };

/* Student's t with `df` degrees of freedom, 1 and more: probability of being below t, and the
 * reverse for 0 < p < 1. */
double student_below(double t, uint64_t df);
double student_quantile(double p, uint64_t df);

/* Holm (Scandinavian Journal of Statistics 6, 1979): the n p-values replaced by adjusted ones, each
 * to be compared with the level of the whole family. Out of memory: false, unchanged. */
bool compare_holm(double *p, size_t n);

#endif
