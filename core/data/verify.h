/* Images are looked at when a dataset is opened: what is missing or broken is found here and not
 * in training. */
#ifndef DATA_VERIFY_H
#define DATA_VERIFY_H

#include "base/threads.h"
#include "data/private.h"

/* Reads the first sample for the format and sides of the data; then, where samples are files,
 * decodes every one kept, leaves out what is missing or broken as the policies say, and keeps the
 * pixels in memory where there is room. */
bioft_status verify_images(struct dataset *d, struct pool *pool, const struct log *log, struct error *err);

#endif
