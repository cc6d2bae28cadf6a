/* The network of a stage: graph and model for its data and head, its values carried over from the stage before. */
#ifndef NETWORK_NETWORK_H
#define NETWORK_NETWORK_H

#include "data/batch.h"
#include "engine/engine.h"

struct network {
    struct instance *backbone;
    struct graph *graph;
    struct model *model;
    struct picture picture;
};
/* The published graph is built once to learn the input size, then again for the data's size and the head's width. */
bioft_status network_create(struct engine *engine, const struct trial *trial, const struct dataset *data,
                            const struct head_spec *head, struct network *ret, struct error *err);
/* As network_create without a model: for `bioft check`. engine may be NULL. */
bioft_status network_shape(const struct trial *trial, const struct dataset *data, const struct head_spec *head,
                           struct network *ret, struct error *err);
void network_destroy(struct network *n);           /* zero is fine */

/* First values of all parameters; those of the head from the stream of `stage` where it is not NULL. */
bioft_status network_initialise(struct network *n, uint64_t seed, const char *stage, struct error *err);
/* The head's alone, where the others come from a file or the stage before: a large network has many to draw. */
bioft_status network_initialise_head(struct network *n, uint64_t seed, const char *stage, struct error *err);
/* Everything bit for bit from `before`, its counters too; the head only where with_head. */
bioft_status network_carry(struct network *n, const struct network *before, bool with_head, struct error *err);

#endif
