/* What a classifier's outputs answer, and whether that is right. */
#ifndef ATTACK_ANSWER_H
#define ATTACK_ANSWER_H

#include "attack/pixels.h"

/* Is class `c` one of image i's? */
static inline bool answer_is_right(const bioft_batch *batch, uint32_t i, int32_t c)
{
    const uint64_t *labels = batch->labels + (size_t)i * batch->label_words;
    return c >= 0 && (uint32_t)c < batch->classes && (labels[c / 64] >> (c % 64) & 1);
}

/* Does the attack have what it wants of image i: its target, or, without one, a class that is not the image's? */
static inline bool answer_is_fooled(const bioft_batch *batch, uint32_t i, int32_t c)
{
    return batch->target ? c == batch->target[i] : !answer_is_right(batch, i, c);
}

#endif
