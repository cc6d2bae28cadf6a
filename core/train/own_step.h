/* A training step that the rule runs itself, block by block ("bioft.step/0"). */
#ifndef TRAIN_OWN_STEP_H
#define TRAIN_OWN_STEP_H

#include "train/step.h"

/* As step_run, for a rule with feedback_own and a step with a chain. */
bioft_status own_step_run(struct step *s, struct batches *batches, struct progress *at, struct error *err);

#endif
