/* Retrieval: a database ranked by Hamming distance for each query, and how good that is. An item is
 * relevant to a query with which it shares a label. */
#ifndef EVAL_MAP_H
#define EVAL_MAP_H

#include "base/threads.h"
#include "codes/codes.h"
#include "codes/hamming.h"
#include "eval/precision.h"
#include <stdbool.h>

/* With few bits nearly every rank is a tie. The order inside: the expectation over all; the
 * database's own, which is the literature's where its sort is stable; relevant items first, or
 * last. */
enum map_ties { TIES_EXPECTED, TIES_STABLE, TIES_RELEVANT_FIRST, TIES_RELEVANT_LAST, MAP_TIES };

struct map_params {
    const struct codes *query, *database; /* of as many bits and classes */
    uint64_t k;                           /* how many of the ranking count; 0, or more than there are: all */
    bool stable;                          /* TIES_STABLE too: a second pass over the database */
    struct pool *pool;                    /* may be NULL */
    const struct hamming *kernels;        /* NULL: the best here */
};
struct map_query {
    struct average_precision ties[MAP_TIES]; /* TIES_STABLE: 0 where it was not asked */
    uint64_t relevant;                       /* in the whole database */
};
/* Means over queries of what lies within a Hamming radius: the part that is relevant (0 where
 * nothing is), and the part of all relevant items (0 where there are none). */
struct map_radius {
    double precision, recall;
};
struct map_result {
    uint64_t k;                /* as used */
    uint64_t n, without;       /* queries; those with nothing relevant in the whole database */
    struct map_query *queries; /* [n] */
    struct map_radius *radii;  /* [bits + 1] */
    uint32_t bits;
};
/* Bit for bit the same whatever the threads and kernels. */
bioft_status map_compute(const struct map_params *p, struct map_result *ret, struct error *err);
void map_free(struct map_result *r); /* zero is fine */

/* Over all queries, where one without hits counts 0; or, where leave_out, over those that have
 * anything relevant. 0 where that is none. */
double map_mean(const struct map_result *r, enum map_ties ties, enum map_divisor divisor, bool leave_out);
/* Means over all queries of the part of the first k that is relevant, and of the part of the
 * relevant that is found. */
double map_precision(const struct map_result *r, enum map_ties ties);
double map_recall(const struct map_result *r, enum map_ties ties);

#endif
