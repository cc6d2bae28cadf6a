/* Ranking by hash codes in plain C, and the choice of kernels by what the processor can do. */
#include "codes/hamming.h"

#include "codes/hamming_avx512.h"

/* Bits that are 1, in pairs, fours and eights (the compiler's own count is a call where the
 * processor is not known). */
static inline unsigned ones(uint64_t v)
{
    v -= v >> 1 & UINT64_C(0x5555555555555555);
    v = (v & UINT64_C(0x3333333333333333)) + (v >> 2 & UINT64_C(0x3333333333333333));
    v = (v + (v >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (unsigned)(v * UINT64_C(0x0101010101010101) >> 56);
}

static void distances(const uint64_t *q, const uint64_t *codes, size_t n, size_t words, uint16_t *ret)
{
    if (words == 1) {
        for (size_t i = 0; i < n; i++)
            ret[i] = (uint16_t)ones(q[0] ^ codes[i]);
        return;
    }
    for (size_t i = 0; i < n; i++, codes += words) {
        unsigned distance = 0;
        for (size_t w = 0; w < words; w++)
            distance += ones(q[w] ^ codes[w]);
        ret[i] = (uint16_t)distance;
    }
}

static void mark(uint64_t q, const uint64_t *labels, size_t n, uint16_t flag, uint16_t *ret)
{
    for (size_t i = 0; i < n; i++)
        ret[i] |= q & labels[i] ? flag : 0;
}

/* Without a branch: which items are near is as good as random. */
static size_t select_near(const uint16_t *marked, size_t n, uint16_t flag, uint16_t limit, uint16_t *ret)
{
    const uint16_t mask = (uint16_t)~flag;
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        ret[count] = marked[i];
        count += (marked[i] & mask) <= limit;
    }
    return count;
}

const struct hamming *hamming_portable(void)
{
    static const struct hamming portable = { "portable", distances, mark, select_near };
    return &portable;
}

const struct hamming *hamming_avx512(void)
{
#ifdef CODES_AVX512
    static const struct hamming avx512 = { "avx512", distances_avx512, mark_avx512, select_avx512 };
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512vpopcntdq") &&
        __builtin_cpu_supports("popcnt"))
        return &avx512;
#endif
    return NULL;
}

const struct hamming *hamming_best(void) { return hamming_avx512() ? hamming_avx512() : hamming_portable(); }
