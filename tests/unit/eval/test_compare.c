/* Paired tests, intervals, Student's quantiles and Holm's correction against scipy's, published and
 * hand-made values. */
#include "eval/compare.h"
#include "eval/permutation.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "golden_compare.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static bool near(double a, double b, double relative) { return fabs(a - b) <= relative * fmax(fabs(a), fabs(b)); }

static void mcnemar_agrees_with_scipy(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(golden_mcnemars); i++) {
        assert_true(near(compare_mcnemar(golden_mcnemars[i].a, golden_mcnemars[i].b), golden_mcnemars[i].p, 1e-10));
        assert_true(compare_mcnemar(golden_mcnemars[i].a, golden_mcnemars[i].b) ==
                    compare_mcnemar(golden_mcnemars[i].b, golden_mcnemars[i].a));
    }
}

static void newcombe_agrees_with_the_roots(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(golden_newcombes); i++) {
        const struct golden_newcombe *g = &golden_newcombes[i];
        const struct interval ci = compare_newcombe(g->e, g->f, g->g, g->h);
        const struct interval back = compare_newcombe(g->e, g->g, g->f, g->h);
        assert_true(fabs(ci.low - g->low) < 1e-9 && fabs(ci.high - g->high) < 1e-9);
        assert_true(fabs(ci.low + back.high) < 1e-12 && fabs(ci.high + back.low) < 1e-12);
    }
    assert_true(compare_newcombe(0, 0, 0, 0).low == -1.0 && compare_newcombe(0, 0, 0, 0).high == 1.0);
}

static void student_agrees_with_scipy_and_tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(golden_students); i++) {
        const struct golden_student *g = &golden_students[i];
        assert_true(near(student_quantile(g->p, g->df), g->t, 1e-10) || g->t == 0.0);
        assert_true(fabs(student_below(g->t, g->df) - g->p) < 1e-11);
    }
    assert_true(fabs(student_quantile(0.975, 1) - 12.706) < 5e-4); /* as printed in every table */
    assert_true(fabs(student_quantile(0.975, 4) - 2.776) < 5e-4);
    assert_true(fabs(student_quantile(0.95, 10) - 1.812) < 5e-4);
    assert_true(fabs(student_quantile(0.995, 30) - 2.750) < 5e-4);
}

static void seeds_agree_with_a_t_test(void **state)
{
    const double one[] = { 0.25 };

    (void)state;
    for (size_t i = 0; i < COUNT(golden_seed_sets); i++) {
        const struct golden_seeds *g = &golden_seed_sets[i];
        const struct comparison c = compare_seeds(g->x, g->n, -1.0, 1.0);
        assert_true(near(c.difference, g->mean, 1e-12) && near(c.p, g->p, 1e-9) && c.n == g->n);
        assert_true(near(c.ci.low, g->low, 1e-9) && near(c.ci.high, g->high, 1e-9));
    }
    const struct comparison c = compare_seeds(one, 1, 0.0, 1.0);
    assert_true(c.difference == 0.25 && c.ci.low == 0.0 && c.ci.high == 1.0 && c.p == 1.0);
}

/* Five equal values have no variance: the sign test has 2 in 2^5, and there is no interval. */
static void equal_seeds_have_no_t_test(void **state)
{
    const double same[] = { -0.03, -0.03, -0.03, -0.03, -0.03 }, zero[] = { 0.0, 0.0, 0.0 },
                 high[] = { 0.9, 0.99, 1.0, 0.9, 0.8 };

    (void)state;
    const struct comparison c = compare_seeds(same, 5, -1.0, 1.0);
    assert_true(c.alike && c.p == 0.0625 && c.ci.low == -1.0 && c.ci.high == 1.0);
    assert_true(compare_seeds(zero, 3, -1.0, 1.0).p == 1.0);
    const struct comparison top = compare_seeds(high, 5, 0.0, 1.0);
    assert_true(top.ci.high == 1.0 && top.ci.low > 0.0 && !top.alike);
}

static void permutations_agree_with_scipy(void **state)
{
    double more[1000], p, again;

    (void)state;
    for (size_t i = 0; i < COUNT(golden_permutations); i++) {
        const struct golden_permutation *g = &golden_permutations[i];
        assert_int_equal(permutation_test(g->d, g->n, &p, NULL), BIOFT_OK);
        /* Above 20 both draw: ours stops at 200 of them, a standard error of 7%. */
        if (g->n <= 20)
            assert_true(near(p, g->p, 1e-9));
        else
            assert_true(fabs(p - g->p) < 0.25 * g->p);
    }
    for (size_t i = 0; i < 1000; i++)
        more[i] = 0.1 + 0.3 * sin((double)(i * i));
    assert_int_equal(permutation_test(more, 1000, &p, NULL), BIOFT_OK);
    assert_int_equal(permutation_test(more, 1000, &again, NULL), BIOFT_OK);
    assert_true(p == 1.0 / 100000.0 && again == p); /* of 1,000 comparisons one would still tell */
    for (size_t i = 0; i < 1000; i++)
        more[i] = 0.0;
    assert_int_equal(permutation_test(more, 1000, &p, NULL), BIOFT_OK);
    assert_true(p == 1.0);
}

