/* safetensors: the reference writer's file, ours, and every check of a hostile header. */
#include "hostile.h"

#include "base/file.h"
#include "formats/safetensors.h"

#include <math.h>
#include <unistd.h>

#include "safetensors_golden.h"

static bioft_status read_tensors(const uint8_t *bytes, size_t size, struct error *err)
{
    struct safetensors *s;
    bioft_status st = safetensors_parse("t", bytes, size, &s, err);
    if (st != BIOFT_OK)
        return st;
    for (size_t i = 0; i < safetensors_count(s); i++) {
        const struct tensor_entry *e = safetensors_entry(s, i);
        float floats[64];
        int64_t integers[64];
        struct error ignored;
        assert_ptr_equal(safetensors_find(s, e->name), e);
        if (e->count <= 64) {
            tensor_to_float(e, floats, e->count, &ignored);
            tensor_to_int64(e, integers, e->count, &ignored);
        }
    }
    safetensors_close(s);
    return st;
}

static void reads_the_reference(void **state)
{
    /* At an odd address: nothing may be assumed of it. */
    static char moved[sizeof reference + 1];
    struct safetensors *s;
    struct error err;
    (void)state;
    memcpy(moved + 1, reference, sizeof reference);
    if (safetensors_parse("t", (const uint8_t *)moved + 1, sizeof reference, &s, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    assert_int_equal(safetensors_count(s), sizeof expected / sizeof *expected);
    assert_string_equal(safetensors_entry(s, 0)->name, "bn1.num_batches_tracked");
    assert_string_equal(safetensors_entry(s, 1)->name, "double");
    assert_null(safetensors_entry(s, safetensors_count(s)));
    assert_string_equal(safetensors_metadata(s, "format"), "pt");
    assert_string_equal(safetensors_metadata(s, "a \"b\""), "c\n\xc3\xa9");
    assert_null(safetensors_metadata(s, "absent"));
    assert_null(safetensors_find(s, "absent"));
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const struct tensor_entry *e = safetensors_find(s, expected[i].name);
        float floats[16];
        int64_t integers[16];
        assert_non_null(e);
        assert_int_equal(e->dtype, expected[i].dtype);
        assert_int_equal(e->dims, expected[i].dims);
        assert_memory_equal(e->shape, expected[i].shape, sizeof e->shape);
        assert_int_equal(e->count, expected[i].count);
        bool real = tensor_to_float(e, floats, e->count, &err) == BIOFT_OK;
        bool whole = tensor_to_int64(e, integers, e->count, &err) == BIOFT_OK;
        assert_int_equal(real, e->dtype == TENSOR_F32 || e->dtype == TENSOR_F16 || e->dtype == TENSOR_BF16 ||
                                   e->dtype == TENSOR_F64);
        assert_int_equal(whole, !real && e->dtype != TENSOR_OTHER);
        for (size_t k = 0; k < e->count && (real || whole); k++) {
            double value = real ? (double)floats[k] : (double)integers[k];
            if (value != expected[i].value[k] || signbit(value) != signbit(expected[i].value[k]))
                fail_msg("%s[%zu] is %.17g, not %.17g", e->name, k, value, expected[i].value[k]);
        }
        assert_int_equal(tensor_to_float(e, floats, e->count + 1, &err), BIOFT_ERR_INVALID);
        assert_int_equal(tensor_to_int64(e, integers, e->count + 1, &err), BIOFT_ERR_INVALID);
    }
    safetensors_close(s);
    safetensors_close(NULL);
}

/* A file of a header and `data` bytes of 1; the length field says `length`. */
static size_t make(uint8_t *ret, const char *header, size_t size, uint64_t length, size_t data)
{
    for (size_t i = 0; i < 8; i++)
        ret[i] = (uint8_t)(length >> (8 * i));
    memcpy(ret + 8, header, size);
    memset(ret + 8 + size, 1, data);
    return 8 + size + data;
}

static void refuses_hostile_frames(void **state)
{
    static const struct {
        const char *header;
        uint64_t length;
        size_t data;
        const char *words;
    } cases[] = {
        { "", 0, 0, "holds no JSON object" },
        { "{", 1, 0, "holds no JSON object" },
        { "{}", UINT64_C(1) << 63, 0, "header too large" },
        { "{}", UINT64_MAX, 0, "header too large" },
        { "{}", UINT64_MAX - 7, 0, "header too large" },
        { "{}", 100000001, 0, "header too large" },
        { "{}", 100000000, 0, "runs past the end" },
        { "{}", 3, 0, "runs past the end" },
        { "[]", 2, 0, "not a JSON object" },
        { "{ ", 2, 0, "not valid JSON" },
        { " {}", 3, 0, "not a JSON object" },
        { "\xef\xbb\xbf{}", 5, 0, "not a JSON object" },
        { "{}\xff", 3, 0, "not UTF-8 (at byte 10)" },
        { "{}", 2, 1, "bytes not covered" },
        { "{}x", 3, 0, "not valid JSON" },
        { "{}\v", 3, 0, "control character" },
        { "{}{}", 4, 0, "not valid JSON" },
    };
    uint8_t bytes[64];
    (void)state;
    for (size_t n = 0; n < 8; n++)
        expect_refused(read_tensors, "short", "\0\0\0\0\0\0\0\0", n, "shorter than its length field");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = strlen(cases[i].header);
        expect_refused(read_tensors, cases[i].header, bytes,
                       make(bytes, cases[i].header, size, cases[i].length, cases[i].data), cases[i].words);
    }
    expect_read(read_tensors, "empty", bytes, make(bytes, "{}", 2, 2, 0));
    expect_read(read_tensors, "blanks", bytes, make(bytes, "{} \t\r\n ", 7, 7, 0));
}

