/* gzip: members, padding, bounds, and each way a file can be damaged. */
#include "hostile.h"

#include "formats/gzip.h"

#include <zlib.h>

#include "gzip_golden.h"

enum { TEXT_SIZE = sizeof text - 1, PLAIN = sizeof plain };

static bioft_status read_gzip(const uint8_t *bytes, size_t size, struct error *err)
{
    uint8_t *out;
    size_t out_size;
    bioft_status st = gzip_unpack("t", bytes, size, 1000, &out, &out_size, err);
    if (st == BIOFT_OK)
        free(out);
    return st;
}

static void expect_text(const void *bytes, size_t size, size_t times)
{
    struct error err;
    uint8_t *out;
    size_t out_size;
    if (gzip_unpack("t", bytes, size, times * TEXT_SIZE, &out, &out_size, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    assert_int_equal(out_size, times * TEXT_SIZE);
    for (size_t i = 0; i < times; i++)
        assert_memory_equal(out + i * TEXT_SIZE, text, TEXT_SIZE);
    assert_int_equal(out[out_size], 0);
    free(out);
}

static void reads_members(void **state)
{
    uint8_t bytes[2 * PLAIN + 600] = { 0 };
    (void)state;
    assert_true(gzip_is((const uint8_t *)plain, 2));
    assert_false(gzip_is((const uint8_t *)plain, 1));
    assert_false(gzip_is((const uint8_t *)"PK", 2));
    expect_text(plain, PLAIN, 1);
    expect_text(all_fields, sizeof all_fields, 1);
    memcpy(bytes, plain, PLAIN);
    expect_text(bytes, sizeof bytes, 1); /* zeros are padding */
    memcpy(bytes + PLAIN, plain, PLAIN);
    expect_text(bytes, 2 * PLAIN, 2);
    expect_text(bytes, sizeof bytes, 2);

    uint8_t *out;
    size_t size;
    struct error err;
    assert_int_equal(gzip_unpack("t", (const uint8_t *)empty, sizeof empty, 0, &out, &size, &err), BIOFT_OK);
    assert_int_equal(size, 0);
    assert_int_equal(out[0], 0);
    free(out);
}

static void refuses_trailing_garbage(void **state)
{
    uint8_t bytes[PLAIN + 8] = { 0 };
    (void)state;
    memcpy(bytes, plain, PLAIN);
    memcpy(bytes + PLAIN, "garbage", 8);
    expect_refused(read_gzip, "garbage", bytes, sizeof bytes, "trailing garbage");
    memcpy(bytes + PLAIN, "\0\0\0\0\0\0\0x", 8);
    expect_refused(read_gzip, "zeros, then garbage", bytes, sizeof bytes, "trailing garbage");
    memcpy(bytes + PLAIN, "\x1f\x8b", 2);
    expect_refused(read_gzip, "half a member", bytes, PLAIN + 2, "truncated");
    expect_refused(read_gzip, "half a magic", bytes, PLAIN + 1, "trailing garbage");
}

static void refuses_damage(void **state)
{
    uint8_t bytes[PLAIN];
    (void)state;
    expect_prefixes_refused(read_gzip, plain, PLAIN);
    expect_prefixes_refused(read_gzip, all_fields, sizeof all_fields);
    expect_refused(read_gzip, "plain text", text, TEXT_SIZE, "not gzip");
    expect_refused(read_gzip, "cut in the data", plain, PLAIN - 20, "truncated");
    expect_refused(read_gzip, "cut in the trailer", plain, PLAIN - 3, "truncated");
    static const struct {
        const char *what;
        size_t at;
        uint8_t value;
        const char *words;
    } cases[] = {
        { "checksum", PLAIN - 8, 1, "checksum differs" }, { "size", PLAIN - 4, 1, "size in the trailer differs" },
        { "flags", 3, 0x20, "bad gzip header" },          { "flags", 3, 0x80, "bad gzip header" },
        { "method", 2, 7 ^ 8, "bad gzip header" },        { "block type", 10, 6, "corrupt at compressed byte" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memcpy(bytes, plain, PLAIN);
        bytes[cases[i].at] ^= cases[i].value;
        expect_refused(read_gzip, cases[i].what, bytes, PLAIN, cases[i].words);
    }
    uint8_t endless[4096] = { 0x1f, 0x8b, 8, 8 };
    memset(endless + 10, 'a', sizeof endless - 10);
    expect_refused(read_gzip, "endless name", endless, sizeof endless, "bad gzip header");
}

/* zlib packs `size` bytes of `fill`, or of a pattern where it is negative. */
static size_t pack(size_t size, int fill, uint8_t *ret, size_t room)
{
    uint8_t *data = malloc(size);
    z_stream z = { .zalloc = Z_NULL };
    assert_non_null(data);
    for (size_t i = 0; i < size; i++)
        data[i] = fill >= 0 ? (uint8_t)fill : (uint8_t)(i * 2654435761u >> 16);
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = data;
    z.avail_in = (uInt)size;
    z.next_out = ret;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    room -= z.avail_out;
    deflateEnd(&z);
    free(data);
    return room;
}

static void keeps_to_its_bound(void **state)
{
    enum { LARGE = 10 << 20, ROOM = 12 << 20 };
    uint8_t *packed = malloc(ROOM), *out;
    struct error err;
    size_t size, out_size;
    (void)state;
    assert_non_null(packed);
    size = pack(LARGE, 0, packed, ROOM);
    assert_true(size < 11000);
    assert_int_equal(gzip_unpack("t", packed, size, 784, &out, &out_size, &err), BIOFT_ERR_FORMAT);
    assert_non_null(strstr(err.text, "more than the 784 bytes"));
    assert_int_equal(gzip_unpack("t", packed, size, LARGE - 1, &out, &out_size, &err), BIOFT_ERR_FORMAT);
    assert_int_equal(gzip_unpack("t", packed, size, LARGE, &out, &out_size, &err), BIOFT_OK);
    assert_int_equal(out_size, LARGE);
    free(out);
    /* A trailer that lies about the size is found out, whatever it was used for. */
    memcpy(packed + size - 4, "\377\377\377\377", 4);
    assert_int_equal(gzip_unpack("t", packed, size, UINT64_MAX, &out, &out_size, &err), BIOFT_ERR_FORMAT);
    assert_non_null(strstr(err.text, "size in the trailer"));

    size = pack(1 << 20, -1, packed, ROOM);
    assert_int_equal(gzip_unpack("t", packed, size, UINT64_MAX, &out, &out_size, &err), BIOFT_OK);
    assert_int_equal(out_size, 1 << 20);
    for (size_t i = 0; i < out_size; i++)
        if (out[i] != (uint8_t)(i * 2654435761u >> 16))
            fail_msg("byte %zu differs", i);
    free(out);
    free(packed);
}

static void survives_changes(void **state)
{
    (void)state;
    change_every_byte(read_gzip, plain, PLAIN);
    change_every_byte(read_gzip, all_fields, sizeof all_fields);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_members),    cmocka_unit_test(refuses_trailing_garbage),
        cmocka_unit_test(refuses_damage),   cmocka_unit_test(keeps_to_its_bound),
        cmocka_unit_test(survives_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
