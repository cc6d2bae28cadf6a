/* A job array for Slurm: the script, and sbatch. */
#include "cli/slurm.h"

#include "base/file.h"
#include "base/memory.h"
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ELEMENTS = 1000 }; /* Slurm's own default allows 1001 */

/* A word for the shell. */
static void add_quoted(struct text *t, const char *s)
{
    text_add(t, "'");
    for (; *s; s++)
        text_add_n(t, *s == '\'' ? "'\\''" : s, *s == '\'' ? 4 : 1);
    text_add(t, "'");
}

struct array {                                 /* "0-9:3%2": the indices first, first + step, ... up to last */
    unsigned long first, last, step, throttle; /* throttle: elements that run at once, 0: any number */
};

/* false: no array of equal steps. */
static bool parse_array(const char *s, struct array *ret)
{
    struct array a = { .step = 1 };
    int at = 0;
    if (sscanf(s, "%9lu%n", &a.first, &at) != 1 || s[0] < '0' || s[0] > '9')
        return false;
    s += at;
    a.last = a.first;
    if (*s == '-' && s[1] >= '0' && s[1] <= '9' && sscanf(s, "-%9lu%n", &a.last, &at) == 1)
        s += at;
    if (*s == ':' && s[1] >= '0' && s[1] <= '9' && sscanf(s, ":%9lu%n", &a.step, &at) == 1)
        s += at;
    if (*s == '%' && s[1] >= '0' && s[1] <= '9' && sscanf(s, "%%%9lu%n", &a.throttle, &at) == 1)
        s += at;
    if (*s || a.last < a.first || a.step == 0)
        return false;
    *ret = a;
    return true;
}

/* The array that the options of sbatch ask for, the last of them, or one element a trial, ELEMENTS at most. */
static bioft_status find_array(const struct slurm_params *p, struct array *ret, struct error *err)
{
    const size_t trials = p->experiment->trial_count;

    *ret = (struct array){ .last = (trials < ELEMENTS ? trials : ELEMENTS) - 1, .step = 1 };
    for (size_t i = 0; i < p->option_count; i++) {
        const char *o = p->options[i];
        const char *value = strncmp(o, "--array=", 8) == 0 ? o + 8 : strncmp(o, "-a", 2) == 0 ? o + 2 : NULL;
        if (value && !parse_array(value, ret))
            return error_set(err, BIOFT_ERR_INVALID,
                             "sbatch's '%s': an array of equal steps is wanted, as in 0-9, 0-9:3 "
                             "or, with at most two at once, 0-9%%2",
                             o);
    }
    return BIOFT_OK;
}

/* The trials of element number n are n, n and the number of elements, and so on. The shell passes signals on and waits: a
 * first `wait` ends with the signal, so that it waits until the process is gone. */
static void write_script(const struct slurm_params *p, const struct array *a, const char *program, struct text *t)
{
    const struct experiment *e = p->experiment;
    const unsigned long elements = (a->last - a->first) / a->step + 1;
    uint32_t threads = 1;

    for (size_t i = 0; i < e->trial_count; i++)
        threads = e->trials[i].threads > threads ? e->trials[i].threads : threads;
    text_printf(t, "#!/bin/bash\n#SBATCH --job-name=bioft-%s\n#SBATCH --array=%lu-%lu", e->name, a->first, a->last);
    if (a->step > 1)
        text_printf(t, ":%lu", a->step);
    text_printf(t,
                "\n#SBATCH --cpus-per-task=%u\n#SBATCH --requeue\n#SBATCH --open-mode=append\n"
                "#SBATCH --signal=B:USR1@120\n\n",
                threads);
    text_add(t, "run() {\n    ");
    add_quoted(t, program);
    text_add(t, " run ");
    char *manifest = path_join(p->out, "manifest.yaml");
    t->failed = t->failed || !manifest;
    add_quoted(t, manifest ? manifest : "");
    text_add(t, " --out ");
    add_quoted(t, p->out);
    if (p->trust_plugins)
        text_add(t, " --trust-plugins");
    for (size_t i = 0; i < p->plugin_path_count; i++) {
        text_add(t, " --plugin-path ");
        add_quoted(t, p->plugin_paths[i]);
    }
    text_printf(
        t,
        " --resume --quiet --only-trial \"$1\" &\n"
        "    child=$!\n"
        "    wait $child; status=$?\n"
        "    while kill -0 $child 2>/dev/null; do wait $child; status=$?; done\n"
        "}\n"
        "requeue=\n"
        "trap 'requeue=1; kill -USR1 $child' USR1\n"
        "trap 'kill -TERM $child' TERM\n"
        "worst=0\n"
        "first=${SLURM_ARRAY_TASK_MIN:-%lu} step=${SLURM_ARRAY_TASK_STEP:-%lu} count=${SLURM_ARRAY_TASK_COUNT:-%lu}\n"
        "[ $step -gt 0 ] || step=1\n"
        "for ((trial = (SLURM_ARRAY_TASK_ID - first) / step; trial < %zu; trial += count)); do\n"
        "    run $trial\n"
        "    if [ $status -ge 128 ]; then\n"
        "        [ -z \"$requeue\" ] || scontrol requeue \"${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID\"\n"
        "        exit $status\n"
        "    fi\n"
        "    [ $status = 0 ] || worst=$status\n"
        "done\n"
        "exit $worst\n",
        a->first, a->step, elements, e->trial_count);
    free(manifest);
}

static bioft_status submit(const struct slurm_params *p, const char *script, struct error *err)
{
    const char **argv = mem_array(p->option_count + 4, sizeof *argv);
    char *log = path_join(p->out, "slurm-%a.log");
    struct text output = { 0 };
    size_t n = 0;
    int code, status;
    pid_t pid;

    text_printf(&output, "--output=%s", log ? log : "");
    if (!argv || !log || output.failed) {
        free(argv);
        free(log);
        text_free(&output);
        return error_memory(err, "a job");
    }
    argv[n++] = "sbatch";
    argv[n++] = output.data;
    for (size_t i = 0; i < p->option_count; i++)
        argv[n++] = p->options[i];
    argv[n] = script;
    code = posix_spawnp(&pid, "sbatch", NULL, NULL, (char *const *)(uintptr_t)argv, environ);
    free(argv);
    free(log);
    text_free(&output);
    if (code != 0)
        return error_set(err, BIOFT_ERR_IO, "sbatch: %s; %s is ready to be submitted where there is one",
                         strerror(code), script);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return error_set(err, BIOFT_ERR_IO, "sbatch: %s", strerror(errno));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return error_set(err, BIOFT_ERR_IO, "sbatch refused %s", script);
    return BIOFT_OK;
}

bioft_status slurm_check(const struct slurm_params *p, struct error *err)
{
    struct array array;
    return find_array(p, &array, err);
}

bioft_status slurm_submit(const struct slurm_params *p, struct error *err)
{
    char *program = realpath("/proc/self/exe", NULL), *script = path_join(p->out, "slurm.sh");
    struct text t = { 0 };
    struct array array;
    bioft_status st = program && script ? find_array(p, &array, err) : error_memory(err, "a job");

    if (st == BIOFT_OK) {
        write_script(p, &array, program, &t);
        st = t.failed ? error_memory(err, "a job") : file_write(script, t.data, t.length, err);
    }
    if (st == BIOFT_OK && chmod(script, 0755) != 0)
        st = file_error(err, script, "make executable", errno);
    if (st == BIOFT_OK)
        st = submit(p, script, err);
    text_free(&t);
    free(program);
    free(script);
    return st;
}
