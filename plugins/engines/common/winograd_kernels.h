/* The inner parts of winograd.h, on as many channels at once as a vector has lanes. Each set is one compilation of
 * winograd_kernels.inc. */
#ifndef COMMON_WINOGRAD_KERNELS_H
#define COMMON_WINOGRAD_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WINOGRAD_OUT = 4, WINOGRAD_TILE = 6, WINOGRAD_PRODUCTS = WINOGRAD_TILE * WINOGRAD_TILE, WINOGRAD_TAPS = 9 };

/* A block of channels of one image, [height][width][block]. */
struct winograd_plane {
    int64_t height, width;
};
/* What is done with each output before it is written. */
struct winograd_finish {
    const float *bias;  /* [block], or NULL */
    const float *other; /* stands as the output, is added; or NULL */
    bool relu, add;     /* add: to what the output holds */
};
struct winograd_product {
    size_t rows, columns, depth; /* columns: a multiple of the block */
    const float *a;              /* a[row * a_row + k * a_step] */
    size_t a_row, a_step;
    const float *b; /* two blocks of columns beside each other at a time: [k][2 blocks], b_step apart;
                                     * b_step 0: that close together, a panel after the other */
    size_t b_step;
    float *c; /* c[row * c_row + column] */
    size_t c_row;
    bool add; /* to what c holds */
};

struct winograd_kernels {
    const char *name, *title; /* title: "winograd_4x3:avx2" */
    uint32_t block;           /* channels at once */
    /* ret[i * stride]: B^T d B of the tile of 6x6 values whose first is at (y, x), which may lie outside: zeros. */
    void (*input)(const float *d, struct winograd_plane p, int64_t y, int64_t x, float *ret, size_t stride);
    /* A^T m A, finished, to the tile of 4x4 values at (y, x); what lies outside is left out. */
    void (*output)(const float *m, size_t stride, struct winograd_plane p, int64_t y, int64_t x,
                   const struct winograd_finish *f, float *ret);
    /* A e A^T of the tile of 4x4 errors at (y, x). */
    void (*error)(const float *e, struct winograd_plane p, int64_t y, int64_t x, float *ret, size_t stride);
    /* G g G^T; g: [9][block]. */
    void (*weights)(const float *g, float *ret, size_t stride);
    /* G^T u G; ret: [9][block]. */
    void (*gradient)(const float *u, size_t stride, float *ret);
    void (*product)(const struct winograd_product *p);
};

extern const struct winograd_kernels winograd_plain;
#ifdef ENGINE_X86
extern const struct winograd_kernels winograd_avx2, winograd_avx512;
#endif

#endif