#define ENTRY(name, dtype, shape, begin, end) \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"

static void refuses_hostile_headers(void **state)
{
    static const struct {
        const char *header;
        size_t data;
        const char *words;
    } cases[] = {
        /* Ranges. */
        { "{" ENTRY("a", "F32", "[1]", "0", "4") "," ENTRY("b", "F32", "[1]", "2", "6") "}", 6,
          "tensor 'b': its offsets begin at 2 and do not continue at 4" },
        { "{" ENTRY("a", "F32", "[1]", "0", "4") "," ENTRY("b", "F32", "[1]", "5", "9") "}", 9,
          "do not continue at 4" },
        { "{" ENTRY("a", "F32", "[1]", "0", "4") "," ENTRY("b", "F32", "[1]", "0", "4") "}", 4,
          "tensor 'b': its offsets begin at 0 and do not continue at 4" },
        { "{" ENTRY("a", "F32", "[1]", "1", "5") "}", 5, "do not continue at 0" },
        { "{" ENTRY("a", "F32", "[1]", "0", "4") "," ENTRY("b", "F32", "[1]", "4", "0") "}", 4, "before they begin" },
        { "{" ENTRY("a", "F32", "[1]", "0", "4") "}", 3, "past the end of the data at 3" },
        { "{" ENTRY("a", "F32", "[1]", "0", "4") "}", 5, "bytes not covered" },
        { "{" ENTRY("a", "F32", "[1]", "0", "9223372036854775807") "}", 4, "past the end" },
        { "{" ENTRY("a", "F32", "[1]", "0", "9223372036854775808") "}", 4, "not an integer" },
        { "{" ENTRY("a", "F32", "[1]", "0", "99999999999999999999999") "}", 4, "not an integer" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "two integers" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,4]}}", 4, "two integers" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":4}}", 4, "two integers" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,\"4\"]}}", 4, "two integers" },
        /* Shapes. */
        { "{" ENTRY("a", "F32", "[1099511627776,1099511627776]", "0", "0") "}", 0, "overflows" },
        { "{" ENTRY("a", "F64", "[1099511627776,2097152]", "0", "0") "}", 0, "overflows" },
        { "{" ENTRY("a", "F32", "[0,9223372036854775807]", "0", "0") "}", 0, "too large" },
        { "{" ENTRY("a", "F32", "[1099511627777]", "0", "4") "}", 4, "at most 2^40" },
        { "{" ENTRY("a", "F32", "[1,1,1,1,1,1,1,1,1]", "0", "4") "}", 4, "too many dimensions" },
        { "{" ENTRY("a", "F32", "[2]", "0", "4") "}", 4, "size mismatch: its shape needs 8 bytes, its offsets give 4" },
        { "{" ENTRY("a", "F32", "[0]", "0", "4") "}", 4, "size mismatch" },
        { "{" ENTRY("a", "F32", "[]", "0", "0") "}", 0, "size mismatch" },
        { "{" ENTRY("a", "F32", "[-1]", "0", "4") "}", 4, "-1 is not an integer" },
        { "{" ENTRY("a", "F32", "[-0]", "0", "0") "}", 0, "-0 is not an integer" },
        { "{" ENTRY("a", "F32", "[1.0]", "0", "4") "}", 4, "1.0 is not an integer" },
        { "{" ENTRY("a", "F32", "[1e3]", "0", "4") "}", 4, "1e3 is not an integer" },
        { "{" ENTRY("a", "F32", "[01]", "0", "4") "}", 4, "not valid JSON" },
        { "{" ENTRY("a", "F32", "[NaN]", "0", "4") "}", 4, "not valid JSON" },
        { "{" ENTRY("a", "F32", "[1,]", "0", "4") "}", 4, "not valid JSON" },
        { "{" ENTRY("a", "F32", "[\"2\"]", "0", "4") "}", 4, "not an integer" },
        { "{" ENTRY("a", "F32", "[null]", "0", "4") "}", 4, "not an integer" },
        { "{" ENTRY("a", "F32", "[true]", "0", "4") "}", 4, "not an integer" },
        { "{" ENTRY("a", "F32", "[[1]]", "0", "4") "}", 4, "nested too deep" },
        { "{" ENTRY("a", "F32", "{}", "0", "4") "}", 4, "list of integers" },
        { "{" ENTRY("a", "F32", "1", "0", "4") "}", 4, "list of integers" },
        /* Names. */
        { "{" ENTRY("a", "F32", "[0]", "0", "0") "," ENTRY("a", "F32", "[1]", "0", "4") "}", 4, "duplicate name 'a'" },
        { "{" ENTRY("a", "F32", "[0]", "0", "0") "," ENTRY("\\u0061", "F32", "[1]", "0", "4") "}", 4,
          "duplicate name 'a'" },
        { "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
          "duplicate name 'dtype'" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"\\u0073hape\":[1],\"data_offsets\":[0,4]}}", 4,
          "duplicate name 'shape'" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}", 4, "unknown key 'x'" },
        { "{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "no 'dtype'" },
        { "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "no 'shape'" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "no 'data_offsets'" },
        { "{\"a\":{}}", 0, "no 'dtype'" },
        { "{\"a\":[]}", 0, "must be an object" },
        { "{\"a\":1}", 0, "must be an object" },
        { "{\"a\":null}", 0, "must be an object" },
        { "{" ENTRY("", "F32", "[1]", "0", "4") "}", 4, "without a name" },
        { "{" ENTRY("a\\u0000b", "F32", "[1]", "0", "4") "}", 4, "\\u0000" },
        { "{" ENTRY("\\ud800", "F32", "[1]", "0", "4") "}", 4, "surrogate" },
        { "{" ENTRY("a\\n\\u001b[2J", "F32", "[2]", "0", "4") "}", 4, "'a\\x0a\\x1b[2J'" },
        { "{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "'dtype' must be text" },
        { "{\"a\":{\"dtype\":[[[[", 0, "'dtype' must be text" },
        { "{/**/}", 0, "not valid JSON" },
        { "{" ENTRY("a", "F32", "[1]", "0", "4") ",}", 4, "not valid JSON" },
        /* Metadata. */
        { "{\"__metadata__\":{\"a\":1}}", 0, "metadata must be text" },
        { "{\"__metadata__\":{\"a\":null}}", 0, "metadata must be text" },
        { "{\"__metadata__\":{\"a\":{\"b\":\"c\"}}}", 0, "metadata must be text" },
        { "{\"__metadata__\":{\"a\":[]}}", 0, "metadata must be text" },
        { "{\"__metadata__\":[]}", 0, "object of text" },
        { "{\"__metadata__\":\"a\"}", 0, "object of text" },
        { "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "duplicate name '__metadata__'" },
        { "{\"__metadata__\":{},\"\\u005f_metadata__\":{}}", 0, "duplicate name '__metadata__'" },
        { "{\"__metadata__\":{\"a\":\"b\",\"\\u0061\":\"c\"}}", 0, "duplicate name 'a'" },
    };
    uint8_t bytes[512];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = strlen(cases[i].header);
        expect_refused(read_tensors, cases[i].header, bytes, make(bytes, cases[i].header, size, size, cases[i].data),
                       cases[i].words);
    }
    /* In any order, in any spacing, with the data in another order than the header. */
    static const char odd[] = "{\"b\" : {\"data_offsets\":[ 4,8 "
                              "],\"shape\":[],\"dtype\":\"F32\"},\n"
                              "\"z\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[8,8]}"
                              "," ENTRY("a", "I32", "[1,1]", "0", "4") ",\"__metadata__\":{\"\":\"\"} } ";
    expect_read(read_tensors, "odd", bytes, make(bytes, odd, sizeof odd - 1, sizeof odd - 1, 8));
}

/* A dtype of tomorrow is an error only for its tensor. */
static void lists_unknown_dtypes(void **state)
{
    static const char header[] = "{" ENTRY("a", "F33", "[3]", "0", "5") "," ENTRY(
        "b", "F8_E8M0FNU_X2", "[1]", "5", "6") "," ENTRY("c", "U8", "[1]", "6", "7") "}";
    uint8_t bytes[512];
    struct safetensors *s;
    struct error err;
    float values[3];
    int64_t value;
    (void)state;
    size_t size = make(bytes, header, sizeof header - 1, sizeof header - 1, 7);
    assert_int_equal(safetensors_parse("t", bytes, size, &s, &err), BIOFT_OK);
    const struct tensor_entry *e = safetensors_find(s, "a");
    assert_int_equal(e->dtype, TENSOR_UNKNOWN);
    assert_string_equal(e->dtype_name, "F33");
    assert_int_equal(e->size, 5);
    assert_int_equal(tensor_to_float(e, values, 3, &err), BIOFT_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "unknown dtype F33"));
    assert_string_equal(safetensors_find(s, "b")->dtype_name, "F8_E8M0F...");
    assert_int_equal(tensor_to_int64(safetensors_find(s, "c"), &value, 1, &err), BIOFT_OK);
    assert_int_equal(value, 1);
    safetensors_close(s);
}

