/* Which pictures are kept resized, and where: in memory or in a cache's file. */
#ifndef DATA_HOLD_H
#define DATA_HOLD_H

#include "data/transform.h"

/* What a transform finds at hand of a split; NULL: nothing that it can use. It places these
 * pictures as it does those that they are made from: a picture whose shorter side has the size
 * wanted is not resized again. */
const struct held *held_resized(const struct dataset *d, const struct split *s,
                                const struct transform *t);

#endif
