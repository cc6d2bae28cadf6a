/* What a split is, in a few digits: count and hash of the names of its samples. */
#ifndef DATA_IDENTITY_H
#define DATA_IDENTITY_H

#include "data/dataset.h"

/* Adds count and names to a sum. */
bioft_status split_names(const struct dataset *d, const struct split *s, struct sha256 *sum,
                         struct error *err);
/* Fills s->fingerprint. */
bioft_status split_fingerprint(const struct dataset *d, struct split *s, struct error *err);
/* Fills s->content and s->identity, after the fingerprint: of pictures the files' sums, which the look at
 * them left; of other data every sample is read once, by all threads. */
bioft_status split_content(const struct dataset *d, struct split *s, struct pool *pool,
                           struct error *err);

#endif
