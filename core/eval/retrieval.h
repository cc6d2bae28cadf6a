/* Queries ranked against a database: a prediction a query and metric. */
#ifndef EVAL_RETRIEVAL_H
#define EVAL_RETRIEVAL_H

#include "attack/attack.h"
#include "base/memory.h"
#include "eval/figure.h"

/* For each k of the target its metrics, "map@5000" (ties by expectation) and "map@5000/stable", in
 * this order. */
size_t retrieval_metrics(const struct trained *t);
const char *retrieval_metric(const struct trained *t, size_t metric, struct arena *arena);

/* The average precisions of queries in the database of the target's codebook:
 * ret[metric][query].score; nothing else of ret changes. */
bioft_status retrieval_rank(const struct trained *t, const struct codes *queries, struct prediction *const *ret,
                            struct error *err);
/* The average precision of each query at the target's first k alone, ties by expectation. */
bioft_status retrieval_precisions(const struct trained *t, const struct codes *queries, double *ret, struct error *err);

#endif
