/* Wilson's interval against published values (Newcombe, Statistics in Medicine 17, 1998, table I, method 3). */
#include "eval/interval.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_newcombe),
        cmocka_unit_test(is_symmetric_and_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
