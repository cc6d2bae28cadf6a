/* Batches of a split: in a given order, decoded and transformed ahead of their use, in order whatever the threads. */
#ifndef DATA_BATCH_H
#define DATA_BATCH_H

#include "data/dataset.h"

/* What the network takes. */
struct picture {
    uint32_t channels, height, width;
    float mean[4], std[4];                         /* by channel */
};
/* The input that a transform gives for a backbone whose published picture has `channels` and height x width: fills in
 * ret->channels, height and width. Grey data become three equal channels where the backbone takes three; colour is not
 * made grey.
 *
 * none: the data's own size. map: `size` (the published one where it is not given). auto: the published one, to which
 *  - a set of pictures none of which is larger is resized straight (a no-op where they have its size);
 *  - other pictures are resized so that the shorter side is 256/224 of the input's, then the centre is cut out.
 * In training auto mirrors half of the pictures and cuts at random instead of in the centre, but only pictures of the
 * world: encoded ones and 3-channel bytes. Grey bytes and floats are arrays whose mirror image may mean something else.
 * Floats are never resized. */
bioft_status transform_size(const struct dataset *d, const struct transform_spec *t, uint32_t channels,
                            uint32_t height, uint32_t width, struct picture *ret, struct error *err);

/* Keeps pictures as the transform resizes them for that input, where their pixels are not held as they are, so that a
 * batch decodes nothing: in memory up to 1 GiB with those, or (cache: a folder) in a file a split, made by the first run
 * and mapped, which takes at most half of the disk's free room. train: the splits that are trained and selected on too.
 * What cannot be kept is said and decoded at each use; so is what a random resized crop is cut from. Without batches of
 * this dataset. */
bioft_status pictures_hold(struct dataset *d, const struct picture *input, bool train, struct pool *pool,
                           const struct log *log, struct error *err);

struct batches_params {
    const struct dataset *dataset;
    const struct split *split;
    const uint64_t *positions;                     /* in the split, in order; NULL: all, in order. Copied */
    uint64_t count;                                /* of positions; ignored where that is NULL */
    uint32_t batch_size;
    bool train;                                    /* augmentation, keyed by (epoch, sample): stream "augment" */
    uint32_t rank;                                 /* above 0: stream "augment/RANK", for another stage on the same data */
    bool normalise;                                /* else pixels in [0,1] */
    struct picture picture;
    uint64_t seed, epoch;
    struct pool *pool;                             /* decodes with it inside next(); may be NULL */
    uint32_t ahead;                                /* decoding threads ahead of use, each a batch at a time,
                                                      without the pool; 0: none, decode in next() */
};
struct batches;
bioft_status batches_create(const struct batches_params *p, struct batches **ret, struct error *err);
void batches_destroy(struct batches *b);           /* NULL is fine */
/* Starts again at `first` (a batch number) with another order and epoch; positions as in the parameters. */
bioft_status batches_restart(struct batches *b, const uint64_t *positions, uint64_t count, uint64_t epoch,
                             uint64_t first, struct error *err);
/* The next batch, valid until the next call; ret->n = 0 after the last one. step is left 0. sample: positions in the
 * split, below its count. An error names the sample and comes again at the next call. */
bioft_status batches_next(struct batches *b, bioft_batch *ret, struct error *err);
double batches_waited(const struct batches *b);    /* seconds spent waiting for data so far */

#endif
