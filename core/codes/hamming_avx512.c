/* Ranking by hash codes with AVX-512's vector popcount. Compiled with flags of its own, entered after CPUID said yes. */
#include "codes/hamming_avx512.h"

#include <immintrin.h>

/* The low 16 bits of eight sums. */
static void store8(__m512i sums, uint16_t *ret)
{
    _mm_storeu_si128((__m128i *)ret, _mm512_cvtepi64_epi16(sums));
}

static void one_word(uint64_t q, const uint64_t *codes, size_t n, uint16_t *ret)
{
    const __m512i query = _mm512_set1_epi64((long long)q);
    size_t i = 0;

    for (; i + 8 <= n; i += 8)
        store8(_mm512_popcnt_epi64(_mm512_xor_si512(query, _mm512_loadu_si512(codes + i))), ret + i);
    for (; i < n; i++)
        ret[i] = (uint16_t)__builtin_popcountll(q ^ codes[i]);
}

/* Eight partial counts of one row. */
static __m512i row_counts(const uint64_t *q, const uint64_t *row, size_t words)
{
    __m512i sum = _mm512_setzero_si512();

    for (size_t w = 0; w < words; w += 8) {
        const __mmask8 left = (__mmask8)(words - w < 8 ? (1u << (words - w)) - 1 : 0xff);
        const __m512i a = _mm512_maskz_loadu_epi64(left, q + w), b = _mm512_maskz_loadu_epi64(left, row + w);
        sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_xor_si512(a, b)));
    }
    return sum;
}

/* Lane by lane: the sum of a's pair of lanes, then of b's. */
static __m512i pair_sums(__m512i a, __m512i b)
{
    return _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}

/* The sums of eight rows' eight counts. Pairs of 128-bit lanes: [0 1 2 3] of a and b give [a0+a1 a2+a3 b0+b1 b2+b3]. */
static __m512i lane_sums(__m512i a, __m512i b)
{
    return _mm512_add_epi64(_mm512_shuffle_i64x2(a, b, _MM_SHUFFLE(2, 0, 2, 0)),
                            _mm512_shuffle_i64x2(a, b, _MM_SHUFFLE(3, 1, 3, 1)));
}

void distances_avx512(const uint64_t *q, const uint64_t *codes, size_t n, size_t words, uint16_t *ret)
{
    size_t i = 0;

    if (words == 1) {
        one_word(*q, codes, n, ret);
        return;
    }
    for (; i + 8 <= n; i += 8) {
        const uint64_t *row = codes + i * words;
        __m512i pair[4], four[2];
        for (size_t r = 0; r < 4; r++)
            pair[r] = pair_sums(row_counts(q, row + 2 * r * words, words),
                                row_counts(q, row + (2 * r + 1) * words, words));
        four[0] = lane_sums(pair[0], pair[1]);
        four[1] = lane_sums(pair[2], pair[3]);
        store8(lane_sums(four[0], four[1]), ret + i);
    }
    for (; i < n; i++)
        ret[i] = (uint16_t)_mm512_reduce_add_epi64(row_counts(q, codes + i * words, words));
}

void mark_avx512(uint64_t q, const uint64_t *labels, size_t n, uint16_t flag, uint16_t *ret)
{
    const __m512i query = _mm512_set1_epi64((long long)q), flags = _mm512_set1_epi16((short)flag);
    size_t i = 0;

    for (; i + 32 <= n; i += 32) {
        uint32_t shares = 0;
        for (size_t part = 0; part < 4; part++)
            shares |= (uint32_t)_mm512_test_epi64_mask(query, _mm512_loadu_si512(labels + i + 8 * part)) << 8 * part;
        const __m512i marked = _mm512_loadu_si512(ret + i);
        _mm512_storeu_si512(ret + i, _mm512_or_si512(marked, _mm512_maskz_mov_epi16(shares, flags)));
    }
    for (; i < n; i++)
        ret[i] |= q & labels[i] ? flag : 0;
}

size_t select_avx512(const uint16_t *marked, size_t n, uint16_t flag, uint16_t limit, uint16_t *ret)
{
    const __m512i distance = _mm512_set1_epi16((short)~flag), limits = _mm512_set1_epi16((short)limit);
    size_t count = 0;

    for (size_t i = 0; i < n; i += 32) {
        const __mmask32 in = n - i < 32 ? (__mmask32)((UINT32_C(1) << (n - i)) - 1) : 0xffffffff;
        const __m512i row = _mm512_maskz_loadu_epi16(in, marked + i);
        const __mmask32 near = _mm512_mask_cmple_epu16_mask(in, _mm512_and_si512(row, distance), limits);
        _mm512_storeu_si512(ret + count, _mm512_maskz_compress_epi16(near, row));
        count += (size_t)__builtin_popcount(near);
    }
    return count;
}
