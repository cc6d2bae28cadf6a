/* Convolutions of 3x3 with stride 1 by minimal filtering: Lavin and Gray, "Fast Algorithms for Convolutional Neural
 * Networks", CVPR 2016, F(4x4, 3x3): 36 products for a tile of 4x4 outputs instead of 144.
 *
 * With the matrices A^T [4x6], B^T [6x6] and G [6x3] of their section 4.3, for a tile of the output, summed over the
 * channels c (their equations 8 and 12):
 *
 *     Y_k = A^T [ sum_c (G g_kc G^T) * (B^T d_c B) ] A,
 *
 * where * multiplies element by element: for each of the 36 elements one matrix product over the channels. The error
 * of the input is the same sum over V turned by half a turn, with the channels exchanged. The gradient of the weights
 * is the sum's transpose in g, with the tile's error e of 4x4 values:
 *
 *     dg_kc = G^T [ sum over tiles (A e_k A^T) * (B^T d_c B) ] G.
 *
 * The sums are the direct ones' in exact arithmetic. In float32, values of the order of 1, the largest deviation from
 * the exact sum is about ten times that of the direct sum, some 1e-6 of the sum of the products' absolute values:
 * tests/unit/engine/test_winograd.c holds it to 1e-5. F(2x2, 3x3) takes 64 products for the same outputs, and
 * F(6x6, 3x3) saves 1.27 times more only on large images, at ten times the error: neither is here.
 *
 * Values stand with channels in blocks of kernels->block: [image][channels / block][height][width][block], the last
 * block filled up with zeros. What one call needs beyond its arrays is bounded: some tiles at a time. */
#ifndef COMMON_WINOGRAD_H
#define COMMON_WINOGRAD_H

#include "winograd_kernels.h"

#include <bioft/engine.h>

struct winograd {
    const struct winograd_kernels *kernels;
    uint32_t in, out; /* channels of what is read and of what is made */
    uint32_t in_blocks, out_blocks;
    struct winograd_plane from, to;
    int64_t top, left;         /* zeros before what is read */
    bool turned;               /* the error of the input: `in` are the convolution's outputs */
    uint32_t tiles_y, tiles_x; /* of an image's outputs */
    size_t group;              /* tiles at a time, at most */
    uint32_t chunk;            /* blocks of outputs at a time: even, or all */
};

/* The widest set that this CPU has among those with `block` channels, 0: any. NULL: none. The environment's BIOFT_ISA
 * ("plain", "avx2", "avx512") allows no wider one than that. */
const struct winograd_kernels *winograd_kernels_for(uint32_t block);
/* Whether the node is a convolution of that kind. */
bool winograd_suits(const bioft_node *conv);
/* Whether it would be faster than the direct sum: enough of its tiles' values are outputs, enough channels. */
bool winograd_pays(const bioft_node *conv, uint32_t in_channels);

/* y from x; conv: suits, and reads in_channels of in_height x in_width. */
struct winograd winograd_forward(const struct winograd_kernels *k, const bioft_node *conv, uint32_t in_channels,
                                 uint32_t in_height, uint32_t in_width);
/* dx from dy. */
struct winograd winograd_input_error(const struct winograd_kernels *k, const bioft_node *conv, uint32_t in_channels,
                                     uint32_t in_height, uint32_t in_width);
size_t winograd_weights(const struct winograd *w);       /* floats of transformed weights */
size_t winograd_work(const struct winograd *w);          /* floats of scratch for a run */
size_t winograd_gradient_work(const struct winograd *w); /* the same for a gradient, of forward's */

/* Block `index` of out_blocks of the transformed weights. weights: as the convolution's [out][in][3][3]; factor: of
 * each of its outputs, or NULL. false: one of them is not finite. */
bool winograd_pack(const struct winograd *w, const float *weights, const float *factor, uint32_t index, float *ret);
/* What is done with the outputs: bias is [out]. */
struct winograd_end {
    const float *bias, *other;
    bool relu, add;
};
void winograd_run(const struct winograd *w, const float *packed, size_t images, const float *x,
                  const struct winograd_end *end, float *y, float *work);
/* dw [out][in][3][3] and dbias [out] (or NULL) of the images, forward's shapes; add: to what they hold. */
void winograd_gradient(const struct winograd *w, size_t images, const float *x, const float *dy, bool add, float *dw,
                       float *dbias, float *work);

#endif
