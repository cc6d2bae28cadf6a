/* The kernels of ranking by hash codes: each in plain C and for AVX-512 with VPOPCNTDQ, with the
 * same results. */
#ifndef CODES_HAMMING_H
#define CODES_HAMMING_H

#include <stddef.h>
#include <stdint.h>

/* codes: n rows of `words` 64-bit words. Writes the distance of each row to q. */
typedef void hamming_fn(const uint64_t *q, const uint64_t *codes, size_t n, size_t words, uint16_t *ret);
/* labels: one word of n label sets. Sets `flag`, a bit above all distances, in those of ret that
 * share a label with q; called once for each word of a label set, ret is then marked where any word
 * is shared. */
typedef void hamming_mark_fn(uint64_t q, const uint64_t *labels, size_t n, uint16_t flag, uint16_t *ret);
/* Copies what is at most `limit` without the flag, in order; ret has room for n and HAMMING_SLACK.
 * Gives how many. */
typedef size_t hamming_select_fn(const uint16_t *marked, size_t n, uint16_t flag, uint16_t limit, uint16_t *ret);
enum { HAMMING_SLACK = 32 };

struct hamming {
    const char *name;
    hamming_fn *distances;
    hamming_mark_fn *mark;
    hamming_select_fn *select;
};
const struct hamming *hamming_portable(void);
const struct hamming *hamming_avx512(void); /* NULL: this processor, or this build, has none */
const struct hamming *hamming_best(void);

#endif
