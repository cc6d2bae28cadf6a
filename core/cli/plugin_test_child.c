/* One conformance test in a child process: what the child does, and what its end means. */
#include "cli/plugin_test.h"

#include "base/clock.h"
#include "plugin/registry.h"
#include "plugin/load.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TRACE_FD = 3, FINDINGS_FD = 4 };

/* Where a dying child says of what; the parent reads it. A signal's handler is given nothing else. */
static struct conform_trace *dying;

static void on_fault(int signal_number, siginfo_t *info, void *context)
{
    (void)context;
    if (dying) {
        dying->signal = (uint32_t)signal_number;
        dying->address = (uintptr_t)info->si_addr;
    }
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* On a stack of its own: a plugin may have used up the other. */
static void watch_faults(struct conform_trace *trace)
{
    static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP };
    enum { STACK = 65536 };
    stack_t stack = { .ss_sp = malloc(STACK), .ss_size = STACK };
    struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    sigemptyset(&action.sa_mask);
    dying = trace;
    if (stack.ss_sp)
        sigaltstack(&stack, NULL);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        sigaction(fatal[i], &action, NULL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
}

static void write_line(struct text *t)
{
    text_add(t, "\n");
    for (size_t done = 0; !t->failed && done < t->length;) {
        const ssize_t n = write(FINDINGS_FD, t->data + done, t->length - done);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    text_free(t);
}

static void child_found(void *ctx, const struct conform_finding *f)
{
    struct text t = { 0 };
    (void)ctx;
    json_begin_object(&t);
    json_key(&t, "called");
    json_string(&t, f->called);
    json_key(&t, "came_back");
    json_string(&t, f->came_back);
    json_key(&t, "says");
    json_string(&t, f->says);
    json_key(&t, "header");
    json_string(&t, f->header);
    json_key(&t, "line");
    json_integer(&t, f->line);
    json_end_object(&t);
    write_line(&t);
}

static void child_skipped(void *ctx, const char *reason)
{
    struct text t = { 0 };
    (void)ctx;
    json_begin_object(&t);
    json_key(&t, "skipped");
    json_string(&t, reason);
    json_end_object(&t);
    write_line(&t);
}

static bioft_status set_option(const struct plugin *p, const char *assignment, struct arena *arena,
                               struct option_value *values, struct error *err)
{
    const char *equals = strchr(assignment, '='), *items[1];
    size_t index = 0;
    const bioft_option *o = equals ? options_find(p, arena_text_n(arena, assignment, (size_t)(equals - assignment)),
                                                  &index)
                                   : NULL;
    if (!o)
        return error_set(err, BIOFT_ERR_INVALID, "--set %s: OPTION=VALUE expected, with an option of '%s'", assignment,
                         p->descriptor.name);
    items[0] = equals + 1;
    bioft_status st = option_parse(o, items, 1, option_is_list(o->type), ".", arena, &values[index], err);
    return st == BIOFT_OK ? st : error_prefix(err, "--set %s", assignment);
}

/* Loads the file and runs the test; in the child, or here. */
static bioft_status run_test(const struct conform_request *q, struct arena *arena, struct conform_params *p,
                             struct error *err)
{
    const struct registry_places places = {
        .command_line = q->places,
        .command_line_count = q->place_count,
        .environment = true,
        .implicit = true,
        .unopened = true,
    };
    struct plugin **plugins = NULL;
    struct option_value *values = NULL;
    const struct log log = { 0 };
    size_t count = 0;
    bioft_status st = plugin_load(q->path, 0, &plugins, &count, err);
    if (st == BIOFT_OK && q->index >= count)
        st = error_set(err, BIOFT_ERR_FORMAT, "%s: no plugin %zu", q->path, q->index);
    if (st == BIOFT_OK)
        st = registry_create(&places, &log, &p->registry, err);
    if (st == BIOFT_OK && q->set_count > 0)
        st = options_defaults(plugins[q->index], arena, &values, err);
    for (size_t i = 0; st == BIOFT_OK && i < q->set_count; i++)
        st = set_option(plugins[q->index], q->sets[i], arena, values, err);
    if (st != BIOFT_OK)
        return st;
    p->plugins = plugins;
    p->plugin_count = count;
    p->plugin = plugins[q->index];
    p->values = values;
    p->root = q->root;
    p->log = &log;
    p->seed = strtoull(q->seed, NULL, 10);
    for (size_t i = 0; i < conform_count(p->plugin->descriptor.kind); i++)
        if (strcmp(conform_test(p->plugin->descriptor.kind, i)->name, q->test) == 0)
            conform_run(p, conform_test(p->plugin->descriptor.kind, i));
    registry_destroy(p->registry);
    plugins_free(plugins, count);
    return BIOFT_OK;
}

_Noreturn void conform_in_child(int argc, char **argv)
{
    struct conform_trace *trace = mmap(NULL, sizeof *trace, PROT_READ | PROT_WRITE, MAP_SHARED, TRACE_FD, 0);
    struct arena *arena = arena_create();
    struct error err;
    char **rest = argv + 8;
    if (argc < 8 || trace == MAP_FAILED || !arena)
        _exit(3);
    watch_faults(trace);
    const struct conform_request q = {
        .path = argv[2],
        .index = strtoul(argv[3], NULL, 10),
        .test = argv[4],
        .seed = argv[5],
        .root = *argv[6] ? argv[6] : NULL,
        .places = (const char *const *)rest,
        .place_count = strtoul(argv[7], NULL, 10),
        .sets = (const char *const *)rest + strtoul(argv[7], NULL, 10),
        .set_count = (size_t)argc - 8 - strtoul(argv[7], NULL, 10),
    };
    struct conform_params p = { .trace = trace, .found = child_found, .skipped = child_skipped };
    snprintf(trace->calling, sizeof trace->calling, "opening the file");
    if (run_test(&q, arena, &p, &err) != BIOFT_OK) {
        child_found(NULL, &(struct conform_finding){ "opening the file", err.text, "", "plugin.h", 0 });
        trace->done = 1;
    }
    fflush(NULL);
    _exit(0);
}

struct here {
    struct arena *arena;
    struct test_result *result;
};

void add_finding(struct test_result *r, struct arena *arena, const struct conform_finding *f)
{
    struct conform_finding copy = { arena_text(arena, f->called), arena_text(arena, f->came_back),
                                    arena_text(arena, f->says), arena_text(arena, f->header), f->line };
    if (mem_grow(&r->findings, &r->capacity, r->count + 1, sizeof copy))
        r->findings[r->count++] = copy;
}

static void here_found(void *ctx, const struct conform_finding *f)
{
    struct here *h = ctx;
    add_finding(h->result, h->arena, f);
}

static void here_skipped(void *ctx, const char *reason)
{
    struct here *h = ctx;
    h->result->skipped = arena_text(h->arena, reason);
}

bioft_status test_here(const struct conform_request *q, struct arena *arena, struct test_result *ret, struct error *err)
{
    struct conform_trace *trace = arena_array(arena, 1, sizeof *trace);
    struct here h = { arena, ret };
    struct conform_params p = { .trace = trace, .found = here_found, .skipped = here_skipped, .ctx = &h };
    return trace ? run_test(q, arena, &p, err) : error_memory(err, "a test");
}

/* The three files that a child writes. */
struct files {
    int trace, findings, output;
};

static void close_files(struct files *f)
{
    const int all[] = { f->trace, f->findings, f->output };
    for (size_t i = 0; i < 3; i++)
        if (all[i] >= 0)
            close(all[i]);
}

static bioft_status spawn(const struct conform_request *q, const struct files *f, struct arena *arena, pid_t *ret,
                          struct error *err)
{
    const char **argv = arena_array(arena, 10 + q->place_count + q->set_count, sizeof *argv);
    posix_spawn_file_actions_t actions;
    size_t n = 0;
    if (!argv || posix_spawn_file_actions_init(&actions) != 0)
        return error_memory(err, "a process");
    argv[n++] = "bioft";
    argv[n++] = "plugin";
    argv[n++] = "__conform";
    argv[n++] = q->path;
    argv[n++] = arena_printf(arena, "%zu", q->index);
    argv[n++] = q->test;
    argv[n++] = q->seed;
    argv[n++] = q->root ? q->root : "";
    argv[n++] = arena_printf(arena, "%zu", q->place_count);
    for (size_t i = 0; i < q->place_count; i++)
        argv[n++] = q->places[i];
    for (size_t i = 0; i < q->set_count; i++)
        argv[n++] = q->sets[i];
    /* Descriptors above those that are wanted, so that no dup2 overwrites another's source. */
    int code = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    code = code ? code : posix_spawn_file_actions_adddup2(&actions, f->output, STDOUT_FILENO);
    code = code ? code : posix_spawn_file_actions_adddup2(&actions, f->output, STDERR_FILENO);
    code = code ? code : posix_spawn_file_actions_adddup2(&actions, f->trace, TRACE_FD);
    code = code ? code : posix_spawn_file_actions_adddup2(&actions, f->findings, FINDINGS_FD);
    code = code ? code : posix_spawn(ret, "/proc/self/exe", &actions, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return code ? error_set(err, BIOFT_ERR_IO, "a process to test %s in: %s", q->path, strerror(code)) : BIOFT_OK;
}

static int make_file(const char *name)
{
    const int low = memfd_create(name, MFD_CLOEXEC), fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, 10);
    if (low >= 0)
        close(low);
    return fd;
}

static const char *read_all(int fd, struct arena *arena, size_t most, size_t *ret_size)
{
    off_t size = lseek(fd, 0, SEEK_END);
    char *bytes = arena_array(arena, (size_t)(size < 0 ? 0 : size) + 1, 1);
    *ret_size = 0;
    if (size > (off_t)most)
        size = (off_t)most;
    while (bytes && (off_t)*ret_size < size) {
        const ssize_t n = pread(fd, bytes + *ret_size, (size_t)size - *ret_size, (off_t)*ret_size);
        if (n <= 0)
            break;
        *ret_size += (size_t)n;
    }
    return bytes ? bytes : "";
}

static const char *text_of(const struct json *j, const char *key)
{
    const struct json *v = json_get(j, key);
    return v && v->type == JSON_STRING ? v->text : "";
}

static void read_findings(int fd, struct arena *arena, struct test_result *ret)
{
    size_t size;
    const char *bytes = read_all(fd, arena, 4 << 20, &size);
    for (const char *line = bytes, *end; size > 0 && (end = memchr(line, '\n', size)) != NULL; line = end + 1) {
        const size_t length = (size_t)(end - line);
        struct json *j = NULL;
        size -= length + 1;
        if (json_parse("finding", line, length, arena, &j, NULL) != BIOFT_OK)
            continue;
        const struct json *number = json_get(j, "line");
        if (json_get(j, "skipped"))
            ret->skipped = text_of(j, "skipped");
        else
            add_finding(ret, arena,
                        &(struct conform_finding){ text_of(j, "called"), text_of(j, "came_back"), text_of(j, "says"),
                                                   text_of(j, "header"), number ? (uint32_t)number->number : 0 });
    }
}

/* How it ended, where that is a finding. */
static void judge_end(const struct conform_request *q, const struct conform_trace *t, int status, bool in_time,
                      struct arena *arena, struct test_result *ret)
{
    static const char errors[] = "a plugin never prints, never exits, never changes process-wide state";
    char where[256];
    struct conform_finding f = { t->calling[0] ? t->calling : "opening the file", NULL, t->says, t->header, t->line };
    if (!in_time) {
        f.came_back = arena_printf(arena, "did not come back within %u s: it hangs, or is very slow", q->patience);
    } else if (WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status));
        conform_address(t, where, sizeof where);
        f.came_back = arena_printf(arena, "died of SIG%s%s%s", name ? name : "?", *where ? ": it " : "", where);
    } else if (!t->done) {
        f.came_back = arena_printf(arena, "ended the process with status %d", WEXITSTATUS(status));
        f.says = errors;
        f.header = "plugin.h";
        f.line = conform_line("plugin.h", "Errors.");
    }
    if (f.came_back)
        add_finding(ret, arena, &f);
}

