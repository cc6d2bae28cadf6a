/* One batch made: samples read, transformed and labelled into the arrays of a slot. */
#ifndef DATA_FILL_H
#define DATA_FILL_H

#include "data/transform.h"

struct slot { /* room for a batch */
    float *x; /* [batch_size][channels][height][width] */
    uint64_t *sample, *labels;
    int32_t *label;
    uint32_t n; /* samples in it */
};

struct worker {            /* what one thread needs */
    struct reader *reader; /* opened when it is first needed */
    struct canvas canvas;
};

struct filler {
    const struct dataset *dataset;
    const struct split *split;
    struct transform transform;
    const struct pixel_store *resized; /* images the transform can start from; NULL: none */
    uint64_t *positions;               /* [count], owned; NULL: all in order */
    uint64_t count;
    uint32_t batch_size, piece; /* piece: samples that a thread of the pool takes at once */
    size_t image_size;          /* floats */
    struct worker *workers;
    size_t worker_count;
};
bioft_status filler_init(struct filler *f, const struct batches_params *p, size_t workers, struct error *err);
void filler_finish(struct filler *f); /* zero is fine */
/* Another order and epoch; positions as in batches_params. */
bioft_status filler_order(struct filler *f, const uint64_t *positions, uint64_t count, uint64_t epoch,
                          struct error *err);
uint64_t filler_batches(const struct filler *f);

bioft_status slot_init(const struct filler *f, struct slot *s, struct error *err);
void slot_finish(struct slot *s); /* zero is fine */

/* Fills a slot with a batch on the caller's thread, as worker number `worker`. */
bioft_status fill_alone(struct filler *f, size_t worker, uint64_t batch, struct slot *s, struct error *err);
/* The same in pieces over the pool, whose threads are the workers. The outcome does not depend on
 * their number. */
bioft_status fill_with_pool(struct filler *f, struct pool *pool, uint64_t batch, struct slot *s, struct error *err);

#endif
