/* A convolution over columns as a node, for engines that have no better one. */
#ifndef COMMON_COLUMNS_H
#define COMMON_COLUMNS_H

#include "conv.h"
#include "program.h"

extern const struct operator operator_conv;
/* A conv's geometry from its node, which has been checked, and the one whose output it reads. */
struct conv columns_of_node(const bioft_node *d, const bioft_node *x);
/* The node's op and all that goes with it; input and output stand as NCHW. n->own is given back by memory_give(). */
bioft_status columns_plan(struct program *p, struct node *n);
static inline const struct conv *columns_of(const struct node *n) { return n->own; }
/* Floats of one partial sum of the gradients: dW, then db. */
static inline size_t columns_sum_floats(const struct node *n) { return columns_of(n)->weights + n->def->channels; }

#endif
