/* Diagnostics as text, to the letter. */
#include "manifest/diagnose.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char manifest[] = "bioft: 1\n"
                               "stages:\n"
                               "  - rule: {plugin: usff}\n"
                               "  - gr\xc3\xb6\xc3\x9f"
                               "e: 3\r\n"
                               "last: line";

static const struct source source = { "quick.yaml", manifest, sizeof manifest - 1 };

static void expect(struct diagnostics *d, const char *text)
{
    assert_false(d->text.failed);
    assert_string_equal(d->text.data, text);
    diagnostics_free(d);
}

static void line_and_caret(void **state)
{
    struct diagnostics d = { .source = &source };

    (void)state;
    diagnose_error(&d, (struct mark){ .line = 3, .column = 20 }, 4, "no learning rule named '%s'", "usff");
    diagnose_note(&d, "rules here: %s", "bp, usf");
    diagnose_warning(&d, (struct mark){ .line = 4, .column = 12 }, 0, "small");
    diagnose_error(&d, (struct mark){ .line = 5, .column = 7 }, 400, "too long");
    diagnose_error(&d, (struct mark){ .line = 9, .column = 1 }, 1, "beyond the end");
    diagnose_error(&d, (struct mark){ 0 }, 1, "nowhere");
    assert_int_equal(d.errors, 4);
    assert_int_equal(d.warnings, 1);
    expect(&d, "quick.yaml:3:20: error: no learning rule named 'usff'\n"
               "    3 |   - rule: {plugin: usff}\n"
               "      |                    ^~~~\n"
               "note: rules here: bp, usf\n"
               "quick.yaml:4:12: warning: small\n"
               "    4 |   - gr\xc3\xb6\xc3\x9f"
               "e: 3\n"
               "      |            ^\n"
               "quick.yaml:5:7: error: too long\n"
               "    5 | last: line\n"
               "      |       ^~~~\n"
               "quick.yaml:9:1: error: beyond the end\n"
               "quick.yaml: error: nowhere\n");
}

static void set_has_no_line_number(void **state)
{
    static const struct source sets[] = { { "--set a.b", "a.b=c d", 7 }, { "--set x", "x=\xc3\xa4", 4 } };
    struct diagnostics d = { .source = &source, .sets = sets, .set_count = 2 };

    (void)state;
    diagnose_error(&d, (struct mark){ 1, 5, 1 }, 3, "number expected");
    diagnose_error(&d, (struct mark){ 1, 3, 2 }, 1, "number expected");
    diagnose_error(&d, (struct mark){ 1, 3, 2 }, 1, "number expected");
    assert_int_equal(d.errors, 2);
    expect(&d, "--set a.b: error: number expected\n"
               "      | a.b=c d\n"
               "      |     ^~~\n"
               "--set x: error: number expected\n"
               "      | x=\xc3\xa4\n"
               "      |   ^\n");
}

/* The same thing found in every trial is said once, its notes with it. */
static void once(void **state)
{
    struct diagnostics d = { .source = &source };
    const struct mark mark = { .line = 2, .column = 1 };

    (void)state;
    for (int i = 0; i < 3; i++) {
        diagnose_error(&d, mark, 6, "wrong");
        diagnose_note(&d, "for a reason");
    }
    diagnose_error(&d, mark, 6, "wron");
    diagnose_note(&d, "for another");
    assert_int_equal(d.errors, 2);
    expect(&d, "quick.yaml:2:1: error: wrong\n    2 | stages:\n      | ^~~~~~\nnote: for a reason\n"
               "quick.yaml:2:1: error: wron\n    2 | stages:\n      | ^~~~~~\nnote: for another\n");
}

