/* Convolution as products with matrices of columns, cut into blocks that stay in the cache.
 *
 * A group's image x [in][in_h][in_w] becomes columns [in * kernel][positions]: row (c, ky, kx) holds what that
 * weight meets at each output position. Then y = W columns, columns' = V^T dy added back into dx, dW = dy columns^T.
 * A block is some output rows of one image and some input channels; how a convolution is cut depends on its
 * geometry only. */
#ifndef COMMON_CONV_H
#define COMMON_CONV_H

#include "blas.h"

#include <bioft/engine.h>

struct conv {
    uint32_t groups, in, out; /* channels of one group */
    uint32_t in_h, in_w, out_h, out_w;
    uint32_t kernel[2], stride[2], dilation[2], top, left;
    bool direct;               /* 1x1, stride 1, no padding: the image is its own columns */
    uint32_t row_blocks;       /* of output rows */
    uint32_t channel_blocks;   /* of a group's input channels, forward and for the input's error */
    uint32_t slices;           /* the same for the weight's gradient: finer, each is a task */
    size_t taps;               /* kernel[0] * kernel[1] */
    size_t x_floats, y_floats; /* of an image */
    size_t weights;            /* all groups' */
    size_t columns;            /* floats of work that a thread needs */
};

struct conv conv_plan(const bioft_layer *layer);
double conv_work(const struct conv *c); /* multiply-adds of one image */

/* The arrays of one image; w, v [out][in / groups][kh][kw]; bias may be NULL. work: c->columns floats. */
/* Output rows `block` of row_blocks. */
void conv_forward(const struct blas *blas, const struct conv *c, uint32_t block, const float *w, const float *bias,
                  const float *x, float *y, float *work);
/* Input channels `block` of groups * channel_blocks; add: to what dx holds. */
void conv_input_error(const struct blas *blas, const struct conv *c, uint32_t block, const float *v, const float *dy,
                      bool add, float *dx, float *work);
/* Slice `slice` of groups * slices, summed over `count` images; and the bias's gradient with slice 0 of each
 * group, where dbias is not NULL. add: to what dw and dbias hold. */
void conv_weight_gradient(const struct blas *blas, const struct conv *c, uint32_t slice, uint32_t count, const float *x,
                          const float *dy, bool add, float *dw, float *dbias, float *work);
/* Into how many partial sums the images of a batch are dealt, each with its own dW. */
uint32_t conv_sums(const struct conv *c, uint32_t n);

#endif
