/* What a trial and its figures are, whatever the seed: what makes two of them repetitions of one another. */
#ifndef RUN_IDENTITY_H
#define RUN_IDENTITY_H

#include "run/trial.h"

/* After engine and data are open: the resolved keys that decide results, with the engine that was chosen, the contents
 * of all data (pixels and labels, and what was left out) and of all weights. Fills r->identity and the label's, and keeps
 * them as trials/ID/settings.csv for the report to name differences by.
 * BIOFT_ERR_INVALID with both checksums where OUT holds results of other data, weights or plugins under the same
 * names: OUT/inputs has their sums. */
bioft_status identity_open(struct trial_run *r, struct error *err);
/* 16 hex digits of all that determines a figure of this stage (stage_count 0: 0) but the seed; attack_key: of its attack,
 * or "". NULL: out of memory. */
const char *identity_of(const struct trial_run *r, size_t stage, const struct figure *f, const char *attack_key);
/* What the figures of a stage stand on: images left out of its data, trained on, and updates. */
void identity_counts(const struct trial_run *r, size_t stage, struct figure *ret);

#endif
