/* How this engine computes what program.h leaves to each: convolutions over columns. */
#ifndef OPENBLAS_BACKEND_H
#define OPENBLAS_BACKEND_H

#include "conv.h"
#include "plan.h"

extern const struct backend openblas_backend;

static inline const struct conv *conv_of(const struct node *n) { return n->own; }
/* One partial sum of a conv's gradients: dW, then db. */
static inline size_t sum_floats(const struct node *n) { return conv_of(n)->weights + n->def->channels; }

#endif
