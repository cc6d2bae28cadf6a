/* One step of training, as its equation reads. */
#ifndef TRAIN_STEP_H
#define TRAIN_STEP_H

#include "data/batch.h"
#include "train/alignment.h"
#include "rules/chain.h"
#include "train/checkpoint.h"

struct step {
    struct model *model;
    struct program *program;
    struct chain *chain; /* where the rule runs the step; else NULL */
    struct feedback *feedback;
    struct instance *loss;
    struct alignment *alignment; /* measured in this step, or NULL */
    const struct stage_spec *stage;
    uint64_t stage_number, steps; /* steps: of the whole stage */
    bool classes;                 /* outputs are classes: right answers count */
    float *out, *d_out;           /* [batch_size][outputs] */
    /* [parameter_count], without and with the schedule; negative: frozen. */
    double *base_lr, *lr;
};
/* Adds a batch that went forward to the running sums. */
void step_count(const struct step *s, const bioft_batch *batch, double loss, struct progress *at);
/* The parts of a step, for those who run one. Dropout's key of batch `batch` of a step. */
uint64_t step_dropout_key(const struct step *s, uint64_t step, uint32_t batch);
/* Of the loss's own arrays. */
void step_clear_loss(struct step *s);
/* The loss of s->out into *ret, its gradient into s->d_out. */
bioft_status step_loss(struct step *s, const bioft_batch *batch, double *ret, struct error *err);
/* The optimizer's numbers for the update that comes next, over so many batches; fills s->lr. */
bioft_update step_update(struct step *s, const struct progress *at, uint32_t batches);
/* bad: a parameter that is not finite, or BIOFT_NONE. */
bioft_status step_finite(const struct step *s, uint64_t step, uint32_t bad, double loss, struct error *err);
void step_update_loss(struct step *s, const struct progress *at, const bioft_update *u);
/* One update from the next `accumulate` batches, or as many as the epoch still has. Moves `at` on
 * by it. */
bioft_status step_run(struct step *s, struct batches *batches, struct progress *at, struct error *err);

#endif
