/* The keyed generator's words with AVX-512: the same as without. */
#ifndef BASE_RANDOM_AVX512_H
#define BASE_RANDOM_AVX512_H

#include <stddef.h>
#include <stdint.h>

enum { RANDOM_LANES = 16, RANDOM_WORDS = 4 * RANDOM_LANES };

/* Words 4 * block to 4 * (block + RANDOM_LANES) - 1 under a Philox key, of the counters (block, key); blocks are
 * modulo 2^62. Only where the CPU has AVX-512 F. */
void random_words_avx512(const uint32_t philox[2], const uint32_t key[2], uint64_t block, uint32_t ret[RANDOM_WORDS]);
/* The same as numbers in [0, 1), from block on; count: a multiple of RANDOM_WORDS. */
void random_uniform_avx512(const uint32_t philox[2], const uint32_t key[2], uint64_t block, float *ret, size_t count);

#endif
