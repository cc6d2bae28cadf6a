/* Numbers of the keyed generator (plugin.h: bioft_host.random) in a tensor. */
#ifndef TORCH_RANDOM_H
#define TORCH_RANDOM_H

#include "tensor.h"

/* low + factor * u, u uniform on [0, 1) or standard normal; as a mask, 0 where u < drop and 1 / (1 - drop) elsewhere.
 * Element i of the stream is element i in the plain order. */
struct draw {
    uint32_t kind; /* BIOFT_UNIFORM, BIOFT_NORMAL */
    uint64_t key;
    float low, factor;
    bool mask;
    float drop;
    float *host; /* room for as many, where the host draws */
    char stream[320];
};
/* Writes to, whose plain order has the shape `plain`, in whatever layout. */
bool random_draw(struct torch *t, const struct draw *d, const struct shape *plain, tensor to);

#endif
