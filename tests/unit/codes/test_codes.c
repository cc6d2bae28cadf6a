/* Packing of codes against what numpy.packbits gives, and the way back. */
#include "codes/codes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void sign_decides_and_zero_is_plus_one(void **state)
{
    const float values[2][5] = { { 0.5f, -0.25f, 0.0f, -0.0f, -1e-38f }, { -3.0f, 3.0f, -INFINITY, INFINITY, -1.0f } };
    uint64_t packed[2];

    (void)state;
    codes_pack(values[0], 2, 5, packed);
    assert_true(packed[0] == 0x0d && packed[1] == 0x0a);
}

/* numpy.packbits of 1 0 0 1 0 0 0 0, 1 1 0 0 0 0 0 1 is 0x90 0xc1. */
static void bytes_are_those_of_packbits(void **state)
{
    const uint8_t bytes[] = { 0x90, 0xc1 };
    uint64_t packed;

    (void)state;
    codes_pack_bytes(bytes, 1, 16, &packed);
    assert_true(packed == (1u << 0 | 1u << 3 | 1u << 8 | 1u << 9 | 1u << 15));
}

/* Any number of bits: the words' spare bits are 0, bytes and floats agree, and unpacking gives the
 * floats again. */
static void all_widths_go_there_and_back(void **state)
{
    static const uint32_t widths[] = { 1, 7, 8, 31, 32, 33, 63, 64, 65, 96, 127, 128, 129, 512, 1000 };
    enum { ROWS = 5 };

    (void)state;
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        const uint32_t bits = widths[w], words = (bits + 63) / 64, length = (bits + 7) / 8;
        float *values = malloc(ROWS * bits * sizeof *values), *back = malloc(ROWS * bits * sizeof *back);
        uint8_t *bytes = calloc(ROWS, length);
        uint64_t *packed = malloc(ROWS * words * sizeof *packed), *from_bytes = malloc(ROWS * words * sizeof *packed);
        uint32_t seed = bits;
        assert_true(values && back && bytes && packed && from_bytes);
        for (uint32_t i = 0; i < ROWS * bits; i++) {
            seed = seed * 1664525 + 1013904223;
            values[i] = seed >> 31 ? 1.0f : -1.0f;
            bytes[i / bits * length + i % bits / 8] |= (uint8_t)((seed >> 31) << (7 - i % bits % 8));
        }
        codes_pack(values, ROWS, bits, packed);
        codes_pack_bytes(bytes, ROWS, bits, from_bytes);
        assert_memory_equal(packed, from_bytes, ROWS * words * sizeof *packed);
        codes_unpack(packed, ROWS, bits, back);
        assert_memory_equal(values, back, ROWS * bits * sizeof *values);
        for (size_t i = 0; bits % 64 && i < ROWS; i++)
            assert_true(packed[i * words + words - 1] >> bits % 64 == 0);
        free(values);
        free(back);
        free(bytes);
        free(packed);
        free(from_bytes);
    }
}

static void sets_have_the_contracts_layout(void **state)
{
    struct codes c = { 0 };
    struct error err = { 0 };

    (void)state;
    assert_int_equal(codes_create(3, 65, 21, &c, &err), BIOFT_OK);
    const bioft_codes v = codes_view(&c);
    assert_true(v.struct_size == sizeof v && v.bits == 65 && v.words == 2 && v.label_words == 1 && v.n == 3);
    assert_true(v.codes == c.codes && v.labels == c.labels && !v.codes[5] && !v.labels[2]);
    codes_free(&c);
    codes_free(&c);
    assert_null(c.codes);
}

static void impossible_sizes_are_refused(void **state)
{
    struct codes c = { 0 };
    struct error err = { 0 };

    (void)state;
    assert_int_equal(codes_create(1, 0, 2, &c, &err), BIOFT_ERR_INVALID);
    assert_int_equal(codes_create(1, CODES_MAX_BITS + 1, 2, &c, &err), BIOFT_ERR_INVALID);
    assert_non_null(strstr(err.text, "from 1 to 32767"));
    assert_int_equal(codes_create(UINT64_MAX / 2, 512, 2, &c, &err), BIOFT_ERR_INVALID);
    assert_int_equal(codes_create(UINT64_MAX / 16, 64, 2, &c, &err), BIOFT_ERR_MEMORY);
    assert_null(c.codes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sign_decides_and_zero_is_plus_one), cmocka_unit_test(bytes_are_those_of_packbits),
        cmocka_unit_test(all_widths_go_there_and_back),      cmocka_unit_test(sets_have_the_contracts_layout),
        cmocka_unit_test(impossible_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
