/* bioft run: read, expand, and for each trial open, build, train, attack, evaluate, write. */
#include "base/clock.h"
#include "base/file.h"
#include "base/stop.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/print.h"
#include "run/jobs.h"
#include "run/output.h"
#include "cli/report_files.h"
#include "cli/run_table.h"
#include "cli/signals.h"
#include "cli/slurm.h"
#include "cli/supervise.h"
#include "run/rehearse.h"
#include "run/trials.h"
#include <stdlib.h>
#include <string.h>

struct run {
    struct argument_list set, plugin_paths, slurm_options;
    const char *path, *out; /* of the manifest; --out */
    uint32_t threads, jobs;
    bool resume, force, quiet, fail_fast, slurm, trust;
    const char *only; /* --only-trial, or NULL */
    struct worker worker;
    size_t timed; /* trials that this run has ended */
    struct console console;
    const struct stop *stop;
    struct experiment *experiment;
    struct output output;
    struct failures failures;
    struct shared_data shared; /* the trials' data, opened once */
};

/* A trial's messages go to its log too. A trials' begin. */
static bioft_status begin_trial(void *ctx, const struct trial *t, const char *folder, bool done, struct error *err)
{
    struct run *run = ctx;
    char *path = path_join(folder, "log");
    bioft_status st = path ? BIOFT_OK : error_memory(err, "a path");
    (void)t;

    run->console.sweep.begun = clock_seconds();
    if (st == BIOFT_OK && !done && !(run->console.file = fopen(path, "a")))
        st = error_set(err, BIOFT_ERR_IO, "%s: cannot be written", path);
    free(path);
    return st;
}

/* A trials' end, and what the console says of the sweep. */
static void end_trial(void *ctx, const struct trial *t, bool done, const char *why)
{
    struct run *run = ctx;
    struct console_sweep *s = &run->console.sweep;
    (void)t;

    if (why) {
        console_error(&run->console, why);
        s->failed++;
    } else {
        s->done++;
    }
    if (!done) /* of those of this run the mean */
        s->each += (clock_seconds() - s->begun - s->each) / (double)++run->timed;
    if (run->console.file)
        fclose(run->console.file);
    run->console.file = NULL;
}

static bioft_status run_trials(struct run *run, struct error *err)
{
    struct trials s = { .experiment = run->experiment,
                        .out = run->output.folder,
                        .lock = run->output.locked ? run->output.lock : -1,
                        .only = run->only,
                        .child = run->worker.is_one,
                        .fail_fast = run->fail_fast,
                        .shared = &run->shared,
                        .process = { .argv = (const char *const *)run->worker.user_argv,
                                     .argc = run->worker.user_argc },
                        .log = &run->console.log,
                        .engine_log = run->console.engine_said ? NULL : &run->console.log,
                        .stop = run->stop,
                        .begin = begin_trial,
                        .end = end_trial,
                        .ctx = run };

    run->console.sweep.count = run->only ? 0 : run->experiment->trial_count;
    return trials_run(&s, &run->failures, err);
}

static bioft_status run_in_parallel(struct run *run, struct error *err)
{
    return jobs_run(&(struct jobs_params){ .experiment = run->experiment,
                                           .out = run->output.folder,
                                           .lock = run->output.lock,
                                           .jobs = run->jobs,
                                           .fail_fast = run->fail_fast,
                                           .plugin_paths = run->plugin_paths.items,
                                           .plugin_path_count = run->plugin_paths.count,
                                           .trust_plugins = run->trust,
                                           .argv = run->worker.user_argv,
                                           .argc = run->worker.user_argc,
                                           .log = &run->console.log,
                                           .stop = run->stop },
                    &run->failures, err);
}

/* The folder is left to the elements, which may start before sbatch has ended. */
static bioft_status submit(struct run *run, struct error *err)
{
    output_unlock(&run->output);
    return slurm_submit(&(struct slurm_params){ .experiment = run->experiment,
                                                .out = run->output.folder,
                                                .plugin_paths = run->plugin_paths.items,
                                                .plugin_path_count = run->plugin_paths.count,
                                                .trust_plugins = run->trust,
                                                .options = run->slurm_options.items,
                                                .option_count = run->slurm_options.count },
                        err);
}

