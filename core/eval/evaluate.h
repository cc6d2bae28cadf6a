/* Evaluation: a program over samples, predictions out. */
#ifndef EVAL_EVALUATE_H
#define EVAL_EVALUATE_H

#include "attack/attack.h"
#include "base/memory.h"
#include "eval/figure.h"

/* What an evaluation of this network measures: the accuracy, or of codes what rankings have
 * (retrieval.h). A name is in the arena; NULL: out of memory. */
size_t evaluate_metrics(const struct trained *t);
const char *evaluate_metric(const struct trained *t, size_t metric, struct arena *arena);

/* Clean predictions of `count` positions of a split (NULL: all): an evaluation pass on normalised
 * pixels. ret[metric] has room for all. */
bioft_status evaluate_clean(const struct trained *t, const uint64_t *positions, uint64_t count,
                            struct prediction *const *ret, struct error *err);
/* Attacked predictions for the spec's gradients over its grid:
 * ret[(gradient * epsilon_count + epsilon) * metrics + metric] has room for `count`, each with a record of the attack
 * that the metrics of a cell share; NULL: skip it. An image that a classifier had wrong without the attack scores 0.
 * Every figure is a fresh evaluation pass over the final images; at epsilon 0, where these are the
 * clean ones whatever the gradient, one pass serves both. Queries are ranked in the clean database.
 * Dumps go to `dump_folder` where the spec asks. */
struct evaluate_params {
    const struct trained *target;
    const struct trained *maker; /* the network that the images are made on; NULL: target */
    const struct attack_spec *spec;
    const uint64_t *positions;
    uint64_t count;
    const bool *const *leave; /* as attack_params has it: images that stay as they are */
    const char *dump_folder;
};
/* *ret_redrawn: the attack drew V anew itself. */
bioft_status evaluate_attack(const struct evaluate_params *p, struct prediction *const *ret, bool *ret_redrawn,
                             struct error *err);

#endif
