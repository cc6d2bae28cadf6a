/* Trials put together by seed and panel, the baseline found by what it does, comparisons on samples
 * and over seeds. */
#include "figures.h"
#include "report/findings.h"
#include "report/headline.h"
#include "report/study.h"
#include "report/tables.h"
#include "report/terminal.h"

#include "base/file.h"
#include "base/text.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { SAMPLES = 200 };

struct place_of_tests {
    char folder[64];
    struct arena *arena;
};

static int make(void **state)
{
    struct place_of_tests *p = calloc(1, sizeof *p);
    if (!p)
        return 1;
    snprintf(p->folder, sizeof p->folder, "/tmp/bioft-study-XXXXXX");
    p->arena = arena_create();
    *state = p;
    return mkdtemp(p->folder) && p->arena ? 0 : 1;
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

/* A figure with `right` of its samples right, the first ones. */
static struct figure figure_of(struct place_of_tests *p, const char *rule, const char *gradient, double epsilon,
                               size_t right)
{
    struct figure f = blank_figure(rule, gradient, epsilon);
    struct prediction *q = arena_array(p->arena, SAMPLES, sizeof *q);
    struct error err;

    assert_non_null(q);
    for (size_t i = 0; i < SAMPLES; i++)
        q[i] = (struct prediction){ .sample = i,
                                    .label = (int32_t)(i % 4),
                                    .prediction = i < right ? (int32_t)(i % 4) : 9,
                                    .score = i < right,
                                    .delta_max = epsilon,
                                    .delta_mean = epsilon / 2.0 };
    assert_int_equal(figure_fill(&f, q, SAMPLES, &err), BIOFT_OK);
    return f;
}

static void add_trial(struct place_of_tests *p, const char *id, uint64_t seed, const char *rule, size_t clean,
                      size_t own, size_t exact)
{
    char *folder = arena_printf(p->arena, "%s/trials/%s", p->folder, id);
    char *path = arena_printf(p->arena, "%s/results.csv", folder);
    const struct trial_label label = { .id = id, .seed = seed, .backbone = "net", .engine = "e", .precision = "f32" };
    struct figure f[] = { figure_of(p, rule, NULL, 0.0, clean), figure_of(p, rule, "rule", 0.0, clean),
                          figure_of(p, rule, "rule", 0.1, own), figure_of(p, rule, "exact", 0.0, clean),
                          figure_of(p, rule, "exact", 0.1, exact) };
    const struct trial_figures trial = { .label = label, .figures = f, .count = 5 };
    struct error err;

    for (size_t i = 0; i < 5; i++)
        assert_int_equal(figure_save(folder, &label, &f[i], 1, &err), BIOFT_OK);
    assert_int_equal(results_write(path, &trial, &err), BIOFT_OK);
}

static struct study read_study(struct place_of_tests *p, const char *const *ids, size_t count, const char *baseline)
{
    const char **folders = arena_array(p->arena, 1, sizeof *folders);
    struct results_part *parts = arena_array(p->arena, count, sizeof *parts);
    struct study s;
    struct error err;

    for (size_t i = 0; i < count; i++)
        parts[i].path = arena_printf(p->arena, "%s/trials/%s/results.csv", p->folder, ids[i]);
    folders[0] = p->folder;
    assert_int_equal(results_join(arena_printf(p->arena, "%s/results.csv", p->folder), NULL, 0, parts, count, &err),
                     BIOFT_OK);
    assert_int_equal(study_read(folders, 1, baseline, p->arena, &s, &err), BIOFT_OK);
    return s;
}

static void one_seed_is_compared_on_its_samples(void **state)
{
    static const char *const ids[] = { "00-rule=first", "01-rule=true,lr=0.1" };
    struct place_of_tests *p = *state;
    struct finding *f;
    struct error err;
    struct point point;
    size_t count;

    add_trial(p, ids[0], 1, "first", 180, 150, 20);
    add_trial(p, ids[1], 1, "true", 190, 40, 40);
    struct study s = read_study(p, ids, 2, "true");
    assert_int_equal(s.count, 1);
    struct panel *q = &s.panels[0];
    assert_int_equal(q->count, 2);
    assert_string_equal(q->series[0].name, "first");
    assert_string_equal(q->series[1].name, "true, lr=0.1");
    assert_ptr_equal(q->baseline, &q->series[1]);
    assert_true(q->metric_count == 1 && q->grid_count == 1 && q->grids[0].count == 2 && q->grids[0].rule &&
                q->grids[0].exact);
    assert_true(
        study_point(q, &q->series[0], &(struct place){ METRIC_ACCURACY, "push", "", "exact", 0.1, "linf" }, &point));
    assert_true(point.value == 0.1 && point.seeds == 1 && point.low == interval_wilson(20, SAMPLES).low);
    assert_false(
        study_point(q, &q->series[0], &(struct place){ METRIC_ACCURACY, "push", "", "exact", 0.2, "linf" }, &point));

    assert_int_equal(findings_read(q, p->arena, &f, &count, &err), BIOFT_OK);
    assert_int_equal(count, 3); /* clean, and both gradients at 0.1 */
    const struct finding *gap = findings_largest(f, count, &q->series[0], METRIC_ACCURACY);
    assert_non_null(gap);
    /* The larger gap is under the rule's own gradient: it is shown as what it is, and never in front. */
    assert_true(fabs(gap->found.difference + 0.1) < 1e-12 && gap->significant && !gap->over_seeds);
    assert_string_equal(gap->place.gradient, "exact");
    const struct finding *own = finding_follows_rule(&f[1]) ? &f[1] : &f[2];
    assert_true(fabs(own->found.difference - 0.55) < 1e-12 && own->significant);
    assert_true(own->found.p == compare_mcnemar(110, 0) && own->adjusted == 3.0 * own->found.p);
    struct table t;
    assert_true(tables_findings(q, 0, f, count, p->arena, &t));
    for (size_t i = 0; i < count; i++) {
        const bool rule = finding_follows_rule(&f[i]);
        const char *gradient = table_cell(&t, i + 1, 3)->text, *said = table_cell(&t, i + 1, 9)->text;
        assert_string_equal(gradient, rule ? "rule's own" : f[i].place.attack ? "exact" : "");
        assert_string_equal(said, rule ? "not robustness" : f[i].significant ? "yes" : "no");
    }
    assert_true(f[0].found.n == SAMPLES && fabs(f[0].found.difference + 0.05) < 1e-12);
}

static void without_its_rule_there_is_no_baseline(void **state)
{
    static const char *const ids[] = { "00-rule=first", "01-rule=second" };
    struct place_of_tests *p = *state;
    struct finding *f;
    struct error err;
    size_t count;

    add_trial(p, ids[0], 1, "first", 180, 150, 20);
    add_trial(p, ids[1], 1, "second", 190, 41, 40);
    struct study s = read_study(p, ids, 2, NULL);
    assert_null(s.panels[0].baseline);
    assert_int_equal(findings_read(&s.panels[0], p->arena, &f, &count, &err), BIOFT_OK);
    assert_int_equal(count, 0);
    s = read_study(p, ids, 2, "first");
    assert_ptr_equal(s.panels[0].baseline, &s.panels[0].series[0]);
}

/* Four seeds with a clear difference are not significant, five are. */
static void seeds_are_a_random_effect(void **state)
{
    struct place_of_tests *p = *state;
    const char *ids[10];
    struct error err;
    struct point point;
    size_t made = 0;

    for (size_t seeds = 1; seeds <= 5; seeds++) {
        struct finding *f;
        size_t count;
        ids[made] = arena_printf(p->arena, "%02zu-rule=true,seed=%zu", made, seeds);
        add_trial(p, ids[made], seeds, "true", 150 + seeds, 40, 40);
        made++;
        ids[made] = arena_printf(p->arena, "%02zu-rule=other,seed=%zu", made, seeds);
        add_trial(p, ids[made], seeds, "other", 170 + seeds * (seeds == 3 ? 1 : 2) / 2, 90, 20 + seeds);
        made++;
        if (seeds < 4)
            continue;
        struct study s = read_study(p, ids, made, "true");
        struct panel *q = &s.panels[0];
        assert_true(q->count == 2 && q->series[0].count == seeds);
        assert_int_equal(findings_read(q, p->arena, &f, &count, &err), BIOFT_OK);
        assert_true(count == 3 && f[0].over_seeds && f[0].found.n == seeds && f[0].adjusted < 0.05);
        assert_true(f[0].significant == (seeds == 5));
        assert_true(study_point(q, &q->series[0], &(struct place){ .metric = METRIC_ACCURACY }, &point));
        assert_true(point.seeds == seeds &&
                    fabs(point.value - (150.0 + ((double)seeds + 1.0) / 2.0) / SAMPLES) < 1e-12);
        assert_true(point.low < point.value && point.high > point.value);
    }
}

/* The console has one row for five trials, with the mean, Student's interval, and epsilons that can be told apart. */
static void the_console_has_means_over_seeds(void **state)
{
    struct place_of_tests *p = *state;
    struct trial_figures trials[6];
    struct text t = { 0 };

    for (size_t i = 0; i < 6; i++) {
        struct figure *f = arena_array(p->arena, 4, sizeof *f);
        f[0] = figure_of(p, "fa", NULL, 0.0, 150 + i);
        f[1] = figure_of(p, "fa", "exact", 0.0, 150 + i);
        f[2] = figure_of(p, "fa", "rule", 0.050001, 100 + i);
        f[3] = figure_of(p, "fa", "exact", 0.050002, 10 + i);
        f[2].masking = i == 1 ? "masking" : "none";
        trials[i] = (struct trial_figures){ .figures = f, .count = 4 };
        trials[i].label = (struct trial_label){ .id = i < 5 ? "00-rule=fa,seed=1" : "05-rule=fa,lr=1",
                                                .seed = i,
                                                .identity = i < 5 ? "same" : "other" };
    }
    assert_true(terminal_table(trials, 6, &t) && !t.failed);
    assert_non_null(strstr(t.data, "  rule=fa, 5 seeds     d                200      0.7600 ["));
    assert_non_null(strstr(t.data, "  05-rule=fa,lr=1      d                200      0.7750 ["));
    assert_non_null(strstr(t.data, " gradient          0  0.050001  0.050002 "));
    assert_non_null(strstr(t.data, "  rule=fa, 5 seeds     rule's own              0.510*"));
    assert_null(strstr(t.data, "seed=1"));
    assert_non_null(strstr(t.data, "epsilon 0: no attack, the attacked images alone"));
    text_free(&t);
}

static void a_missing_file_of_predictions_is_no_comparison(void **state)
{
    static const char *const ids[] = { "00-rule=first", "01-rule=true" };
    struct place_of_tests *p = *state;
    struct finding *f;
    struct error err;
    size_t count;

    add_trial(p, ids[0], 1, "first", 180, 150, 20);
    add_trial(p, ids[1], 1, "true", 190, 40, 40);
    struct study s = read_study(p, ids, 2, "true");
    assert_int_equal(
        file_remove(arena_printf(p->arena, "%s/trials/%s/predictions/fine.test.csv", p->folder, ids[0]), &err),
        BIOFT_OK);
    assert_int_equal(findings_read(&s.panels[0], p->arena, &f, &count, &err), BIOFT_OK);
    assert_true(count == 2 && f[0].place.attack);
}

/* The top of the page, from findings and verdicts. */
static void the_headline_names_what_hides(void **state)
{
    static const char *const ids[] = { "00-rule=first", "01-rule=true" };
    struct place_of_tests *p = *state;
    struct finding *f;
    struct error err;
    struct headline h;
    size_t count;

    add_trial(p, ids[0], 1, "first", 160, 150, 20);
    add_trial(p, ids[1], 1, "true", 190, 41, 40);
    struct study s = read_study(p, ids, 2, "true");
    const struct panel *q = &s.panels[0];
    const struct verdict v[] = {
        { .series = &q->series[0],
          .word = VERDICT_MASKING,
          .why = "w",
          .place = { METRIC_ACCURACY, ATTACK_WORST, "push", "exact", 0.1, "linf" } },
        { .series = &q->series[1],
          .word = VERDICT_UNDECIDED,
          .why = "nothing was counted",
          .place = { METRIC_ACCURACY, ATTACK_WORST, "push", "exact", 0.1, "linf" } },
    };
    assert_int_equal(findings_read(q, p->arena, &f, &count, &err), BIOFT_OK);
    assert_int_equal(headline_read(&(struct headline_params){ &s, 0, f, count, v, 2 }, p->arena, &h, &err), BIOFT_OK);
    assert_string_equal(
        h.text, "first (80.0%) is less accurate than true (95.0%). No rule is shown to be robust. first only hides its "
                "gradient (masking): under its own gradient a rule looks robust, under the exact gradient of the same "
                "network it is not; at epsilon 0.1 first keeps 75.0% under its own and 10.0% under the exact one. "
                "Undecided: true, because nothing was counted. All of this is about these networks, 1 seed a rule; "
                "other seeds give others.");
    assert_string_equal(table_cell(&h.table, 1, 1)->text, "masking");
    assert_string_equal(table_cell(&h.table, 1, 2)->text, "80.0");
    assert_string_equal(table_cell(&h.table, 1, 4)->text, "10.0");
    assert_true(table_cell(&h.table, 1, 5)->faint);
    assert_string_equal(table_cell(&h.table, 1, 5)->text, "75.0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_console_has_means_over_seeds, make, clear),
        cmocka_unit_test_setup_teardown(one_seed_is_compared_on_its_samples, make, clear),
        cmocka_unit_test_setup_teardown(without_its_rule_there_is_no_baseline, make, clear),
        cmocka_unit_test_setup_teardown(seeds_are_a_random_effect, make, clear),
        cmocka_unit_test_setup_teardown(a_missing_file_of_predictions_is_no_comparison, make, clear),
        cmocka_unit_test_setup_teardown(the_headline_names_what_hides, make, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
