/* A figure: one number of results.csv with everything that says what it is, and the predictions behind it. */
#ifndef EVAL_FIGURE_H
#define EVAL_FIGURE_H

#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

#define METRIC_ACCURACY "accuracy"

struct prediction {                                /* of one evaluated sample */
    uint64_t sample;                               /* number in the split */
    int32_t label, prediction;
    double score;                                  /* 1 right, 0 wrong; AP for retrieval */
    double delta_max, delta_mean;                  /* 0 for clean ones */
};
struct figure {
    /* results.csv's columns, without the trial's own (trial, seed, backbone, engine, precision) */
    const char *dataset, *protocol, *rule, *stage, *split, *metric, *attack, *options, *gradient, *norm;
    bool attacked;                                 /* else epsilon and gradient are empty */
    double epsilon, value, ci_low, ci_high, delta_max, delta_mean;
    uint64_t n, left_out;
    const char *warnings;                          /* joined by ';' */
    struct prediction *predictions;                /* [n], or NULL */
};

/* Does the metric count right answers? Else it is a mean of scores, such as average precisions. */
bool figure_counts(const struct figure *f);
/* Fills value, 95% interval, n and deltas from the predictions: a share of right answers with
 * Wilson's interval, or a mean of scores with a bootstrap's. */
bioft_status figure_fill(struct figure *f, struct prediction *predictions, uint64_t n,
                         struct error *err);

#endif
