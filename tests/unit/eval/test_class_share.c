/* The part of the most frequent label. */
#include "eval/class_share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static double share(const int32_t *labels, uint64_t n)
{
    struct prediction *p = calloc(n + 1, sizeof *p);
    struct error err;
    double ret = -1.0;
    assert_non_null(p);
    for (uint64_t i = 0; i < n; i++)
        p[i].label = labels[i];
    assert_int_equal(class_share(p, n, &ret, &err), BIOFT_OK);
    free(p);
    return ret;
}

static void counts_the_most_frequent(void **state)
{
    (void)state;
    assert_true(share((const int32_t[]){ 3, 1, 3, 7, 3, 1, 0, 3 }, 8) == 0.5);
    assert_true(share((const int32_t[]){ 9, 8, 7, 6 }, 4) == 0.25);
    assert_true(share((const int32_t[]){ -1, -1, 2, -1 }, 4) == 0.75); /* -1: no single label */
    assert_true(share((const int32_t[]){ 5 }, 1) == 1.0);
    assert_true(share(NULL, 0) == 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(counts_the_most_frequent) };
    return cmocka_run_group_tests_name("class_share", tests, NULL, NULL);
}
