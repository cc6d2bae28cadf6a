/* What stands above the trials: provenance, results.csv and trials.csv of the whole run. */
#ifndef RUN_SUMMARY_H
#define RUN_SUMMARY_H

#include "run/trial.h"

/* OUT/provenance.json by the trial at hand, before its first step; kept where an earlier trial wrote it. */
bioft_status summary_provenance(const struct trial_run *r, int argc, char **argv, struct error *err);
/* OUT/results.csv and OUT/trials.csv of the trials done so far. */
bioft_status summary_results(const char *out, const struct experiment *e, struct error *err);

#endif