/* The worked example: 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, never below the one before. */
static void holm_is_stepwise(void **state)
{
    double p[] = { 0.03, 0.01, 0.04, 0.02 }, large[] = { 0.6, 0.9 }, none[1] = { 7.0 };

    (void)state;
    assert_true(compare_holm(p, 4));
    assert_true(near(p[1], 0.04, 1e-12) && near(p[3], 0.06, 1e-12));
    assert_true(near(p[0], 0.06, 1e-12) && near(p[2], 0.06, 1e-12));
    assert_true(compare_holm(large, 2) && large[0] == 1.0 && large[1] == 1.0);
    assert_true(compare_holm(none, 0) && none[0] == 7.0);
}

static struct prediction *make(uint64_t n, double (*score)(uint64_t i))
{
    struct prediction *p = calloc(n, sizeof *p);
    assert_non_null(p);
    for (uint64_t i = 0; i < n; i++)
        p[i] = (struct prediction){ .sample = 3 * i, .label = (int32_t)(i % 5), .score = score(i) };
    return p;
}

static double mostly(uint64_t i) { return i % 10 != 0; }
static double half(uint64_t i) { return i % 2 != 0; }
static double smooth(uint64_t i) { return 0.5 + 0.3 * sin((double)i); }
static double lower(uint64_t i) { return smooth(i) - 0.1 - 0.05 * cos(7.0 * (double)i); }
static double beside(uint64_t i) { return smooth(i) + 0.2 * sin(1.7 * (double)i + 1.0); }

static void figures_are_paired_by_sample(void **state)
{
    struct figure a = { .metric = METRIC_ACCURACY, .n = 200, .predictions = make(200, mostly) };
    struct figure b = { .metric = METRIC_ACCURACY, .n = 200, .predictions = make(200, half) };
    struct comparison c;
    struct error err;
    bool paired;

    (void)state;
    assert_int_equal(compare_figures(&a, &b, &c, &paired, &err), BIOFT_OK);
    assert_true(paired && c.n == 200 && fabs(c.difference - 0.4) < 1e-12);
    assert_true(c.p == compare_mcnemar(80, 0));
    assert_true(c.ci.low == compare_newcombe(100, 80, 0, 20).low);
    b.predictions[7].sample = 1;
    assert_int_equal(compare_figures(&a, &b, &c, &paired, &err), BIOFT_OK);
    assert_false(paired);
    b.predictions[7].sample = 21;
    b.n = 199;
    assert_int_equal(compare_figures(&a, &b, &c, &paired, &err), BIOFT_OK);
    assert_false(paired);
    free(a.predictions);
    free(b.predictions);
}

static void means_are_bootstrapped_in_pairs(void **state)
{
    struct figure a = { .metric = "map@10", .n = 300, .predictions = make(300, smooth) };
    struct figure b = { .metric = "map@10", .n = 300, .predictions = make(300, lower) };
    struct figure d = { .metric = "map@10", .n = 300, .predictions = make(300, beside) };
    struct comparison c;
    struct error err;
    bool paired;

    (void)state;
    assert_int_equal(compare_figures(&a, &b, &c, &paired, &err), BIOFT_OK);
    /* Paired, the spread is that of 0.05 cos: its deviation over sqrt(300) is 0.00204. */
    assert_true(paired && fabs(c.difference - 0.1) < 0.001 && c.p == 1.0 / 100000.0);
    assert_true(fabs((c.ci.high - c.ci.low) / (2.0 * 1.96 * 0.00204) - 1.0) < 0.1);
    assert_int_equal(compare_figures(&a, &d, &c, &paired, &err), BIOFT_OK);
    assert_true(c.ci.low < 0.0 && c.ci.high > 0.0 && c.p > 0.05);
    assert_int_equal(compare_figures(&a, &a, &c, &paired, &err), BIOFT_OK);
    assert_true(c.difference == 0.0 && c.p == 1.0);
    free(a.predictions);
    free(b.predictions);
    free(d.predictions);
}

static double few(uint64_t i) { return i == 4; }
static double none(uint64_t i) { return 0.0 * (double)i; }

