/* Ranking by hash codes with AVX-512's vector popcount. Compiled with flags of its own, entered
 * after CPUID said yes. */
#include "codes/hamming_avx512.h"

#include <immintrin.h>

/* The low 16 bits of eight sums. */
static void store8(__m512i sums, uint16_t *ret) { _mm_storeu_si128((__m128i *)ret, _mm512_cvtepi64_epi16(sums)); }

static void one_word(uint64_t q, const uint64_t *codes, size_t n, uint16_t *ret)
{
    const __m512i query = _mm512_set1_epi64((long long)q);
    size_t i = 0;

    for (; i + 8 <= n; i += 8)
        store8(_mm512_popcnt_epi64(_mm512_xor_si512(query, _mm512_loadu_si512(codes + i))), ret + i);
    for (; i < n; i++)
        ret[i] = (uint16_t)__builtin_popcountll(q ^ codes[i]);
}

/* Lane by lane: the sum of a's pair of lanes, then of b's. */
static __m512i pair_sums(__m512i a, __m512i b)
{
    return _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}

static void two_words(const uint64_t *q, const uint64_t *codes, size_t n, uint16_t *ret)
{
    const __m512i query = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)q));
    const __m512i in_order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    size_t i = 0;

    for (; i + 8 <= n; i += 8) {
        const __m512i a = _mm512_popcnt_epi64(_mm512_xor_si512(query, _mm512_loadu_si512(codes + 2 * i)));
        const __m512i b = _mm512_popcnt_epi64(_mm512_xor_si512(query, _mm512_loadu_si512(codes + 2 * i + 8)));
        /* The sums are those of rows 0 4 1 5 2 6 3 7. */
        store8(_mm512_permutexvar_epi64(in_order, pair_sums(a, b)), ret + i);
    }
    for (; i < n; i++)
        ret[i] = (uint16_t)(__builtin_popcountll(q[0] ^ codes[2 * i]) + __builtin_popcountll(q[1] ^ codes[2 * i + 1]));
}

/* By lanes of 128 bits: [0 1 2 3] of a and b give [a0+a1 a2+a3 b0+b1 b2+b3]. */
static __m512i lane_sums(__m512i a, __m512i b)
{
    return _mm512_add_epi64(_mm512_shuffle_i64x2(a, b, _MM_SHUFFLE(2, 0, 2, 0)),
                            _mm512_shuffle_i64x2(a, b, _MM_SHUFFLE(3, 1, 3, 1)));
}

/* A row is one vector or a part of one; eight rows' counts are summed together. */
static void up_to_eight_words(const uint64_t *q, const uint64_t *codes, size_t n, size_t words, uint16_t *ret)
{
    const __mmask8 in = (__mmask8)((1u << words) - 1);
    const __m512i query = _mm512_maskz_loadu_epi64(in, q);
    size_t i = 0;

    for (; i + 8 <= n; i += 8) {
        const uint64_t *row = codes + i * words;
        __m512i ones[8];
        for (size_t r = 0; r < 8; r++)
            ones[r] = _mm512_popcnt_epi64(_mm512_xor_si512(query, _mm512_maskz_loadu_epi64(in, row + r * words)));
        store8(lane_sums(lane_sums(pair_sums(ones[0], ones[1]), pair_sums(ones[2], ones[3])),
                         lane_sums(pair_sums(ones[4], ones[5]), pair_sums(ones[6], ones[7]))),
               ret + i);
    }
    for (; i < n; i++) {
        const __m512i row = _mm512_maskz_loadu_epi64(in, codes + i * words);
        ret[i] = (uint16_t)_mm512_reduce_add_epi64(_mm512_popcnt_epi64(_mm512_xor_si512(query, row)));
    }
}

static void any_words(const uint64_t *q, const uint64_t *codes, size_t n, size_t words, uint16_t *ret)
{
    for (size_t i = 0; i < n; i++, codes += words) {
        __m512i sum = _mm512_setzero_si512();
        for (size_t w = 0; w < words; w += 8) {
            const __mmask8 in = (__mmask8)(words - w < 8 ? (1u << (words - w)) - 1 : 0xff);
            const __m512i a = _mm512_maskz_loadu_epi64(in, q + w);
            const __m512i b = _mm512_maskz_loadu_epi64(in, codes + w);
            sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_xor_si512(a, b)));
        }
        ret[i] = (uint16_t)_mm512_reduce_add_epi64(sum);
    }
}

void distances_avx512(const uint64_t *q, const uint64_t *codes, size_t n, size_t words, uint16_t *ret)
{
    if (words == 1)
        one_word(*q, codes, n, ret);
    else if (words == 2)
        two_words(q, codes, n, ret);
    else if (words <= 8)
        up_to_eight_words(q, codes, n, words, ret);
    else
        any_words(q, codes, n, words, ret);
}

void mark_avx512(uint64_t q, const uint64_t *labels, size_t n, uint16_t flag, uint16_t *ret)
{
    const __m512i query = _mm512_set1_epi64((long long)q), flags = _mm512_set1_epi16((short)flag);
    size_t i = 0;

    for (; i + 32 <= n; i += 32) {
        uint32_t shares = 0;
        for (size_t part = 0; part < 4; part++) {
            const __m512i sets = _mm512_loadu_si512(labels + i + 8 * part);
            shares |= (uint32_t)_mm512_test_epi64_mask(query, sets) << 8 * part;
        }
        const __m512i marked = _mm512_loadu_si512(ret + i);
        _mm512_storeu_si512(ret + i, _mm512_or_si512(marked, _mm512_maskz_mov_epi16(shares, flags)));
    }
    for (; i < n; i++)
        ret[i] |= q & labels[i] ? flag : 0;
}

size_t select_avx512(const uint16_t *marked, size_t n, uint16_t flag, uint16_t limit, uint16_t *ret)
{
    const __m512i distance = _mm512_set1_epi16((short)~flag);
    const __m512i limits = _mm512_set1_epi16((short)limit);
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
