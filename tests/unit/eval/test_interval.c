/* Wilson's interval against published values (Newcombe, Statistics in Medicine 17, 1998, table I,
 * method 3); the bootstrap against numpy's percentiles of the same draws and against what a mean's
 * spread is known to be. */
#include "eval/interval.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "golden_map.h"

static const struct {
    uint64_t k, n;
    double low, high;
} published[] = {
    { 81, 263, 0.2553, 0.3662 },
    { 15, 148, 0.0624, 0.1605 },
    { 0, 20, 0.0000, 0.1611 },
    { 1, 29, 0.0061, 0.1718 },
};

static void agrees_with_newcombe(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        const struct interval ci = interval_wilson(published[i].k, published[i].n);
        assert_true(fabs(ci.low - published[i].low) < 5e-5);
        assert_true(fabs(ci.high - published[i].high) < 5e-5);
    }
}

static void is_symmetric_and_inside(void **state)
{
    (void)state;
    for (uint64_t n = 0; n <= 40; n++)
        for (uint64_t k = 0; k <= n; k++) {
            const struct interval a = interval_wilson(k, n), b = interval_wilson(n - k, n);
            assert_true(a.low >= 0.0 && a.high <= 1.0 && a.low <= a.high);
            assert_true(fabs(a.low - (1.0 - b.high)) < 1e-15 || n == 0);
            if (n)
                assert_true(a.low <= (double)k / (double)n && a.high >= (double)k / (double)n);
        }
    assert_true(interval_wilson(0, 50).low == 0.0 && interval_wilson(50, 50).high == 1.0);
}

static void bootstrap_agrees_with_numpy(void **state)
{
    double values[300];

    (void)state;
    for (size_t i = 0; i < 300; i++)
        values[i] = (double)(i * i % 11) / 10.0;
    for (size_t i = 0; i < sizeof golden_bootstraps / sizeof *golden_bootstraps; i++) {
        const struct interval ci = interval_bootstrap(values, golden_bootstraps[i].n, golden_bootstraps[i].seed);
        assert_true(fabs(ci.low - golden_bootstraps[i].low) < 1e-12);
        assert_true(fabs(ci.high - golden_bootstraps[i].high) < 1e-12);
    }
}

/* Of 1,000 values of which 300 are 1 the mean has a standard error of sqrt(0.3 * 0.7 / 1000). */
static void bootstrap_has_the_spread_of_a_mean(void **state)
{
    double values[1000];
    const double half = 1.96 * sqrt(0.3 * 0.7 / 1000.0);

    (void)state;
    for (size_t i = 0; i < 1000; i++)
        values[i] = i % 10 < 3;
    const struct interval ci = interval_bootstrap(values, 1000, 5), other = interval_bootstrap(values, 1000, 6);
    assert_true(fabs(ci.low - (0.3 - half)) < 0.1 * half && fabs(ci.high - (0.3 + half)) < 0.1 * half);
    assert_true(ci.low != other.low || ci.high != other.high);
    const struct interval none = interval_bootstrap(values, 0, 5);
    assert_true(none.low == 0.0 && none.high == 1.0);
}

/* Values that are all alike: at the end of the range Wilson's interval, in the middle no less; and
 * other values draw other samples. */
static void a_mean_has_no_interval_of_width_zero(void **state)
{
    double ones[33], half[33], many[500], shifted[500];

    (void)state;
    for (size_t i = 0; i < 33; i++) {
        ones[i] = 1.0;
        half[i] = 0.5;
    }
    const struct interval top = interval_mean(ones, 33, 0.0, 1.0), wilson = interval_wilson(33, 33);
    assert_true(fabs(top.low - wilson.low) < 1e-12 && top.high == 1.0);
    const struct interval middle = interval_mean(half, 33, 0.0, 1.0);
    assert_true(middle.low < 0.46 && middle.high > 0.54);
    for (size_t i = 0; i < 500; i++) {
        many[i] = (double)(i * i % 11) / 10.0;
        shifted[i] = many[i] + 1e-9;
    }
    const struct interval a = interval_mean(many, 500, 0.0, 1.0), b = interval_mean(many, 500, 0.0, 1.0),
                          c = interval_mean(shifted, 500, 0.0, 1.0);
    assert_true(a.low == b.low && a.high == b.high);
    assert_true(fabs(a.low - c.low) > 1e-6 || fabs(a.high - c.high) > 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_newcombe),
        cmocka_unit_test(is_symmetric_and_inside),
        cmocka_unit_test(bootstrap_agrees_with_numpy),
        cmocka_unit_test(bootstrap_has_the_spread_of_a_mean),
        cmocka_unit_test(a_mean_has_no_interval_of_width_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
