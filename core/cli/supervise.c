/* A run in a process of its own. */
#include "cli/print.h"
#include "cli/supervise.h"

#include "base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STOP_SECONDS = 30, LONGEST = 86400 };

static void watched(sigset_t *ret)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGUSR1, SIGTSTP, SIGCONT, SIGCHLD };

    sigemptyset(ret);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaddset(ret, numbers[i]);
}

static int stop_seconds(void)
{
    const char *s = getenv("BIOFT_STOP_SECONDS");
    char *end;
    const long n = s && *s ? strtol(s, &end, 10) : STOP_SECONDS;

    return s && *s && (*end || n < 0 || n > LONGEST) ? STOP_SECONDS : (int)n;
}

struct watch {
    pid_t pid;
    int asked; /* the signal that asked it to stop; 0: none */
    double deadline;
    bool killed;
};

static void pass_on(struct watch *w, int number)
{
    if (number == SIGTSTP) {
        kill(w->pid, SIGSTOP);
        raise(SIGSTOP);
    } else if (number == SIGCONT) {
        kill(w->pid, SIGCONT);
    } else if (number == SIGTERM && w->asked == SIGTERM) {
        w->deadline = 0.0; /* asked again */
    } else if (number != SIGCHLD) {
        kill(w->pid, number);
        w->deadline = w->asked ? w->deadline : clock_seconds() + stop_seconds();
        w->asked = number;
    }
}

/* Until the child has ended; its status as waitpid has it. */
static int watch(struct watch *w)
{
    const struct timespec moment = { .tv_nsec = 200000000 }, minute = { .tv_sec = 60 };
    sigset_t set;
    int status = 0;

    watched(&set);
    while (waitpid(w->pid, &status, WNOHANG) != w->pid) {
        const int number = sigtimedwait(&set, NULL, w->asked ? &moment : &minute);
        if (number > 0)
            pass_on(w, number);
        if (w->asked && !w->killed && clock_seconds() >= w->deadline) {
            w->killed = true;
            kill(w->pid, SIGKILL);
        }
    }
    return status;
}

/* As the child ended, with no core beside its own. */
_Noreturn static void end_by(int number)
{
    sigset_t set;

    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    _exit(128 + number);
}

_Noreturn static void be_parent(pid_t pid, int fd)
{
    struct watch w = { .pid = pid };
    const int status = watch(&w);
    unsigned char said = 0;
    const bool whole = read(fd, &said, 1) == 1;

    if (w.killed) {
        print_error("bioft: the run did not stop when asked to, and was ended; '--resume' continues from its last "
                    "checkpoint\n");
        _exit(w.asked == SIGINT ? 130 : 143);
    }
    if (WIFSIGNALED(status)) {
        const int number = WTERMSIG(status);
        const char *name = sigabbrev_np(number);
        if (number == SIGKILL)
            print_error(
                "bioft: the run was killed, as the kernel does where memory runs out; '--resume' continues from its "
                "last checkpoint\n");
        else if (number != w.asked)
            print_error(
                "bioft: the run died of SIG%s, in a plugin or a library more likely than not: 'bioft plugin test' shows "
                "what a plugin does; '--resume' continues from its last checkpoint\n",
                name ? name : "?");
        end_by(number);
    }
    if (!whole && w.asked != SIGINT) { /* a second SIGINT ends it at once */
        print_error(
            "bioft: the process ended with status %d before the run did: a plugin called exit, or a library that "
            "it uses; 'bioft plugin test' shows whose call does that\n",
            WEXITSTATUS(status));
        _exit(WEXITSTATUS(status) ? WEXITSTATUS(status) : 1);
    }
    _exit(WEXITSTATUS(status) ? WEXITSTATUS(status) : said);
}

int supervise(int (*body)(void *ctx), void *ctx)
{
    const pid_t parent = getpid();
    sigset_t set, before;
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) != 0) {
        print_error("bioft: a pipe for the run: %s\n", strerror(errno));
        return 1;
    }
    fflush(NULL);
    signal(SIGCHLD, SIG_DFL);
    watched(&set);
    sigprocmask(SIG_BLOCK, &set, &before);
    const pid_t pid = fork();
    if (pid < 0) {
        print_error("bioft: a process for the run: %s\n", strerror(errno));
        return 1;
    }
    if (pid > 0) {
        close(fds[1]);
        be_parent(pid, fds[0]);
    }
    close(fds[0]);
    /* A group of its own: a terminal's Ctrl-C reaches the parent alone, which passes it on once. */
    setpgid(0, 0);
    signal(SIGTTOU, SIG_IGN);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(1);
    sigprocmask(SIG_SETMASK, &before, NULL);
    const int status = body(ctx);
    const unsigned char said = (unsigned char)status;
    if (write(fds[1], &said, 1) != 1)
        print_error("bioft: the run's end could not be told\n");
    close(fds[1]);
    return status;
}
