/* What batchnorm's operators share, whatever the layout of their values. */
#ifndef COMMON_NODE_BATCHNORM_H
#define COMMON_NODE_BATCHNORM_H

#include "program.h"

/* Saved by channel: mean, 1/deviation, and the factor and the term that turn x into y. */
enum batchnorm_saved { MEAN = 0, INVERSE, FACTOR, TERM, SAVED };
/* That of channel 0; the others stand behind it, and then the lanes that fill up the last block. */
float *batchnorm_saved(const struct program *p, const struct node *n, enum batchnorm_saved what);
/* From a channel's mean and variance to what is saved. */
void batchnorm_fix(const struct program *p, struct node *n, size_t channel, double mean, double variance);
/* Before a pass by the running statistics. */
void batchnorm_begin_fixed(struct program *p, struct node *n);
/* Before one by the batch's, which changes them. */
void batchnorm_begin_batch(struct program *p, struct node *n);

#endif
