/* CSV: known lines, read back equal, and what is no CSV. */
#include "hostile.h"

#include "formats/csv.h"

#include <math.h>

static bioft_status read_csv(const uint8_t *bytes, size_t size, struct error *err)
{
    struct arena *arena = arena_create();
    struct csv csv;
    assert_non_null(arena);
    bioft_status st = csv_parse("t", (const char *)bytes, size, arena, &csv, err);
    arena_destroy(arena);
    return st;
}

static void writes_known_lines(void **state)
{
    struct text t = { .data = NULL };
    (void)state;
    csv_text(&t, "trial");
    csv_text(&t, "a,b");
    csv_text(&t, "say \"no\"");
    csv_text(&t, "two\nlines");
    csv_text(&t, "cr\r");
    csv_text(&t, " blank");
    csv_text(&t, "blank\t");
    csv_text(&t, NULL);
    csv_text(&t, "in side");
    csv_end_line(&t);
    csv_number(&t, 8.0 / 255);
    csv_number(&t, NAN);
    csv_number(&t, 1e-5);
    csv_number(&t, -0.5);
    csv_integer(&t, INT64_MIN);
    csv_end_line(&t);
    csv_text(&t, NULL);
    csv_text(&t, "second");
    csv_end_line(&t);
    assert_false(t.failed);
    assert_string_equal(t.data, "trial,\"a,b\",\"say \"\"no\"\"\",\"two\nlines\",cr\\x0d,\" blank\","
                                "\"blank\t\",,in side\n"
                                "0.03137254901960784,,1e-05,-0.5,-9223372036854775808\n"
                                "\"\",second\n");
    text_free(&t);
}

/* What is text stays text in a spreadsheet, a number a number; a terminal shows a control, and does not obey it. */
static void writes_what_acts_on_nobody(void **state)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        { "=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0" },
        { "+1+1", "'+1+1" },
        { "-2+3", "'-2+3" },
        { "@SUM(1)", "'@SUM(1)" },
        { "\t=1", "\"'\t=1\"" },
        { " =1", "\"' =1\"" },
        { "\r=1", "\\x0d=1" },
        { "=1,\"2\"", "\"'=1,\"\"2\"\"\"" },
        { "-1", "-1" },
        { "+1.5e-3", "+1.5e-3" },
        { "-.5", "-.5" },
        { "a=1", "a=1" },
        { "'a", "'a" },
        { "'=1", "''=1" },
        { "\x1b[31m", "\\x1b[31m" },
        { "\\x1b", "\\x5cx1b" },
        { "\\y\\", "\\y\\" },
        { "\xff", "\\xff" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text t = { .data = NULL };
        csv_text(&t, cases[i].in);
        assert_string_equal(t.data, cases[i].want);
        text_free(&t);
    }
    struct text t = { .data = NULL };
    csv_number(&t, -INFINITY);
    assert_string_equal(t.data, "-inf");
    text_free(&t);
}

