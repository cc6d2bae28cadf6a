/* HyP2's threshold zeta(K, C) = 1 - 2 d / K: as many code words as there are classes can keep the
 * distance d, the best known of a binary linear code of length K and dimension ceil(log2 C). */
#ifndef HYP2_THRESHOLD_H
#define HYP2_THRESHOLD_H

#include <stdint.h>

enum { HYP2_DIMENSIONS = 12 };

static const struct {
    uint32_t bits;
    uint8_t distance[HYP2_DIMENSIONS]; /* by dimension, from 1 */
} hyp2_codes[] = {
    { 12, { 12, 8, 6, 6, 4, 4, 4, 3, 2, 2, 2, 1 } },
    { 16, { 16, 10, 8, 8, 8, 6, 6, 5, 4, 4, 4, 2 } },
    { 24, { 24, 16, 13, 12, 12, 10, 10, 8, 8, 8, 8, 8 } },
    { 32, { 32, 21, 18, 16, 16, 16, 14, 13, 12, 12, 12, 10 } },
    { 36, { 36, 24, 20, 18, 17, 16, 16, 16, 14, 14, 12, 12 } },
    { 48, { 48, 32, 27, 24, 24, 24, 22, 22, 20, 20, 18, 18 } },
    { 64, { 64, 42, 36, 33, 32, 32, 32, 29, 28, 28, 26, 26 } },
    { 96, { 96, 64, 54, 50, 48, 48, 48, 46, 44, 44, 42, 41 } },
    { 128, { 128, 85, 72, 68, 64, 64, 64, 64, 60, 60, 58, 57 } },
};

/* The smallest m with 2^m >= classes, at least 1. */
static inline uint32_t hyp2_dimension(uint32_t classes)
{
    uint32_t m = 1;
    while (m < 31 && UINT32_C(1) << m < classes)
        m++;
    return m;
}

/* 0 where the table has no such code. */
static inline uint32_t hyp2_distance(uint32_t bits, uint32_t classes)
{
    const uint32_t m = hyp2_dimension(classes);
    for (uint32_t i = 0; i < sizeof hyp2_codes / sizeof *hyp2_codes; i++)
        if (hyp2_codes[i].bits == bits && m <= HYP2_DIMENSIONS)
            return hyp2_codes[i].distance[m - 1];
    return 0;
}

/* No linear code's distance is larger (Griesmer 1960): the largest d with
 * sum over i < m of ceil(d / 2^i) <= bits. */
static inline uint32_t hyp2_griesmer(uint32_t bits, uint32_t classes)
{
    const uint32_t m = hyp2_dimension(classes);
    uint32_t d = bits;
    for (; d > 1; d--) {
        uint64_t length = 0;
        for (uint32_t i = 0; i < m; i++)
            length += (d + (UINT64_C(1) << i) - 1) >> i;
        if (length <= bits)
            break;
    }
    return d;
}

#endif
