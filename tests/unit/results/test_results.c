/* Figures saved and loaded, joined and read back. */
#include "results/results.h"

#include "base/file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const struct trial_label label = { "00-rule=a,b", 7, "net", "engine", "f32", "0123456789abcdef" };

static struct figure example(struct prediction *p, uint64_t n)
{
    struct figure f = { .dataset = "data",
                        .protocol = "classification/ab",
                        .rule = "r",
                        .stage = "tune",
                        .split = "test",
                        .metric = METRIC_ACCURACY,
                        .attack = "att",
                        .options = "steps=5;a=\"x\"",
                        .gradient = "exact",
                        .norm = "linf",
                        .attacked = true,
                        .epsilon = 8.0 / 255.0,
                        .warnings = "small-n" };
    assert_int_equal(figure_fill(&f, p, n, NULL), BIOFT_OK);
    return f;
}

static void round_trip(void **state)
{
    struct prediction p[3] = { { 5, 1, 1, 1.0, 0.031, 0.01, NULL },
                               { 6, 0, 2, 0.0, 0.03, 0.02, NULL },
                               { 9, -1, 3, 1.0, 0.0, 0.0, NULL } };
    const struct figure f = example(p, 3);
    struct figure g;
    struct arena *arena = arena_create();
    struct error err;
    bool found;

    assert_int_equal(figure_save(*state, &label, &f, 1, &err), BIOFT_OK);
    assert_int_equal(figure_load(*state, &f, 1, arena, &g, &found, &err), BIOFT_OK);
    assert_true(found);
    assert_true(g.value == f.value && g.ci_low == f.ci_low && g.ci_high == f.ci_high && g.epsilon == f.epsilon);
    assert_true(g.n == 3 && g.delta_max == 0.031 && g.delta_mean == f.delta_mean && g.attacked);
    assert_string_equal(g.options, f.options);
    assert_string_equal(g.warnings, f.warnings);
    assert_memory_equal(g.predictions, p, sizeof p);

    struct figure other = f;
    other.epsilon = 0.5;
    assert_int_equal(figure_load(*state, &other, 1, arena, &g, &found, &err), BIOFT_OK);
    assert_false(found);
    arena_destroy(arena);
}

/* Two metrics of one evaluation share their files; what has other metrics is not it. */
/* What an attack did to each image, in its own columns: empty where there is no number. */
static void records_and_indicators(void **state)
{
    struct attack_record records[4] = {
        { .clean = 1.0,
          .right = true,
          .target = -1,
          .distance = 0.031,
          .queries = 12,
          .gradients = 10,
          .zero = 3,
          .found = true,
          .traced = true,
          .part = "" },
        { .clean = 1.0, .target = -1, .distance = 0.03, .queries = 8, .gradients = 8, .traced = true, .part = "fab_t" },
        { .clean = 0.0, .right = true, .target = -1, .distance = 0.001, .queries = 4, .nonfinite = 1, .part = "" },
        { .clean = 1.0, .right = true, .target = -1, .distance = 0.0, .traced = true, .rising = true, .part = "" },
    };
    struct prediction p[4] = {
        { 1, 1, 1, 1.0, 0.031, 0.01, &records[0] },
        { 2, 1, 2, 0.0, 0.03, 0.02, &records[1] },
        { 5, 3, 3, 0.0, 0.001, 0.001, &records[2] },
        { 6, 3, 3, 1.0, 0.0, 0.0, &records[3] },
    };
    struct figure f = example(p, 4), g;
    struct arena *arena = arena_create();
    struct error err;
    bool found;

    const struct indicators *i = &f.indicators;
    assert_true(f.value == 0.5);
    assert_true(i->right == 3 && i->gained == 1 && i->reached == -1 && i->queries == 6.0 && i->gradients == 4.5);
    assert_true(i->zero_gradient == 1 && i->zero_survived == 1 && i->unchanged == 1 && i->budget_unused == 1);
    assert_true(i->silent == 1 && i->rising == 1);
    assert_int_equal(figure_save(*state, &label, &f, 1, &err), BIOFT_OK);
    assert_int_equal(figure_load(*state, &f, 1, arena, &g, &found, &err), BIOFT_OK);
    assert_true(found && g.n == 4);
    assert_int_equal(g.indicators.gained, 1);
    assert_int_equal(g.indicators.reached, -1);
    assert_true(g.indicators.gradients == 4.5);
    assert_string_equal(g.predictions[1].attack->part, "fab_t");
    assert_true(g.predictions[0].attack->distance == 0.031 && g.predictions[0].attack->zero == 3);
    assert_true(g.predictions[2].attack->clean == 0.0 && g.predictions[2].attack->right);
    assert_true(g.predictions[3].attack->rising && g.predictions[3].attack->target == -1);
    arena_destroy(arena);
}

