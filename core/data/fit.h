/* Do a transform and the images go together? */
#ifndef DATA_FIT_H
#define DATA_FIT_H

#include "data/batch.h"

/* Of every image that is kept, by its size: an error names the first that cannot be made an input of this size, and
 * counts the others. Nothing is decoded. */
bioft_status dataset_fits(const struct dataset *d, const struct image_format *image, struct error *err);

#endif
