/* For LD_PRELOAD: kills the process inside the Nth rename or fsync, BIOFT_KILL_AT=N, before the call or, with
 * BIOFT_KILL_AFTER=1, after it. BIOFT_KILL_COUNT=FILE: writes how many there were at exit instead. */
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int rename(const char *from, const char *to);
int fsync(int fd);

static atomic_int calls;

static void write_count(void)
{
    FILE *f = fopen(getenv("BIOFT_KILL_COUNT"), "w");
    if (f) {
        fprintf(f, "%d\n", atomic_load(&calls));
        fclose(f);
    }
}

/* Is this call the one? */
static int counted(void)
{
    const char *at = getenv("BIOFT_KILL_AT");
    const int call = atomic_fetch_add(&calls, 1) + 1;
    if (call == 1 && getenv("BIOFT_KILL_COUNT"))
        atexit(write_count);
    return at && atoi(at) == call;
}

static int die(int now, int result)
{
    if (now)
        kill(getpid(), SIGKILL);
    return result;
}

int rename(const char *from, const char *to)
{
    int (*next)(const char *, const char *);
    *(void **)&next = dlsym(RTLD_NEXT, "rename");
    const int now = counted(), after = getenv("BIOFT_KILL_AFTER") != NULL;
    die(now && !after, 0);
    return die(now && after, next(from, to));
}

int fsync(int fd)
{
    int (*next)(int);
    *(void **)&next = dlsym(RTLD_NEXT, "fsync");
    const int now = counted(), after = getenv("BIOFT_KILL_AFTER") != NULL;
    die(now && !after, 0);
    return die(now && after, next(fd));
}