/* Seeds that agree on one image of 33 say nothing of other images; on many they do. */
static void seeds_that_agree_need_images_too(void **state)
{
    struct figure a[5], b[5];
    const struct figure *x[5], *y[5];
    struct comparison c;
    struct error err;
    bool paired;

    (void)state;
    for (int k = 0; k < 5; k++) {
        a[k] = b[k] = (struct figure){ .metric = METRIC_ACCURACY };
        assert_int_equal(figure_fill(&a[k], make(33, few), 33, &err), BIOFT_OK);
        assert_int_equal(figure_fill(&b[k], make(33, none), 33, &err), BIOFT_OK);
        x[k] = &a[k];
        y[k] = &b[k];
    }
    assert_int_equal(compare_runs(x, y, 5, &c, &paired, &err), BIOFT_OK);
    assert_true(paired && c.alike && c.n == 5 && c.images == 33 && c.p == 1.0);
    assert_true(c.ci.low <= 0.0 && c.ci.high > 1.0 / 33.0 && c.ci.high < 0.2);
    /* Two of the seeds differ in one more: a t-test alone would have p < 0.01. */
    for (int k = 0; k < 2; k++) {
        a[k].predictions[9].score = 1.0;
        assert_int_equal(figure_fill(&a[k], a[k].predictions, 33, &err), BIOFT_OK);
    }
    const double values[] = { 2 / 33.0, 2 / 33.0, 1 / 33.0, 1 / 33.0, 1 / 33.0 };
    assert_true(compare_seeds(values, 5, -1.0, 1.0).p < 0.01);
    assert_int_equal(compare_runs(x, y, 5, &c, &paired, &err), BIOFT_OK);
    assert_true(!c.alike && c.p == 0.5 && c.ci.low <= compare_seeds(values, 5, -1.0, 1.0).ci.low);
    for (int k = 0; k < 5; k++) {
        free(a[k].predictions);
        free(b[k].predictions);
    }
}

/* b right-only and c wrong-only of n, the rest half and half. */
static struct comparison counted(uint64_t only_a, uint64_t only_b, uint64_t n)
{
    const uint64_t rest = n - only_a - only_b;
    const double difference = ((double)only_a - (double)only_b) / (double)n;
    return (struct comparison){ .difference = difference,
                                .n = n,
                                .images = n,
                                .counts = true,
                                .ci = compare_newcombe(rest / 2, only_a, only_b, rest - rest / 2),
                                .p = compare_mcnemar(only_a, only_b),
                                .spread = sqrt((double)(only_a + only_b) / (double)n - difference * difference) };
}

static void outcomes_are_three_and_a_direction(void **state)
{
    (void)state;
    struct comparison c = counted(26, 1, 200); /* p = 4e-7 */
    assert_true(fabs(c.p - 4.1723e-7) < 1e-10);
    assert_int_equal(compare_outcome(&c, c.p), OUTCOME_MORE);
    c = counted(1, 26, 200);
    assert_int_equal(compare_outcome(&c, c.p), OUTCOME_LESS);
    c = counted(6, 0, 18); /* p = 0.03 */
    assert_int_equal(compare_outcome(&c, c.p), OUTCOME_UNDECIDED);
    c = counted(3, 1, 1000);
    assert_int_equal(compare_outcome(&c, c.p), OUTCOME_SAME);
    c = counted(0, 0, 30);
    assert_int_equal(compare_outcome(&c, c.p), OUTCOME_UNDECIDED);
    c = counted(190, 10, 10000); /* clear, and below the margin: too small to be called so */
    assert_int_equal(compare_outcome(&c, c.p), OUTCOME_UNDECIDED);
}

/* With as many samples as are named, and the same shares, it is decided; with less than half of them not. */
static void what_is_needed_decides(void **state)
{
    static const struct {
        uint64_t a, b, n;
        size_t family;
    } found[] = {
        { 6, 0, 18, 1 }, { 6, 0, 18, 14 }, { 12, 4, 100, 6 }, { 3, 1, 100, 1 }, { 0, 0, 30, 1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(found); i++) {
        const struct comparison c = counted(found[i].a, found[i].b, found[i].n);
        const double family = (double)found[i].family;
        assert_int_equal(compare_outcome(&c, fmin(1.0, c.p * family)), OUTCOME_UNDECIDED);
        const uint64_t n = compare_needed(&c, found[i].family);
        assert_true(n > found[i].n && n < 100000);
        for (int part = 0; part < 2; part++) {
            const double scale = (part ? 1.3 : 0.4) * (double)n / (double)found[i].n;
            const struct comparison d = counted((uint64_t)(scale * (double)found[i].a),
                                                (uint64_t)(scale * (double)found[i].b),
                                                (uint64_t)(scale * (double)found[i].n));
            assert_true((compare_outcome(&d, fmin(1.0, d.p * family)) != OUTCOME_UNDECIDED) == part);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mcnemar_agrees_with_scipy),
        cmocka_unit_test(newcombe_agrees_with_the_roots),
        cmocka_unit_test(student_agrees_with_scipy_and_tables),
        cmocka_unit_test(seeds_agree_with_a_t_test),
        cmocka_unit_test(equal_seeds_have_no_t_test),
        cmocka_unit_test(permutations_agree_with_scipy),
        cmocka_unit_test(seeds_that_agree_need_images_too),
        cmocka_unit_test(outcomes_are_three_and_a_direction),
        cmocka_unit_test(what_is_needed_decides),
        cmocka_unit_test(holm_is_stepwise),
        cmocka_unit_test(figures_are_paired_by_sample),
        cmocka_unit_test(means_are_bootstrapped_in_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