static void most(void **state)
{
    struct diagnostics d = { .source = &source };
    size_t lines = 0;

    (void)state;
    for (int i = 0; i < 1000; i++)
        diagnose_error(&d, (struct mark){ 0 }, 0, "number %d", i);
    assert_true(d.errors > DIAGNOSE_MOST);
    for (const char *s = d.text.data; (s = strchr(s, '\n')); s++)
        lines++;
    assert_int_equal(lines, DIAGNOSE_MOST + 1);
    assert_non_null(strstr(d.text.data, "quick.yaml: error: number 99\nerror: the first 100 are shown\n"));
    diagnostics_free(&d);
}

/* At the end the file's order, with each error's own notes. */
static void sorted(void **state)
{
    static const struct source sets[] = { { "--set a", "a=1", 3 } };
    struct diagnostics d = { .source = &source, .sets = sets, .set_count = 1 };

    (void)state;
    assert_true(diagnostics_sort(&d));
    assert_null(d.text.data);
    diagnose_error(&d, (struct mark){ 1, 3, 1 }, 1, "five");
    diagnose_error(&d, (struct mark){ .line = 5, .column = 7 }, 1, "four");
    diagnose_error(&d, (struct mark){ .line = 2, .column = 3 }, 1, "three");
    diagnose_note(&d, "of three");
    diagnose_error(&d, (struct mark){ .line = 2, .column = 1 }, 1, "two");
    diagnose_warning(&d, (struct mark){ .line = 2, .column = 1 }, 1, "two again");
    diagnose_error(&d, (struct mark){ 0 }, 1, "one");
    diagnose_note(&d, "of one");
    assert_true(diagnostics_sort(&d));
    expect(&d, "quick.yaml: error: one\nnote: of one\n"
               "quick.yaml:2:1: error: two\n    2 | stages:\n      | ^\n"
               "quick.yaml:2:1: warning: two again\n    2 | stages:\n      | ^\n"
               "quick.yaml:2:3: error: three\n    2 | stages:\n      |   ^\nnote: of three\n"
               "quick.yaml:5:7: error: four\n    5 | last: line\n      |       ^\n"
               "--set a: error: five\n      | a=1\n      |   ^\n");
}

static void long_lines_are_cut(void **state)
{
    char line[501];
    struct source wide = { "w", line, 500 };
    struct diagnostics d = { .source = &wide };

    (void)state;
    for (int i = 0; i < 500; i++)
        line[i] = (char)('a' + i % 26);
    diagnose_error(&d, (struct mark){ .line = 1, .column = 300 }, 3, "here");
    char *caret = strchr(d.text.data, '^');
    char *shown = strstr(d.text.data, "    1 | ") + 8;
    assert_non_null(caret);
    assert_memory_equal(caret, "^~~\n", 4);
    char *under = strrchr(d.text.data, '|') + 2;
    assert_int_equal(shown[caret - under], line[299]);
    assert_true(strchr(shown, '\n') - shown < 110);
    assert_memory_equal(shown, "...", 3);
    diagnostics_free(&d);
    diagnose_error(&d, (struct mark){ .line = 1, .column = 2 }, 1, "there");
    shown = strstr(d.text.data, "    1 | ") + 8;
    assert_memory_equal(shown, line, 100);
    assert_memory_equal(shown + 100, "...\n", 4);
    diagnostics_free(&d);
}

/* Nothing of a manifest reaches a terminal as more than text. */
static void terminals_are_safe(void **state)
{
    static const char bytes[] = "a\tb\x1b[2Jc\xc2\x9b"
                                "d\xff";
    const struct source odd = { "o", bytes, sizeof bytes - 1 };
    struct diagnostics d = { .source = &odd };

    (void)state;
    diagnose_error(&d, (struct mark){ .line = 1, .column = 10 }, 1, "found '%s'", "\x1b[31m\xff");
    expect(&d, "o:1:10: error: found '?[31m?'\n    1 | a b?[2Jc?d?\n      |          ^\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_and_caret),
        cmocka_unit_test(set_has_no_line_number),
        cmocka_unit_test(once),
        cmocka_unit_test(most),
        cmocka_unit_test(sorted),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(terminals_are_safe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
