/* .npy against numpy's own files, and every hostile header. */
#include "hostile.h"

#include "base/file.h"
#include "formats/npy.h"

#include <math.h>
#include <unistd.h>

#include "npy_golden.h"

static bioft_status read_npy(const uint8_t *bytes, size_t size, struct error *err)
{
    struct npy npy;
    bioft_status st = npy_parse("t", bytes, size, &npy, err);
    if (st == BIOFT_OK)
        npy_free(&npy);
    return st;
}

static double value(const struct npy *npy, size_t i)
{
    return npy->dtype == NPY_U8    ? ((const uint8_t *)npy->data)[i]
           : npy->dtype == NPY_I64 ? (double)((const int64_t *)npy->data)[i]
                                   : (double)((const float *)npy->data)[i];
}

static void reads_what_numpy_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        struct npy npy;
        struct error err;
        size_t count = 1;
        expect_read(read_npy, accepted[i].what, accepted[i].bytes, accepted[i].size);
        if (npy_parse("t", (const uint8_t *)accepted[i].bytes, accepted[i].size, &npy, &err) != BIOFT_OK)
            fail_msg("%s: %s", accepted[i].what, err.text);
        assert_int_equal(npy.dtype, accepted[i].dtype);
        assert_int_equal(npy.dims, accepted[i].dims);
        for (unsigned d = 0; d < npy.dims; d++) {
            assert_int_equal(npy.shape[d], accepted[i].shape[d]);
            count *= npy.shape[d];
        }
        assert_int_equal(npy.count, count);
        assert_int_equal((uintptr_t)npy.data % 64, 0);
        for (size_t k = 0; k < count; k++)
            if (value(&npy, k) != accepted[i].value[k])
                fail_msg("%s: [%zu] is %.17g, not %.17g", accepted[i].what, k, value(&npy, k), accepted[i].value[k]);
        npy_free(&npy);
    }
}

static void refuses_other_dtypes_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const char *what = refused[i].what;
        const char *word = strcmp(what, "object") == 0 ? "pickle" : what;
        if (what[0] == '>')
            word = strcmp(what, ">i8") == 0 ? "astype('<i8')"
                   : what[2] == '8'         ? "astype('<f8')"
                                            : "big-endian; save with .astype('<f4')";
        expect_refused(read_npy, what, refused[i].bytes, refused[i].size, word);
    }
}

/* A version 1 file of a header and `data` zero bytes. */
static size_t make(uint8_t *ret, const char *header, size_t length, size_t data)
{
    memcpy(ret, "\x93NUMPY\1\0", 8);
    ret[8] = (uint8_t)(length & 0xff);
    ret[9] = (uint8_t)(length >> 8);
    memcpy(ret + 10, header, length);
    memset(ret + 10 + length, 0, data);
    return 10 + length + data;
}

