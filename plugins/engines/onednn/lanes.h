/* The inner loops of pooling, batchnorm and depthwise convolution on channels in blocks, on as many channels at once as
 * a vector has lanes. Each set is one compilation of lanes.inc. No sum crosses lanes, and but for depthwise
 * convolutions none is contracted: there every set gives the same bits. `block`: channels of a block, a multiple of the
 * set's lanes; an array of a block: [block]. */
#ifndef ONEDNN_LANES_H
#define ONEDNN_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MOST_BLOCK = 16 };

/* The places of one window that are inside the image. */
struct pool_window {
    size_t first; /* of the first place, in values; then from row to row, from column to column */
    size_t down, right;
    uint32_t rows, columns;
    uint32_t position, width; /* of the first place, counted in the whole window; from row to row */
};

/* A convolution whose channels each have a kernel of their own; [0]: along y, [1]: along x. */
struct depthwise {
    uint32_t in[2], out[2], kernel[2], stride[2], dilation[2], before[2];
};

struct norm_line { /* by channel */
    float factor[MOST_BLOCK], a[MOST_BLOCK], b[MOST_BLOCK], mean[MOST_BLOCK];
};

struct lanes {
    const char *name; /* "lanes:avx2" */
    uint32_t lanes;
    /* The largest value and its position (positions NULL: not wanted). Of equal ones the first stays; NaN wins, as in
     * torch. */
    void (*pool_max)(const struct pool_window *w, uint32_t block, const float *x, float *y, uint16_t *positions);
    /* dx += dy at the position that won. */
    void (*pool_max_error)(const struct pool_window *w, uint32_t block, const float *dy, const uint16_t *positions,
                           float *dx);
    /* ret += sums of x - shift, and of its squares. */
    void (*norm_moments)(const float *x, size_t values, uint32_t block, const float *shift, double *ret,
                         double *ret_squares);
    /* y = relu(x factor + term + other); other NULL: none. */
    void (*norm_scale)(const float *x, const float *other, float *y, size_t values, uint32_t block, const float *factor,
                       const float *term, bool relu);
    /* ret += sums of dy, and of dy (x - mean); where y is given, of dy where it is above 0. */
    void (*norm_errors)(const float *dy, const float *y, const float *x, size_t values, uint32_t block,
                        const float *mean, double *ret, double *ret_product);
    /* dx = factor (dy - a - b (x - mean)), or added to dx; y as above. */
    void (*norm_error)(const float *dy, const float *y, const float *x, float *dx, size_t values, uint32_t block,
                       const struct norm_line *c, bool add);
    /* y = bias + sum over the taps of w x; w: [tap][block], bias NULL: 0. */
    void (*depthwise)(const struct depthwise *d, uint32_t block, const float *x, const float *w, const float *bias,
                      float *y);
    /* dx += w dy. */
    void (*depthwise_error)(const struct depthwise *d, uint32_t block, const float *dy, const float *w, float *dx);
    /* dw [tap][block] += dy x, db [block] += dy, one image's sum in float. */
    void (*depthwise_gradient)(const struct depthwise *d, uint32_t block, const float *x, const float *dy, double *dw,
                               double *db);
};

extern const struct lanes lanes_plain;
#ifdef ENGINE_X86
extern const struct lanes lanes_avx2, lanes_avx512;
#endif

/* Of a window that begins at `start`, along one axis: the places that are inside the image, [from, to). */
struct places {
    uint32_t from, to;
};
static inline struct places places_inside(int64_t start, uint32_t kernel, uint32_t dilation, uint32_t in)
{
    const int64_t step = dilation;
    int64_t from, to;

    if (start >= 0 && start + (kernel - 1) * step < in)
        return (struct places){ 0, kernel };
    from = start < 0 ? (-start + step - 1) / step : 0;
    to = in > start ? (in - start + step - 1) / step : 0;
    to = to < kernel ? to : kernel;
    return (struct places){ (uint32_t)(from < to ? from : to), (uint32_t)to };
}

/* The widest set for blocks of that many channels. */
const struct lanes *lanes_for(uint32_t block);

#endif