static void refuses_values_that_do_not_fit(void **state)
{
    static const double doubles[2] = { 1, 1e39 };
    static const uint8_t bools[3] = { 0, 1, 2 };
    struct tensor_entry e = {
        .name = (char[]){ "a" }, .dtype = TENSOR_F64, .count = 2, .bytes = (const uint8_t *)doubles, .size = 16
    };
    struct error err;
    float floats[2];
    int64_t integers[3];
    (void)state;
    assert_int_equal(tensor_to_float(&e, floats, 2, &err), BIOFT_ERR_FORMAT);
    assert_non_null(strstr(err.text, "index 1 is out of float32's range"));
    e = (struct tensor_entry){ .name = e.name, .dtype = TENSOR_BOOL, .count = 3, .bytes = bools };
    assert_int_equal(tensor_to_int64(&e, integers, 3, &err), BIOFT_ERR_FORMAT);
    assert_non_null(strstr(err.text, "index 2"));
}

/* All 65,536 halves and brain floats against their formula. */
static void converts_every_half(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 65536; bits++) {
        uint16_t value = (uint16_t)bits;
        struct tensor_entry e = {
            .name = (char[]){ "a" }, .dtype = TENSOR_F16, .count = 1, .bytes = (const uint8_t *)&value, .size = 2
        };
        float got;
        int exponent = (int)(bits >> 10 & 31), fraction = (int)(bits & 1023);
        double want = exponent == 31  ? fraction ? NAN : INFINITY
                      : exponent == 0 ? ldexp(fraction, -24)
                                      : ldexp(1024 + fraction, exponent - 25);
        want = bits >> 15 ? -want : want;
        assert_int_equal(tensor_to_float(&e, &got, 1, NULL), BIOFT_OK);
        if (isnan(want) ? !isnan(got) : got != want || !signbit(got) != !(bits >> 15))
            fail_msg("half %04x is %g, not %g", bits, (double)got, want);

        e.dtype = TENSOR_BF16;
        exponent = (int)(bits >> 7 & 255), fraction = (int)(bits & 127);
        want = exponent == 255 ? fraction ? NAN : INFINITY
               : exponent == 0 ? ldexp(fraction, -133)
                               : ldexp(128 + fraction, exponent - 134);
        want = bits >> 15 ? -want : want;
        assert_int_equal(tensor_to_float(&e, &got, 1, NULL), BIOFT_OK);
        if (isnan(want) ? !isnan(got) : got != want || !signbit(got) != !(bits >> 15))
            fail_msg("bfloat16 %04x is %g, not %g", bits, (double)got, want);
    }
}