static void refuses_hostile_headers(void **state)
{
    static const struct {
        const char *header;
        size_t data;
        const char *words;
    } cases[] = {
        { "{'descr': '<f4 ', 'fortran_order': False, 'shape': (1,), }", 4, "'<f4 ' is not" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 3), }", 12, "column 52" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2.5,), }", 12, "malformed header" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': [2, 3], }", 24, "must be a tuple" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': 6, }", 24, "must be a tuple" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (6), }", 24, "must be a tuple" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (,), }", 4, "malformed header" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2 3), }", 24, "malformed header" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1e9,), }", 4, "malformed header" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1LL,), }", 4, "malformed header" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 4, "number too large" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 0, "overflows" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9223372036854775808), }", 0, "too large" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627777,), }", 0, "2^40" },
        { "{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776, 16777216), }", 0, "overflows" },
        { "{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776, 2097152), }", 0, "overflows" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }", 4, "truncated" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 1), }", 4,
          "too many dimensions" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'descr': '<f4'}", 4, "key 'descr' is given twice" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", 4, "key 'x' is unknown" },
        { "{'fortran_order': False, 'shape': (1,), }", 4, "key 'descr' is missing" },
        { "{'descr': '<f4', 'shape': (1,), }", 4, "key 'fortran_order' is missing" },
        { "{'descr': '<f4', 'fortran_order': False, }", 4, "key 'shape' is missing" },
        { "{}", 4, "is missing" },
        { "{,}", 4, "malformed header" },
        { "", 4, "malformed header" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x", 4, "column 59" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,),, }", 4, "malformed header" },
        { "{'descr': '<f4' 'fortran_order': False, 'shape': (1,) }", 4, "malformed header" },
        { "{'descr': '<f4', 'fortran_order': 'maybe', 'shape': (1,), }", 4, "True or False" },
        { "{'descr': '<f4', 'fortran_order': 1, 'shape': (1,), }", 4, "True or False" },
        { "{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (1,), }", 4, "malformed header" },
        { "{'descr': __import__('os'), 'fortran_order': False, 'shape': (1,), }", 4, "malformed header at column 11" },
        { "__import__('os')", 4, "malformed header at column 1" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 7, "truncated" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 9, "1 bytes left over" },
        { "{'descr': '|S5', 'fortran_order': False, 'shape': (2,), }", 10, "'|S5'" },
        { "{'descr': '\033[31m', 'fortran_order': False, 'shape': (2,), }", 10, "\\x1b[31m" },
        { "{'descr': '', 'fortran_order': False, 'shape': (2,), }", 10, "not supported" },
    };
    uint8_t bytes[256];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = make(bytes, cases[i].header, strlen(cases[i].header), cases[i].data);
        expect_refused(read_npy, cases[i].header, bytes, size, cases[i].words);
    }
}

static void refuses_hostile_frames(void **state)
{
    static const struct {
        const char *what, *bytes;
        size_t size;
        const char *words;
    } cases[] = {
        { "empty", "", 0, "not a .npy file" },
        { "magic", "\x93NUMPX\1\0\0\0", 10, "not a .npy file" },
        { "version 4", "\x93NUMPY\4\0\0\0\0\0", 12, "version 4.0" },
        { "version 0", "\x93NUMPY\0\0\0\0\0\0", 12, "version 0.0" },
        { "version 1.1", "\x93NUMPY\1\1\0\0", 10, "version 1.1" },
        { "past the end", "\x93NUMPY\1\0\2\0{", 11, "runs past the end" },
        { "2^32-1", "\x93NUMPY\2\0\377\377\377\377{}", 14, "runs past the end" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refused(read_npy, cases[i].what, cases[i].bytes, cases[i].size, cases[i].words);
}

static void refuses_large_headers(void **state)
{
    enum { LARGE = 200000 };
    static uint8_t bytes[LARGE + 12];
    static char header[LARGE];
    (void)state;
    memcpy(bytes, "\x93NUMPY\2\0", 8);
    bytes[8] = 0x40, bytes[9] = 0x0d, bytes[10] = 3, bytes[11] = 0;
    memset(bytes + 12, '(', LARGE);
    expect_refused(read_npy, "200,000 parentheses", bytes, LARGE + 12, "at most 65536");
    memcpy(header, "{'shape': ", 10);
    memset(header + 10, '(', 50000);
    expect_refused(read_npy, "50,000 parentheses", bytes, make(bytes, header, 50010, 0), "malformed header");
    memset(header, ' ', LARGE);
    header[0] = '{';
    static const char rest[] = "'descr': '<f4', 'fortran_order': False, 'shape': (1,), }";
    memcpy(header + 20000, rest, sizeof rest - 1);
    expect_refused(read_npy, "a text of 20,000", bytes, make(bytes, header, 20000 + sizeof rest - 1, 4),
                   "at most 10000");
    /* Padding after it is not counted. */
    memset(header, ' ', LARGE);
    header[0] = '{';
    memcpy(header + 1, rest, sizeof rest - 1);
    expect_read(read_npy, "padded", bytes, make(bytes, header, 60000, 4));
}

static void refuses_values_that_do_not_fit(void **state)
{
    static const char bools[] = "{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }";
    static const char doubles[] = "{'descr': '<f8', 'fortran_order': True, 'shape': (1, 2), }";
    uint8_t bytes[256];
    double large = 3.5e38;
    (void)state;
    size_t size = make(bytes, bools, sizeof bools - 1, 3);
    bytes[size - 1] = 2;
    expect_refused(read_npy, "bool", bytes, size, "index 2 is neither 0 nor 1");
    size = make(bytes, doubles, sizeof doubles - 1, 16);
    memcpy(bytes + size - 8, &large, sizeof large);
    expect_refused(read_npy, "double", bytes, size, "index 1 is out of float32's range");
}

static void survives_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        expect_prefixes_refused(read_npy, accepted[i].bytes, accepted[i].size);
        change_every_byte(read_npy, accepted[i].bytes, accepted[i].size);
    }
}