static void several_metrics(void **state)
{
    struct prediction p[2][2] = { { { 5, 1, -1, 0.25, 0.031, 0.01, NULL }, { 8, -1, -1, 0.1, 0.03, 0.02, NULL } },
                                  { { 5, 1, -1, 0.75, 0.031, 0.01, NULL }, { 8, -1, -1, 1.0 / 3, 0.03, 0.02, NULL } } };
    struct figure f[2] = { example(NULL, 0), example(NULL, 0) }, g[2];
    struct arena *arena = arena_create();
    struct error err;
    bool found;

    f[0].metric = "map@5";
    f[1].metric = "map@5/stable";
    for (int m = 0; m < 2; m++)
        assert_int_equal(figure_fill(&f[m], p[m], 2, &err), BIOFT_OK);
    assert_true(f[0].value == (0.25 + 0.1) / 2 && f[0].delta_max == 0.031);
    assert_int_equal(figure_save(*state, &label, f, 2, &err), BIOFT_OK);
    assert_int_equal(figure_load(*state, f, 2, arena, g, &found, &err), BIOFT_OK);
    assert_true(found);
    for (int m = 0; m < 2; m++) {
        assert_string_equal(g[m].metric, f[m].metric);
        assert_true(g[m].value == f[m].value && g[m].ci_low == f[m].ci_low && g[m].n == 2);
        assert_memory_equal(g[m].predictions, p[m], sizeof p[m]);
    }
    assert_int_equal(figure_load(*state, f, 1, arena, g, &found, &err), BIOFT_OK);
    assert_false(found);
    f[1].metric = "map@6";
    assert_int_equal(figure_load(*state, f, 2, arena, g, &found, &err), BIOFT_OK);
    assert_false(found);
    arena_destroy(arena);
}

static void joins_and_reads(void **state)
{
    struct prediction p[1] = { { 5, 1, 1, 1.0, 0.031, 0.01, NULL } };
    struct figure f[2] = { example(p, 1), example(p, 1) };
    struct trial_figures trial = { .label = label, .figures = f, .count = 2 }, *read;
    char *a = path_join(*state, "a.csv"), *b = path_join(*state, "b.csv"), *all = path_join(*state, "all.csv");
    const char *const first[] = { "0.1", "x,y" }, *const second[] = { "0.2", "" }, *const swept[] = { "lr", "note" };
    const struct results_part parts[] = { { a, first }, { "no/such/file", first }, { b, second } };
    struct arena *arena = arena_create();
    struct error err;
    size_t count;

    f[1].attacked = false;
    f[1].attack = "";
    assert_int_equal(results_write(a, &trial, &err), BIOFT_OK);
    trial.label.id = "01";
    assert_int_equal(results_write(b, &trial, &err), BIOFT_OK);
    assert_int_equal(results_join(all, swept, 2, parts, 3, &err), BIOFT_OK);
    char *text = NULL;
    size_t size;
    assert_int_equal(file_read(all, 1 << 20, (uint8_t **)&text, &size, &err), BIOFT_OK);
    assert_non_null(strstr(text, ",lr,note\n"));
    assert_non_null(strstr(text, ",0.1,\"x,y\"\n"));
    assert_non_null(strstr(text, ",0.2,\n01,7,"));
    free(text);
    assert_int_equal(results_read(all, arena, &read, &count, &err), BIOFT_OK);
    assert_int_equal(count, 2);
    assert_string_equal(read[0].label.id, label.id);
    assert_string_equal(read[1].label.id, "01");
    assert_string_equal(read[1].label.identity, label.identity);
    assert_true(read[0].label.seed == 7 && read[0].count == 2 && read[1].count == 2);
    assert_true(read[1].figures[0].attacked && !read[1].figures[1].attacked);
    assert_true(read[1].figures[0].epsilon == 8.0 / 255.0);

    assert_int_equal(file_write(b, "other,header\n1,2\n", 17, &err), BIOFT_OK);
    assert_int_equal(results_join(all, swept, 2, parts, 3, &err), BIOFT_ERR_FORMAT);
    free(a);
    free(b);
    free(all);
    arena_destroy(arena);
}

static void file_names_are_safe(void **state)
{
    struct figure f = example(NULL, 0);
    char name[64];
    (void)state;
    f.attack = "a/../b c";
    figure_file(&f, name, sizeof name);
    assert_null(strchr(name, '/'));
    assert_null(strchr(name, '"'));
    assert_null(strchr(name, ' '));
}

static int enter(void **state)
{
    char folder[] = "/tmp/bioft-results-XXXXXX";
    *state = mkdtemp(folder) ? strdup(folder) : NULL;
    return *state ? 0 : -1;
}

static int leave(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", (char *)*state);
    free(*state);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(round_trip, enter, leave),
        cmocka_unit_test_setup_teardown(records_and_indicators, enter, leave),
        cmocka_unit_test_setup_teardown(several_metrics, enter, leave),
        cmocka_unit_test_setup_teardown(joins_and_reads, enter, leave),
        cmocka_unit_test(file_names_are_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
