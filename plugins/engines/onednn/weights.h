/* A convolution's weights in the order of the library's kernels, and its gradients back from there. */
#ifndef ONEDNN_WEIGHTS_H
#define ONEDNN_WEIGHTS_H

#include "../common/engine.h"
#include "library.h"

struct packed {
    float *data;       /* or bfloat16 in the same memory: the map says */
    const float *from; /* what it was made of, and which state of that; NULL: nothing yet */
    uint64_t stamp;
    float largest; /* magnitude in it, NaN above all; Winograd's: NaN or 0 */
};

/* w: [groups][out][in][taps]; factor: of each output channel, or NULL. */
void weights_pack(struct engine *e, const struct weight_map *m, const float *w, const float *factor, uint64_t stamp,
                  struct packed *ret);

enum { WEIGHT_ROWS = 16 }; /* output channels of one task */
/* Output channels from WEIGHT_ROWS * index: ret (+)= the sum of `count` arrays, `stride` floats apart. */
void weights_unpack(const struct weight_map *m, const float *sums, size_t stride, uint32_t count, size_t index,
                    bool add, float *ret);

#endif
