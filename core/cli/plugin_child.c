/* A plugin's file opened in a child process: the child loads it and writes what it is as JSON; the parent waits. */
#include "cli/plugin_child.h"

#include "base/clock.h"
#include "plugin/show.h"
#include "plugin/load.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE = 10 };            /* seconds for one file */
enum { ANSWER_LONGEST = 4 << 20 }; /* bytes */

static bool write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

static void describe_plugins(struct plugin **plugins, size_t count, struct text *t)
{
    json_key(t, "plugins");
    json_begin_array(t);
    for (size_t i = 0; i < count; i++) {
        struct text shown = { 0 }, json = { 0 };
        plugin_show(plugins[i], &shown);
        plugin_show_json(plugins[i], &json);
        json_begin_object(t);
        json_key(t, "text");
        json_string(t, shown.data);
        json_key(t, "json");
        json_string(t, json.data);
        json_key(t, "plugin");
        plugin_show_json(plugins[i], t);
        json_end_object(t);
        t->failed = t->failed || shown.failed || json.failed;
        text_free(&shown);
        text_free(&json);
    }
    json_end_array(t);
}

_Noreturn void describe_in_child(const char *path, const char *kind)
{
    static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP };
    struct plugin **plugins = NULL;
    struct text t = { 0 };
    struct error err = { 0 };
    size_t count = 0;
    /* What the file prints while it is opened must not come between; a crash is to end this process as a crash. */
    const int answer = dup(STDOUT_FILENO), null = open("/dev/null", O_WRONLY);
    if (answer < 0 || null < 0 || dup2(null, STDOUT_FILENO) < 0)
        _exit(3);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        signal(fatal[i], SIG_DFL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });

    const bioft_status st = plugin_load(path, kind_by_word(kind), &plugins, &count, &err);
    json_begin_object(&t);
    if (st == BIOFT_OK) {
        describe_plugins(plugins, count, &t);
    } else {
        json_key(&t, "fault");
        json_string(&t, err.text);
    }
    json_end_object(&t);
    /* Without exit(): the file's destructors have had no say either. */
    _exit(t.failed || !write_all(answer, t.data, t.length) ? 3 : 0);
}

/* Starts the child; *ret_fd reads its standard output. */
static bioft_status start(const char *path, uint32_t kind, pid_t *ret_pid, int *ret_fd, struct error *err)
{
    const char *const argv[] = { "bioft", "plugin", "__describe", path, kind ? kind_word(kind) : "any", NULL };
    posix_spawn_file_actions_t actions;
    int fds[2], code;
    if (pipe2(fds, O_CLOEXEC) != 0)
        return error_set(err, BIOFT_ERR_IO, "a pipe to open plugins through: %s", strerror(errno));
    code = posix_spawn_file_actions_init(&actions);
    if (code == 0) {
        code = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (code == 0)
            code = posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
        if (code == 0)
            code = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        if (code == 0)
            code = posix_spawn(ret_pid, "/proc/self/exe", &actions, NULL, (char *const *)(uintptr_t)argv, environ);
        posix_spawn_file_actions_destroy(&actions);
    }
    close(fds[1]);
    if (code != 0) {
        close(fds[0]);
        return error_set(err, BIOFT_ERR_IO, "a process to open %s in: %s", path, strerror(code));
    }
    *ret_fd = fds[0];
    return BIOFT_OK;
}

/* Reads to the end, the deadline, or the longest answer. */
static void read_answer(int fd, double deadline, struct text *ret)
{
    char buffer[16384];
    for (;;) {
        const double left = deadline - clock_seconds();
        struct pollfd p = { .fd = fd, .events = POLLIN };
        if (left <= 0 || ret->length > ANSWER_LONGEST || ret->failed)
            return;
        if (poll(&p, 1, (int)(left * 1000) + 1) <= 0)
            continue; /* nothing yet, or a signal of ours */
        const ssize_t n = read(fd, buffer, sizeof buffer);
        if (n == 0 || (n < 0 && errno != EINTR))
            return;
        if (n > 0)
            text_add_n(ret, buffer, (size_t)n);
    }
}

/* The child's end; it is killed at the deadline. Returns false then. */
static bool wait_for(pid_t pid, double deadline, int *ret_status)
{
    const struct timespec pause = { .tv_nsec = 1000000 };
    for (;;) {
        const pid_t ended = waitpid(pid, ret_status, WNOHANG);
        if (ended == pid)
            return true;
        if (ended == 0 && clock_seconds() >= deadline) {
            kill(pid, SIGKILL);
            while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
                continue;
            return false;
        }
        nanosleep(&pause, NULL);
    }
}

/* The answer as it was meant, or NULL. */
static bool understand(const struct text *answer, struct arena *arena, struct description *ret)
{
    struct json *j;
    if (answer->length == 0 || json_parse("answer", answer->data, answer->length, arena, &j, NULL) != BIOFT_OK)
        return false;
    const struct json *fault = json_get(j, "fault"), *plugins = json_get(j, "plugins");
    if (fault && fault->type == JSON_STRING)
        ret->fault = fault->text;
    else if (plugins && plugins->type == JSON_ARRAY)
        ret->plugins = plugins;
    return ret->fault || ret->plugins;
}

bioft_status describe_file(const char *path, uint32_t kind, struct arena *arena, struct description *ret,
                           struct error *err)
{
    struct description d = { 0 };
    struct text answer = { 0 };
    int fd = -1, status = 0;
    pid_t pid;
    bioft_status st = start(path, kind, &pid, &fd, err);
    if (st != BIOFT_OK)
        return st;
    const double deadline = clock_seconds() + PATIENCE;
    read_answer(fd, deadline, &answer);
    close(fd);
    const bool in_time = wait_for(pid, deadline, &status);
    if (!in_time)
        d.fault = arena_printf(arena, "%s: did not open within %d s", path, PATIENCE);
    else if (WIFSIGNALED(status))
        d.fault = arena_printf(arena, "%s: died of SIG%s while being opened", path,
                               sigabbrev_np(WTERMSIG(status)) ? sigabbrev_np(WTERMSIG(status)) : "?");
    else if (WEXITSTATUS(status) != 0 || !understand(&answer, arena, &d))
        d.fault = arena_printf(arena, "%s: ended with status %d while being opened", path, WEXITSTATUS(status));
    text_free(&answer);
    if (!d.fault && !d.plugins)
        return error_memory(err, path);
    *ret = d;
    return BIOFT_OK;
}
