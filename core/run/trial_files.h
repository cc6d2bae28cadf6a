/* What stands in a trial's folder beside its figures. */
#ifndef RUN_TRIAL_FILES_H
#define RUN_TRIAL_FILES_H

#include "run/trial.h"

/* The last stage's checkpoint under the trial's name too: the same file where the folder allows it. */
bioft_status trial_checkpoint(const struct trial_run *r, struct error *err);
/* classes.json: the names of the classes, in the order of the numbers in predictions. None where codes are ranked. */
bioft_status trial_classes(const struct trial_run *r, struct error *err);
/* Removes what a killed run left half written in the trial's folder, which is locked. */
bioft_status trial_sweep(const struct trial_run *r, struct error *err);

#endif
