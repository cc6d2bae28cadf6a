/* Vectors of floats as wide as the compiler was told the CPU has: AVX-512, AVX2 with FMA, or four floats in plain C,
 * which compilers turn into SSE or NEON. */
#ifndef COMMON_VECTORS_H
#define COMMON_VECTORS_H

#include <stdbool.h>
#include <stdint.h>

/* A mask has a truth a lane: `above` is not (a <= b), so that NaN is above all. Positions are of two bytes in memory and
 * floats in a vector. */
/* ROWS by 2 of them, two more and a broadcast value are in registers at once. */
#if defined(__AVX512F__)
#include <immintrin.h>
enum { LANES = 16, ROWS = 14 };
typedef __m512 vector;
static inline vector vector_load(const float *from) { return _mm512_loadu_ps(from); }
static inline void vector_store(float *to, vector a) { _mm512_storeu_ps(to, a); }
static inline vector vector_of(float value) { return _mm512_set1_ps(value); }
static inline vector vector_add(vector a, vector b) { return _mm512_add_ps(a, b); }
static inline vector vector_subtract(vector a, vector b) { return _mm512_sub_ps(a, b); }
static inline vector vector_multiply(vector a, vector b) { return _mm512_mul_ps(a, b); }
static inline vector vector_fma(vector a, vector b, vector c) { return _mm512_fmadd_ps(a, b, c); }
static inline vector vector_relu(vector a) { return _mm512_max_ps(_mm512_setzero_ps(), a); }
typedef __mmask16 mask;
static inline mask mask_above(vector a, vector b) { return _mm512_cmp_ps_mask(a, b, _CMP_NLE_UQ); }
static inline mask mask_equal(vector a, vector b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
static inline mask mask_and(mask a, mask b) { return (mask)(a & b); }
static inline vector vector_choose(mask m, vector yes, vector no) { return _mm512_mask_mov_ps(no, m, yes); }
static inline vector vector_of_positions(const uint16_t *from)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)from)));
}
static inline void vector_to_positions(uint16_t *to, vector a)
{
    _mm256_storeu_si256((__m256i *)(void *)to, _mm512_cvtepi32_epi16(_mm512_cvttps_epi32(a)));
}
#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
enum { LANES = 8, ROWS = 6 };
typedef __m256 vector;
static inline vector vector_load(const float *from) { return _mm256_loadu_ps(from); }
static inline void vector_store(float *to, vector a) { _mm256_storeu_ps(to, a); }
static inline vector vector_of(float value) { return _mm256_set1_ps(value); }
static inline vector vector_add(vector a, vector b) { return _mm256_add_ps(a, b); }
static inline vector vector_subtract(vector a, vector b) { return _mm256_sub_ps(a, b); }
static inline vector vector_multiply(vector a, vector b) { return _mm256_mul_ps(a, b); }
static inline vector vector_fma(vector a, vector b, vector c) { return _mm256_fmadd_ps(a, b, c); }
static inline vector vector_relu(vector a) { return _mm256_max_ps(_mm256_setzero_ps(), a); }
typedef __m256 mask;
static inline mask mask_above(vector a, vector b) { return _mm256_cmp_ps(a, b, _CMP_NLE_UQ); }
static inline mask mask_equal(vector a, vector b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
static inline mask mask_and(mask a, mask b) { return _mm256_and_ps(a, b); }
static inline vector vector_choose(mask m, vector yes, vector no) { return _mm256_blendv_ps(no, yes, m); }
static inline vector vector_of_positions(const uint16_t *from)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)from)));
}
static inline void vector_to_positions(uint16_t *to, vector a)
{
    const __m256i words = _mm256_cvttps_epi32(a);
    const __m128i packed = _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));

    _mm_storeu_si128((__m128i *)(void *)to, packed);
}
#else
enum { LANES = 4, ROWS = 4 };
typedef struct {
    float lane[LANES];
} vector;
#define EACH_LANE(expression) \
    vector ret; \
    for (int i = 0; i < LANES; i++) \
        ret.lane[i] = (expression); \
    return ret
static inline vector vector_load(const float *from) { EACH_LANE(from[i]); }
static inline vector vector_of(float value) { EACH_LANE(value); }
static inline vector vector_add(vector a, vector b) { EACH_LANE(a.lane[i] + b.lane[i]); }
static inline vector vector_subtract(vector a, vector b) { EACH_LANE(a.lane[i] - b.lane[i]); }
static inline vector vector_multiply(vector a, vector b) { EACH_LANE(a.lane[i] * b.lane[i]); }
static inline vector vector_fma(vector a, vector b, vector c) { EACH_LANE(a.lane[i] * b.lane[i] + c.lane[i]); }
static inline vector vector_relu(vector a) { EACH_LANE(a.lane[i] < 0 ? 0 : a.lane[i]); }
static inline void vector_store(float *to, vector a)
{
    for (int i = 0; i < LANES; i++)
        to[i] = a.lane[i];
}
typedef struct {
    bool lane[LANES];
} mask;
#define EACH_TRUTH(expression) \
    mask ret; \
    for (int i = 0; i < LANES; i++) \
        ret.lane[i] = (expression); \
    return ret
static inline mask mask_above(vector a, vector b) { EACH_TRUTH(!(a.lane[i] <= b.lane[i])); }
static inline mask mask_equal(vector a, vector b) { EACH_TRUTH(a.lane[i] == b.lane[i]); }
static inline mask mask_and(mask a, mask b) { EACH_TRUTH(a.lane[i] && b.lane[i]); }
static inline vector vector_choose(mask m, vector yes, vector no) { EACH_LANE(m.lane[i] ? yes.lane[i] : no.lane[i]); }
static inline vector vector_of_positions(const uint16_t *from) { EACH_LANE((float)from[i]); }
static inline void vector_to_positions(uint16_t *to, vector a)
{
    for (int i = 0; i < LANES; i++)
        to[i] = (uint16_t)a.lane[i];
}
#endif
/* a times a number, plus or minus b. */
static inline vector vector_scaled(float factor, vector a, vector b) { return vector_fma(vector_of(factor), a, b); }

#endif
