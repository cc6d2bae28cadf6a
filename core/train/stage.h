/* A stage of training: epochs of steps, from wherever a checkpoint left it, to its end. */
#ifndef TRAIN_STAGE_H
#define TRAIN_STAGE_H

#include "base/stop.h"
#include "data/batch.h"
#include "train/checkpoint.h"

/* What a stage reports to whoever shows or records it; every number is of the stage so far. */
struct stage_report {
    const struct stage_spec *stage;
    uint64_t epoch, epochs, step, steps;
    double loss, accuracy;              /* means of the open or just ended epoch */
    double lr, images_per_s, data_wait; /* data_wait: seconds in this epoch */
    bool epoch_end;
    bool logged; /* log_every: the next two are of this step's batches */
    double step_loss, step_accuracy;
    /* Angle between the rule's and backprop's delta in degrees, cos(V, W) as an angle, |V|/|W|; by
     * layer; NULL where not measured at this step. NaN where a norm is 0. */
    const double *delta_angle, *weight_angle, *weight_ratio;
    uint32_t layer_count;
    const struct graph *graph;
};
typedef bioft_status stage_reporter(void *ctx, const struct stage_report *r, struct error *err);

struct stage_params {
    struct model *model;
    const struct dataset *dataset;
    struct image_format image;
    const struct trial *trial;
    const struct stage_spec *stage;
    uint32_t stage_number;
    const char *key;        /* identity, for checkpoints */
    const char *checkpoint; /* the running one's path; NULL: none is kept */
    bool resume;            /* go on from it where it exists */
    struct pool *pool;
    const struct stop *stop; /* between steps: saves, BIOFT_ERR_CANCELLED */
    const struct log *log;
    stage_reporter *report;
    bioft_status (*before_save)(void *ctx,
                                struct error *err); /* what was reported has to be on disk; NULL: nothing has */
    void *ctx;
};
/* Trains. On success *ret_feedback (may be NULL) is the stage's rule at its last step: evaluation
 * and attacks use it. A NaN names the layer and the step, and the last good checkpoint stays. */
bioft_status stage_train(const struct stage_params *p, struct feedback **ret_feedback, struct error *err);
/* All that stage_train refuses before its first step, and no step. Values and moments of the model may change. */
bioft_status stage_check(const struct stage_params *p, struct error *err);
/* Samples that an epoch uses of `count`: one fewer where the last batch would have one sample and
 * so leave batchnorm one value a channel; 0 where every batch would. */
uint64_t stage_usable(const struct stage_spec *s, const struct graph *g, uint64_t count);
/* The samples of a stage: the split train; where nothing is trained and there is none, test. */
bioft_status stage_split(const struct stage_spec *s, const struct dataset *d, const struct split **ret,
                         struct error *err);
/* Steps (updates) and epochs that a stage will take with `count` samples an epoch. The returns may
 * be NULL. */
uint64_t stage_steps(const struct stage_spec *s, uint64_t count, uint64_t *ret_epochs, uint64_t *ret_steps_per_epoch);

#endif
