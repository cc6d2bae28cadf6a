/* A small network on an engine, for tests of whole training steps. */
#ifndef CONFORM_NETWORK_H
#define CONFORM_NETWORK_H

#include "conform/private.h"
#include "network/network.h"

struct small_network {
    struct pool *pool;
    struct engine *engine;
    struct network made;
};
/* The highest-scoring engine found, or `engine`; false: a finding or a skip says why. backbone NULL: convolutions and
 * linear layers with and without bias, groups and stride. size 0: as published. */
bool small_network_open(struct conform *c, const struct plugin *engine, const struct plugin *backbone, uint32_t size,
                        struct small_network *n);
/* The same without initial values: all parameters are zero. */
bool small_network_open_zero(struct conform *c, const struct plugin *engine, const struct plugin *backbone,
                             uint32_t size, struct small_network *n);
void small_network_close(struct small_network *n);

/* The largest |a - b| by the largest |b|. */
double relative_difference(const float *a, const float *b, size_t count);
/* Is the derivative of <d_out, out> by the input, at random pixels of one image, what differences of the output say? A
 * finding otherwise. */
bool small_network_check_gradient(struct conform *c, struct small_network *n);

#endif
