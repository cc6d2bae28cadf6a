/* A convolution over columns as a node, for engines that have no better one. */
#ifndef OPENBLAS_PLAN_H
#define OPENBLAS_PLAN_H

#include "../common/program.h"
#include "conv.h"

extern const struct operator operator_conv;
/* A conv's geometry from its node, which has been checked, and the one whose output it reads. */
struct conv columns_of_node(const bioft_node *d, const bioft_node *x);
/* The node's op and all that goes with it; input and output stand as NCHW. n->own is given back by memory_give(). */
bioft_status columns_plan(struct program *p, struct node *n);

#endif
