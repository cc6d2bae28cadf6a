/* .npz as numpy writes it, stored and deflated, and what is refused. */
#include "hostile.h"

#include "formats/npz.h"

#include "npz_golden.h"

static const char *const names[] = { "train_images", "none", "train_labels" };

static bioft_status read_npz(const uint8_t *bytes, size_t size, struct error *err)
{
    struct npy a[3];
    const bioft_status st = npz_parse("t", bytes, size, names, 3, a, err);
    for (int i = 0; st == BIOFT_OK && i < 3; i++)
        npy_free(&a[i]);
    return st;
}

static void check(const char *bytes, size_t size)
{
    struct npy a[3];
    struct error err;
    if (npz_parse("t", (const uint8_t *)bytes, size, names, 3, a, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    assert_null(a[1].data);
    assert_int_equal(a[0].dtype, NPY_U8);
    assert_int_equal(a[0].dims, 3);
    assert_int_equal(a[0].shape[2], 5);
    for (int i = 0; i < 60; i++)
        assert_int_equal(((const uint8_t *)a[0].data)[i], i / 9);
    assert_int_equal(a[2].dims, 2);
    for (int i = 0; i < 3; i++)
        assert_int_equal(((const int64_t *)a[2].data)[i], "\3\1\2"[i]);
    for (int i = 0; i < 3; i++)
        npy_free(&a[i]);
}

static void reads_what_numpy_writes(void **state)
{
    (void)state;
    check(stored, sizeof stored);
    check(deflated, sizeof deflated);
}

static void refuses_cut_files(void **state)
{
    (void)state;
    expect_prefixes_refused(read_npz, stored, sizeof stored);
    expect_prefixes_refused(read_npz, deflated, sizeof deflated);
    char copy[sizeof deflated];
    memcpy(copy, deflated, sizeof copy);
    for (size_t i = 0; i < 8 * sizeof copy; i++) { /* every bit; the sanitizers watch */
        struct error err;
        copy[i / 8] ^= (char)(1 << i % 8);
        if (read_copy(read_npz, copy, sizeof copy, &err) != BIOFT_OK)
            assert_true(err.text[0] != '\0');
        copy[i / 8] ^= (char)(1 << i % 8);
    }
}

/* Where the n-th central entry begins. */
static size_t central(const char *bytes, size_t size, int n)
{
    for (size_t i = 0; i + 4 <= size; i++)
        if (!memcmp(bytes + i, "PK\1\2", 4) && n-- == 0)
            return i;
    fail_msg("no central entry");
    return 0;
}

static void spoiled(const char *what, size_t at, uint32_t value, unsigned bytes, const char *words)
{
    char copy[sizeof deflated];
    const size_t begin = central(deflated, sizeof deflated, 0);
    memcpy(copy, deflated, sizeof copy);
    for (unsigned i = 0; i < bytes; i++)
        copy[begin + at + i] = (char)(value >> (8 * i));
    expect_refused(read_npz, what, copy, sizeof copy, words);
}

static void refuses_by_name(void **state)
{
    (void)state;
    spoiled("encrypted", 8, 1, 2, "zip entry 'train_images.npy': encrypted");
    spoiled("another method", 10, 12, 2, "compressed in another way than by deflate");
    spoiled("stored it says", 10, 0, 2, "of two sizes");
    spoiled("a wrong sum", 16, 7, 4, "checksum");
    spoiled("a bomb", 24, 0xfffffff0, 4, "impossible unpacked size");
    spoiled("one byte more", 24, 189, 4, "damaged, or not of the 189 bytes");
    spoiled("one byte less", 24, 187, 4, "damaged, or not of the 187 bytes");
    spoiled("nothing", 24, 0, 4, "damaged, or not of the 0 bytes");
    spoiled("a folder", 46 + 5, '/', 1, "in a folder");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_numpy_writes),
        cmocka_unit_test(refuses_cut_files),
        cmocka_unit_test(refuses_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