static void keeps_to_its_bounds(void **state)
{
    enum { LARGE = 20 << 20 };
    static uint8_t bytes[LARGE];
    static char header[LARGE - 8];
    size_t at;
    (void)state;
    memcpy(header, "{\"", 2);
    memset(header + 2, 'x', 1000000);
    memcpy(header + 1000002, "\":{", 3);
    expect_refused(read_tensors, "name", bytes, make(bytes, header, 1000005, 1000005, 0),
                   "name of 1000000 bytes is too long");
    at = (size_t)sprintf(header, "{\"a\":");
    memset(header + at, '[', 100000);
    expect_refused(read_tensors, "deep", bytes, make(bytes, header, 100005, 100005, 0), "must be an object");
    at = (size_t)sprintf(header, "{\"a\":{\"dtype\":\"F32\",\"shape\":[");
    memset(header + at, '[', 100000);
    expect_refused(read_tensors, "deep", bytes, make(bytes, header, 100000, 100000, 0), "nested too deep");
    at = (size_t)sprintf(header, "{\"a\":{\"dtype\":\"F32\",\"shape\":[");
    memset(header + at, '9', 1000000);
    memcpy(header + at + 1000000, "]", 1);
    expect_refused(read_tensors, "digits", bytes, make(bytes, header, 1000030, 1000030, 0),
                   "9999... is not an integer");

    header[0] = '{';
    at = 1;
    for (unsigned i = 0; i < 200000; i++)
        at += (size_t)sprintf(header + at, ENTRY("%u", "F32", "[0]", "0", "0") ",", i);
    header[at - 1] = '}';
    expect_refused(read_tensors, "200,000 tensors", bytes, make(bytes, header, at, at, 0), "too many tensors");
    at = (size_t)sprintf(header, "{\"__metadata__\":{");
    for (unsigned i = 0; i < 1000000; i++)
        at += (size_t)sprintf(header + at, "\"%u\":\"\",", i);
    memcpy(header + at - 1, "}}", 2);
    expect_refused(read_tensors, "10^6 entries", bytes, make(bytes, header, at + 1, at + 1, 0),
                   "too many metadata entries");
    /* What is allowed, is read. */
    header[0] = '{';
    at = 1;
    for (unsigned i = 0; i < 100000; i++)
        at += (size_t)sprintf(header + at, ENTRY("%u", "F32", "[0]", "0", "0") ",", i);
    header[at - 1] = '}';
    expect_read(read_tensors, "100,000 tensors", bytes, make(bytes, header, at, at, 0));
}

