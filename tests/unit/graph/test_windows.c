/* How often windows fit, against torch's counts in tests/golden/windows.txt. */
#include "graph/shapes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *golden;

static void counts_are_those_of_torch(void **state)
{
    FILE *file = fopen(golden, "r");
    char line[256], kind[8];
    unsigned side, kernel, stride, dilation, padding, count;
    int lines = 0;

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        if (line[0] == '#')
            continue;
        assert_int_equal(
            sscanf(line, "%7s %u %u %u %u %u %u", kind, &side, &kernel, &stride, &dilation, &padding, &count), 7);
        const struct window w = { kernel, stride, dilation, padding, padding, strcmp(kind, "ceil") == 0 };
        if (window_count(w, side) != count)
            fail_msg("%llu: %s", (unsigned long long)window_count(w, side), line);
        lines++;
    }
    fclose(file);
    assert_true(lines > 800);
}

static void unequal_padding(void **state)
{
    (void)state;
    assert_int_equal(window_count((struct window){ 3, 2, 1, 0, 1, false }, 6), 3);
    assert_int_equal(window_count((struct window){ 3, 2, 1, 0, 0, false }, 6), 2);
    assert_int_equal(window_count((struct window){ 3, 2, 1, 0, 0, true }, 6), 3);
}

/* Nothing wraps round at the ends of 32 bits. */
static void extremes(void **state)
{
    const uint32_t most = UINT32_MAX;
    uint32_t ret = 7;

    (void)state;
    assert_int_equal(window_count((struct window){ most, 1, most, 0, 0, false }, most), 0);
    assert_int_equal(window_count((struct window){ 1, 1, 1, most, most, false }, most), 3ull * most);
    assert_int_equal(window_count((struct window){ most, most, 1, 0, 0, true }, most), 1);
    assert_false(shape_elements((struct shape){ most, most, most }, &ret));
    assert_false(shape_elements((struct shape){ 1u << 15, 1u << 8, 1u << 8 }, &ret));
    assert_false(shape_elements((struct shape){ 0, 3, 3 }, &ret));
    assert_int_equal(ret, 7);
    assert_true(shape_elements((struct shape){ INT32_MAX, 1, 1 }, &ret));
    assert_int_equal(ret, INT32_MAX);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_those_of_torch),
        cmocka_unit_test(unequal_padding),
        cmocka_unit_test(extremes),
    };

    if (argc != 2)
        return 2;
    golden = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
