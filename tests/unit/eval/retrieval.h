/* What the tests of ranking share: random codes, and average precision by its definition. */
#ifndef TESTS_EVAL_RETRIEVAL_H
#define TESTS_EVAL_RETRIEVAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "eval/map.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define OK(call, err) \
    do { \
        if ((call) != BIOFT_OK) \
            fail_msg("%s: %s", #call, (err).text); \
    } while (0)

static inline uint32_t draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 32);
}

/* Codes of which `free_bits` are drawn, the others alike, and label sets of one or two classes,
 * some of none. */
static inline struct codes random_codes(uint64_t seed, uint64_t n, uint32_t bits, uint32_t free_bits, uint32_t classes)
{
    struct codes c;
    struct error err = { 0 };

    OK(codes_create(n, bits, classes, &c, &err), err);
    for (uint64_t i = 0; i < n; i++) {
        for (uint32_t b = 0; b < free_bits; b++)
            c.codes[i * c.words + b / 64] |= (uint64_t)(draw(&seed) >> 31) << b % 64;
        for (uint32_t l = draw(&seed) % 3; l > 0; l--) {
            const uint32_t class = draw(&seed) % classes;
            c.labels[i * c.label_words + class / 64] |= UINT64_C(1) << class % 64;
        }
    }
    return c;
}

static inline uint32_t slow_distance(const struct codes *q, uint64_t i, const struct codes *db, uint64_t j)
{
    uint32_t distance = 0;
    for (uint32_t b = 0; b < q->bits; b++)
        distance += ((q->codes[i * q->words + b / 64] ^ db->codes[j * db->words + b / 64]) >> b % 64) & 1;
    return distance;
}

static inline bool slow_relevant(const struct codes *q, uint64_t i, const struct codes *db, uint64_t j)
{
    for (uint32_t w = 0; w < q->label_words; w++)
        if (q->labels[i * q->label_words + w] & db->labels[j * db->label_words + w])
            return true;
    return false;
}

/* By the definition, of a ranking whose relevance is known. ret->hits too. */
static inline void slow_precision(const bool *relevant, uint64_t n, uint64_t k, struct average_precision *ret)
{
    double sum = 0.0, hits = 0.0, all = 0.0;

    k = k < n ? k : n;
    for (uint64_t r = 0; r < n; r++) {
        all += relevant[r];
        if (r < k && relevant[r]) {
            hits += 1.0;
            sum += hits / (double)(r + 1);
        }
    }
    ret->by[DIVIDE_BY_HITS] = hits > 0.0 ? sum / hits : 0.0;
    ret->by[DIVIDE_BY_RELEVANT] = all > 0.0 ? sum / (all < (double)k ? all : (double)k) : 0.0;
    ret->by[DIVIDE_BY_K] = sum / (double)k;
    ret->hits = hits;
}

static inline void assert_close(const struct average_precision *got, const struct average_precision *want,
                                double tolerance, const char *what)
{
    for (int d = 0; d < MAP_DIVISORS; d++)
        if (!(fabs(got->by[d] - want->by[d]) <= tolerance))
            fail_msg("%s, divisor %d: %.17g, not %.17g", what, d, got->by[d], want->by[d]);
    if (!(fabs(got->hits - want->hits) <= tolerance * 100))
        fail_msg("%s, hits: %.17g, not %.17g", what, got->hits, want->hits);
}

#endif
