/* Between pixels in [0,1] and the network's normalised input. */
#ifndef ATTACK_PIXELS_H
#define ATTACK_PIXELS_H

#include "data/batch.h"

/* On the pool's threads, or the caller's alone where it is NULL. */
/* (x - mean) / std by channel; the same arithmetic as the loader's. x, ret: [n][c][h][w], may be the same. */
void pixels_normalise(const struct image_format *p, struct pool *pool, uint32_t n, const float *x, float *ret);
/* A gradient by the normalised input made one by the pixels: divided by std. */
void pixels_gradient(const struct image_format *p, struct pool *pool, uint32_t n, float *dx);
/* n images; ret is not x. */
void pixels_copy(const struct image_format *p, struct pool *pool, uint32_t n, const float *x, float *ret);
/* Bit for bit. */
bool pixels_same(const struct image_format *p, struct pool *pool, uint32_t n, const float *a, const float *b);
static inline size_t pixels_count(const struct image_format *p) { return (size_t)p->channels * p->height * p->width; }
/* The first index of the largest value. */
static inline int32_t largest_index(const float *values, uint32_t count)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < count; i++)
        best = values[i] > values[best] ? i : best;
    return (int32_t)best;
}

#endif
