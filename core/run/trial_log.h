/* A trial's metrics as other programs read them: what `log` of the manifest names. */
#ifndef RUN_TRIAL_LOG_H
#define RUN_TRIAL_LOG_H

#include "run/trial.h"

enum log_moment { LOG_AT_EPOCH, LOG_AT_STAGE_END, LOG_AT_FAILURE, LOG_AT_END };
/* Makes them anew from the stages' metrics.jsonl as they are, and at LOG_AT_END the trial's figures: what was written before
 * a run was interrupted is replaced, so that every step is there once. */
bioft_status trial_log(const struct trial_run *r, enum log_moment moment, struct error *err);

#endif
