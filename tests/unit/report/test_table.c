/* The paper's marking rule, and tables as HTML, LaTeX and Markdown. */
#include "report/table.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* B best (bold), s second (underlined), . none. */
static const struct {
    double values[6];
    const char *marks;
} cases[] = {
    { { 90.62, 87.5, 84.37, 93.75 }, "s..B" },
    { { 93.75, 93.75, 84.37, 90.62 }, "ss.." }, /* two equal best: both underlined, no second */
    { { 93.75, 93.75, 93.75, 90.62 }, "...." }, /* three equal best: none */
    { { 96.87, 96.87, 96.87, 96.87 }, "...." },
    { { 100.0, 96.87, 96.87, 90.62 }, "B..." }, /* two equal second: none of them */
    { { 100.0, 96.87, 96.87, 96.87 }, "B..." },
    { { 84.37, 87.5 }, "sB" },
    { { 87.5, 87.5 }, "ss" },
    { { 87.5 }, "B" },
    { { NAN, 87.5, 90.62, 84.37 }, ".sB." }, /* what is not there has no mark */
    { { NAN, NAN }, ".." },
    { { -1.0, 0.0, -0.5 }, ".Bs" },
};

static void marks_follow_the_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t n = strlen(cases[i].marks);
        enum mark marks[6];
        char got[7] = "";
        marks_set(cases[i].values, n, marks);
        for (size_t k = 0; k < n; k++)
            got[k] = marks[k] == MARK_BEST ? 'B' : marks[k] == MARK_SECOND ? 's' : '.';
        assert_string_equal(got, cases[i].marks);
    }
}

/* The rule said again, cell by cell: how many are better, and how many are as good. */
static enum mark mark_wanted(const double *values, size_t count, size_t at)
{
    size_t better = 0, equal = 0;

    for (size_t i = 0; i < count; i++) {
        better += values[i] > values[at];
        equal += values[i] == values[at];
    }
    if (better == 0)
        return equal == 1 ? MARK_BEST : equal == 2 ? MARK_SECOND : MARK_NONE;
    return better == 1 && equal == 1 ? MARK_SECOND : MARK_NONE;
}

/* 0/32 to 32/32 in percent, the decimals behind the second cut off: 90.62, 93.75, 96.87. */
static double printed_share(size_t k) { return floor((double)(k * 10000) / 32.0) / 100.0; }

/* All columns of four rules over 32 images. */
static void marks_of_all_columns_over_32_images(void **state)
{
    size_t wrong = 0, seen[3] = { 0 };

    (void)state;
    for (size_t column = 0; column < 33 * 33 * 33 * 33; column++) {
        double values[4];
        enum mark marks[4];
        for (size_t i = 0, rest = column; i < 4; i++, rest /= 33)
            values[i] = printed_share(rest % 33);
        marks_set(values, 4, marks);
        for (size_t i = 0; i < 4; i++) {
            wrong += marks[i] != mark_wanted(values, 4, i);
            seen[marks[i]]++;
        }
    }
    assert_int_equal(wrong, 0);
    /* Of one value above three others there are 4 * (0^3 + ... + 32^3) columns. */
    assert_int_equal(seen[MARK_BEST], 4 * (32 * 33 / 2) * (32 * 33 / 2));
    assert_true(seen[MARK_SECOND] > 0 && seen[MARK_NONE] > 0);
}

/* The same through a table, of fractions of four decimals, for those from 26 of 32 on. */
static void tables_mark_shares_as_printed(void **state)
{
    enum { FIRST = 26, SHARES = 7 };
    size_t wrong = 0;
    struct arena *arena = arena_create();
    struct table t = { .name = "shares" };

    (void)state;
    assert_non_null(arena);
    assert_true(table_create(&t, 5, 2, arena));
    for (size_t column = 0; column < SHARES * SHARES * SHARES * SHARES; column++) {
        double typed[4], printed[4];
        for (size_t i = 0, rest = column; i < 4; i++, rest /= SHARES) {
            char text[32];
            printed[i] = printed_share(FIRST + rest % SHARES);
            snprintf(text, sizeof text, "%.4f", printed[i] / 100.0);
            typed[i] = 100.0 * strtod(text, NULL);
        }
        assert_true(table_mark(&t, 1, 1, 1, typed, 4, TABLE_DIGITS));
        for (size_t i = 0; i < 4; i++)
            wrong += table_cell(&t, i + 1, 1)->mark != mark_wanted(printed, 4, i);
    }
    assert_int_equal(wrong, 0);
    arena_destroy(arena);
}

