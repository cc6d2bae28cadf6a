/* What a split is, in a few digits: count and hash of the names of its samples. */
#ifndef DATA_IDENTITY_H
#define DATA_IDENTITY_H

#include "data/dataset.h"

bioft_status dataset_name(const struct dataset *d, const struct split *s, uint64_t position, char *ret, size_t size,
                          struct error *err);
/* SHA-256 over class names, names, labels and contents of all splits, and the files that were read whole: what the data
 * is, for a stage's identity. The same wherever it lies. */
bioft_status dataset_digest(const struct dataset *d, char ret[SHA256_HEX], struct error *err);

/* Adds count and names to a sum. */
bioft_status split_names(const struct dataset *d, const struct split *s, struct sha256 *sum, struct error *err);
/* Fills s->fingerprint. */
bioft_status split_fingerprint(const struct dataset *d, struct split *s, struct error *err);
/* Fills s->content and s->identity, after the fingerprint: of images the files' sums, which the look at
 * them left; of other data every sample is read once, by all threads. */
bioft_status split_content(const struct dataset *d, struct split *s, struct pool *pool, struct error *err);

#endif
