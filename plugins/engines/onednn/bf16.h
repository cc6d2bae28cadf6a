/* float32 to bfloat16, its upper half: to the nearest, ties to even; what is not a number stays none. */
#ifndef ONEDNN_BF16_H
#define ONEDNN_BF16_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t bf16_of(float v)
{
    uint32_t bits, rounded;

    memcpy(&bits, &v, sizeof bits);
    rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    return (uint16_t)((bits & 0x7FFFFFFF) > 0x7F800000 ? bits >> 16 | 0x40 : rounded);
}

static inline void bf16_from(const float *restrict from, size_t count, uint16_t *restrict ret)
{
    for (size_t i = 0; i < count; i++)
        ret[i] = bf16_of(from[i]);
}

#endif
