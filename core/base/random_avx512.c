/* Philox4x32-10 with AVX-512 F: a counter word in the low half of each 64-bit element. What is left in the high
 * halves does no harm, since products read the low ones only. */
#include "base/random_avx512.h"

#include <immintrin.h>

enum { ROUNDS = 10, VECTOR = 8, XOR3 = 0x96 };

static __m512i word(uint32_t w) { return _mm512_set1_epi64((int64_t)w); }

/* Words of eight counters, in the order of the counters: sixteen each. */
static void in_order(const __m512i c[4], __m512i ret[2])
{
    const __m512i low = _mm512_mask_blend_epi32(0xAAAA, c[0], _mm512_slli_epi64(c[1], 32));
    const __m512i high = _mm512_mask_blend_epi32(0xAAAA, c[2], _mm512_slli_epi64(c[3], 32));
    const __m512i first = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
    const __m512i second = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);

    ret[0] = _mm512_permutex2var_epi64(low, first, high);
    ret[1] = _mm512_permutex2var_epi64(low, second, high);
}

enum { VECTORS = RANDOM_LANES / VECTOR };

static inline void draw(const uint32_t philox[2], const uint32_t key[2], uint64_t block, __m512i ret[2 * VECTORS])
{
    const __m512i m0 = word(0xD2511F53u), m1 = word(0xCD9E8D57u);
    const __m512i numbers = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    uint32_t k0 = philox[0], k1 = philox[1];
    __m512i c[VECTORS][4];

    for (int v = 0; v < VECTORS; v++) {
        __m512i b = _mm512_add_epi64(_mm512_set1_epi64((int64_t)(block + (uint64_t)v * VECTOR)), numbers);
        b = _mm512_and_si512(b, _mm512_set1_epi64((int64_t)(UINT64_MAX >> 2)));
        c[v][0] = b;
        c[v][1] = _mm512_srli_epi64(b, 32);
        c[v][2] = word(key[0]);
        c[v][3] = word(key[1]);
    }
    for (int round = 0; round < ROUNDS; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
        for (int v = 0; v < VECTORS; v++) {
            const __m512i p0 = _mm512_mul_epu32(m0, c[v][0]), p1 = _mm512_mul_epu32(m1, c[v][2]);
            c[v][0] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(p1, 32), c[v][1], word(k0), XOR3);
            c[v][1] = p1;
            c[v][2] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(p0, 32), c[v][3], word(k1), XOR3);
            c[v][3] = p0;
        }
    }
    for (int v = 0; v < VECTORS; v++)
        in_order(c[v], ret + 2 * v);
}

void random_words_avx512(const uint32_t philox[2], const uint32_t key[2], uint64_t block, uint32_t ret[RANDOM_WORDS])
{
    __m512i words[2 * VECTORS];

    draw(philox, key, block, words);
    for (int i = 0; i < 2 * VECTORS; i++)
        _mm512_storeu_si512(ret + 2 * VECTOR * i, words[i]);
}

void random_uniform_avx512(const uint32_t philox[2], const uint32_t key[2], uint64_t block, float *ret, size_t count)
{
    __m512i words[2 * VECTORS];

    for (size_t at = 0; at < count; at += RANDOM_WORDS, block += RANDOM_LANES) {
        draw(philox, key, block, words);
        for (int i = 0; i < 2 * VECTORS; i++)
            _mm512_storeu_ps(
                ret + at + 2 * VECTOR * i,
                _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_srli_epi32(words[i], 8)), _mm512_set1_ps(0x1p-24f)));
    }
}
