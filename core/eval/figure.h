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
    double score;                                  /* 1 right (of an attacked one: without the attack too), 0 not; AP
                                                      for retrieval */
    double delta_max, delta_mean;                  /* 0 for clean ones */
    struct attack_record *attack;                  /* of an attacked one; NULL: nothing is known of it */
};
/* What an attack did to one image. */
struct attack_record {
    double clean;                                  /* score without the attack; NAN for retrieval */
    bool right;                                    /* a class of the image's under attack, right without it or not */
    int32_t target;                                /* -1: none */
    double distance;                               /* in the attack's norm: of the image; of an attack that seeks the
                                                      nearest image of that one, INFINITY where there is none */
    uint64_t queries, gradients;                   /* images asked forward, backward */
    uint64_t zero, nonfinite;                      /* of the gradients */
    bool found, rising, traced;                    /* it saw the network fail inside the ball; its objective still rose
                                                      at the end; it told its course */
    const char *part;                              /* which part of it made the image, or which attack before; or "" */
};
/* Counts over a figure's images: docs/report.md. -1: there is nothing to count. */
struct indicators {
    int64_t right, gained, reached;
    int64_t zero_gradient, zero_survived, unchanged, budget_unused, silent, rising;
    double queries, gradients;                     /* an image, in the mean */
    double cosine, signs, differs;                 /* of the trial's gradients: gradients.h; NAN: not measured */
    const char *draws;                             /* "frozen", a number, "own", or "" where V is not random */
};
struct figure {
    /* results.csv's columns, without the trial's own (trial, seed, backbone, engine, precision) */
    const char *dataset, *protocol, *rule, *stage, *split, *metric, *attack, *options, *gradient, *norm;
    bool attacked;                                 /* else epsilon and gradient are empty */
    bool nearest;                                  /* the attack seeks the nearest image, whatever epsilon */
    struct indicators indicators;                  /* of an attacked one */
    double epsilon, value, ci_low, ci_high, delta_max, delta_mean;
    uint64_t n, left_out;
    const char *warnings;                          /* joined by ';' */
    struct prediction *predictions;                /* [n], or NULL */
};

/* Does the metric count right answers? Else it is a mean of scores, such as average precisions. */
bool figure_counts(const struct figure *f);
/* Fills value, 95% interval, n, deltas and the indicators' counts from the predictions: a share of right answers with
 * Wilson's interval, or a mean of scores with a bootstrap's. */
bioft_status figure_fill(struct figure *f, struct prediction *predictions, uint64_t n,
                         struct error *err);

#endif
