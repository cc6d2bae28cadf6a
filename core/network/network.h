/* The network of a stage: graph and model for its data and head, its values carried over from the stage before. */
#ifndef NETWORK_NETWORK_H
#define NETWORK_NETWORK_H

#include "data/batch.h"
#include "engine/engine.h"

struct network {
    struct instance *backbone;
    struct graph *graph;
    struct model *model;
    struct image_format image;
};
struct network_params {
    const struct plugin *backbone;
    const struct option_value *values;         /* of its options */
    uint64_t seed;                             /* its instance's */
    struct engine *engine;                     /* NULL: a graph without a model */
    uint32_t channels, height, width, outputs; /* 0: as published */
};
/* Any network: the backbone's instance, its graph, and a model on the engine, whose values are zero until
 * model_initialise, network_carry or weights_fill gives them. */
bioft_status network_open(const struct network_params *p, struct network *ret, struct error *err);
/* A stage's: the published graph is built once to learn the input size, then again for the data's size and the head's
 * width. */
bioft_status network_create(struct engine *engine, const struct trial *trial, const struct dataset *data,
                            const struct head_spec *head, struct network *ret, struct error *err);
void network_destroy(struct network *n); /* zero is fine */

/* Everything bit for bit from `before`, its counters too; the head only where with_head. */
bioft_status network_carry(struct network *n, const struct network *before, bool with_head, struct error *err);

#endif
