/* Paired comparisons: two figures on the same samples, or of several networks each; what is left of
 * many p-values after Holm's correction; and what a comparison comes to. */
#ifndef EVAL_COMPARE_H
#define EVAL_COMPARE_H

#include "eval/figure.h"
#include "eval/interval.h"
#include "eval/student.h"

/* A difference, 95% interval and two-sided p-value. */
struct comparison {
    double difference;
    struct interval ci;
    double p;
    uint64_t n;      /* samples; over several seeds: seeds */
    uint64_t images; /* samples that were compared one by one; 0: none were */
    double spread;   /* standard deviation of a sample's difference; 0 without samples */
    bool counts;     /* of right answers */
    bool alike;      /* over seeds: all have the same difference, so that they give no interval */
};

/* Two-sided exact test of McNemar (1947): `only_a` and `only_b` samples that one network alone has
 * right are as the falls of a coin. Twice the smaller tail of the binomial, 1 at most. */
double compare_mcnemar(uint64_t only_a, uint64_t only_b);
/* 95% interval of p_a - p_b where `both` samples are right for both and `neither` for none:
 * Newcombe's hybrid score interval for paired data (Statistics in Medicine 17, 1998, method 10).
 * All 0: [-1, 1]. */
struct interval compare_newcombe(uint64_t both, uint64_t only_a, uint64_t only_b, uint64_t neither);

/* Figure a minus figure b, sample by sample: McNemar's test with Newcombe's interval where right
 * answers are counted, else the permutation test (permutation.h) with interval_mean of the
 * differences. *ret_paired false, and nothing else set, unless both have the same samples. */
bioft_status compare_figures(const struct figure *a, const struct figure *b, struct comparison *ret, bool *ret_paired,
                             struct error *err);

/* Mean of n values, one a seed, each within [low, high]: seeds are a random effect, so its interval
 * is Student's over them and p is of the two-sided t-test that the mean is 0. Values that are all
 * equal have no variance to test by: p is the sign test's 2^(1-n), the interval [low, high], and so
 * is it of n 1, with p 1. The interval stays within [low, high]. */
struct comparison compare_seeds(const double *values, uint64_t n, double low, double high);
/* Fewer are shown with their interval, and never called significant. */
enum { COMPARE_SEEDS = 5 };

/* n pairs of figures, one a seed, a[i] minus b[i]. One: compare_figures. Several: the differences of
 * their values by compare_seeds; and where all have the same samples, each sample's mean difference
 * over the seeds by the permutation test too. Both seeds and samples are drawn from what the
 * statement is about, so the larger p and the wider interval count; over values without variance the
 * interval is that of the samples. *ret_paired false: one pair without the same samples. */
bioft_status compare_runs(const struct figure *const *a, const struct figure *const *b, size_t n,
                          struct comparison *ret, bool *ret_paired, struct error *err);

/* n pairs of figures on the same samples, a statement about these networks alone: one pair by compare_figures, of several
 * each sample's mean difference by the permutation test. *ret_paired false: other samples somewhere, or no pair. */
bioft_status compare_networks(const struct figure *const *a, const struct figure *const *b, size_t n,
                              struct comparison *ret, bool *ret_paired, struct error *err);

/* Holm (Scandinavian Journal of Statistics 6, 1979): the n p-values replaced by adjusted ones, each
 * to be compared with the level of the whole family. Out of memory: false, unchanged. */
bool compare_holm(double *p, size_t n);

/* What a comparison comes to. MORE, LESS: a difference of at least COMPARE_MARGIN with an adjusted p
 * below COMPARE_LEVEL. SAME: the 95% interval of the difference lies within +-COMPARE_MARGIN. */
enum outcome { OUTCOME_UNDECIDED, OUTCOME_MORE, OUTCOME_LESS, OUTCOME_SAME };
#define COMPARE_MARGIN 0.02
#define COMPARE_LEVEL  0.01
enum outcome compare_outcome(const struct comparison *c, double adjusted);
/* About how many samples would decide it in a family of `family` comparisons, if they differed as
 * these do: by the normal approximation, with the continuity correction where answers are counted.
 * 0: no number that could be named (above ten million, or no samples were compared). */
uint64_t compare_needed(const struct comparison *c, size_t family);

#endif
