/* The keyed generator: published answers, the specification's vectors, and golden values of
 * random_golden.py. */
#include "test.h"

#include "base/random.h"

#include <math.h>

static void philox_known_answers(void **state)
{
    static const struct {
        uint32_t counter[4], key[2], want[4];
    } cases[] = {
        { { 0, 0, 0, 0 }, { 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
        { { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
          { 0xffffffff, 0xffffffff },
          { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
        { { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 },
          { 0xa4093822, 0x299f31d0 },
          { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t got[4];
        philox4x32(cases[i].counter, cases[i].key, got);
        assert_memory_equal(got, cases[i].want, sizeof got);
    }
}

static const struct {
    uint64_t seed;
    const char *stream;
    uint64_t key, first;
    uint32_t words[6];
    double uniform[6], normal[6];
} golden[] = {
    {
        1u,
        "M",
        7u,
        0u,
        { 0xddc7084f, 0xa220ed44, 0x1c14ddde, 0xc3dcf420, 0xddc544c3, 0xc6208e1b },
        { 0.866318226, 0.633314908, 0.109693348, 0.765090227, 0.866291285, 0.773934245 },
        { -0.358518898, -0.398082912, 0.19904092, -2.09296799, 0.0802701041, -0.529740214 },
    },
    {
        0u,
        "",
        0u,
        0u,
        { 0x56ecb8b7, 0x558560dc, 0x054b4cab, 0x39ef51f8, 0x2179a054, 0xa3eef36d },
        { 0.339549541, 0.334066391, 0.0206801891, 0.226307929, 0.1307621, 0.640364826 },
        { -0.740747869, 1.26947355, 0.413075, 2.75436401, -1.28219104, -1.55715656 },
    },
    {
        18446744073709551615u,
        "dropout/classifier.5",
        1099511640121u,
        17179869182u,
        { 0x7324248a, 0xc28ea647, 0xdc354ff8, 0xf21b8ae8, 0xcb88d7e0, 0x0bda3854 },
        { 0.449770212, 0.759989142, 0.860188425, 0.945732713, 0.79505676, 0.0462985039 },
        { 0.0792896077, -1.26164567, 0.517228127, -0.18352817, 0.64880687, 0.194249839 },
    },
    {
        42u,
        "conv1",
        9223372036854775808u,
        4611686018427387967u,
        { 0xb3fdcc64, 0x0417e4af, 0xe3c7b67f, 0xe21f8b80, 0x05d34aa7, 0xbb855dee },
        { 0.703091383, 0.015989542, 0.889766097, 0.883293808, 0.0227552652, 0.732503712 },
        { -0.73534143, 2.21333385, -1.83651471, 0.493108034, 0.0709867552, 0.535503447 },
    },
    {
        3u,
        "M",
        0u,
        18446744073709551613u,
        { 0x49f4fa28, 0xe1228506, 0x5a51717e, 0xb625e377, 0x2ab08449, 0xd817b9e5 },
        { 0.288894296, 0.879432976, 0.352805197, 0.711515605, 0.166755915, 0.844111979 },
        { 0.553919792, -0.305134594, 0.404782146, 0.41212675, 0.714749753, -0.244027793 },
    },
    {
        1u,
        "M",
        7u,
        87306906u,
        { 0x000000b4, 0x294d035e, 0xddaa6401, 0xb9e56dab, 0x5a4e159a, 0x6b8f9380 },
        { 0, 0.161331356, 0.865881205, 0.72615701, 0.352753937, 0.420159519 },
        { 3.04985905, 4.89585781, -0.0800981373, -0.530659258, -1.26572907, 0.69418931 },
    },
};

static void golden_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(golden); i++) {
        uint32_t words[6];
        float x[6];
        assert_int_equal(
            random_fill(BIOFT_BITS, golden[i].seed, golden[i].stream, golden[i].key, golden[i].first, words, 6),
            BIOFT_OK);
        assert_memory_equal(words, golden[i].words, sizeof words);
        assert_int_equal(
            random_fill(BIOFT_UNIFORM, golden[i].seed, golden[i].stream, golden[i].key, golden[i].first, x, 6),
            BIOFT_OK);
        for (int k = 0; k < 6; k++)
            assert_true(x[k] == (float)golden[i].uniform[k]);
        assert_int_equal(
            random_fill(BIOFT_NORMAL, golden[i].seed, golden[i].stream, golden[i].key, golden[i].first, x, 6),
            BIOFT_OK);
        for (int k = 0; k < 6; k++) /* the last bit is the C library's */
            assert_true(fabs(x[k] - golden[i].normal[k]) <= 1e-6 * fabs(golden[i].normal[k]));
    }
}

/* A piece of a stream is the same however it is asked for. */
static void any_first_and_count(void **state)
{
    static const uint32_t kinds[] = { BIOFT_UNIFORM, BIOFT_NORMAL, BIOFT_BITS };
    static const uint64_t starts[] = { 0, ((uint64_t)1 << 34) - 100, 0 - (uint64_t)200 };
    enum { ALL = 400 };

    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        for (size_t s = 0; s < COUNT(starts); s++) {
            uint32_t one[ALL], got[ALL + 2];
            for (size_t i = 0; i < ALL; i++)
                random_fill(kinds[k], 9, "conv1", 4, starts[s] + i, one + i, 1);
            for (size_t first = 0; first < 140; first += 1 + first / 8) {
                for (size_t count = 0; first + count <= ALL; count += 1 + count / 5) {
                    memset(got, 0xa5, sizeof got);
                    random_fill(kinds[k], 9, "conv1", 4, starts[s] + first, got + 1, count);
                    assert_memory_equal(got + 1, one + first, count * sizeof *got);
                    assert_int_equal(got[0], 0xa5a5a5a5);
                    assert_int_equal(got[count + 1], 0xa5a5a5a5);
                }
            }
        }
    }
}

/* The words by philox4x32 itself, one block at a time, with the specification's key of (1, "M"). */
static void words_are_blocks_of_philox(void **state)
{
    static const uint32_t key[2] = { 0x0f007579, 0x3e6e2da0 };
    uint32_t got[1000];

    (void)state;
    assert_int_equal(random_fill(BIOFT_BITS, 1, "M", 0x500000007, 0, got, 1000), BIOFT_OK);
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t counter[4] = { i / 4, 0, 7, 5 }, want[4];
        philox4x32(counter, key, want);
        assert_int_equal(got[i], want[i % 4]);
    }
}

static void unaligned_results(void **state)
{
    unsigned char bytes[4 * 70 + 1];
    uint32_t want[70];

    (void)state;
    random_fill(BIOFT_BITS, 1, "M", 7, 3, want, 70);
    random_fill(BIOFT_BITS, 1, "M", 7, 3, bytes + 1, 70);
    assert_memory_equal(bytes + 1, want, sizeof want);
}

static void refuses_other_kinds(void **state)
{
    uint32_t x = 5;

    (void)state;
    assert_int_equal(random_fill(0, 1, "M", 7, 0, &x, 1), BIOFT_ERR_INVALID);
    assert_int_equal(random_fill(4, 1, "M", 7, 0, &x, 1), BIOFT_ERR_INVALID);
    assert_int_equal(x, 5);
    assert_int_equal(random_fill(BIOFT_NORMAL, 1, "M", 7, 0, &x, 0), BIOFT_OK);
    assert_int_equal(x, 5);
}

/* Moments within five standard errors; the range of a uniform number. */
static void distributions(void **state)
{
    enum { N = 1000000 };
    float *x = malloc(N * sizeof *x);
    double sum = 0, squares = 0, cubes = 0, fourth = 0, products = 0;

    (void)state;
    assert_non_null(x);
    random_fill(BIOFT_NORMAL, 5, "M", 0, 0, x, N);
    for (size_t i = 0; i < N; i++) {
        double v = x[i];
        assert_true(isfinite(v));
        sum += v;
        squares += v * v;
        cubes += v * v * v;
        fourth += v * v * v * v;
        products += i ? v * x[i - 1] : 0;
    }
    assert_true(fabs(sum / N) < 5 * sqrt(1.0 / N));
    assert_true(fabs(squares / N - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(cubes / N) < 5 * sqrt(15.0 / N));
    assert_true(fabs(fourth / N - 3) < 5 * sqrt(96.0 / N));
    assert_true(fabs(products / N) < 5 * sqrt(1.0 / N));

    random_fill(BIOFT_UNIFORM, 5, "M", 0, 0, x, N);
    sum = squares = 0;
    for (size_t i = 0; i < N; i++) {
        assert_true(x[i] >= 0 && x[i] < 1);
        sum += x[i];
        squares += (double)x[i] * x[i];
    }
    assert_true(fabs(sum / N - 0.5) < 5 * sqrt(1 / 12.0 / N));
    assert_true(fabs(squares / N - 1 / 3.0) < 5 * sqrt(4 / 45.0 / N));
    free(x);
}

static const uint64_t hundred[100] = {
    76, 31, 65, 7,  66, 83, 26, 38, 67, 48, 90, 78, 60, 71, 96, 77, 34, 56, 15, 6,  25, 24, 5,  4,  81,
    43, 47, 23, 19, 84, 51, 13, 63, 3,  70, 52, 9,  94, 17, 0,  33, 20, 2,  41, 14, 12, 40, 36, 29, 16,
    32, 80, 91, 22, 74, 88, 89, 92, 1,  55, 28, 50, 87, 54, 58, 49, 45, 59, 64, 18, 98, 95, 93, 37, 53,
    61, 97, 10, 86, 44, 79, 11, 42, 75, 73, 46, 68, 57, 27, 21, 62, 8,  99, 85, 72, 35, 82, 39, 69, 30,
};

static void permutations(void **state)
{
    static const uint64_t eight[8] = { 5, 0, 1, 2, 4, 7, 6, 3 };
    uint64_t p[1000], seen[1000];

    (void)state;
    random_permutation(1, "epoch", 0, 8, p);
    assert_memory_equal(p, eight, sizeof eight);
    random_permutation(7, "epoch", 3, 100, p);
    assert_memory_equal(p, hundred, sizeof hundred);
    for (uint64_t n = 0; n < 1000; n += 1 + n / 3) {
        memset(seen, 0, sizeof seen);
        p[n] = 77;
        random_permutation(2, "epoch", n, n, p);
        for (uint64_t i = 0; i < n; i++) {
            assert_true(p[i] < n);
            assert_int_equal(seen[p[i]]++, 0);
        }
        assert_int_equal(p[n], 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_known_answers), cmocka_unit_test(golden_values),
        cmocka_unit_test(any_first_and_count),  cmocka_unit_test(words_are_blocks_of_philox),
        cmocka_unit_test(unaligned_results),    cmocka_unit_test(refuses_other_kinds),
        cmocka_unit_test(distributions),        cmocka_unit_test(permutations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
