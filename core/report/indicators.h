/* What the attacks' own rows say about whether their figures can be trusted. */
#ifndef REPORT_INDICATORS_H
#define REPORT_INDICATORS_H

#include "formats/csv.h"
#include "report/study.h"

/* Reads results.csv of a folder as it stands. */
bioft_status indicators_open(const char *folder, struct arena *arena, struct csv *ret, struct error *err);
/* The first reason for which the attacks of a trial, those that do not follow the rule's own gradient, decide nothing
 * at this metric, norm and epsilon: an indicator that speaks against them, or one that was not measured. "": none.
 * In the arena. */
bioft_status indicators_doubt(const struct csv *c, const char *trial, const struct place *at, struct arena *arena,
                              const char **ret, struct error *err);

#endif
