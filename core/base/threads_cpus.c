/* How many threads this process may use: its affinity, and the CPU quota of its control groups. */
#include "base/threads.h"

#include "base/file.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST = 4096 };

/* The text of a small kernel file, or NULL. Freed with free(). */
static char *kernel_file(const char *path)
{
    uint8_t *bytes;
    size_t size;

    return file_read(path, 1 << 20, &bytes, &size, NULL) == BIOFT_OK ? (char *)bytes : NULL;
}

/* quota / period rounded up; 0: no limit. */
static unsigned cpus_of(long long quota, long long period)
{
    long long cpus;

    if (quota <= 0 || period <= 0)
        return 0;
    cpus = (quota - 1) / period + 1;
    return cpus > 1 << 20 ? 1 << 20 : (unsigned)cpus;
}

static unsigned smaller(unsigned a, unsigned b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

/* Version 2: cpu.max holds "QUOTA PERIOD" or "max PERIOD". */
static unsigned quota_v2(const char *folder)
{
    char path[2 * LONGEST], *text;
    long long quota, period;
    unsigned cpus = 0;

    snprintf(path, sizeof path, "%s/cpu.max", folder);
    text = kernel_file(path);
    if (text && sscanf(text, "%lld %lld", &quota, &period) == 2)
        cpus = cpus_of(quota, period);
    free(text);
    return cpus;
}

/* Version 1: two files; a quota of -1 is none. */
static unsigned quota_v1(const char *folder)
{
    char path[2 * LONGEST], *quota, *period;
    unsigned cpus = 0;

    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
    quota = kernel_file(path);
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
    period = kernel_file(path);
    if (quota && period)
        cpus = cpus_of(strtoll(quota, NULL, 10), strtoll(period, NULL, 10));
    free(quota);
    free(period);
    return cpus;
}

/* The least quota from the group up to the root of its hierarchy. In a container the group's path
 * may be the outer one and not exist here: then only the root is there, and it is the container's
 * own. */
static unsigned quota_upwards(const char *mount, const char *group, unsigned (*quota)(const char *folder))
{
    char folder[2 * LONGEST];
    size_t base = strlen(mount);
    unsigned cpus = 0;

    snprintf(folder, sizeof folder, "%s%s", mount, group);
    for (;;) {
        char *slash;
        cpus = smaller(cpus, quota(folder));
        slash = strrchr(folder + base, '/');
        if (!slash)
            return cpus;
        *slash = '\0';
    }
}

static bool names_cpu(const char *controllers)
{
    for (const char *p = controllers; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
        if (strncmp(p, "cpu", 3) == 0 && (p[3] == ',' || p[3] == '\0'))
            return true;
    return false;
}

unsigned threads_quota(const char *root)
{
    char path[LONGEST], *text, *line, *next;
    unsigned cpus = 0;

    if (strlen(root) > LONGEST / 2)
        return 0;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    text = kernel_file(path);
    /* Lines "ID:CONTROLLERS:PATH"; version 2 has ID 0 and no controllers. */
    for (line = text; line && *line; line = next) {
        char *controllers, *group;
        next = line + strcspn(line, "\n");
        if (*next)
            *next++ = '\0';
        controllers = strchr(line, ':');
        group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group || strlen(group) > LONGEST)
            continue;
        *group++ = '\0';
        controllers++;
        if (*controllers == '\0') {
            snprintf(path, sizeof path, "%s/sys/fs/cgroup", root);
            cpus = smaller(cpus, quota_upwards(path, group, quota_v2));
            snprintf(path, sizeof path, "%s/sys/fs/cgroup/unified", root);
            cpus = smaller(cpus, quota_upwards(path, group, quota_v2));
        } else if (names_cpu(controllers)) {
            snprintf(path, sizeof path, "%s/sys/fs/cgroup/cpu", root);
            cpus = smaller(cpus, quota_upwards(path, group, quota_v1));
            snprintf(path, sizeof path, "%s/sys/fs/cgroup/cpu,cpuacct", root);
            cpus = smaller(cpus, quota_upwards(path, group, quota_v1));
        }
    }
    free(text);
    return cpus;
}

/* CPUs in this process's mask; 0: not known. */
static unsigned affinity(void)
{
    for (int cpus = 1024; cpus <= 1 << 20; cpus *= 2) {
        cpu_set_t *set = CPU_ALLOC((size_t)cpus);
        size_t size = CPU_ALLOC_SIZE((size_t)cpus);
        int found = 0;
        if (!set)
            return 0;
        if (sched_getaffinity(0, size, set) == 0)
            found = CPU_COUNT_S(size, set);
        CPU_FREE(set);
        if (found > 0)
            return (unsigned)found;
    }
    return 0;
}

unsigned threads_available(void)
{
    unsigned cpus = affinity();
    long online;

    if (cpus == 0) {
        online = sysconf(_SC_NPROCESSORS_ONLN);
        cpus = online > 0 ? (unsigned)online : 1;
    }
    return smaller(cpus, threads_quota(""));
}

unsigned threads_default(void)
{
    const unsigned available = threads_available();
    const char *wanted = getenv("OMP_NUM_THREADS");
    char *end;

    if (!wanted)
        return available;
    const unsigned long n = strtoul(wanted, &end, 10); /* of a list the first: the outermost level's */
    return end != wanted && (*end == '\0' || *end == ',') && n > 0 && n < available ? (unsigned)n : available;
}
