/* Shapes of one image's tensors, as torch.nn computes them. */
#ifndef GRAPH_SHAPES_H
#define GRAPH_SHAPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Elements of one tensor of one image: engines count them in 31 bits. */
enum { SHAPE_LARGEST = INT32_MAX };

struct shape {
    uint32_t channels, height, width;
};
/* The product into *ret; false where it is above SHAPE_LARGEST or zero. */
bool shape_elements(struct shape s, uint32_t *ret);

/* A window that slides along one side. */
struct window {
    uint32_t kernel, stride, dilation, before, after; /* before, after: padding */
    bool ceil_mode;
};
/* How often it fits into `side`; 0: the side is too small. */
uint64_t window_count(struct window w, uint32_t side);

#endif
