/* The log: levels and whole texts reach the writer; without one nothing happens. */
#include "test.h"

#include "base/log.h"

struct seen {
    enum log_level level;
    char text[4000];
    int calls;
};

static void write_seen(void *ctx, enum log_level level, const char *text)
{
    struct seen *seen = ctx;

    seen->level = level;
    snprintf(seen->text, sizeof seen->text, "%s", text);
    seen->calls++;
}

static void passes_on(void **state)
{
    struct seen seen = { 0 };
    struct log log = { .write = write_seen, .ctx = &seen };
    char longer[3000];

    (void)state;
    log_write(&log, LOG_WARNING, "%s: %d", "conv1", 3);
    assert_int_equal(seen.level, LOG_WARNING);
    assert_string_equal(seen.text, "conv1: 3");
    memset(longer, 'a', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    log_write(&log, LOG_DETAIL, "%s", longer);
    assert_int_equal(seen.level, LOG_DETAIL);
    assert_string_equal(seen.text, longer);
    for (size_t n = 1020; n < 1030; n++) { /* around the size of the buffer inside */
        log_write(&log, LOG_PROGRESS, "%.*s", (int)n, longer);
        assert_int_equal(strlen(seen.text), n);
    }
    assert_int_equal(seen.calls, 12);
}

static void may_be_absent(void **state)
{
    struct log log = { 0 };

    (void)state;
    log_write(NULL, LOG_INFO, "%d", 1);
    log_write(&log, LOG_INFO, "%d", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_on),
        cmocka_unit_test(may_be_absent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
