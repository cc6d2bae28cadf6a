/* A network as a stage left it, and the data it is measured on: what evaluation and attacks take. */
#ifndef NETWORK_TRAINED_H
#define NETWORK_TRAINED_H

#include "base/log.h"
#include "base/stop.h"
#include "data/batch.h"
#include "rules/feedback.h"

struct codebook;

/* Owns nothing; all of it outlives its use. */
struct trained {
    struct model *model;
    struct feedback *feedback; /* of its last stage; NULL: V = W */
    uint64_t step;             /* updates that feedback stands at */
    uint32_t precision;        /* BIOFT_F32, BIOFT_BF16 */
    const struct dataset *dataset;
    const struct split *split;
    struct image_format image; /* what it takes */
    struct pool *pool;
    const struct log *log;
    const struct stop *stop;
    uint64_t seed;             /* the trial's: random starts of attacks */
    struct codebook *codebook; /* of a network with hash codes; else NULL */
    const uint64_t *k;         /* of such: how much of a ranking counts */
    size_t k_count;
};

#endif
