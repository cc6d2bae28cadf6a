/* Training a trial's stages. */
#ifndef RUN_TRIAL_STAGES_H
#define RUN_TRIAL_STAGES_H

#include "run/trial.h"

/* Trains each stage, or finds it trained, and makes its clean figure, unless the network alone is wanted. */
bioft_status trial_stages(struct trial_run *r, struct error *err);
/* Its last stage's network alone, after trial_open: trained, or found trained. No figure, no file of the trial's own. */
bioft_status trial_network(struct trial_run *r, struct error *err);

#endif
