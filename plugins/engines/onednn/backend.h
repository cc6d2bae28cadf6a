/* How this engine computes what program.h leaves to each: oneDNN's convolutions, one primitive a thread on a piece of
 * the batch; everything else on values whose channels stand in the library's blocks.
 *
 * Where nothing else needs the value between them, a convolution is fused with what follows: outside training with a
 * batchnorm, whose factors go into the weights; with the sum of a residual block; with a relu. In training a
 * batchnorm is fused with the sum and the relu behind it. */
#ifndef ONEDNN_BACKEND_H
#define ONEDNN_BACKEND_H

#include "../common/program.h"
#include "../common/conv.h"
#include "../common/winograd.h"
#include "library.h"
#include "weights.h"

enum { PIECE = 8 }; /* images of one run of a primitive, at most */

struct convolution_node {
    struct primitive *forward, *input_error, *weight_gradient; /* NULL: not in this program, or not the library's */
    struct winograd ours[2]; /* FORWARD and BACKWARD; kernels NULL: the library's, or by columns */
    bool our_gradient;
    struct conv columns;                          /* for what the library has no kernels for */
    struct weight_map w_map, v_map, gradient_map; /* of the library's; gradient_map: of ours too */
    uint32_t *gradient_table;                     /* of ours: what its map points into */
    struct packed w, v[2];                        /* v: by the rule, and of an exact pass */
    const struct packed *use_v;                   /* of the backward pass that runs */
    const struct node *batchnorm;                 /* that is folded in; NULL: none */
    float *factor, *bias;                         /* the folded batchnorm's, a channel */
    bool add, relu;                               /* fused */
    float limit;         /* of x's magnitude, beyond which the relu may hide a NaN; below 0: for any x */
    uint32_t sums, each; /* partial sums of the gradients, and images of one */
};

extern const struct backend onednn_backend;
extern const struct operator operator_convolution, operator_columns, operator_depthwise, operator_norm_batch,
    operator_norm_trained, operator_norm_fixed, operator_pool_max, operator_pool_average, operator_unblock,
    operator_add_mixed, operator_dropout_blocked;

/* A kernel of its own a channel, in blocks, of at most so many values. */
enum { DEPTHWISE_TAPS = 121 };
bool depthwise_suits(const struct program *p, const struct node *n);

/* Ours in place of the library's, where that is faster; y stands in `block`. After it gradients are planned by
 * convolution_our_gradient(): false, out of memory. */
void convolution_choose(const struct program *p, struct node *n, const struct convolution_params *c, uint32_t block);
bool convolution_our_gradient(struct node *n);
/* Floats of the weights (FORWARD) or the feedback (BACKWARD) in the kernels' order. */
size_t convolution_weights(const struct convolution_node *c, enum phase phase);
/* Brings weights, or feedback, up to date with the parameters. */
void convolution_refresh(struct program *p, struct node *n, enum phase phase);
/* Floats from one partial sum to the next: dW, then db. */
static inline size_t sum_floats(const struct convolution_node *c, const struct node *n)
{
    return (c->gradient_map.floats + n->def->channels + 15) / 16 * 16;
}
/* The same by columns. */
static inline size_t columns_sum(const struct convolution_node *c, const struct node *n)
{
    return (c->columns.weights + n->def->channels + 15) / 16 * 16;
}
size_t columns_work(const struct conv *c); /* floats of scratch */
void columns_input_error(struct program *p, struct node *n, uint32_t first, uint32_t count, float *work);
static inline struct convolution_node *convolution_of(const struct node *n) { return n->own; }
/* The thread that scratch of a program belongs to. */
static inline uint32_t thread_of(const struct program *p, const float *work)
{
    return (uint32_t)((size_t)(work - p->work) / p->work_floats);
}

#endif
