/* Hash codes of a set of samples, packed to bits, with the samples' label sets: the arrays of
 * bioft_codes, owned. */
#ifndef CODES_CODES_H
#define CODES_CODES_H

#include "base/error.h"
#include <bioft/attack.h>

/* Distances and a mark beside them fit 16 bits. */
enum { CODES_MAX_BITS = 32767 };

/* Value j of a row is bit j % 64 of its word j / 64, 1 for +1 and 0 for -1; bits past the last are
 * 0. So for labels. */
struct codes {
    uint32_t bits, words;          /* words = (bits + 63) / 64 */
    uint32_t classes, label_words; /* label_words = (classes + 63) / 64 */
    uint64_t n;
    uint64_t *codes, *labels; /* [n][words], [n][label_words] */
};
/* All zero. */
bioft_status codes_create(uint64_t n, uint32_t bits, uint32_t classes, struct codes *ret, struct error *err);
void codes_free(struct codes *c); /* zero is fine */
/* What attacks see; valid as long as the codes. */
bioft_codes codes_view(const struct codes *c);

/* n rows of `bits` values, or of (bits + 7) / 8 bytes, to and from n rows of words. The sign
 * counts, and 0 as +1. Bytes are numpy.packbits': the first value is the highest bit of the first
 * byte. */
void codes_pack(const float *values, uint64_t n, uint32_t bits, uint64_t *ret);
void codes_pack_bytes(const uint8_t *bytes, uint64_t n, uint32_t bits, uint64_t *ret);
void codes_unpack_bytes(const uint64_t *codes, uint64_t n, uint32_t bits, uint8_t *ret);
void codes_unpack(const uint64_t *codes, uint64_t n, uint32_t bits, float *ret);

#endif
