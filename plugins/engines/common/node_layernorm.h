/* Gradients of the parameters of scale, layernorm and tokens: some channels a task. */
#ifndef COMMON_NODE_LAYERNORM_H
#define COMMON_NODE_LAYERNORM_H

#include "program.h"

size_t affine_tasks(const struct program *p, const struct node *n, enum phase phase);
void affine_task(struct program *p, struct node *n, enum phase phase, size_t index, float *work);

#endif
