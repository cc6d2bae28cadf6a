/* From images to hash codes: the signs of a network's outputs, forward only. */
#ifndef CODES_ENCODE_H
#define CODES_ENCODE_H

#include "base/stop.h"
#include "codes/codes.h"
#include "data/batch.h"
#include "engine/engine.h"
#include "network/finite.h"

/* A program that encodes batches of normalised pixels; its outputs are the bits. */
struct encoder {
    struct program *program;
    float *out; /* [max_batch][bits] */
    uint32_t bits, words;
};
/* precision: BIOFT_F32, BIOFT_BF16. */
bioft_status encoder_create(struct model *m, uint32_t max_batch, uint32_t precision, struct pool *pool,
                            struct encoder *ret, struct error *err);
void encoder_free(struct encoder *e); /* zero is fine */
/* x: n images, sample: their numbers. Writes [n][words]; e->out holds the outputs until the next
 * call. Outputs that are not finite are counted in `finite`: the caller refuses them in the end. */
bioft_status encoder_run(struct encoder *e, uint32_t n, const float *x, const uint64_t *sample, struct finite *finite,
                         uint64_t *ret, struct error *err);

struct encode_params {
    struct model *model;
    const struct dataset *dataset;
    const struct split *split;
    const uint64_t *positions; /* in the split, in order; NULL: all */
    uint64_t count;            /* of positions; ignored where that is NULL */
    struct image_format image;
    struct pool *pool;       /* may be NULL */
    uint32_t precision;      /* BIOFT_F32, BIOFT_BF16 */
    const struct stop *stop; /* may be NULL */
    uint32_t batch_size;
};
/* Codes and label sets in the order of the positions, in evaluation mode. No allocation a batch. */
bioft_status encode_split(const struct encode_params *p, struct codes *ret, struct error *err);

#endif
