/* bioft run: read, expand, and for each trial open, build, train, attack, evaluate, write. */
#include "base/clock.h"
#include "base/file.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/summary.h"
#include "cli/trial.h"
#include <stdlib.h>
#include <string.h>

struct run {
    struct argument_list set, plugin_paths;
    const char *out;
    uint32_t threads;
    bool resume, force, quiet, fail_fast;
    struct console console;
    const struct stop *stop;
    struct experiment *experiment;
    struct output output;
    int argc;
    char **argv;
    size_t failed;
};

static bioft_status open_log(struct run *run, const struct trial_run *r, struct error *err)
{
    char *path = path_join(r->folder, "log");
    bioft_status st = path ? file_make_folder(r->folder, err) : error_memory(err, "a path");
    if (st == BIOFT_OK && !(run->console.file = fopen(path, "a")))
        st = error_set(err, BIOFT_ERR_IO, "%s: cannot be written", path);
    free(path);
    return st;
}

static bioft_status run_trial(struct run *run, const struct trial *t, struct error *err)
{
    char *results = trial_results_path(run->output.folder, t);
    struct trial_run r = { .experiment = run->experiment, .trial = t, .out = run->output.folder,
                           .console = &run->console, .stop = run->stop };
    bioft_status st = results ? BIOFT_OK : error_memory(err, "a path");

    if (st == BIOFT_OK && !file_exists(results)) {
        log_write(&run->console.log, LOG_INFO, "trial %s (%u of %zu)", t->id, t->number + 1,
                  run->experiment->trial_count);
        st = trial_open(&r, err);
        if (st == BIOFT_OK)
            st = open_log(run, &r, err);
        if (st == BIOFT_OK)
            st = summary_provenance(&r, run->argc, run->argv, err);
        if (st == BIOFT_OK)
            st = trial_run(&r, err);
        if (st == BIOFT_OK)
            log_write(&run->console.log, LOG_DETAIL, "trial %s done", t->id);
    }
    trial_close(&r);
    free(results);
    if (st != BIOFT_OK)
        console_error(&run->console, err->text);
    if (run->console.file)
        fclose(run->console.file);
    run->console.file = NULL;
    return st;
}

static bioft_status run_trials(struct run *run, struct error *err)
{
    const struct experiment *e = run->experiment;
    for (size_t i = 0; i < e->trial_count; i++) {
        bioft_status st = run_trial(run, &e->trials[i], err);
        if (st == BIOFT_ERR_CANCELLED)
            return st;
        const bool stop = st != BIOFT_OK && run->fail_fast;
        run->failed += st != BIOFT_OK;
        if ((st = summary_results(run->output.folder, e, err)) != BIOFT_OK || stop)
            return st;
    }
    return BIOFT_OK;
}

static int fail(struct run *run, const struct error *err, int status)
{
    console_error(&run->console, err->text);
    return status;
}

static int run_experiment(struct run *run)
{
    struct error err = { 0 };
    bioft_status st = output_open(&(struct output_params){
        .out = run->out, .resume = run->resume || run->force, .force = run->force,
        .plugin_paths = run->plugin_paths.items, .plugin_path_count = run->plugin_paths.count,
        .log = &run->console.log }, &run->experiment, &run->output, &err);
    if (st != BIOFT_OK)
        return fail(run, &err, st == BIOFT_ERR_INVALID ? 2 : 1);
    run->stop = signals_catch();
    st = run_trials(run, &err);
    if (st == BIOFT_ERR_CANCELLED) {
        log_write(&run->console.log, LOG_INFO, "stopped; '--resume' goes on");
        return signals_exit_status(run->stop) ? signals_exit_status(run->stop) : 1;
    }
    if (st != BIOFT_OK)
        return fail(run, &err, 1);
    console_finish(&run->console);
    st = summary_print(run->output.folder, run->experiment, run->failed, &err);
    if (st != BIOFT_OK)
        return fail(run, &err, 1);
    return run->failed ? 1 : 0;
}

int command_run(int argc, char **argv)
{
    struct run run = { .argc = argc, .argv = argv };
    const struct argument arguments[] = {
        { "out", "DIR", ARGUMENT_TEXT, &run.out, "where the results go (default: the manifest's output)" },
        { "set", "PATH=VALUE", ARGUMENT_LIST, &run.set, "replace a value of the manifest; may be given again" },
        { "resume", NULL, ARGUMENT_FLAG, &run.resume, "go on with a run that was interrupted" },
        { "force", NULL, ARGUMENT_FLAG, &run.force, "go on with a manifest to which trials or attacks were added" },
        { "threads", "N", ARGUMENT_COUNT, &run.threads, "threads to use (default: all that this process may use)" },
        { "fail-fast", NULL, ARGUMENT_FLAG, &run.fail_fast, "stop at the first trial that fails" },
        { "plugin-path", "DIR", ARGUMENT_LIST, &run.plugin_paths, "look for plugins here first; may be given again" },
        { "quiet", NULL, ARGUMENT_FLAG, &run.quiet, "no progress, only warnings and the result" },
        { NULL, NULL, ARGUMENT_FLAG, NULL, NULL },
    };
    struct command_line line = {
        .name = "run", .usage = "MANIFEST [options]", .arguments = arguments, .positional_min = 1, .positional_max = 1,
        .summary = "Trains, evaluates and attacks what the manifest describes, and prints a table of the results.",
    };
    char *said = NULL;
    struct error err = { 0 };

    int status = arguments_parse(&line, argc, argv);
    if (status >= 0)
        return status;
    console_init(&run.console, run.quiet);
    bioft_status st = experiment_read(&(struct experiment_params){
        .path = line.positional[0], .set = run.set.items, .set_count = run.set.count, .out = run.out,
        .threads = run.threads ? run.threads : threads_available(), .plugin_paths = run.plugin_paths.items,
        .plugin_path_count = run.plugin_paths.count, .log = &run.console.log }, &run.experiment, &said, &err);
    if (said)
        fputs(said, stderr);
    free(said);
    if (st != BIOFT_OK)
        status = err.text[0] ? fail(&run, &err, 2) : 2;
    else
        status = run_experiment(&run);
    output_close(&run.output);
    experiment_destroy(run.experiment);
    console_finish(&run.console);
    return status;
}