static int fail(struct run *run, const struct error *err, int status)
{
    console_error(&run->console, err->text);
    return status;
}

/* Of single trials the last one's process makes it. What does not come off is said, and fails no run. */
static void make_report(struct run *run)
{
    const char *const folder = run->output.folder;
    struct error err = { 0 };
    bool all = true;

    for (size_t i = 0; run->only && all && i < run->experiment->trial_count; i++)
        all = trials_have_results(folder, &run->experiment->trials[i]);
    if (all && report_files(&(struct report_order){ .folders = &folder, .count = 1, .out = folder, .keep = true },
                            &err) != BIOFT_OK)
        log_write(&run->console.log, LOG_WARNING, "no report: %s; 'bioft report %s' tries again", err.text, folder);
}

static const struct trial *wanted_alone(const struct run *run)
{
    for (size_t i = 0; run->only && i < run->experiment->trial_count; i++)
        if (trials_wants(run->only, &run->experiment->trials[i]))
            return &run->experiment->trials[i];
    return NULL;
}

/* What `check` tells, before there is a folder or an hour is spent; 0: go on. The data stays open for the trials. */
static int check_all(struct run *run, const char *path)
{
    struct error err = { 0 };
    struct rehearsal h = { .experiment = run->experiment,
                           .path = path,
                           .log = &run->console.log,
                           .engine_log = &run->console.log,
                           .shared = &run->shared };
    const bioft_status st = rehearse(&h, wanted_alone(run), &err);

    run->console.engine_said = true;
    run->shared.retold = true;
    console_finish(&run->console);
    if (h.faults.data)
        print_error("%s", h.faults.data);
    const int status = st != BIOFT_OK ? fail(run, &err, 1) : h.errors == 0 ? 0 : h.io || h.data ? 1 : 2;
    rehearsal_finish(&h);
    return status;
}

static int stopped(struct run *run)
{
    console_finish(&run->console);
    log_write(&run->console.log, LOG_INFO, "interrupted; continue with --resume");
    return signals_exit_status(run->stop) ? signals_exit_status(run->stop) : 1;
}

static int run_experiment(struct run *run)
{
    struct error err = { 0 };
    run->stop = signals_catch();
    const int status = run->worker.is_one ? 0 : check_all(run, run->path);
    if (status)
        return status;
    if (run->slurm && slurm_check(&(struct slurm_params){ .experiment = run->experiment,
                                                          .options = run->slurm_options.items,
                                                          .option_count = run->slurm_options.count },
                                  &err) != BIOFT_OK)
        return fail(run, &err, 2);
    if (stop_asked(run->stop))
        return stopped(run);
    bioft_status st = output_open(&(struct output_params){ .out = run->out,
                                                           .resume = run->resume || run->force,
                                                           .force = run->force,
                                                           .sharing = run->worker.is_one ? OUTPUT_CHILD
                                                                      : run->only        ? OUTPUT_SHARED
                                                                                         : OUTPUT_ALONE,
                                                           .plugin_paths = run->plugin_paths.items,
                                                           .plugin_path_count = run->plugin_paths.count,
                                                           .trust_plugins = run->trust,
                                                           .log = &run->console.log },
                                  &run->experiment, &run->output, &err);
    if (st != BIOFT_OK)
        return fail(run, &err, st == BIOFT_ERR_INVALID ? 2 : 1);
    if (run->slurm || run->jobs > 1 || run->output.replaced)
        shared_data_keep(&run->shared, NULL); /* others will open it, or no trial's sections are its own */
    run->shared.retold = true;
    if (run->slurm)
        return submit(run, &err) == BIOFT_OK ? 0 : fail(run, &err, 1);
    st = run->jobs > 1 && !run->only ? run_in_parallel(run, &err) : run_trials(run, &err);
    if (st == BIOFT_ERR_CANCELLED)
        return stopped(run);
    if (st != BIOFT_OK)
        return fail(run, &err, st == BIOFT_ERR_INVALID ? 2 : 1);
    console_finish(&run->console);
    if (!run->worker.is_one && run->failures.failed < run->experiment->trial_count)
        make_report(run);
    st = run->worker.is_one
             ? BIOFT_OK
             : run_table_print(run->output.folder, run->experiment, &run->failures, run->jobs <= 1 || run->only, &err);
    if (st != BIOFT_OK)
        return fail(run, &err, 1);
    return run->failures.failed ? 1 : 0;
}

