/* The initial values of a network's parameters. */
#ifndef NETWORK_INITIALISE_H
#define NETWORK_INITIALISE_H

#include "engine/engine.h"

/* Of all parameters; those of the head from the stream of `stage` where it is not NULL (graph_initialise). */
bioft_status model_initialise(struct model *m, uint64_t seed, const char *stage, struct error *err);
/* The head's alone, where the others come from a file or the stage before: a large network has many to draw. */
bioft_status model_initialise_head(struct model *m, uint64_t seed, const char *stage, struct error *err);

#endif
