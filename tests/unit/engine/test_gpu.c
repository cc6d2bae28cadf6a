/* The engine torch's questions to CUDA's driver, here a fake one of two GPUs: FAKE_GPUS, FAKE_TEST. */
#include "gpu.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { GPUS = 2 };

static void counted_and_named(void **state)
{
    const char *kind;
    char why[128], name[64];

    (void)state;
    assert_int_equal(gpu_count(&kind, why, sizeof why), GPUS);
    assert_string_equal(kind, "CUDA");
    assert_true(gpu_name(1, name, sizeof name));
    assert_string_equal(name, "Fake 1");
}

/* Each trial of --jobs has a GPU of its own as long as there are some; then they are shared evenly. */
static void each_taker_has_its_own(void **state)
{
    int locks[5];

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(gpu_take(GPUS, &locks[i]), i % GPUS);
    close(locks[1]);
    assert_int_equal(gpu_take(GPUS, &locks[1]), 1);
    for (int i = 0; i < 5; i++) {
        assert_true(locks[i] >= 0);
        close(locks[i]);
    }
    assert_int_equal(gpu_take(1, &locks[0]), 0);
    close(locks[0]);
}

/* What the locks leave, of this test's number alone. */
static int remove_locks(void **state)
{
    char pattern[96];
    glob_t found;

    (void)state;
    snprintf(pattern, sizeof pattern, "/tmp/bioft-gpu-%u-%02x0000*", (unsigned)getuid(), atoi(getenv("FAKE_TEST")));
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            unlink(found.gl_pathv[i]);
        globfree(&found);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(counted_and_named), cmocka_unit_test(each_taker_has_its_own) };

    setenv("FAKE_GPUS", "2", 1);
    return cmocka_run_group_tests(tests, NULL, remove_locks);
}
