/* Published figures: read from a CSV, marked among themselves, beside ours in the tables, and what
 * is wrong with a file said by line and column. */
#include "figures.h"
#include "report/published.h"

#include "base/file.h"
#include "eval/interval.h"
#include "report/tables.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct place_of_tests {
    char folder[64];
    const char *path;
    struct arena *arena;
};

static int make(void **state)
{
    struct place_of_tests *p = calloc(1, sizeof *p);
    if (!p)
        return 1;
    snprintf(p->folder, sizeof p->folder, "/tmp/bioft-published-XXXXXX");
    p->arena = arena_create();
    *state = p;
    if (!p->arena || !mkdtemp(p->folder))
        return 1;
    p->path = arena_printf(p->arena, "%s/p.csv", p->folder);
    return p->path ? 0 : 1;
}

static int clear(void **state)
{
    struct place_of_tests *p = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", p->folder);
    arena_destroy(p->arena);
    const int status = system(command);
    free(p);
    return status;
}

static bioft_status read_bytes(struct place_of_tests *p, const char *bytes, size_t size, struct published *ret,
                               struct error *err)
{
    assert_int_equal(file_write(p->path, bytes, size, err), BIOFT_OK);
    return published_read(p->path, p->arena, ret, err);
}

static struct published read_good(struct place_of_tests *p, const char *text)
{
    struct published ret;
    struct error err = { 0 };
    if (read_bytes(p, text, strlen(text), &ret, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    return ret;
}

/* Any order of columns, those that are left out, a byte-order mark, and line ends of two bytes. */
static void reads_what_people_type(void **state)
{
    struct place_of_tests *p = *state;
    struct published pub = read_good(p, "\xef\xbb\xbfn,value,rule,backbone,dataset,metric,source\r\n"
                                        "32,0.9062,r,net,d,accuracy,\"Table 1, left\"\r\n"
                                        ",1,r,net,e,accuracy,\r\n"
                                        "500,0.5,r,net,d,map@5,\"Table 1, left\"\r\n");
    const struct published_figure *f = pub.figures;
    const struct interval wilson = interval_wilson(29, 32);

    assert_int_equal(pub.count, 3);
    assert_int_equal(pub.source_count, 2);
    assert_string_equal(pub.sources[0], "Table 1, left");
    assert_string_equal(pub.sources[1], "");
    assert_true(f[0].value == 0.9062 && f[0].n == 32 && f[0].line == 2 && !f[0].place.attack);
    assert_true(f[0].low == wilson.low && f[0].high == wilson.high);
    assert_true(f[1].n == 0 && isnan(f[1].low) && isnan(f[1].high));
    /* A mean average precision is no share: Wilson's interval does not hold for it. */
    assert_true(f[2].n == 500 && isnan(f[2].low) && isnan(f[2].high));
}

static void is_marked_by_source_and_column(void **state)
{
    struct place_of_tests *p = *state;
    struct published pub = read_good(p, "backbone,dataset,rule,metric,value,source,attack,epsilon\n"
                                        "net,d,a,accuracy,0.9375,one,,\n" /* best */
                                        "net,d,b,accuracy,0.9062,one,,\n" /* second */
                                        "net,d,c,accuracy,0.875,one,,\n"
                                        "net,d,a,accuracy,0.9062,two,,\n"  /* two equal best */
                                        "net,d,b,accuracy,0.90621,two,,\n" /* prints alike */
                                        "net,d,c,accuracy,0.875,two,,\n"
                                        "net,e,a,accuracy,0.5,one,,\n" /* three equal best */
                                        "net,e,b,accuracy,0.5,one,,\n"
                                        "net,e,c,accuracy,0.5,one,,\n"
                                        "net,e,a,map@5,0.75,one,,\n" /* one best, two equal second */
                                        "net,e,b,map@5,0.5,one,,\n"
                                        "net,e,c,map@5,0.5,one,,\n"
                                        "net,d,a,accuracy,0.25,one,push,0.1\n");
    static const char wanted[] = "Bs.ss....B...";

    assert_int_equal(pub.count, sizeof wanted - 1);
    for (size_t i = 0; i < pub.count; i++) {
        const enum mark mark = pub.figures[i].mark;
        assert_int_equal(mark == MARK_BEST ? 'B' : mark == MARK_SECOND ? 's' : '.', wanted[i]);
    }
}

static const char head[] = "backbone,dataset,rule,metric,value,attack,gradient,epsilon,n\n";
static const struct {
    const char *text, *says;
} bad[] = {
    { "", "no figures" },
    { "backbone,dataset,rule,metric,value\n", "no figures" },
    { "backbone,dataset,rule,metric\na,b,c,accuracy\n", "p.csv:1: column value is missing" },
    { "backbone,dataset,rule,metric,vlaue\na,b,c,accuracy,1\n",
      "p.csv:1: column 'vlaue' is not known (meant 'value'?)" },
    { "backbone;dataset;rule;metric;value\na;b;c;accuracy;1\n",
      "p.csv:1: column 'backbone;dataset;rule;metric;value' is not known" },
    { "rule,backbone,dataset,rule,metric,value\na,b,c,a,accuracy,1\n", "p.csv:1: column rule appears twice" },
    { "@net,d,r,accuracy,0.5,,,,\nnet,d,s,accuracy,93.75,,,,\n",
      "p.csv:3: column value: '93.75' is not between 0 and 1: a percentage is divided by 100" },
    { "@net,d,r,accuracy,-0.1,,,,\n", "p.csv:2: column value: '-0.1' is not between" },
    { "@net,d,r,accuracy,nan,,,,\n", "p.csv:2: column value: 'nan' is not a number" },
    { "@net,d,r,accuracy,.9375x,,,,\n", "p.csv:2: column value: '.9375x' is not a number" },
    { "@net,d,r,accuracy,,,,,\n", "p.csv:2: column value: '' is empty" },
    { "@net,,r,accuracy,1,,,,\n", "p.csv:2: column dataset: '' is empty" },
    { "@net,d,r,accuracy,1,,,,32.5\n", "p.csv:2: column n: '32.5' is not a number of samples" },
    { "@net,d,r,accuracy,1,,,,0\n", "p.csv:2: column n: '0' is not a number of samples" },
    { "@net,d,r,accuracy,1,push,rule,,\n", "p.csv:2: column epsilon: '' is empty" },
    { "@net,d,r,accuracy,1,push,rule,-1,\n", "p.csv:2: column epsilon: '-1' is below 0" },
    { "@net,d,r,accuracy,1,,,0.1,\n", "p.csv:2: column epsilon: '0.1' belongs to an attack" },
    { "@net,d,r,accuracy,1,,rule,,\n", "p.csv:2: column gradient: 'rule' belongs to an attack" },
    { "@net,d,r,accuracy,1\n", "p.csv:2: 5 fields where the first line has 9" },
    { "@net,d,\"r,accuracy,1,,,,\n", "p.csv:2: a quoted field that does not end" },
    { "@net,d,\"r\ns\",accuracy,1,,,,\n", "p.csv:2: column rule: 'r\\x0as' has a line break" },
    { "@net,d,r,accuracy,1,,,,\nnet,d,\xff,accuracy,1,,,,\n", "p.csv:3: not UTF-8" },
    { "@net,d,r,accuracy,1,,,,\nnet,d,s,accuracy,1,,,,\nnet,d,r,accuracy,0.5,,,,32\n",
      "p.csv:4: this figure is in line 2 already" },
    { "@net,d,r,accuracy,1,push,rule,0.1,\nnet,d,r,accuracy,1,push,rule,0.10,\n",
      "p.csv:3: this figure is in line 2 already" },
};

static void says_what_is_wrong_and_where(void **state)
{
    struct place_of_tests *p = *state;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct published pub;
        struct error err = { 0 };
        const bool headed = bad[i].text[0] == '@';
        const char *text = arena_printf(p->arena, "%s%s", headed ? head : "", bad[i].text + headed);
        assert_int_equal(read_bytes(p, text, strlen(text), &pub, &err), BIOFT_ERR_FORMAT);
        if (!strstr(err.text, bad[i].says))
            fail_msg("'%s' is not in '%s'", bad[i].says, err.text);
    }
}

static void a_file_that_is_not_there_or_too_large(void **state)
{
    struct place_of_tests *p = *state;
    struct published pub;
    struct error err = { 0 };
    char *large = arena_array(p->arena, 1 << 20, 1);

    assert_int_equal(published_read(p->path, p->arena, &pub, &err), BIOFT_ERR_IO);
    assert_non_null(large);
    memset(large, 'a', 1 << 20);
    assert_int_not_equal(read_bytes(p, large, 1 << 20, &pub, &err), BIOFT_OK);
    assert_non_null(strstr(err.text, "p.csv"));
}

/* Two networks of one dataset under two rules; the first under attack too. */
static struct figure figure_of(const char *rule, const char *gradient, double epsilon, double value)
{
    struct figure f = blank_figure(rule, gradient, epsilon);

