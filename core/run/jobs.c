/* Trials in parallel: a child process each, its messages passed on, its state read from its status file. */
#include "run/jobs.h"

#include "base/clock.h"
#include "base/file.h"
#include "run/status_file.h"
#include "run/complete.h"
#include "run/summary.h"
#include "run/trials.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TICK = 200 }; /* milliseconds between looks at the children */
static const char worker_option[] = "--worker=";

struct job {
    const struct trial *trial; /* NULL: this place is free */
    pid_t pid;
    int said;              /* reads its standard error */
    struct text line, why; /* what it has begun to say; its last error */
    double begun;
};
struct jobs {
    const struct jobs_params *p;
    struct failures *failures;
    struct job *running;                    /* [p->jobs] */
    struct pollfd *fds;                     /* room for one of each */
    size_t in_flight, next, done, finished; /* done: with results; finished: by this run */
    double seconds;                         /* that the finished ones took */
    bool stopping;
};

bool worker_begin(int *argc, char ***argv, struct worker *ret)
{
    *ret = (struct worker){ .user_argc = *argc, .user_argv = *argv };
    if (*argc < 2 || strncmp((*argv)[1], worker_option, strlen(worker_option)) != 0)
        return true;
    const long parent = strtol((*argv)[1] + strlen(worker_option), NULL, 10);
    for (int i = 2; i < *argc; i++)
        if (strcmp((*argv)[i], "--") == 0) {
            *ret = (struct worker){ true, *argc - i - 1, *argv + i + 1 };
            (*argv)[1] = (*argv)[0];
            *argv += 1;
            *argc = i - 1;
            break;
        }
    /* A run that is killed takes its trials with it, so that the next one finds them as they were. */
    return ret->is_one && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && (long)getppid() == parent;
}

/* The child's command line; in the arena. NULL: out of memory. */
static const char **command_line(const struct jobs_params *p, const struct trial *t, struct arena *arena)
{
    const char **argv = arena_array(arena, 13 + 2 * p->plugin_path_count + (size_t)p->argc, sizeof *argv);
    size_t n = 0;
    bool good = argv;

    if (!argv)
        return NULL;
    argv[n++] = "bioft";
    argv[n++] = "run";
    good = (argv[n++] = arena_printf(arena, "%s%ld", worker_option, (long)getpid())) && good;
    good = (argv[n++] = arena_printf(arena, "--only-trial=%u", t->number)) && good;
    good = (argv[n++] = arena_printf(arena, "--out=%s", p->out)) && good;
    argv[n++] = "--quiet";
    argv[n++] = "--resume";
    if (p->trust_plugins)
        argv[n++] = "--trust-plugins";
    for (size_t i = 0; i < p->plugin_path_count; i++) {
        argv[n++] = "--plugin-path";
        argv[n++] = p->plugin_paths[i];
    }
    good = (argv[n++] = arena_printf(arena, "%s/manifest.yaml", p->out)) && good;
    argv[n++] = "--";
    for (int i = 0; i < p->argc; i++)
        argv[n++] = p->argv[i];
    argv[n] = NULL;
    return good ? argv : NULL;
}

