/* Warnings and the worst case, on figures made by hand. */
#include "eval/checks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { N = 400 };

static struct prediction *predictions(struct arena *arena, unsigned right_from, unsigned right_to, double delta)
{
    struct prediction *p = arena_array(arena, N, sizeof *p);
    for (unsigned i = 0; i < N; i++)
        p[i] = (struct prediction){
            .sample = i, .score = i >= right_from && i < right_to, .delta_max = delta, .delta_mean = delta / 2
        };
    return p;
}

static struct figure attacked(struct arena *arena, const char *attack, const char *gradient, double epsilon,
                              unsigned from, unsigned to)
{
    struct figure f = { .stage = "s",
                        .split = "test",
                        .attack = attack,
                        .options = "",
                        .gradient = gradient,
                        .metric = METRIC_ACCURACY,
                        .norm = "linf",
                        .attacked = true,
                        .epsilon = epsilon };
    assert_int_equal(figure_fill(&f, predictions(arena, from, to, epsilon), N, NULL), BIOFT_OK);
    return f;
}

static int has(const struct figure *f, const char *word) { return f->warnings && strstr(f->warnings, word) != NULL; }

static void finds_masking(void **state)
{
    struct arena *arena = arena_create();
    struct figure f[] = {
        attacked(arena, "a", "rule", 0.1, 0, 300),  attacked(arena, "a", "exact", 0.1, 0, 40),
        attacked(arena, "a", "rule", 0.01, 0, 320), attacked(arena, "a", "exact", 0.01, 0, 318),
        attacked(arena, "b", "rule", 0.1, 0, 40),   attacked(arena, "b", "exact", 0.1, 0, 60),
        attacked(arena, "c", "rule", 0.1, 0, 200),  attacked(arena, "c", "exact", 0.1, 0, 192),
    };
    struct figure *worst;
    size_t count;
    (void)state;
    assert_int_equal(checks_run(f, 8, 0.2, arena, &worst, &count, NULL), BIOFT_OK);
    assert_true(has(&f[0], "masking") && strcmp(f[0].masking, "masking") == 0 && f[0].masking_n == 0);
    assert_false(has(&f[1], "masking"));
    assert_null(f[1].masking);
    assert_false(has(&f[2], "masking"));
    assert_string_equal(f[2].masking, "none");
    assert_true(has(&f[5], "exact-weaker-than-rule"));
    assert_string_equal(f[4].masking, "reversed");
    assert_false(has(&f[1], "exact-weaker-than-rule"));
    assert_true(has(&f[6], "gradients-undecided") && f[6].masking_n > N);
    /* Four comparisons are one family for Holm: 260 images one way and none the other. */
    assert_true(f[0].masking_p > 0.0 && f[0].masking_p < 1e-70);
    assert_true(f[6].masking_p > 2 * 0.0078 && f[6].masking_p < 2 * 0.0079);
    arena_destroy(arena);
}

/* The intervals of 36/100 and 26/100 meet; of the same images eleven are lost and one is won. */
static void pairs_tell_where_intervals_do_not(void **state)
{
    struct arena *arena = arena_create();
    struct figure f[] = { attacked(arena, "a", "rule", 0.1, 0, 158), attacked(arena, "a", "exact", 0.1, 1, 130) };
    struct figure *worst;
    size_t count;
    (void)state;
    assert_true(f[0].ci_low < f[1].ci_high);
    assert_int_equal(checks_run(f, 2, 0.2, arena, &worst, &count, NULL), BIOFT_OK);
    assert_string_equal(f[0].masking, "masking");
    arena_destroy(arena);
}

/* More at a larger epsilon is reported where the same images show it; where the larger one lacks the
 * stronger attack, the two worst cases hold other attacks and are not compared. */
static void worst_cases_of_other_attacks_do_not_rise(void **state)
{
    struct arena *arena = arena_create();
    struct figure f[] = {
        attacked(arena, "a", "exact", 0.1, 0, 300),
        attacked(arena, "a", "exact", 0.2, 0, 290),
        attacked(arena, "b", "exact", 0.1, 0, 40),
    };
    struct figure *worst;
    size_t count;
    (void)state;
    assert_int_equal(checks_run(f, 3, 0.2, arena, &worst, &count, NULL), BIOFT_OK);
    assert_int_equal(count, 2);
    assert_string_equal(worst[0].options, "a+b");
    assert_string_equal(worst[1].options, "a");
    assert_true(worst[0].value == 0.1 && worst[1].value == 290.0 / N && !has(&worst[1], "rises"));
    arena_destroy(arena);
}

