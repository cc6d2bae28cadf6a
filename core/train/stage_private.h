/* A stage in training: what its epochs work on. */
#ifndef TRAIN_STAGE_PRIVATE_H
#define TRAIN_STAGE_PRIVATE_H

#include "train/stage.h"
#include "train/optimizer.h"
#include "train/own_step.h"

struct run {
    const struct stage_params *p;
    const struct split *split;
    const struct split *val; /* model_selection: val; else NULL */
    char *best_path;         /* and where the best network is kept */
    uint64_t usable, epochs, steps_per_epoch, steps;
    struct step step;
    struct progress at;
    struct program *plain, *observing; /* the second where dy is read at every layer */
    struct alignment *alignment;
    struct batches *batches;
    uint64_t *order;      /* of the epoch, [split->count] */
    double began, waited; /* clock and waiting when the epoch was opened */
    uint64_t began_seen;
};
/* Everything that the first step needs, with the model's moments at zero. Undone by stage_close,
 * also after a failure. */
bioft_status stage_open(const struct stage_params *p, struct run *r, struct error *err);
void stage_close(struct run *r);
/* What the running checkpoint saves and loads. */
struct checkpoint stage_checkpoint(const struct run *r);

/* model_selection: val: before the first step, after an epoch, at the end. Nothing for `last`. */
bioft_status select_open(struct run *r, struct error *err);
bioft_status select_epoch(struct run *r, struct error *err);
bioft_status select_finish(struct run *r, struct error *err);

#endif
