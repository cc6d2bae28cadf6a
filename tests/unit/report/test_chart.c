/* Charts: where points stand, bands, names that need escaping, data and script for gnuplot. */
#include "report/chart.h"

#include "report/colours.h"
#include "report/epsilon.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static double x[] = { 0.0, 0.001, 0.01, 0.1 }, y[] = { 1.0, 0.75, 0.5, 0.0 };
static double low[] = { 0.9, 0.7, NAN, 0.0 }, high[] = { 1.0, 0.8, NAN, 0.1 };

static struct chart make(struct curve *c)
{
    *c = (struct curve){ .name = "a <b> 'c'", .x = x, .y = y, .low = low, .high = high, .count = 4, .colour = 1 };
    return (struct chart){ .name = "n",
                           .title = "t & t",
                           .x_label = "epsilon",
                           .y_label = "accuracy",
                           .zero_and_log = true,
                           .y_low = 0.0,
                           .y_high = 1.0,
                           .curves = c,
                           .count = 1 };
}

/* Decades are equally far apart, 0 stands left of them, values at their height. */
static void points_stand_where_they_should(void **state)
{
    struct curve c;
    const struct chart chart = make(&c);
    struct text t = { 0 };
    double at[4][2];

    (void)state;
    chart_svg(&chart, false, &t);
    assert_false(t.failed);
    const char *s = t.data;
    for (size_t i = 0; i < 4; i++) {
        s = strstr(s, "<circle");
        assert_non_null(s);
        assert_int_equal(sscanf(s, "<circle class=\"hit\" cx=\"%lf\" cy=\"%lf\"", &at[i][0], &at[i][1]), 2);
        s++;
    }
    assert_null(strstr(s, "<circle"));
    assert_non_null(strstr(t.data, "<title>a &lt;b&gt; 'c', epsilon 0.001: 0.75 [0.700, 0.800]</title>"));
    assert_true(fabs((at[2][0] - at[1][0]) - (at[3][0] - at[2][0])) < 0.2 && at[0][0] < at[1][0]);
    assert_true(fabs((at[1][0] - at[0][0]) / (at[2][0] - at[1][0]) - 0.6) < 0.01);
    assert_true(fabs((at[1][1] - at[0][1]) / (at[3][1] - at[0][1]) - 0.25) < 0.01 && at[0][1] < at[3][1]);
    assert_non_null(strstr(t.data, "a &lt;b&gt; 'c'"));
    assert_non_null(strstr(t.data, "t &amp; t"));
    assert_null(strstr(t.data, "nan"));
    assert_non_null(strstr(t.data, "class=\"band\""));
    text_free(&t);
}

/* Two curves over one another, and files for programs that know no style sheet. */
static void curves_that_coincide_are_apart(void **state)
{
    struct curve c[3];
    struct chart chart = make(c);
    struct text t = { 0 };
    double at[12];

    (void)state;
    c[2] = c[1] = c[0];
    c[1].dashed = true;
    c[2].name = "b";
    c[2].colour = 2;
    chart.count = 3;
    chart.solid = "exact";
    chart.dashed = "own";
    chart_svg(&chart, true, &t);
    const char *s = t.data;
    for (size_t i = 0; i < 12; i++) {
        s = strstr(s, "<circle class=\"hit\"") + 1;
        assert_int_equal(sscanf(s, "circle class=\"hit\" cx=\"%lf\"", &at[i]), 1);
    }
    for (size_t i = 0; i < 4; i++)
        assert_true(at[i] == at[i + 4] && fabs(at[i + 8] - at[i] - 1.6) < 0.11);
    assert_null(strstr(t.data, "<style"));
    assert_null(strstr(t.data, "var("));
    assert_non_null(strstr(t.data, "stroke=\"#d55e00\""));
    assert_non_null(strstr(t.data, ">exact</text>"));
    assert_non_null(strstr(t.data, ">own</text>"));
    text_free(&t);
}

static void colours_belong_to_names(void **state)
{
    const char *const all[] = { "usf", "bp", "fa", "brsf", "frsf" }, *const two[] = { "fa", "usf" };
    const char *many[23];
    char names[23][4];
    unsigned a[23], b[23], markers[23];

    (void)state;
    assert_true(colours_choose(all, 5, a, markers) && colours_choose(two, 2, b, markers));
    assert_true(b[0] == a[2] && b[1] == a[0]);
    for (size_t i = 0; i < 23; i++) {
        snprintf(names[i], sizeof names[i], "%zu", i);
        many[i] = names[i];
    }
    assert_true(colours_choose(many, 23, a, markers));
    for (size_t i = 0; i < 23; i++)
        for (size_t k = 0; k < i; k++)
            assert_false(a[i] == a[k] && markers[i] == markers[k]);
}

static void epsilons_are_as_a_person_writes_them(void **state)
{
    char s[TEXT_NUMBER];

    (void)state;
    assert_string_equal(epsilon_text(s, 8.0 / 255.0, 4), "8/255");
    assert_string_equal(epsilon_text(s, 0.5 / 255.0, 4), "0.5/255");
    assert_string_equal(epsilon_text(s, 0.1, 4), "0.1");
    assert_string_equal(epsilon_text(s, 0.0, 4), "0");
    assert_string_equal(epsilon_text(s, 1.0, 4), "1");
    assert_string_equal(epsilon_text(s, 0.0123456789, 4), "0.01235");
}

static void gnuplot_has_the_same_points(void **state)
{
    struct curve c;
    const struct chart chart = make(&c);
    struct text data = { 0 }, script = { 0 };

    (void)state;
    chart_data(&chart, &data);
    chart_gnuplot(&chart, &script);
    assert_string_equal(data.data,
                        "# x as drawn, value, low, high, x\n# a <b> 'c'\n-3.6 1 0.9 1 0\n-3 0.75 0.7 0.8 0.001\n"
                        "-2 0.5 0.5 0.5 0.01\n-1 0 0 0.1 0.1\n");
    assert_non_null(strstr(script.data, "set output 'n.png'"));
    assert_non_null(strstr(script.data, "set output 'n.pdf'"));
    assert_non_null(strstr(script.data, "title 'a <b> ''c'''"));
    assert_non_null(strstr(script.data, "'0' -3.600000, '0.001' -3.000000"));
    text_free(&data);
    text_free(&script);
}

static void one_point_or_none_is_a_chart(void **state)
{
    struct curve c;
    struct chart chart = make(&c);
    struct text t = { 0 };

    (void)state;
    c.count = 1;
    chart_svg(&chart, true, &t);
    chart.count = 0;
    chart.zero_and_log = false;
    chart_svg(&chart, true, &t);
    assert_null(strstr(t.data, "nan"));
    assert_null(strstr(t.data, "inf"));
    text_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_stand_where_they_should), cmocka_unit_test(curves_that_coincide_are_apart),
        cmocka_unit_test(colours_belong_to_names),        cmocka_unit_test(epsilons_are_as_a_person_writes_them),
        cmocka_unit_test(gnuplot_has_the_same_points),    cmocka_unit_test(one_point_or_none_is_a_chart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
