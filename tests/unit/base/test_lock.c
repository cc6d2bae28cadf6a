/* Locks: one holder, named to the others, and gone with its process. */
#include "test.h"

#include "base/file.h"
#include "base/stop.h"

#include <signal.h>
#include <sys/wait.h>

static void excludes(void **state)
{
    struct error err = { 0 };
    char want[64];
    int lock = -1, other = -1;

    (void)state;
    assert_int_equal(file_lock("lock", &lock, &err), BIOFT_OK);
    assert_int_equal(file_lock("lock", &other, &err), BIOFT_ERR_IO);
    assert_int_equal(other, -1);
    snprintf(want, sizeof want, "/lock: in use by process %ld", (long)getpid());
    assert_non_null(strstr(err.text, want));
    assert_int_equal(err.text[0], '/');
    file_unlock(lock);
    assert_int_equal(file_lock("lock", &other, &err), BIOFT_OK);
    file_unlock(other);
    file_unlock(-1);
}

static void ends_with_its_process(void **state)
{
    struct error err = { 0 };
    char want[64], byte;
    int lock = -1, ends[2], status;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (file_lock("lock", &lock, &err) != BIOFT_OK || write(ends[1], "x", 1) != 1)
            _exit(1);
        pause();
        _exit(1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    assert_int_equal(file_lock("lock", &lock, &err), BIOFT_ERR_IO);
    snprintf(want, sizeof want, "in use by process %ld", (long)child);
    assert_non_null(strstr(err.text, want));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    /* The dead one's number does not hold it. */
    assert_int_equal(file_lock("lock", &lock, &err), BIOFT_OK);
    file_unlock(lock);
}

static void faults(void **state)
{
    struct error err = { 0 };
    int lock = -1;

    (void)state;
    assert_int_equal(file_lock("none/lock", &lock, &err), BIOFT_ERR_IO);
    assert_non_null(strstr(err.text, "none/lock: cannot lock: No such file or directory"));
    assert_int_equal(file_lock(".", &lock, &err), BIOFT_ERR_IO);
    assert_int_equal(lock, -1);
}

/* Many may share a lock; one that wants it alone is neither let in nor lets them in. */
static void holds_a_file_and_not_its_name(void **state)
{
    struct error err;
    int lock;

    (void)state;
    assert_int_equal(file_lock("held", &lock, &err), BIOFT_OK);
    assert_true(file_lock_holds(lock, "held"));
    assert_int_equal(file_remove("held", &err), BIOFT_OK);
    assert_false(file_lock_holds(lock, "held"));
    assert_int_equal(file_write("held", "", 0, &err), BIOFT_OK);
    assert_false(file_lock_holds(lock, "held"));
    file_unlock(lock);
}

static void shared(void **state)
{
    int one = -1, two = -1, alone = -1;
    struct error err;
    const struct stop stop = { .signal = 15 };

    (void)state;
    assert_int_equal(file_lock_shared("shared", &one, &err), BIOFT_OK);
    assert_int_equal(file_lock_shared("shared", &two, &err), BIOFT_OK);
    assert_int_equal(file_lock("shared", &alone, &err), BIOFT_ERR_IO);
    file_unlock(one);
    assert_int_equal(file_lock_wait("shared", &stop, &alone, &err), BIOFT_ERR_CANCELLED);
    file_unlock(two);
    assert_int_equal(file_lock_wait("shared", &stop, &alone, &err), BIOFT_OK);
    assert_int_equal(file_lock_shared("shared", &one, &err), BIOFT_ERR_IO);
    file_unlock(alone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shared, test_enter_folder, test_leave_folder),
        cmocka_unit_test_setup_teardown(holds_a_file_and_not_its_name, test_enter_folder, test_leave_folder),
        cmocka_unit_test_setup_teardown(excludes, test_enter_folder, test_leave_folder),
        cmocka_unit_test_setup_teardown(ends_with_its_process, test_enter_folder, test_leave_folder),
        cmocka_unit_test_setup_teardown(faults, test_enter_folder, test_leave_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
