/* What a split is, in a few digits: count and hash of the names of its samples. */
#ifndef DATA_IDENTITY_H
#define DATA_IDENTITY_H

#include "data/dataset.h"

bioft_status split_fingerprint(const struct dataset *d, struct split *s, struct error *err);

#endif
