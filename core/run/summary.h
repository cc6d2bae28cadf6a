/* What stands above the trials: results.csv and trials.csv of the whole run. */
#ifndef RUN_SUMMARY_H
#define RUN_SUMMARY_H

#include "run/trial.h"

/* OUT/results.csv and OUT/trials.csv of the trials done so far. */
bioft_status summary_results(const char *out, const struct experiment *e, struct error *err);

#endif