/* The files numpy wrote, written again by us. */
static void writes_what_numpy_writes(void **state)
{
    static const char *const whats[] = { "uint8", "float32", "int64", "scalar", "empty" };
    char path[] = "bioft-npy-XXXXXX";
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0, w = 0; i < sizeof accepted / sizeof *accepted; i++) {
        struct npy npy;
        struct error err;
        uint8_t *bytes;
        size_t size;
        for (w = 0; w < 5 && strcmp(whats[w], accepted[i].what) != 0; w++)
            ;
        if (w == 5)
            continue;
        assert_int_equal(npy_parse("t", (const uint8_t *)accepted[i].bytes, accepted[i].size, &npy, &err), BIOFT_OK);
        assert_int_equal(npy_write(path, npy.dtype, npy.dims, npy.shape, npy.data, &err), BIOFT_OK);
        npy_free(&npy);
        assert_int_equal(file_read(path, 1000, &bytes, &size, &err), BIOFT_OK);
        assert_int_equal(size, accepted[i].size);
        assert_memory_equal(bytes, accepted[i].bytes, size);
        free(bytes);
        assert_int_equal(npy_read(path, &npy, &err), BIOFT_OK);
        npy_free(&npy);
    }
    unlink(path);
}

static void writes_headers_that_fit(void **state)
{
    const uint64_t shape[8] = { 1099511627776, 1099511627776, 1099511627776, 1099511627776,
                                1099511627776, 1099511627776, 1099511627776, 1099511627776 };
    char header[512];
    (void)state;
    assert_int_equal(npy_header(NPY_F32, 8, shape, header, sizeof header), 192);
    assert_int_equal(header[191], '\n');
    assert_int_equal((unsigned char)header[8], 192 - 10);
    assert_int_equal(npy_header(NPY_F32, 8, shape, header, 191), 0);
    assert_int_equal(npy_header(NPY_F32, 9, shape, header, sizeof header), 0);
    assert_int_equal(npy_header((enum npy_dtype)4, 1, shape, header, sizeof header), 0);
    struct error err;
    assert_int_equal(npy_write("/nowhere", NPY_F32, 8, shape, NULL, &err), BIOFT_ERR_INVALID);
}

static void reads_regular_files_only(void **state)
{
    struct npy npy;
    struct error err;
    (void)state;
    assert_int_not_equal(npy_read("/dev/zero", &npy, &err), BIOFT_OK);
    assert_int_not_equal(npy_read("/", &npy, &err), BIOFT_OK);
    assert_int_not_equal(npy_read("/nowhere.npy", &npy, &err), BIOFT_OK);
    npy_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_numpy_writes), cmocka_unit_test(refuses_other_dtypes_by_name),
        cmocka_unit_test(refuses_hostile_headers), cmocka_unit_test(refuses_hostile_frames),
        cmocka_unit_test(refuses_large_headers),   cmocka_unit_test(refuses_values_that_do_not_fit),
        cmocka_unit_test(survives_changes),        cmocka_unit_test(writes_what_numpy_writes),
        cmocka_unit_test(writes_headers_that_fit), cmocka_unit_test(reads_regular_files_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
