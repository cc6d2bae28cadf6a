/* Batches of a split: in a given order, decoded and transformed ahead of their use, in order whatever the threads. */
#ifndef DATA_BATCH_H
#define DATA_BATCH_H

#include "data/input.h"

struct batches_params {
    const struct dataset *dataset;
    const struct split *split;
    const uint64_t *positions; /* in the split, in order; NULL: all, in order. Copied */
    uint64_t count;            /* of positions; ignored where that is NULL */
    uint32_t batch_size;
    bool train;     /* augmentation, keyed by (epoch, sample): stream "augment" */
    uint32_t rank;  /* above 0: stream "augment/RANK", for another stage on the same data */
    bool normalise; /* else pixels in [0,1] */
    struct image_format image;
    uint64_t seed, epoch;
    struct pool *pool; /* decodes with it inside next(); may be NULL */
    uint32_t ahead;    /* decoding threads ahead of use, each a batch at a time,
                                                      without the pool; 0: none, decode in next() */
};
struct batches;
bioft_status batches_create(const struct batches_params *p, struct batches **ret, struct error *err);
void batches_destroy(struct batches *b); /* NULL is fine */
/* Starts again at `first` (a batch number) with another order and epoch; positions as in the parameters. */
bioft_status batches_restart(struct batches *b, const uint64_t *positions, uint64_t count, uint64_t epoch,
                             uint64_t first, struct error *err);
/* The next batch, valid until the next call; ret->n = 0 after the last one. step is left 0. sample: positions in the
 * split, below its count. An error names the sample and comes again at the next call. */
bioft_status batches_next(struct batches *b, bioft_batch *ret, struct error *err);
double batches_waited(const struct batches *b); /* seconds spent waiting for data so far */

#endif
