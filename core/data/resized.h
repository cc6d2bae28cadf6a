/* Images of a split resized once, as a transform resizes them before anything is drawn. */
#ifndef DATA_RESIZED_H
#define DATA_RESIZED_H

#include "base/threads.h"
#include "data/cache.h"

struct making {
    const struct dataset *d;
    const struct split *s;
    const struct pixel_store *to; /* the sizes and places of the results */
    struct pool *pool;
    const struct log *log;
    bool failed; /* an image's fault, not that of memory or the file */
};
/* Into `own`, which has room for all of them, or where that is NULL into a file. An image that is
 * no longer the one that was looked at is an error. */
bioft_status resized_make(struct making *m, uint8_t *own, struct cache_writer *file, struct error *err);

#endif
