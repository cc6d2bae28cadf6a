/* The keyed generator: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC 2011), without a state. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <bioft/plugin.h>

void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t ret[4]);

/* count values of `kind` (BIOFT_UNIFORM, BIOFT_NORMAL: float; BIOFT_BITS: uint32_t); element j is
 * number first + j of the stream. BIOFT_ERR_INVALID for another kind. */
bioft_status random_fill(uint32_t kind, uint64_t seed, const char *stream, uint64_t key, uint64_t first, void *ret,
                         size_t count);
/* Philox's key for a stream: words of a key's counters are the stream's numbers. */
void random_stream_key(uint64_t seed, const char *stream, uint32_t ret[2]);
/* A permutation of 0..n-1. */
void random_permutation(uint64_t seed, const char *stream, uint64_t key, uint64_t n, uint64_t *ret);

#endif
