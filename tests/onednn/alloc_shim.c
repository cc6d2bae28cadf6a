/* For LD_PRELOAD: the Nth allocation of the process fails, ALLOC_FAIL_AT=N, and all after it where ALLOC_FAIL_ALL is set.
 * ALLOC_COUNT=FILE: the number of all is appended to it at exit. A process that was forked counts on. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static atomic_long calls;
static long at = -1;
static int all;

__attribute__((constructor)) static void begin(void)
{
    const char *s = getenv("ALLOC_FAIL_AT");
    at = s ? atol(s) : 0;
    all = getenv("ALLOC_FAIL_ALL") != NULL;
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("ALLOC_COUNT");
    const int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    char line[32];
    if (fd < 0)
        return;
    const int n = snprintf(line, sizeof line, "%ld\n", atomic_load(&calls));
    if (write(fd, line, (size_t)n) != n)
        abort();
    close(fd);
}

static int fails(void)
{
    const long n = atomic_fetch_add(&calls, 1) + 1;
    if (at <= 0 || (all ? n < at : n != at))
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size) { return fails() ? NULL : __libc_malloc(size); }

void *calloc(size_t count, size_t size) { return fails() ? NULL : __libc_calloc(count, size); }

void *realloc(void *p, size_t size) { return fails() ? NULL : __libc_realloc(p, size); }

void *aligned_alloc(size_t alignment, size_t size) { return fails() ? NULL : __libc_memalign(alignment, size); }

void *memalign(size_t alignment, size_t size) { return aligned_alloc(alignment, size); }

int posix_memalign(void **ret, size_t alignment, size_t size)
{
    void *p = aligned_alloc(alignment, size);
    if (p)
        *ret = p;
    return p ? 0 : ENOMEM;
}
