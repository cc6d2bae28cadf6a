/* Calls into plugins tried in a child process first. The child tells before each call which it is, so that its end is
 * the end of that call. */
#include "plugin/guard.h"

#include "base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE = 10 }; /* seconds for one call, where none are named */

struct word { /* what the child tells; whole ones through a pipe */
    enum { BEGUN = 1, FAILED, ALL_DONE } what;
    uint32_t item;
    bioft_status status;
    struct error error;
};

static void tell(int fd, const struct word *w)
{
    const char *at = (const char *)w;
    size_t left = sizeof *w;
    while (left > 0) {
        const ssize_t n = write(fd, at, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            _exit(3);
        at += n;
        left -= (size_t)n;
    }
}

_Noreturn static void be_child(const struct guard *g, size_t first, int fd)
{
    static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGINT, SIGTERM };
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
        _exit(3);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        signal(fatal[i], SIG_DFL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    for (size_t i = first; i < g->count; i++) {
        struct word w = { .what = BEGUN, .item = (uint32_t)i };
        struct error err = { 0 };
        tell(fd, &w);
        w.status = g->call(g->ctx, i, &err);
        if (w.status == BIOFT_OK)
            continue;
        w.what = FAILED;
        w.error = err;
        tell(fd, &w);
    }
    tell(fd, &(struct word){ .what = ALL_DONE });
    _exit(0);
}

static int patience(const struct guard *g, size_t item)
{
    return g->seconds && item < g->count ? g->seconds(g->ctx, item) : PATIENCE;
}

/* The next word; false: the child's end of the pipe is closed, or it is late. */
static bool hear(int fd, int seconds, struct word *ret, bool *ret_late)
{
    const double deadline = clock_seconds() + seconds;
    size_t have = 0;

    *ret_late = false;
    while (have < sizeof *ret) {
        const double left = deadline - clock_seconds();
        struct pollfd p = { .fd = fd, .events = POLLIN };
        if (left <= 0) {
            *ret_late = true;
            return false;
        }
        if (poll(&p, 1, (int)(left * 1000) + 1) <= 0)
            continue; /* nothing yet, or a signal of ours */
        const ssize_t n = read(fd, (char *)ret + have, sizeof *ret - have);
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        have += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static void tell_of_end(const struct guard *g, size_t item, bool late, int status)
{
    char text[128];

    if (late)
        snprintf(text, sizeof text, "did not return within %d s", patience(g, item));
    else if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "died of SIG%s",
                 sigabbrev_np(WTERMSIG(status)) ? sigabbrev_np(WTERMSIG(status)) : "?");
    else
        snprintf(text, sizeof text, "ended the process with status %d", WEXITSTATUS(status));
    g->failed(g->ctx, item, false, BIOFT_ERR_FORMAT, text);
}

/* Hears the child out, from call *item on; *item: the call it did not survive, or count. */
static void listen(const struct guard *g, int fd, pid_t pid, size_t *item)
{
    struct word w;
    bool late = false, done = false;
    int status = 0;

    while (!done && hear(fd, patience(g, *item), &w, &late)) {
        done = w.what == ALL_DONE;
        if (w.what == BEGUN)
            *item = w.item;
        if (w.what == FAILED)
            g->failed(g->ctx, w.item, true, w.status, w.error.text);
    }
    if (!done)
        kill(pid, SIGKILL); /* nothing to one that has ended */
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (done)
        *item = g->count;
    else
        tell_of_end(g, *item, late, status);
}

bioft_status guard_run(const struct guard *g, struct error *err)
{
    for (size_t item = 0; item < g->count; item++) {
        int fds[2];
        if (pipe2(fds, O_CLOEXEC) != 0)
            return error_set(err, BIOFT_ERR_IO, "a pipe to try plugins through: %s", strerror(errno));
        const pid_t pid = fork();
        if (pid == 0) {
            close(fds[0]);
            be_child(g, item, fds[1]);
        }
        const int code = errno;
        close(fds[1]);
        if (pid > 0)
            listen(g, fds[0], pid, &item);
        close(fds[0]);
        if (pid < 0)
            return error_set(err, BIOFT_ERR_IO, "a process to try plugins in: %s", strerror(code));
    }
    return BIOFT_OK;
}
