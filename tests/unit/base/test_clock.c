/* Clocks: forward only, in seconds, and UTC as RFC 3339 writes it. */
#include "test.h"

#include "base/clock.h"

#include <time.h>

static void measures_seconds(void **state)
{
    struct timespec pause = { .tv_nsec = 20000000 };
    double before = clock_seconds(), after;

    (void)state;
    nanosleep(&pause, NULL);
    after = clock_seconds();
    assert_true(after - before >= 0.0199);
    assert_true(after - before < 60);
}

static void writes_utc(void **state)
{
    char text[CLOCK_TEXT];
    struct tm tm = { 0 };
    time_t before = time(NULL), told;
    const char *end;

    (void)state;
    /* A zone of its own must not show. */
    setenv("TZ", "XYZ-7:30", 1);
    tzset();
    assert_ptr_equal(clock_utc(text), text);
    assert_int_equal(strlen(text), 20);
    end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    assert_non_null(end);
    assert_string_equal(end, "");
    told = timegm(&tm);
    assert_true(told >= before && told <= time(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_seconds),
        cmocka_unit_test(writes_utc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
