/* Average precision of one query at k, and what ties do to it: from the histogram of distances,
 * without a sort. */
#ifndef EVAL_PRECISION_H
#define EVAL_PRECISION_H

#include <stddef.h>
#include <stdint.h>

/* By what the sum of the precisions at the ranks of relevant items is divided: those items (of the
 * first k), as many as there could be (the smaller of k and the relevant items of the database), or
 * k (of the database's size at most). */
enum map_divisor { DIVIDE_BY_HITS, DIVIDE_BY_RELEVANT, DIVIDE_BY_K, MAP_DIVISORS };

struct average_precision {
    double by[MAP_DIVISORS]; /* 0 where there is nothing relevant */
    double hits;             /* relevant among the first k; an expectation where ties are */
};

/* A query's database by distance: items at distance d, and those of them that are relevant. */
struct tie_groups {
    const uint32_t *count, *relevant;
    size_t levels; /* distances 0..levels - 1 */
};

/* The exact expectation over all orders of tied items. harmonic[i]: the sum of 1/j for j = 1..i, up
 * to the smaller of k and the database's size; so k here. */
void precision_expected(const struct tie_groups *g, uint64_t k, const double *harmonic, struct average_precision *ret);
/* One order: in each tie the relevant items first, or last. */
void precision_relevant_first(const struct tie_groups *g, uint64_t k, const double *harmonic,
                              struct average_precision *ret);
void precision_relevant_last(const struct tie_groups *g, uint64_t k, const double *harmonic,
                             struct average_precision *ret);
/* An order that is known: bit r says whether the item of rank r, counted from 0, is relevant;
 * `relevant` are in the database. */
void precision_ordered(const uint64_t *ranks, uint64_t k, uint64_t relevant, struct average_precision *ret);

#endif