static void survives_changes(void **state)
{
    static const char small[] = "{\"__metadata__\":{\"a\":\"b\"}," ENTRY("a", "F16", "[1,2]", "0", "4") "," ENTRY(
        "b", "BOOL", "[]", "4", "5") "}";
    uint8_t bytes[256];
    (void)state;
    expect_prefixes_refused(read_tensors, reference, sizeof reference);
    size_t size = make(bytes, small, sizeof small - 1, sizeof small - 1, 5);
    expect_prefixes_refused(read_tensors, bytes, size);
    change_every_byte(read_tensors, bytes, size);
}

static const struct tensor_out outs[] = {
    { "fc.weight", TENSOR_F32, 2, { 2, 3 } },
    { "scalar", TENSOR_F32, 0, { 0 } },
    { "none", TENSOR_F32, 1, { 0 } },
    { "bn1.num_batches_tracked", TENSOR_I64, 0, { 0 } },
    { "mask \"\xc3\xa9\"", TENSOR_U8, 1, { 3 } },
};
static const struct safetensors_meta metas[] = { { "format", "pt" }, { "a", "b\n\"c\"" } };
static const float weights[6] = { 0, 1, -2.5f, 3, 4, 5 };
static const float scalar = 7;
static const int64_t batches = -9;
static const uint8_t mask[3] = { 1, 0, 255 };