/* --threads, or this process's, divided among the trials that run at once. */
static uint32_t default_threads(const struct run *run)
{
    const uint32_t share = threads_default() / (run->jobs ? run->jobs : 1);
    return run->threads ? run->threads : share ? share : 1;
}

/* All of it, from the manifest on. A supervise's body. */
static int run_manifest(void *ctx)
{
    struct run *run = ctx;
    struct error err = { 0 };
    char *said = NULL;
    int status;

    console_init(&run->console, run->quiet);
    bioft_status st = experiment_read(&(struct experiment_params){ .path = run->path,
                                                                   .set = run->set.items,
                                                                   .set_count = run->set.count,
                                                                   .out = run->out,
                                                                   .threads = default_threads(run),
                                                                   .plugin_paths = run->plugin_paths.items,
                                                                   .plugin_path_count = run->plugin_paths.count,
                                                                   .trust_plugins = run->trust,
                                                                   .log = &run->console.log },
                                      &run->experiment, &said, &err);
    if (said)
        print_error("%s", said);
    free(said);
    if (st != BIOFT_OK)
        status = err.text[0] ? fail(run, &err, 2) : 2;
    else
        status = run_experiment(run);
    shared_data_keep(&run->shared, NULL);
    output_close(&run->output);
    failures_free(&run->failures);
    experiment_destroy(run->experiment);
    console_finish(&run->console);
    return status;
}

int command_run(int argc, char **argv)
{
    struct run run = { 0 };
    const struct argument arguments[] = {
        { "out", "DIR", ARGUMENT_TEXT, &run.out, "where the results go (default: the manifest's output)" },
        { "set", "PATH=VALUE", ARGUMENT_LIST, &run.set, "replace a value of the manifest; may be given again" },
        { "resume", NULL, ARGUMENT_FLAG, &run.resume, "go on with a run that was interrupted" },
        { "force", NULL, ARGUMENT_FLAG, &run.force, "go on with a manifest to which trials or attacks were added" },
        { "threads", "N", ARGUMENT_COUNT, &run.threads, "threads to use (default: all that this process may use)" },
        { "jobs", "N", ARGUMENT_COUNT, &run.jobs, "run N trials at once and divide the threads among them" },
        { "only-trial", "TRIAL", ARGUMENT_TEXT, &run.only, "run this trial alone, by its number or id" },
        { "slurm", NULL, ARGUMENT_FLAG, &run.slurm, "submit the trials as a job array instead of running them" },
        { "sbatch", "OPTION", ARGUMENT_LIST, &run.slurm_options,
          "with --slurm: an option of sbatch's; may be given again" },
        { "fail-fast", NULL, ARGUMENT_FLAG, &run.fail_fast, "stop at the first trial that fails" },
        { "plugin-path", "DIR", ARGUMENT_LIST, &run.plugin_paths, "look for plugins here first; may be given again" },
        { "trust-plugins", NULL, ARGUMENT_FLAG, &run.trust, TRUST_HELP },
        { "quiet", NULL, ARGUMENT_FLAG, &run.quiet, "no progress, only warnings and the result" },
        { NULL, NULL, ARGUMENT_FLAG, NULL, NULL },
    };
    struct command_line line = {
        .name = "run",
        .usage = "MANIFEST [options]",
        .arguments = arguments,
        .positional_min = 1,
        .positional_max = 1,
        .summary = "Trains, evaluates and attacks what the manifest describes, and prints a table of the results.",
    };

    if (!worker_begin(&argc, &argv, &run.worker))
        return 1;
    const int status = arguments_parse(&line, argc, argv);
    if (status >= 0)
        return status;
    run.path = line.positional[0];
    return run.worker.is_one ? run_manifest(&run) : supervise(run_manifest, &run);
}