static void judge_output(int fd, const struct conform_trace *t, struct arena *arena, struct test_result *ret)
{
    char escaped[TEXT_ESCAPED];
    size_t size;
    const char *bytes = read_all(fd, arena, 65536, &size);
    if (size > 0 && t->done)
        add_finding(ret, arena,
                    &(struct conform_finding){ "the test",
                                               arena_printf(arena, "printed \"%s\"", text_escape(escaped, bytes, size)),
                                               "a plugin never prints, never exits, never changes process-wide state",
                                               "plugin.h", conform_line("plugin.h", "Errors.") });
}

/* Waits for the end; kills at the deadline and answers false. */
static bool wait_for(pid_t pid, double deadline, int *ret_status)
{
    const struct timespec pause = { .tv_nsec = 1000000 };
    for (;;) {
        const pid_t ended = waitpid(pid, ret_status, WNOHANG);
        if (ended == pid)
            return true;
        if (clock_seconds() >= deadline) {
            kill(pid, SIGKILL);
            while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
                continue;
            return false;
        }
        nanosleep(&pause, NULL);
    }
}

bioft_status test_in_child(const struct conform_request *q, struct arena *arena, struct test_result *ret,
                           struct error *err)
{
    struct files f = { make_file("trace"), make_file("findings"), make_file("output") };
    struct conform_trace *trace = MAP_FAILED;
    bioft_status st = BIOFT_OK;
    int status = 0;
    pid_t pid;

    if (f.trace < 0 || f.findings < 0 || f.output < 0 || ftruncate(f.trace, sizeof *trace) != 0)
        st = error_set(err, BIOFT_ERR_IO, "memory to test a plugin through: %s", strerror(errno));
    if (st == BIOFT_OK) {
        trace = mmap(NULL, sizeof *trace, PROT_READ, MAP_SHARED, f.trace, 0);
        st = trace == MAP_FAILED ? error_memory(err, "a test") : spawn(q, &f, arena, &pid, err);
    }
    if (st == BIOFT_OK) {
        const bool in_time = wait_for(pid, clock_seconds() + q->patience, &status);
        read_findings(f.findings, arena, ret);
        judge_end(q, trace, status, in_time, arena, ret);
        judge_output(f.output, trace, arena, ret);
    }
    if (trace != MAP_FAILED)
        munmap(trace, sizeof *trace);
    close_files(&f);
    return st;
}
