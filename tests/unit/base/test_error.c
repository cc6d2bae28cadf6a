/* Errors: text and status, prefixes, cuts, and arguments that lie inside the error itself. */
#include "test.h"

#include "base/error.h"

static void sets_and_returns(void **state)
{
    struct error err = { 0 };

    (void)state;
    assert_int_equal(error_set(&err, BIOFT_ERR_FORMAT, "%s:%d: wrong", "a.npy", 3), BIOFT_ERR_FORMAT);
    assert_int_equal(err.status, BIOFT_ERR_FORMAT);
    assert_string_equal(err.text, "a.npy:3: wrong");
    assert_int_equal(error_memory(&err, "the batch"), BIOFT_ERR_MEMORY);
    assert_string_equal(err.text, "out of memory for the batch");
}

static void takes_no_error(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, BIOFT_ERR_IO, "%s", "x"), BIOFT_ERR_IO);
    assert_int_equal(error_memory(NULL, "x"), BIOFT_ERR_MEMORY);
    error_prefix(NULL, "%s", "x");
}

static void prefixes(void **state)
{
    struct error err = { 0 };

    (void)state;
    error_set(&err, BIOFT_ERR_IO, "cannot read");
    assert_int_equal(error_prefix(&err, "trial %d", 3), BIOFT_ERR_IO);
    assert_string_equal(err.text, "trial 3: cannot read");
    assert_int_equal(error_prefix(&err, "run"), BIOFT_ERR_IO);
    assert_string_equal(err.text, "run: trial 3: cannot read");
}

static void takes_its_own_text(void **state)
{
    struct error err = { 0 };

    (void)state;
    error_set(&err, BIOFT_ERR_IO, "inner");
    error_set(&err, BIOFT_ERR_INVALID, "outer (%s), again (%s)", err.text, err.text);
    assert_string_equal(err.text, "outer (inner), again (inner)");
    error_prefix(&err, "%.5s", err.text);
    assert_string_equal(err.text, "outer: outer (inner), again (inner)");
}

static void cuts_visibly(void **state)
{
    struct error err = { 0 };
    char full[sizeof err.text], longer[sizeof err.text + 1];

    (void)state;
    memset(full, 'a', sizeof full);
    full[sizeof full - 1] = '\0';
    error_set(&err, BIOFT_ERR_IO, "%s", full);
    assert_string_equal(err.text, full); /* what fits is whole */

    memset(longer, 'a', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    error_set(&err, BIOFT_ERR_IO, "%s", longer);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_string_equal(err.text + sizeof err.text - 5, "a...");

    error_set(&err, BIOFT_ERR_IO, "%s", full);
    error_prefix(&err, "b");
    assert_memory_equal(err.text, "b: aaa", 6);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_string_equal(err.text + sizeof err.text - 5, "a...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_and_returns),   cmocka_unit_test(takes_no_error), cmocka_unit_test(prefixes),
        cmocka_unit_test(takes_its_own_text), cmocka_unit_test(cuts_visibly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