/* In a process group of its own: a terminal's Ctrl-C reaches the parent alone, which passes it on once. */
static int spawn(const char *const *argv, int fd, pid_t *ret)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int code = posix_spawn_file_actions_init(&actions);

    if (code != 0)
        return code;
    code = posix_spawnattr_init(&attributes);
    if (code != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return code;
    }
    code = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    if (code == 0)
        code = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (code == 0)
        code = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(&actions, fd, STDERR_FILENO);
    if (code == 0)
        code = posix_spawn(ret, "/proc/self/exe", &actions, &attributes, (char *const *)(uintptr_t)argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

static bioft_status start(struct jobs *j, struct job *job, const struct trial *t, struct error *err)
{
    struct arena *arena = arena_create();
    const char **argv = arena ? command_line(j->p, t, arena) : NULL;
    bioft_status st = argv ? BIOFT_OK : error_memory(err, "a trial's process");
    int fds[2], code;

    if (st == BIOFT_OK && pipe2(fds, O_CLOEXEC) != 0)
        st = error_set(err, BIOFT_ERR_IO, "a pipe for a trial: %s", strerror(errno));
    if (st == BIOFT_OK) {
        *job = (struct job){ .trial = t, .said = fds[0], .begun = clock_seconds() };
        code = spawn(argv, fds[1], &job->pid);
        close(fds[1]);
        if (code != 0) {
            st = error_set(err, BIOFT_ERR_IO, "a process for trial %s: %s", t->id, strerror(code));
            close(fds[0]);
            job->trial = NULL;
        } else {
            j->in_flight++;
            fcntl(fds[0], F_SETFL, O_NONBLOCK);
            log_write(j->p->log, LOG_INFO, "trial %s (%u of %zu)", t->id, t->number + 1, j->p->experiment->trial_count);
        }
    }
    arena_destroy(arena);
    return st;
}

/* A whole line of a child's. */
static void pass_line(struct jobs *j, struct job *job)
{
    static const char ours[] = "bioft: ", warning[] = "warning: ";
    const char *line = job->line.data;

    if (strncmp(line, ours, strlen(ours)) == 0) {
        text_free(&job->why);
        text_add(&job->why, line + strlen(ours));
    } else if (strncmp(line, warning, strlen(warning)) == 0) {
        log_write(j->p->log, LOG_WARNING, "%s: %s", job->trial->id, line + strlen(warning));
    } else {
        log_write(j->p->log, LOG_WARNING, "%s: %s", job->trial->id, line);
    }
    text_free(&job->line);
}

static void pass_messages(struct jobs *j, struct job *job)
{
    char buffer[4096];
    ssize_t n;

    while ((n = read(job->said, buffer, sizeof buffer)) > 0)
        for (ssize_t i = 0; i < n; i++) {
            if (buffer[i] != '\n')
                text_add_n(&job->line, &buffer[i], 1);
            else if (job->line.data)
                pass_line(j, job);
        }
}

static void stop_all(struct jobs *j, int number)
{
    j->stopping = true;
    for (uint32_t i = 0; i < j->p->jobs; i++)
        if (j->running[i].trial)
            kill(j->running[i].pid, number);
}

static void fail(struct jobs *j, const struct trial *t, const char *why)
{
    struct text said = { 0 };

    failures_add(j->failures, t->id, why);
    text_printf(&said, "trial %s failed: %s", t->id, why);
    log_write(j->p->log, LOG_ERROR, "%s", said.data ? said.data : "a trial failed");
    text_free(&said);
    if (j->p->fail_fast)
        stop_all(j, SIGTERM);
}

/* A child's end: its failure is told at once. */
static bioft_status finish(struct jobs *j, struct job *job, int status, struct error *err)
{
    const struct trial *t = job->trial;
    const bool cancelled = j->stopping && (WIFSIGNALED(status) || WEXITSTATUS(status) >= 128);
    bioft_status st = BIOFT_OK;
    struct text why = { 0 };

    pass_messages(j, job);
    if (job->line.data)
        pass_line(j, job);
    close(job->said);
    /* A plugin may have ended it so: what counts is what it left. */
    struct error left = { 0 };
    bool done = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (done && !trials_have_results(j->p->out, t))
        error_set(&left, BIOFT_ERR_FORMAT,
                  "its process ended with status 0 and left no results: a plugin called exit, or a "
                  "library that it uses");
    else if (done)
        complete_check(j->p->out, t, &left);
    done = done && !left.text[0];
    if (done) {
        j->done++;
        j->finished++;
        j->seconds += clock_seconds() - job->begun;
        log_write(j->p->log, LOG_INFO, "trial %s done", t->id);
        st = trials_check_folder(j->p->out, j->p->lock, err);
        if (st == BIOFT_OK)
            st = summary_results(j->p->out, j->p->experiment, err);
    } else if (!cancelled) {
        if (WIFSIGNALED(status))
            text_printf(&why, "ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
        else
            text_add(&why, left.text[0] ? left.text : job->why.data ? job->why.data : "see its log");
        fail(j, t, why.data ? why.data : "");
    }
    text_free(&why);
    text_free(&job->line);
    text_free(&job->why);
    *job = (struct job){ 0 };
    j->in_flight--;
    return st;
}

/* One that has its results already. */
static void take(struct jobs *j, const struct trial *t)
{
    struct error err;

    if (complete_check(j->p->out, t, &err) == BIOFT_OK)
        j->done++;
    else
        fail(j, t, err.text);
}

static bioft_status fill(struct jobs *j, struct error *err)
{
    const struct experiment *e = j->p->experiment;
    bioft_status st = BIOFT_OK;

    for (uint32_t i = 0; st == BIOFT_OK && !j->stopping && i < j->p->jobs; i++) {
        if (j->running[i].trial)
            continue;
        while (j->next < e->trial_count && trials_have_results(j->p->out, &e->trials[j->next]))
            take(j, &e->trials[j->next++]);
        if (!j->stopping && j->next < e->trial_count)
            st = start(j, &j->running[i], &e->trials[j->next++], err);
    }
    return st;
}

/* One line a trial in flight, and one of the sweep. */
static void show(struct jobs *j)
{
    const struct experiment *e = j->p->experiment;
    const size_t left = e->trial_count - j->done - j->failures->failed;
    struct text t = { 0 };
    char number[TEXT_NUMBER];

    for (uint32_t i = 0; i < j->p->jobs; i++) {
        const struct job *job = &j->running[i];
        struct status status;
        char *path = job->trial ? trial_status_path(j->p->out, job->trial) : NULL;
        if (path && status_read(path, &status)) {
            text_printf(&t, "%s: ", job->trial->id);
            status_line(&status, &t);
            text_add(&t, "\n");
        }
        free(path);
    }
    text_printf(&t, "%zu of %zu trials done", j->done, e->trial_count);
    if (j->failures->failed)
        text_printf(&t, ", %zu failed", j->failures->failed);
    if (j->finished && left)
        text_printf(&t, ", about %s left",
                    text_duration(number, j->seconds / (double)j->finished * (double)left / (double)j->p->jobs));
    if (!t.failed)
        log_write(j->p->log, LOG_PROGRESS, "%s", t.data);
    text_free(&t);
}

/* Waits a moment, or until a child says something. */
static void wait_a_moment(struct jobs *j)
{
    nfds_t n = 0;

    for (uint32_t i = 0; i < j->p->jobs; i++)
        if (j->running[i].trial)
            j->fds[n++] = (struct pollfd){ .fd = j->running[i].said, .events = POLLIN };
    poll(j->fds, n, TICK);
}

static bioft_status look(struct jobs *j, struct error *err)
{
    bioft_status st = BIOFT_OK;

    for (uint32_t i = 0; i < j->p->jobs; i++) {
        struct job *job = &j->running[i];
        int status;
        if (!job->trial)
            continue;
        pass_messages(j, job);
        if (waitpid(job->pid, &status, WNOHANG) == job->pid) {
            bioft_status ended = finish(j, job, status, err);
            st = st == BIOFT_OK ? ended : st;
        }
    }
    return st;
}

bioft_status jobs_run(const struct jobs_params *p, struct failures *failures, struct error *err)
{
    struct jobs j = { .p = p,
                      .failures = failures,
                      .running = mem_array(p->jobs, sizeof(struct job)),
                      .fds = mem_array(p->jobs, sizeof(struct pollfd)) };
    bioft_status st = j.running && j.fds ? fill(&j, err) : error_memory(err, "trials");
    bool passed_on = false;

    while (j.in_flight > 0) {
        if (stop_asked(p->stop) && !passed_on) {
            stop_all(&j, stop_asked(p->stop));
            passed_on = true;
        }
        if (st != BIOFT_OK && !j.stopping)
            stop_all(&j, SIGTERM);
        wait_a_moment(&j);
        struct error later = { 0 };
        bioft_status now = look(&j, &later);
        if (now == BIOFT_OK && st == BIOFT_OK)
            now = fill(&j, &later);
        if (now != BIOFT_OK && st == BIOFT_OK) {
            st = now;
            *err = later;
        }
        show(&j);
    }
    free(j.running);
    free(j.fds);
    if (st == BIOFT_OK && stop_asked(p->stop))
        st = BIOFT_ERR_CANCELLED;
    return st == BIOFT_OK ? summary_results(p->out, p->experiment, err) : st;
}
