/* The inner loops of pooling and batchnorm on channels in blocks, on as many channels at once as a vector has lanes.
 * Each set is one compilation of lanes.inc. Every set gives the same bits: no sum crosses lanes,
 * and none is contracted. `block`: channels of a block, a multiple of the set's lanes; an array of a block: [block]. */
#ifndef ONEDNN_LANES_H
#define ONEDNN_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MOST_BLOCK = 16 };

/* The places of one window that are inside the image. */
struct pool_window {
    size_t first;                   /* of the first place, in values; then from row to row, from column to column */
    size_t down, right;
    uint32_t rows, columns;
    uint32_t position, width;       /* of the first place, counted in the whole window; from row to row */
};

struct norm_line {                  /* by channel */
    float factor[MOST_BLOCK], a[MOST_BLOCK], b[MOST_BLOCK], mean[MOST_BLOCK];
};

struct lanes {
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
};

extern const struct lanes lanes_plain;
#ifdef ENGINE_X86
extern const struct lanes lanes_avx2, lanes_avx512;
#endif

/* The widest set for blocks of that many channels. */
const struct lanes *lanes_for(uint32_t block);

#endif
