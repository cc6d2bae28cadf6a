/* One step of training, as its equation reads. */
#ifndef TRAIN_STEP_H
#define TRAIN_STEP_H

#include "data/batch.h"
#include "train/alignment.h"
#include "train/checkpoint.h"

struct step {
    struct model *model;
    struct program *program;
    struct feedback *feedback;
    struct instance *loss;
    struct alignment *alignment;                   /* measured in this step, or NULL */
    const struct stage_spec *stage;
    uint64_t stage_number, steps;                  /* steps: of the whole stage */
    bool classes;                                  /* outputs are classes: right answers count */
    float *out, *d_out;                            /* [batch_size][outputs] */
    /* [parameter_count], without and with the schedule; negative: frozen. */
    double *base_lr, *lr;
};
/* Adds a batch that went forward to the running sums. */
void step_count(const struct step *s, const bioft_batch *batch, double loss, struct progress *at);
/* One update from the next `accumulate` batches, or as many as the epoch still has. Moves `at` on
 * by it. */
bioft_status step_run(struct step *s, struct batches *batches, struct progress *at,
                      struct error *err);

#endif
