/* Pickled dicts of arrays and lists: what Python 2 and 3 wrote, and what is refused. */
#include "hostile.h"

#include "formats/pickle_dict.h"

#include "pickle_golden.h"

enum { FIELDS = 4 };

static bioft_status read_all(const uint8_t *bytes, size_t size, struct pickle_field *f, struct error *err)
{
    static const char *const keys[FIELDS] = { "data", "labels", "names", "none" };
    for (int i = 0; i < FIELDS; i++)
        f[i] = (struct pickle_field){ .key = keys[i] };
    return pickle_dict_read("t", bytes, size, f, FIELDS, err);
}

static bioft_status read_dict(const uint8_t *bytes, size_t size, struct error *err)
{
    struct pickle_field f[FIELDS];
    const bioft_status st = read_all(bytes, size, f, err);
    if (st == BIOFT_OK)
        pickle_dict_free(f, FIELDS);
    return st;
}

static void check(const char *bytes, size_t size)
{
    static const int64_t labels[] = { 7, 300, 0, 9 };
    static const char *const names[] = { "a", "bc", "d\303\251", "a" };
    struct pickle_field f[FIELDS];
    struct error err;
    if (read_all((const uint8_t *)bytes, size, f, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    assert_int_equal(f[0].kind, PICKLE_FIELD_ARRAY);
    assert_int_equal(f[0].dims, 2);
    assert_int_equal(f[0].shape[0], 4);
    assert_int_equal(f[0].shape[1], 6);
    for (int i = 0; i < 24; i++)
        assert_int_equal(((const uint8_t *)f[0].data)[i], 10 * i);
    assert_int_equal(f[1].kind, PICKLE_FIELD_INTEGERS);
    assert_int_equal(f[1].shape[0], 4);
    assert_memory_equal(f[1].data, labels, sizeof labels);
    assert_int_equal(f[2].kind, PICKLE_FIELD_TEXTS);
    assert_int_equal(f[2].shape[0], 4);
    for (int i = 0; i < 4; i++)
        assert_string_equal(((const char *const *)f[2].data)[i], names[i]);
    assert_int_equal(f[3].kind, PICKLE_FIELD_MISSING);
    pickle_dict_free(f, FIELDS);
}

static void reads_what_python_writes(void **state)
{
    (void)state;
    check(python2, sizeof python2);
    check(python3, sizeof python3);
}

static void refuses_cut_and_changed_files(void **state)
{
    (void)state;
    expect_prefixes_refused(read_dict, python2, sizeof python2);
    expect_prefixes_refused(read_dict, python3, sizeof python3);
    change_every_byte(read_dict, python2, sizeof python2);
}

#define ARRAY      "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\1b\x87R"
#define DTYPE      "cnumpy\ndtype\nU\2u1K\0K\1\x87R"
#define STATE      "(K\3U\1|NNNJ\377\377\377\377J\377\377\377\377K\0tb"
#define TEXT(text) text, sizeof text - 1

static void refuses_by_name(void **state)
{
    static const struct {
        const char *what, *bytes;
        size_t size;
        const char *words;
    } files[] = {
        { "a global", TEXT("\x80\2cos\nsystem\nU\2ls\x85R."), "global os.system not allowed" },
        { "a global of .pth", TEXT("\x80\2ccollections\nOrderedDict\n)R."), "not allowed" },
        { "a persistent id", TEXT("\x80\2U\1aQ."), "persistent id" },
        { "protocol 4", TEXT("\x80\4}."), "pickle protocol 4; write it with protocol=2" },
        { "STACK_GLOBAL", TEXT("\x80\2\x93."), "opcode STACK_GLOBAL not allowed" },
        { "a list", TEXT("\x80\2]."), "not a dict" },
        { "more behind", TEXT("\x80\2}.."), "1 bytes left over" },
        { "an empty list", TEXT("\x80\2}U\4data]s."), "'data' is neither an array nor a list" },
        { "integers and None", TEXT("\x80\2}U\6labels](K\1Nes."), "a list of integers and" },
        { "text and None", TEXT("\x80\2}U\5names](U\1aNes."), "a list of text and" },
        { "text with NUL", TEXT("\x80\2}U\5names](U\1\0es."), "a list of text and" },
        { "key twice", TEXT("\x80\2}(U\1aNU\1aNu."), "duplicate key 'a'" },
        { "an array unfilled", TEXT("\x80\2}U\4data" ARRAY "s."), "an array without data" },
        { "an array of too little", TEXT("\x80\2}U\4data" ARRAY "(K\1K\3K\2\x86" DTYPE STATE "\x89U\5abcdetbs."),
          "an array of 6 bytes has 5" },
        { "an array too large",
          TEXT("\x80\2}U\4data" ARRAY "(K\1\x8a\10\1\1\1\1\1\1\1\1\x8a\10\1\1\1\1\1\1\1\1\x86" DTYPE STATE
               "\x89U\5abcdetbs."),
          "the size of an array overflows" },
        { "a negative shape", TEXT("\x80\2}U\4data" ARRAY "(K\1J\377\377\377\377\x85" DTYPE STATE "\x89U\0tbs."),
          "not of integers from 0" },
        { "fortran order", TEXT("\x80\2}U\4data" ARRAY "(K\1K\3K\2\x86" DTYPE STATE "\x88U\6abcdeftbs."),
          "not of uint8 in C order" },
        { "of objects",
          TEXT("\x80\2}U\4data" ARRAY "(K\1K\1\x85"
               "cnumpy\ndtype\nU\2O8K\0K\1\x87R"
               "\x89U\1atbs."),
          "not of numbers" },
        { "big-endian",
          TEXT("\x80\2}U\4data" ARRAY "(K\1K\1\x85"
               "cnumpy\ndtype\nU\2i4K\0K\1\x87R(K\3U\1>NNNtb"
               "\x89U\4abcdtbs."),
          "not little-endian" },
        { "built twice", TEXT("\x80\2}U\4data" ARRAY "(K\1K\1\x85" DTYPE "\x89U\1atb(K\1K\1\x85" DTYPE "\x89U\1atbs."),
          "built twice" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        expect_refused(read_dict, files[i].what, files[i].bytes, files[i].size, files[i].words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_python_writes),
        cmocka_unit_test(refuses_cut_and_changed_files),
        cmocka_unit_test(refuses_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