static struct arena *make(struct table *t)
{
    struct arena *arena = arena_create();
    assert_non_null(arena);
    *t = (struct table){ .name = "clean", .caption = "a < b" };
    assert_true(table_create(t, 3, 2, arena));
    *table_cell(t, 0, 0) = (struct cell){ .text = "rule" };
    *table_cell(t, 0, 1) = (struct cell){ .text = "cifar_10 & x" };
    *table_cell(t, 1, 0) = (struct cell){ .text = "a" };
    *table_cell(t, 1, 1) = (struct cell){ .text = "90.62", .note = "[80, 96]" };
    *table_cell(t, 2, 0) = (struct cell){ .text = "b|c" };
    *table_cell(t, 2, 1) = (struct cell){ .text = "<93%" };
    return arena;
}

/* Values that print alike are alike. */
static void columns_are_marked_as_printed(void **state)
{
    const double close[] = { 0.90621, 0.90619 }, apart[] = { 0.9062, 0.9375 };
    struct table t;
    struct arena *arena = make(&t);

    (void)state;
    assert_true(table_mark(&t, 1, 1, 1, close, 2, 4));
    assert_true(table_cell(&t, 1, 1)->mark == MARK_SECOND && table_cell(&t, 2, 1)->mark == MARK_SECOND);
    assert_true(table_mark(&t, 1, 1, 1, close, 2, 5));
    assert_true(table_cell(&t, 1, 1)->mark == MARK_BEST && table_cell(&t, 2, 1)->mark == MARK_SECOND);
    assert_true(table_mark(&t, 1, 1, 1, apart, 2, 4));
    assert_true(table_cell(&t, 1, 1)->mark == MARK_SECOND && table_cell(&t, 2, 1)->mark == MARK_BEST);
    arena_destroy(arena);
}

static void is_written_three_ways(void **state)
{
    const double values[] = { 0.9062, 0.9375 };
    struct text html = { 0 }, latex = { 0 }, markdown = { 0 }, csv = { 0 };
    struct table t;
    struct arena *arena = make(&t);

    (void)state;
    assert_true(table_mark(&t, 1, 1, 1, values, 2, 4));
    table_html(&t, &html);
    table_latex(&t, &latex);
    table_markdown(&t, &markdown);
    assert_string_equal(
        html.data,
        "<figure class=\"table\"><figcaption>a &lt; b</figcaption>"
        "<div class=\"scroll\"><table>"
        "<thead><tr><th scope=\"col\">rule</th><th scope=\"col\">cifar_10 &amp; "
        "x</th></tr></thead>\n"
        "<tbody><tr data-rule=\"a\"><th scope=\"row\">a</th><td><u>90.62</u><small>[80, 96]</small></td></tr>\n"
        "<tr data-rule=\"b|c\"><th "
        "scope=\"row\">b|c</th><td><b>&lt;93%</b></td></tr>\n</tbody></table></div></figure>\n");
    text_free(&html);
    table_cell(&t, 2, 1)->published = true;
    table_html(&t, &html);
    assert_non_null(strstr(html.data, "<td class=\"published\"><b>&lt;93%</b></td>"));
    const char *body = strstr(latex.data, "\\begin{tabular}");
    assert_non_null(body);
    assert_string_equal(body, "\\begin{tabular}{@{}lr@{}}\n\\toprule\n"
                              "rule & cifar\\_10 \\& x \\\\\n\\midrule\na & \\underline{90.62}"
                              "\\bioftnote{[80, 96]} \\\\\n"
                              "b\\textbar{}c & \\textbf{\\textless{}93\\%} \\\\\n\\bottomrule\n\\end{tabular}}%\n"
                              "\\ifdim\\wd0>\\linewidth\\resizebox{\\linewidth}{!}{\\usebox0}\\else\\usebox0\\fi}\n");
    table_csv(&t, &csv);
    assert_string_equal(csv.data, "rule,cifar_10 & x,cifar_10 & x [95%]\na,90.62,\"[80, 96]\"\nb|c,<93%,\n");
    text_free(&csv);
    assert_string_equal(markdown.data, "a \\< b\n\n| rule | cifar\\_10 & x |\n|---|---:|\n"
                                       "| a | <u>90.62</u> [80, 96] |\n| b\\|c | **\\<93%** |\n");
    text_free(&html);
    text_free(&latex);
    text_free(&markdown);
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_follow_the_rule),         cmocka_unit_test(marks_of_all_columns_over_32_images),
        cmocka_unit_test(tables_mark_shares_as_printed), cmocka_unit_test(columns_are_marked_as_printed),
        cmocka_unit_test(is_written_three_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