static bioft_status write_all(const char *path, struct error *err)
{
    const struct {
        const void *data;
        size_t size;
    } data[] = { { weights, 24 }, { &scalar, 4 }, { NULL, 0 }, { &batches, 8 }, { mask, 3 } };
    struct safetensors_writer *w;
    bioft_status st = safetensors_begin(path, outs, 5, metas, 2, &w, err);
    for (size_t i = 0; i < 5 && st == BIOFT_OK; i++)
        st = safetensors_add(w, data[i].data, data[i].size, err);
    return st == BIOFT_OK ? safetensors_commit(w, err) : st;
}

static void writes_known_bytes(void **state)
{
    static const char header[] = "{\"__metadata__\":{\"format\":\"pt\",\"a\":\"b\\n\\\"c\\\"\"}," ENTRY(
        "fc.weight", "F32", "[2,3]", "0",
        "24") "," ENTRY("scalar", "F32", "[]", "24",
                        "28") "," ENTRY("none", "F32", "[0]", "28",
                                        "28") "," ENTRY("bn1.num_batches_tracked", "I64", "[]", "28",
                                                        "36") "," ENTRY("mask \\\"\xc3\xa9\\\"", "U8", "[3]", "36",
                                                                        "39") "}";
    char path[] = "bioft-safetensors-XXXXXX";
    int fd = mkstemp(path);
    struct error err;
    struct safetensors *s;
    uint8_t *bytes;
    size_t size;
    float floats[6];
    (void)state;
    assert_true(fd >= 0);
    close(fd);
    if (write_all(path, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    assert_int_equal(file_read(path, 10000, &bytes, &size, &err), BIOFT_OK);
    size_t length = bytes[0] | (size_t)bytes[1] << 8;
    assert_int_equal((8 + length) % 64, 0);
    assert_true(length >= sizeof header - 1 && length <= sizeof header - 1 + 63);
    assert_memory_equal(bytes + 2, "\0\0\0\0\0\0", 6);
    assert_memory_equal(bytes + 8, header, sizeof header - 1);
    for (size_t i = sizeof header - 1; i < length; i++)
        assert_int_equal(bytes[8 + i], ' ');
    assert_int_equal(size, 8 + length + 39);
    assert_memory_equal(bytes + 8 + length, weights, 24);
    assert_memory_equal(bytes + size - 11, &batches, 8);
    free(bytes);

    assert_int_equal(safetensors_open(path, &s, &err), BIOFT_OK);
    unlink(path);
    assert_int_equal(safetensors_count(s), 5);
    assert_string_equal(safetensors_metadata(s, "a"), "b\n\"c\"");
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(safetensors_entry(s, i)->name, outs[i].name);
    assert_int_equal(tensor_to_float(safetensors_entry(s, 0), floats, 6, &err), BIOFT_OK);
    assert_memory_equal(floats, weights, 24);
    safetensors_close(s);
    assert_int_not_equal(safetensors_open(path, &s, &err), BIOFT_OK);
}

static void refuses_to_write(void **state)
{
    static char long_name[514];
    memset(long_name, 'x', 513);
    const struct {
        struct tensor_out outs[2];
        size_t count;
        struct safetensors_meta meta;
        const char *words;
    } cases[] = {
        { { { "a", TENSOR_I64, 0, { 0 } }, { "b", TENSOR_F32, 0, { 0 } } }, 2, { "", "" }, "first" },
        { { { "a", TENSOR_F32, 0, { 0 } }, { "a", TENSOR_F32, 0, { 0 } } }, 2, { "", "" }, "twice" },
        { { { "a", TENSOR_OTHER, 0, { 0 } } }, 1, { "", "" }, "not written" },
        { { { "a", TENSOR_F32, 9, { 0 } } }, 1, { "", "" }, "dimensions" },
        { { { "a", TENSOR_F32, 2, { UINT64_MAX, 2 } } }, 1, { "", "" }, "overflows" },
        { { { "", TENSOR_F32, 0, { 0 } } }, 1, { "", "" }, "name" },
        { { { "\xff", TENSOR_F32, 0, { 0 } } }, 1, { "", "" }, "\\xff" },
        { { { "__metadata__", TENSOR_F32, 0, { 0 } } }, 1, { "", "" }, "name" },
        { { { long_name, TENSOR_F32, 0, { 0 } } }, 1, { "", "" }, "512" },
        { { { "a", TENSOR_F32, 0, { 0 } } }, 1, { "a", "\xff" }, "UTF-8" },
    };
    struct safetensors_writer *w;
    struct error err;
    char folder[] = "bioft-safetensors-XXXXXX", path[64];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/x", folder);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(safetensors_begin(path, cases[i].outs, cases[i].count, &cases[i].meta, 1, &w, &err),
                         BIOFT_ERR_INVALID);
        if (!strstr(err.text, cases[i].words))
            fail_msg("%s: '%s' is expected", err.text, cases[i].words);
    }
    /* Wrong sizes, too little, too much; nothing appears. */
    assert_int_equal(safetensors_begin(path, outs, 2, NULL, 0, &w, &err), BIOFT_OK);
    assert_int_equal(safetensors_add(w, weights, 20, &err), BIOFT_ERR_INVALID);
    assert_int_equal(safetensors_add(w, weights, 24, &err), BIOFT_OK);
    assert_int_equal(safetensors_commit(w, &err), BIOFT_ERR_INVALID);
    assert_int_equal(safetensors_begin(path, outs, 1, NULL, 0, &w, &err), BIOFT_OK);
    assert_int_equal(safetensors_add(w, weights, 24, &err), BIOFT_OK);
    assert_int_equal(safetensors_add(w, weights, 24, &err), BIOFT_ERR_INVALID);
    safetensors_abort(w);
    safetensors_abort(NULL);
    assert_true(file_folder_is_empty(folder));
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_reference),
        cmocka_unit_test(refuses_hostile_frames),
        cmocka_unit_test(refuses_hostile_headers),
        cmocka_unit_test(lists_unknown_dtypes),
        cmocka_unit_test(refuses_values_that_do_not_fit),
        cmocka_unit_test(converts_every_half),
        cmocka_unit_test(keeps_to_its_bounds),
        cmocka_unit_test(survives_changes),
        cmocka_unit_test(writes_known_bytes),
        cmocka_unit_test(refuses_to_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