static void norms_are_not_mixed(void **state)
{
    struct arena *arena = arena_create();
    struct figure f[] = { attacked(arena, "a", "exact", 0.5, 0, 0), attacked(arena, "b", "exact", 0.5, 0, 324) };
    struct figure *worst;
    size_t count;
    (void)state;
    f[1].norm = "l2";
    assert_int_equal(checks_run(f, 2, 0.2, arena, &worst, &count, NULL), BIOFT_OK);
    assert_true(count == 2 && worst[0].value == 0.0 && worst[1].value == 0.81);
    assert_string_equal(worst[1].norm, "l2");
    arena_destroy(arena);
}

static void finds_weak_attacks(void **state)
{
    struct arena *arena = arena_create();
    struct figure f[] = {
        attacked(arena, "a", "rule", 0.5, 0, 81),
        attacked(arena, "b", "rule", 0.5, 0, 80),
        attacked(arena, "c", "rule", 0.1, 0, 100),
        attacked(arena, "c", "rule", 0.2, 0, 200),
    };
    struct figure *worst;
    size_t count;
    (void)state;
    f[1].delta_max = 0.1;
    assert_int_equal(checks_run(f, 4, 0.2, arena, &worst, &count, NULL), BIOFT_OK);
    assert_true(has(&f[0], "attack-too-weak"));
    assert_false(has(&f[1], "attack-too-weak"));
    assert_true(has(&f[1], "budget-unused"));
    assert_false(has(&f[0], "budget-unused"));
    assert_true(has(&f[3], "rises-with-epsilon"));
    assert_false(has(&f[2], "rises-with-epsilon"));
    arena_destroy(arena);
}

/* What one attack saw and did not return is lost only where no other attack broke the image. */
static void found_and_lost_everywhere(void **state)
{
    struct arena *arena = arena_create();
    struct figure f[] = { attacked(arena, "a", "exact", 0.1, 0, 300), attacked(arena, "b", "exact", 0.1, 0, 200) };
    struct figure *worst;
    size_t count;
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct attack_record *r = arena_array(arena, N, sizeof *r);
        for (unsigned k = 0; k < N; k++) {
            r[k] = (struct attack_record){ .clean = 1.0,
                                           .right = f[i].predictions[k].score > 0.0,
                                           .target = -1,
                                           .traced = i == 0,
                                           .found = i == 0 && k >= 190 && k < 250,
                                           .part = "" };
            f[i].predictions[k].attack = &r[k];
        }
        assert_int_equal(figure_fill(&f[i], f[i].predictions, N, NULL), BIOFT_OK);
    }
    assert_int_equal(f[0].indicators.silent, 60);
    assert_int_equal(checks_run(f, 2, 0.2, arena, &worst, &count, NULL), BIOFT_OK);
    assert_int_equal(count, 1);
    assert_int_equal(worst[0].indicators.silent, 10); /* 190 to 199 */
    assert_int_equal(f[0].indicators.silent, 60);
    arena_destroy(arena);
}

static void worst_case_is_by_sample(void **state)
{
    struct arena *arena = arena_create();
    /* Right on 0..299 under one attack and on 100..399 under the other: both on 200 samples. */
    struct figure f[] = {
        attacked(arena, "a", "rule", 0.1, 0, 300),
        attacked(arena, "b", "exact", 0.1, 100, 400),
        attacked(arena, "b", "exact", 0.2, 0, 10),
    };
    struct figure *worst;
    size_t count;
    (void)state;
    assert_int_equal(checks_run(f, 3, 0.2, arena, &worst, &count, NULL), BIOFT_OK);
    assert_int_equal(count, 5); /* over all gradients, and of each that an epsilon has */
    assert_string_equal(worst[0].attack, "worst");
    assert_string_equal(worst[0].options, "a+b");
    assert_string_equal(worst[0].gradient, "");
    assert_true(worst[0].epsilon == 0.1 && worst[0].value == 0.5 && worst[0].n == N);
    assert_string_equal(worst[1].gradient, "exact");
    assert_true(worst[1].value == 0.75 && worst[1].epsilon == 0.1 && strcmp(worst[1].options, "b") == 0);
    assert_string_equal(worst[2].gradient, "rule");
    assert_true(worst[2].value == 0.75);
    assert_true(worst[3].epsilon == 0.2 && worst[3].value == 10.0 / N);
    assert_true(f[0].value == 0.75);
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_masking),
        cmocka_unit_test(pairs_tell_where_intervals_do_not),
        cmocka_unit_test(worst_cases_of_other_attacks_do_not_rise),
        cmocka_unit_test(norms_are_not_mixed),
        cmocka_unit_test(finds_weak_attacks),
        cmocka_unit_test(found_and_lost_everywhere),
        cmocka_unit_test(worst_case_is_by_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
