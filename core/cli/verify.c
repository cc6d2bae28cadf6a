/* bioft verify: every figure of an output recomputed from its checkpoints and predictions. */
#include "base/file.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/print.h"
#include "cli/signals.h"
#include "run/verify.h"
#include <stdio.h>
#include <stdlib.h>

struct job {
    const char *out;
    struct argument_list plugin_paths;
    bool attacks, trust;
    struct console console;
    struct shared_data shared;
    struct verified found;
    size_t verified, left; /* trials with results; without */
};

static bool has_results(const char *out, const struct trial *t)
{
    char *path = trial_results_path(out, t);
    const bool has = path && file_exists(path);
    free(path);
    return has;
}

static bioft_status verify_all(struct job *j, const struct experiment *e, const char *folder, const struct stop *stop,
                               struct error *err)
{
    const struct verify_params p = { .experiment = e,
                                     .out = folder,
                                     .attacks = j->attacks,
                                     .shared = &j->shared,
                                     .log = &j->console.log,
                                     .stop = stop };
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; st == BIOFT_OK && i < e->trial_count; i++) {
        const struct trial *t = &e->trials[i];
        if (!has_results(folder, t)) {
            j->left++;
            continue;
        }
        log_write(&j->console.log, LOG_INFO, "verifying %s (%u of %zu)", t->id, t->number + 1, e->trial_count);
        shared_data_keep(&j->shared, t);
        st = verify_trial(&p, t, &j->found, err);
        j->verified += st == BIOFT_OK;
    }
    return st;
}

static bioft_status verify(struct job *j, char **ret_said, struct error *err)
{
    char *folder = path_absolute(NULL, j->out), *manifest = folder ? path_join(folder, "manifest.yaml") : NULL;
    struct experiment *e = NULL;
    bioft_status st = manifest ? BIOFT_OK : error_memory(err, "a path");

    if (st == BIOFT_OK && !file_exists(manifest))
        st = error_set(err, BIOFT_ERR_INVALID, "%s has no manifest.yaml: no run of bioft works there", folder);
    if (st == BIOFT_OK)
        st = experiment_read(&(struct experiment_params){ .path = manifest,
                                                          .out = folder,
                                                          .plugin_paths = j->plugin_paths.items,
                                                          .plugin_path_count = j->plugin_paths.count,
                                                          .trust_plugins = j->trust,
                                                          .log = &j->console.log },
                             &e, ret_said, err);
    if (st == BIOFT_OK)
        st = verify_all(j, e, folder, signals_catch(), err);
    shared_data_keep(&j->shared, NULL);
    experiment_destroy(e);
    free(manifest);
    free(folder);
    return st;
}

static void print_found(const struct job *j)
{
    if (j->found.differences.data)
        print("%s", j->found.differences.data);
    print("%zu figures of %zu trial%s recomputed%s: %zu difference%s\n", j->found.figures, j->verified,
          j->verified == 1 ? "" : "s", j->attacks ? ", attacks run again" : "", j->found.differing,
          j->found.differing == 1 ? "" : "s");
    if (j->left)
        print("%zu trial%s no results\n", j->left, j->left == 1 ? " has" : "s have");
}

int command_verify(int argc, char **argv)
{
    struct job job = { 0 };
    const struct argument arguments[] = {
        { "attacks", NULL, ARGUMENT_FLAG, &job.attacks, "run the attacks again too, from the checkpoints" },
        { "plugin-path", "DIR", ARGUMENT_LIST, &job.plugin_paths, "look for plugins here first; may be given again" },
        { "trust-plugins", NULL, ARGUMENT_FLAG, &job.trust, TRUST_HELP },
        { NULL, NULL, ARGUMENT_FLAG, NULL, NULL },
    };
    struct command_line line = {
        .name = "verify",
        .usage = "OUT [options]",
        .arguments = arguments,
        .positional_min = 1,
        .positional_max = 1,
        .summary =
            "Recomputes every figure in the output folder OUT from its checkpoints and predictions, and prints what\n"
            "differs. Exit status 1 where anything does.",
    };
    struct error err = { 0 };
    char *said = NULL;

    const int status = arguments_parse(&line, argc, argv);
    if (status >= 0)
        return status;
    job.out = line.positional[0];
    console_init(&job.console, false);
    const bioft_status st = verify(&job, &said, &err);
    console_finish(&job.console);
    if (said)
        print_error("%s", said);
    free(said);
    if (st == BIOFT_OK)
        print_found(&job);
    else if (err.text[0])
        console_error(&job.console, err.text);
    text_free(&job.found.differences);
    return st == BIOFT_OK ? job.found.differing > 0 : st == BIOFT_ERR_INVALID ? 2 : 1;
}
