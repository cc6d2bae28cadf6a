/* The paired permutation test: signs of differences are exchanged, all of them or many draws. */
#include "eval/permutation.h"

#include "base/memory.h"
#include "base/random.h"
#include "eval/interval.h"
#include <math.h>
#include <stdlib.h>

enum {
    ENUMERATED = 20, /* differences at most for all 2^n assignments */
    DRAWS = 99999,
    ENOUGH = 200, /* draws that reach the sum found: p is known well then */
    BLOCK = 8,    /* differences whose signed sums stand in a table, a byte of signs each */
    SUMS = 1 << BLOCK
};

/* Every assignment but for its mirror image, in the order of Gray's code: one sign at a time. */
static double enumerate(const double *d, size_t n, double least)
{
    const size_t all = (size_t)1 << (n - 1);
    size_t reached = 0;
    double sum = 0.0, sign[ENUMERATED];

    for (size_t i = 0; i < n; i++) {
        sign[i] = 1.0;
        sum += d[i];
    }
    for (size_t i = 1; i <= all; i++) {
        size_t k = 0;
        reached += fabs(sum) >= least;
        while (k + 1 < n && !(i >> k & 1))
            k++;
        sum -= 2.0 * sign[k] * d[k];
        sign[k] = -sign[k];
    }
    return (double)reached / (double)all;
}

/* The signed sums of each block of differences: bit k of the index is the sign of the k-th. */
static double *block_sums(const double *d, size_t n, size_t blocks)
{
    size_t count;
    double *sums = mem_product(blocks, SUMS, &count) ? mem_array(count, sizeof *sums) : NULL;

    for (size_t b = 0; sums && b < blocks; b++) {
        double *to = sums + b * SUMS;
        for (size_t k = b * BLOCK; k < n && k < (b + 1) * BLOCK; k++)
            to[0] -= d[k];
        for (size_t v = 1; v < SUMS; v++) {
            size_t low = 0;
            while (!(v >> low & 1))
                low++;
            to[v] = to[v & (v - 1)] + (b * BLOCK + low < n ? 2.0 * d[b * BLOCK + low] : 0.0);
        }
    }
    return sums;
}

static bioft_status draw(const double *d, size_t n, double least, double *ret_p, struct error *err)
{
    const size_t blocks = (n + BLOCK - 1) / BLOCK, words = (blocks + 3) / 4;
    const uint64_t seed = interval_stream(d, n);
    double *sums = block_sums(d, n, blocks);
    uint32_t *bits = mem_array(words, sizeof *bits);
    uint64_t drawn = 0, reached = 0;

    if (!sums || !bits) {
        free(sums);
        free(bits);
        return error_memory(err, "a permutation test");
    }
    for (; drawn < DRAWS && reached < ENOUGH; drawn++) {
        double sum = 0.0;
        random_fill(BIOFT_BITS, seed, "permutation", drawn, 0, bits, words);
        for (size_t b = 0; b < blocks; b++)
            sum += sums[b * SUMS + (bits[b / 4] >> (b % 4 * 8) & 255)];
        reached += fabs(sum) >= least;
    }
    *ret_p = reached == ENOUGH ? (double)reached / (double)drawn : (double)(reached + 1) / (double)(DRAWS + 1);
    free(sums);
    free(bits);
    return BIOFT_OK;
}

bioft_status permutation_test(const double *differences, size_t n, double *ret_p, struct error *err)
{
    double *d = mem_array(n, sizeof *d), sum = 0.0, largest = 0.0;
    size_t count = 0;
    bioft_status st = BIOFT_OK;

    if (!d)
        return error_memory(err, "a permutation test");
    for (size_t i = 0; i < n; i++)
        if (differences[i] != 0.0) {
            d[count++] = differences[i];
            sum += differences[i];
            largest += fabs(differences[i]);
        }
    /* Rounding must not part equal sums. */
    const double least = fabs(sum) - 1e-12 * largest;
    *ret_p = 1.0;
    if (count > ENUMERATED)
        st = draw(d, count, least, ret_p, err);
    else if (count > 0)
        *ret_p = enumerate(d, count, least);
    free(d);
    return st;
}
