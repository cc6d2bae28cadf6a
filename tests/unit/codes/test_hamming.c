/* Every kernel against a count of bits one by one, for widths and lengths around the vectors'. */
#include "codes/hamming.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 0xbeef, LONGEST = 300 };

static const size_t widths[] = { 8,   16,  31,  32,  33,  48,  63,  64,  65,  96,  127, 128,
                                 129, 192, 256, 300, 320, 384, 448, 511, 512, 513, 640, 1000 };

static uint64_t random_word(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 32 ^ *state << 17;
}

static size_t lengths(size_t i) { return i < 70 ? i : 70 + (i - 70) * 23; }

/* Exactly as long as it has to be, so that a sanitizer sees what is read past the end. */
static void *exact(size_t count, size_t size)
{
    void *p = malloc(count > 0 ? count * size : 1);
    assert_non_null(p);
    return p;
}

static size_t slow_distance(const uint64_t *a, const uint64_t *b, size_t bits)
{
    size_t distance = 0;
    for (size_t i = 0; i < bits; i++)
        distance += (a[i / 64] >> i % 64 & 1) != (b[i / 64] >> i % 64 & 1);
    return distance;
}

/* Random codes with a copy of the query and its opposite among them. */
static void check_distances(const struct hamming *k, size_t bits, size_t n)
{
    const size_t words = (bits + 63) / 64;
    const uint64_t last = bits % 64 ? (UINT64_C(1) << bits % 64) - 1 : UINT64_MAX;
    uint64_t seed = bits * 1000 + n, *codes = exact(n * words, sizeof *codes), *q = exact(words, sizeof *q);
    uint16_t *ret = exact(n + 1, sizeof *ret);

    for (size_t w = 0; w < words; w++)
        q[w] = random_word(&seed) & (w + 1 == words ? last : UINT64_MAX);
    for (size_t i = 0; i < n * words; i++) {
        const uint64_t mask = i % words + 1 == words ? last : UINT64_MAX;
        codes[i] = (i / words % 11 == 3   ? q[i % words]
                    : i / words % 11 == 7 ? ~q[i % words]
                                          : random_word(&seed)) &
                   mask;
    }
    ret[n] = GUARD;
    k->distances(q, codes, n, words, ret);
    for (size_t i = 0; i < n; i++)
        if (ret[i] != slow_distance(q, codes + i * words, bits))
            fail_msg("%s: %zu bits, row %zu of %zu: %u", k->name, bits, i, n, ret[i]);
    assert_int_equal(ret[n], GUARD);
    free(codes);
    free(q);
    free(ret);
}

static void check_mark(const struct hamming *k, size_t n, uint16_t flag)
{
    uint64_t seed = n * 31 + flag, *labels = exact(n, sizeof *labels);
    const uint64_t q = UINT64_C(1) << 63 | 1 << 5 | 1;
    uint16_t *ret = exact(n + 1, sizeof *ret), *before = exact(n + 1, sizeof *before);

    for (size_t i = 0; i < n; i++) {
        labels[i] = i % 5 == 0 ? UINT64_C(1) << 63 : i % 5 == 1 ? 0 : random_word(&seed) & random_word(&seed);
        before[i] = ret[i] = (uint16_t)((random_word(&seed) & (flag - 1u)) | (i % 3 ? 0u : flag));
    }
    ret[n] = GUARD;
    k->mark(q, labels, n, flag, ret);
    for (size_t i = 0; i < n; i++)
        if (ret[i] != (before[i] | ((labels[i] & q) != 0 ? flag : 0)))
            fail_msg("%s: label %zu of %zu, flag %u", k->name, i, n, flag);
    assert_int_equal(ret[n], GUARD);
    free(labels);
    free(ret);
    free(before);
}

static void check_select(const struct hamming *k, size_t n, uint16_t flag, uint16_t limit)
{
    uint64_t seed = n * 77 + flag + limit;
    uint16_t *marked = exact(n, sizeof *marked), *ret = exact(n + HAMMING_SLACK, sizeof *ret);
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        marked[i] = (uint16_t)(random_word(&seed) & (2u * flag - 1));
    const size_t got = k->select(marked, n, flag, limit, ret);
    for (size_t i = 0; i < n; i++) {
        const unsigned distance = marked[i] >= flag ? marked[i] - flag : marked[i];
        if (distance > limit)
            continue;
        if (count >= got || ret[count] != marked[i])
            fail_msg("%s: item %zu of %zu, flag %u, limit %u", k->name, i, n, flag, limit);
        count++;
    }
    assert_int_equal(got, count);
    free(marked);
    free(ret);
}

static void check_all(const struct hamming *k)
{
    static const uint16_t flags[] = { 16, 64, 128, 1024, 32768 };

    for (size_t i = 0; lengths(i) <= LONGEST; i++) {
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
            check_distances(k, widths[w], lengths(i));
        for (size_t f = 0; f < sizeof flags / sizeof *flags; f++) {
            check_mark(k, lengths(i), flags[f]);
            check_select(k, lengths(i), flags[f], 0);
            check_select(k, lengths(i), flags[f], flags[f] / 3);
            check_select(k, lengths(i), flags[f], (uint16_t)(flags[f] - 1));
        }
    }
}

static void portable_counts_bits(void **state)
{
    (void)state;
    assert_non_null(hamming_best());
    check_all(hamming_portable());
}

static void avx512_counts_bits(void **state)
{
    (void)state;
    if (!hamming_avx512()) {
        assert_ptr_equal(hamming_best(), hamming_portable());
        skip();
    }
    assert_ptr_equal(hamming_best(), hamming_avx512());
    check_all(hamming_avx512());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(portable_counts_bits),
        cmocka_unit_test(avx512_counts_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
