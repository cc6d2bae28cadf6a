/* Operators written for one image of plain arrays [channels][height][width], whatever the layout of the program's. */
#ifndef COMMON_PLAIN_H
#define COMMON_PLAIN_H

#include "program.h"

/* One image at a node. Backward adds to dx and other_dx; NULL: nobody wants it. */
struct plain {
    const bioft_node *d, *from, *other_from; /* the node, and those whose outputs it reads */
    const float *x, *other;
    float *y; /* forward: written */
    const float *dy;
    float *dx, *other_dx;
    const float *weight, *bias;
    float *saved; /* from forward to backward; scratch in evaluation */
    float *work;
    const struct blas *blas;
};
struct plain_operator {
    void (*forward)(const struct plain *a);
    void (*backward)(const struct plain *a);
    /* Floats of one image. NULL: none. */
    size_t (*saved)(const bioft_node *d, const bioft_node *from);
    size_t (*work)(const bioft_node *d, const bioft_node *from);
};

/* NULL: the operator is none of these. */
const struct plain_operator *plain_of(uint32_t op);
/* Scratch of a node, copies for arrays in blocks included. y_block: how its output will stand. */
size_t plain_work(const struct program *p, const struct node *n, uint32_t y_block);
size_t plain_saved(const struct program *p, const struct node *n);
extern const struct operator operator_plain;

extern const struct plain_operator plain_multiply, plain_concat, plain_slice, plain_scale, plain_layernorm,
    plain_softmax, plain_matmul, plain_tokens;

#endif
