/* What a manifest that changed means for the results that are there. */
#ifndef RUN_OUTPUT_CHANGE_H
#define RUN_OUTPUT_CHANGE_H

#include "manifest/experiment.h"

/* Does `new` have every trial of `old` with the same stages, and every attack, epsilon and gradient of theirs? */
bool change_only_adds(const struct experiment *old, const struct experiment *new);
/* Takes away the results of finished trials that get more attacks: they are built again from their figures. */
bioft_status change_reopen_trials(const struct experiment *old, const struct experiment *new, const char *out,
                                  struct error *err);
/* The first lines in which the resolved texts differ, but for what is in no key, as an error. */
bioft_status change_differs(const char *folder, const char *old, const char *new, struct error *err);

#endif