static void reads_back_what_it_writes(void **state)
{
    static const char *const fields[] = {
        "",          "x",     ",",       "\"",       "\"\"", "\n",  "'=1",          "''-1",     "'",     "\r\n",
        "a\"b,c\nd", " lead", "e ",      "\xc3\xa9", "=1",   "-1",  "\t\n@",        "'x",       "\t",    "''",
        "\r",        "end",   "\x1b\"[", "\\x1b",    "\\",   "\\x", "\\\\x41\\x5c", "\xff\xfe", "\\x00", "\xef\xbb\xbf"
    };
    enum { COUNT = sizeof fields / sizeof *fields };
    struct text t = { .data = NULL };
    struct csv csv;
    struct error err;
    struct arena *arena = arena_create();
    (void)state;
    for (size_t row = 0; row < COUNT; row++) {
        for (size_t i = 0; i < COUNT; i++)
            csv_text(&t, fields[(row + i) % COUNT]);
        csv_end_line(&t);
    }
    if (csv_parse("t", t.data, t.length, arena, &csv, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    assert_int_equal(csv.rows, COUNT);
    assert_int_equal(csv.columns, COUNT);
    for (size_t row = 0; row < COUNT; row++)
        for (size_t i = 0; i < COUNT; i++)
            assert_string_equal(csv.field[row][i], fields[(row + i) % COUNT]);
    change_every_byte(read_csv, t.data, t.length < 300 ? t.length : 300);
    arena_destroy(arena);
    text_free(&t);
}

static void reads_known_files(void **state)
{
    static const struct {
        const char *bytes;
        size_t rows, columns;
        const char *last;
    } cases[] = {
        { "", 0, 0, NULL },
        { "a", 1, 1, "a" },
        { "a,b\r\nc,d\r\n", 2, 2, "d" },
        { "a,b\nc,", 2, 2, "" },
        { ",\n,\n", 2, 2, "" },
        { "\n", 0, 0, NULL },
        { "\xef\xbb\xbf"
          "a,b\r\nc,d\r\n\r\n",
          2, 2, "d" },
        { "a,b\nc, \n \t\n\n", 2, 2, " " },
        { "\"a\"\"\",\"\n\"\nb,c", 2, 2, "c" },
        { "\"\"", 1, 1, "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena *arena = arena_create();
        struct csv csv;
        struct error err;
        expect_read(read_csv, cases[i].bytes, cases[i].bytes, strlen(cases[i].bytes));
        csv_parse("t", cases[i].bytes, strlen(cases[i].bytes), arena, &csv, &err);
        assert_int_equal(csv.rows, cases[i].rows);
        assert_int_equal(csv.columns, cases[i].columns);
        if (cases[i].last)
            assert_string_equal(csv.field[csv.rows - 1][csv.columns - 1], cases[i].last);
        arena_destroy(arena);
    }
}

static bioft_status read_numbered(const uint8_t *bytes, size_t size, struct error *err)
{
    bioft_status st = read_csv(bytes, size, err);
    if (st != BIOFT_OK && strncmp(err->text, "t:", 2) == 0)
        memmove(err->text + 3, err->text + 2, strlen(err->text + 2) + 1), err->text[2] = ' ';
    return st;
}

static void refuses_what_is_no_csv(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *words;
    } cases[] = {
        { "a,b\nc\n", 6, "2: 1 fields where the first line has 2" },
        { "a,b\n\"x\n\",y,z\n", 13, "2: 3 fields" },
        { "a\nb,c", 5, "2: 2 fields" },
        { "a,b\n\nc,d\n", 9, "2: 1 fields" },
        { "a\n\"b", 4, "2: a quoted field that does not end" },
        { "\"a\"b\n", 5, "1: text after the closing quote" },
        { "a\"b\n", 4, "1: a quote inside" },
        { "a\rb\n", 4, "1: a control character" },
        { "a\0b\n", 4, "1: a control character" },
        { "\"a\0b\"\n", 6, "1: a control character" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refused(read_numbered, cases[i].bytes, cases[i].bytes, cases[i].size, cases[i].words);
}

static void finds_columns_by_name(void **state)
{
    static const char bytes[] = "a,b\n1,2\n";
    struct arena *arena = arena_create();
    struct error err;
    struct csv c;

    (void)state;
    assert_int_equal(csv_parse("t", bytes, sizeof bytes - 1, arena, &c, &err), BIOFT_OK);
    assert_int_equal(csv_column(&c, "b"), 1);
    assert_int_equal(csv_column(&c, "c"), 2);
    assert_string_equal(csv_cell(&c, 1, "a"), "1");
    assert_string_equal(csv_cell(&c, 1, "c"), "");
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_known_lines),        cmocka_unit_test(writes_what_acts_on_nobody),
        cmocka_unit_test(reads_back_what_it_writes), cmocka_unit_test(reads_known_files),
        cmocka_unit_test(refuses_what_is_no_csv),    cmocka_unit_test(finds_columns_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
