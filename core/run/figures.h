/* A trial's figures: made where no file has them yet, in the manifest's order. */
#ifndef RUN_FIGURES_H
#define RUN_FIGURES_H

#include "run/trial.h"

/* Clean accuracy after stage `stage` (stage_count: of the weights as they are) on its own test split. */
bioft_status figures_clean(struct trial_run *r, size_t stage, struct error *err);
/* Does a file have the stage's clean figure already? */
bioft_status figures_have_clean(struct trial_run *r, size_t stage, bool *ret, struct error *err);
/* Every attack of the trial on its last network. */
bioft_status figures_attacks(struct trial_run *r, struct error *err);

#endif
