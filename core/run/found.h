/* Figures that a trial's files have already: taken where they are of this network and say what they have to, made again where
 * they are of another, refused where they were altered. */
#ifndef RUN_FOUND_H
#define RUN_FOUND_H

#include "run/entry.h"

/* f: `metrics` figures of one evaluation, described; filled where found. What another network left is said. */
bioft_status found_read(struct trial_run *r, size_t metrics, struct figure *f, bool *ret_found, struct error *err);
/* Has a figure that was read the samples, and their labels, that it has to be of? positions NULL: all of the split. */
bioft_status found_samples(const struct trial_run *r, const struct figure *f, const struct split *s,
                           const uint64_t *positions, uint64_t count, struct error *err);
/* The same of every figure of an attack that was found. */
bioft_status found_entry(const struct trial_run *r, const struct entry *e, struct error *err);

#endif