    f.value = value;
    f.n = 100;
    f.ci_low = 0.25;
    f.ci_high = 1.0;
    return f;
}

static struct study study_of(struct place_of_tests *p, struct published *pub)
{
    struct figure a[] = { figure_of("a", NULL, 0.0, 0.75), figure_of("a", "rule", 8.0 / 255.0, 0.5) },
                  b[] = { figure_of("b", NULL, 0.0, 0.5), figure_of("b", "rule", 8.0 / 255.0, 0.25) };
    const struct trial_figures trials[] = {
        { { "00-rule=a", 1, "net", "e", "f32", "" }, a, 2, 0 },
        { { "01-rule=b,lr=1", 1, "net", "e", "f32", "" }, b, 2, 0 },
        { { "02-rule=a", 1, "other", "e", "f32", "" }, a, 1, 0 },
    };
    struct results_part parts[3] = { 0 };
    const char **folders = arena_array(p->arena, 1, sizeof *folders);
    struct study s;
    struct error err;

    assert_non_null(folders);
    folders[0] = p->folder;
    for (size_t i = 0; i < 3; i++) {
        parts[i].path = arena_printf(p->arena, "%s/%zu.csv", p->folder, i);
        assert_int_equal(results_write(parts[i].path, &trials[i], &err), BIOFT_OK);
    }
    assert_int_equal(results_join(arena_printf(p->arena, "%s/results.csv", p->folder), NULL, 0, parts, 3, &err),
                     BIOFT_OK);
    assert_int_equal(study_read(folders, 1, NULL, p->arena, &s, &err), BIOFT_OK);
    assert_null(s.published);
    s.published = pub;
    return s;
}

static const char *markdown(const struct table *t, struct arena *arena)
{
    struct text text = { 0 };
    table_markdown(t, &text);
    const char *ret = arena_text(arena, text.data);
    text_free(&text);
    assert_non_null(ret);
    return ret;
}

static void stands_beside_ours(void **state)
{
    struct place_of_tests *p = *state;
    struct published pub = read_good(p, "backbone,dataset,rule,metric,attack,gradient,epsilon,value,n,source\n"
                                        "net,d,a,accuracy,,,,0.8125,32,T1\n"
                                        "net,d,b,accuracy,,,,0.875,,T1\n"
                                        "net,d,c,accuracy,,,,0.9375,32,T1\n"           /* best, and no rule here */
                                        "net,d,b,accuracy,,,,0.25,,T2\n"               /* another source */
                                        "net,d,b,accuracy,push,rule,0.03137,0.5,,T1\n" /* 8/255 as it prints */
                                        "net,d,b,accuracy,push,exact,0.03137,0.5,,T1\n"
                                        "net,d,a,accuracy,push,rule,0.1,0.5,,T1\n"
                                        "net,d,a,accuracy,pull,rule,0.03137,0.5,,T1\n"
                                        "net,d,a,map@5,,,,0.5,,T1\n"
                                        "net,e,a,accuracy,,,,0.5,,T1\n");
    struct study s = study_of(p, &pub);
    static const char shown[] = "ss.ss.....";
    const struct interval wilson = interval_wilson(26, 32);
    struct table t;
    struct text line = { 0 };

    assert_int_equal(s.count, 2);
    assert_true(tables_clean(&s, METRIC_ACCURACY, p->arena, &t));
    assert_string_equal(markdown(&t, p->arena),
                        arena_printf(p->arena,
                                     "accuracy in %%, without attack\n\n"
                                     "| rule | d, net | published, T1 | published, T2 | d, other |\n"
                                     "|---|---:|---:|---:|---:|\n"
                                     "| a | **75.00** [25.0, 100.0] | 81.25 [%.1f, %.1f], n = 32 |  | **75.00** "
                                     "[25.0, 100.0] |\n"
                                     "| b, lr=1 | <u>50.00</u> [25.0, 100.0] | <u>87.50</u> | **25.00** |  |\n",
                                     100.0 * wilson.low, 100.0 * wilson.high));
    assert_true(table_cell(&t, 1, 2)->published && !table_cell(&t, 1, 1)->published);

    assert_int_equal(s.panels[0].grid_count, 1);
    assert_true(tables_attack(&s, 0, &s.panels[0].grids[0], p->arena, &t));
    assert_non_null(strstr(markdown(&t, p->arena), "| a | rule's own | 50.00 |\n| b, lr=1 | rule's own | 25.00 |\n"
                                                   "| b, lr=1 | rule's own, published, T1 | 50.00 |\n"));

    for (size_t i = 0; i < pub.count; i++)
        assert_int_equal(pub.figures[i].shown ? 's' : '.', shown[i]);
    assert_int_equal(published_unmatched(&pub), 6);
    published_describe(&pub.figures[2], &line);
    assert_string_equal(line.data, "line 4: net, d, c, accuracy 93.75 (T1)");
    text_free(&line);
    published_describe(&pub.figures[5], &line);
    assert_string_equal(line.data, "line 7: net, d, b, push, gradient exact, epsilon 0.03137, accuracy 50.00 "
                                   "(T1)");
    text_free(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_what_people_type, make, clear),
        cmocka_unit_test_setup_teardown(is_marked_by_source_and_column, make, clear),
        cmocka_unit_test_setup_teardown(says_what_is_wrong_and_where, make, clear),
        cmocka_unit_test_setup_teardown(a_file_that_is_not_there_or_too_large, make, clear),
        cmocka_unit_test_setup_teardown(stands_beside_ours, make, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
