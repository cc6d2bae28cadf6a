/* A figure: one number of results.csv with everything that says what it is, and the predictions behind it. */
#ifndef EVAL_FIGURE_H
#define EVAL_FIGURE_H

#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

#define METRIC_ACCURACY         "accuracy"
#define ATTACK_WORST            "worst"
#define GRADIENT_OF_RULE        "rule"
#define GRADIENT_OF_STAND_INS   "straight_through"
#define GRADIENT_OF_DIFFERENCES "smoothed"

struct prediction {  /* of one evaluated sample */
    uint64_t sample; /* number in the split */
    int32_t label, prediction;
    double score;                 /* 1 right (of an attacked one: without the attack too), 0 not; AP
                                                      for retrieval */
    double delta_max, delta_mean; /* 0 for clean ones */
    struct attack_record *attack; /* of an attacked one; NULL: nothing is known of it */
};
/* What an attack did to one image. */
struct attack_record {
    double clean;                /* score without the attack; NAN for retrieval */
    bool right;                  /* a class of the image's under attack, right without it or not */
    int32_t target;              /* -1: none */
    double distance;             /* in the attack's norm: of the image; of an attack that seeks the
                                                      nearest image of that one, INFINITY where there is none */
    uint64_t queries, gradients; /* images asked forward, backward */
    uint64_t zero, nonfinite;    /* of the gradients */
    bool found, rising, traced;  /* it saw the network fail inside the ball; its objective still rose
                                                      at the end; it told its course */
    const char *part;            /* which part of it made the image, or which attack before; or "" */
};
/* Counts over a figure's images: docs/report.md. -1: there is nothing to count. */
struct indicators {
    int64_t right, gained, reached;
    int64_t zero_gradient, zero_survived, unchanged, budget_unused, silent, rising;
    double queries, gradients;     /* an image, in the mean */
    double cosine, signs, differs; /* of the trial's gradients: gradients.h; NAN: not measured */
    const char *draws;             /* "frozen", a number, "own", or "" where V is not random */
};
struct figure {
    /* results.csv's columns, without the trial's own (trial, seed, backbone, engine, precision) */
    const char *dataset, *protocol, *rule, *stage, *split, *metric, *attack, *options, *gradient, *norm;
    bool attacked;                /* else epsilon and gradient are empty */
    bool nearest;                 /* the attack seeks the nearest image, whatever epsilon */
    struct indicators indicators; /* of an attacked one */
    double epsilon, value, ci_low, ci_high, delta_max, delta_mean;
    uint64_t n, left_out;
    uint64_t dropped;                  /* images left out of all splits of the stage's data */
    uint64_t n_train, steps;           /* of the stage: images trained on, updates; 0: none */
    const char *from;                  /* the other trial on whose network the images were made, as the
                                                      manifest names it; "": none */
    const char *target;                /* of the attack: "", "random", "least_likely" or a class */
    const char *identity;              /* 16 hex digits of all that determines it but the seed, or "" */
    const char *network;               /* 16 hex digits of the key of its network's stage, or "" */
    const char *attacks;               /* as results.csv has them: those that a worst case holds */
    const char *verdict, *verdict_why; /* of worst cases (docs/report.md), else "" */
    const char *warnings;              /* joined by ';' */
    /* Of a figure under the rule's gradient beside the one under the exact gradient (checks.h). */
    const char *masking;            /* "masking", "none", "undecided", "reversed"; NULL: no pair */
    double masking_p;               /* after Holm's correction over the trial's grid */
    uint64_t masking_n;             /* samples that would decide it; 0: decided, or none known */
    struct prediction *predictions; /* [n], or NULL */
};

/* A figure's gradient for people: "exact", "rule's own", "straight through", "smoothed", or "both" of a worst case over the
 * rule's own and the others. */
const char *gradient_title(const char *gradient);
/* Does the metric count right answers? Else it is a mean of scores, such as average precisions. */
bool figure_counts(const struct figure *f);
/* Fills value, 95% interval, n, deltas and the indicators' counts from the predictions: a share of right answers with
 * Wilson's interval, or a mean of scores with a bootstrap's. */
bioft_status figure_fill(struct figure *f, struct prediction *predictions, uint64_t n, struct error *err);

#endif
