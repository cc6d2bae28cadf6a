/* How many threads: the affinity, and control groups as a kernel or a container shows them. */
#include "test.h"

#include "base/file.h"
#include "base/threads.h"

#include <sched.h>

static void put(const char *path, const char *text)
{
    struct error err = { 0 };
    char *folder = path_folder(path);

    assert_int_equal(file_make_folder(folder, &err), BIOFT_OK);
    assert_int_equal(file_write(path, text, strlen(text), &err), BIOFT_OK);
    free(folder);
}

static void none(void **state)
{
    (void)state;
    assert_int_equal(threads_quota("empty"), 0);
    put("none/proc/self/cgroup", "");
    assert_int_equal(threads_quota("none"), 0);
    put("odd/proc/self/cgroup", "\n::\nx\n0:\n0::no slash\n");
    assert_int_equal(threads_quota("odd"), 0);
}

static void version_2(void **state)
{
    (void)state;
    put("r/proc/self/cgroup", "0::/a/b\n");
    put("r/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    assert_int_equal(threads_quota("r"), 0);
    put("r/sys/fs/cgroup/a/b/cpu.max", "150000 100000\n");
    assert_int_equal(threads_quota("r"), 2); /* rounded up */
    put("r/sys/fs/cgroup/a/b/cpu.max", "400000 100000\n");
    assert_int_equal(threads_quota("r"), 4);
    put("r/sys/fs/cgroup/a/cpu.max", "300000 100000\n");
    assert_int_equal(threads_quota("r"), 3); /* a group above allows less */
    put("r/sys/fs/cgroup/a/b/cpu.max", "100 100000\n");
    assert_int_equal(threads_quota("r"), 1);
    put("r/sys/fs/cgroup/a/b/cpu.max", "9223372036854775807 1\n");
    assert_int_equal(threads_quota("r"), 3);
    put("r/sys/fs/cgroup/a/b/cpu.max", "200000 0\n");
    assert_int_equal(threads_quota("r"), 3);
}

static void container(void **state)
{
    (void)state;
    /* The host's path, not seen inside. */
    put("c/proc/self/cgroup", "0::/kubepods/pod1/0123\n");
    put("c/sys/fs/cgroup/cpu.max", "250000 100000\n");
    assert_int_equal(threads_quota("c"), 3);
    put("c/proc/self/cgroup", "0::/\n");
    assert_int_equal(threads_quota("c"), 3);
}

static void version_1(void **state)
{
    (void)state;
    put("o/proc/self/cgroup", "5:memory:/job\n4:cpu,cpuacct:/job\n3:cpuset:/job\n1:name=systemd:/x\n");
    put("o/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "-1\n");
    put("o/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
    assert_int_equal(threads_quota("o"), 0);
    put("o/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "600000\n");
    assert_int_equal(threads_quota("o"), 6);
    put("o/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n");
    put("o/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    assert_int_equal(threads_quota("o"), 1);
    /* The quota of another controller, whose name begins alike, is none. */
    put("s/proc/self/cgroup", "3:cpuset:/job\n2:cpuacct:/job\n");
    put("s/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "600000\n");
    put("s/sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
    assert_int_equal(threads_quota("s"), 0);
}

static void follows_the_affinity(void **state)
{
    cpu_set_t before, one;
    unsigned available = threads_available();

    (void)state;
    assert_true(available >= 1);
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    assert_true(available <= (unsigned)CPU_COUNT(&before));
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &before) && CPU_COUNT(&one) == 0)
            CPU_SET(i, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(threads_available(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    assert_int_equal(threads_available(), available);
}

/* The default is fewer where OMP_NUM_THREADS says so, and never more than there are. */
static void takes_openmp_s_number(void **state)
{
    static const char *const all[] = { "0", "-1", "100000", "x", "", "1x" };
    (void)state;
    assert_int_equal(setenv("OMP_NUM_THREADS", "1,4", 1), 0);
    assert_int_equal(threads_default(), 1);
    for (size_t i = 0; i < COUNT(all); i++) {
        assert_int_equal(setenv("OMP_NUM_THREADS", all[i], 1), 0);
        assert_int_equal(threads_default(), threads_available());
    }
    assert_int_equal(unsetenv("OMP_NUM_THREADS"), 0);
    assert_int_equal(threads_default(), threads_available());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none),
        cmocka_unit_test(version_2),
        cmocka_unit_test(container),
        cmocka_unit_test(version_1),
        cmocka_unit_test(follows_the_affinity),
        cmocka_unit_test(takes_openmp_s_number),
    };

    return cmocka_run_group_tests(tests, test_enter_folder, test_leave_folder);
}
