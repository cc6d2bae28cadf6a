/* bioft status: what the run in a folder is doing, read from its files. */
#include "base/file.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "run/trial.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct count {
    size_t done, failed, running, stopped;
};

/* One line for a trial that is not done and has begun. */
static void show_trial(const char *out, const struct trial *t, struct count *count, struct text *ret)
{
    char *results = trial_results_path(out, t), *path = trial_status_path(out, t), number[TEXT_NUMBER];
    struct status s;

    if (!results || !path) {
        ret->failed = true;
    } else if (file_exists(results)) {
        count->done++;
    } else if (status_read(path, &s)) {
        const bool live = s.live;
        count->failed += s.failed;
        count->running += live;
        count->stopped += !live && !s.failed;
        text_printf(ret, "%s: %s", t->id, s.failed ? "failed at " : live ? "" : "stopped at ");
        status_line(&s, ret);
        if (live && !isnan(status_age(&s)))
            text_printf(ret, " (for %s)", text_duration(number, status_age(&s)));
        text_add(ret, "\n");
    }
    free(results);
    free(path);
}

static bioft_status show(const char *out, const struct experiment_params *how, struct text *ret, struct error *err)
{
    char *folder = path_absolute(NULL, out), *manifest = folder ? path_join(folder, "manifest.yaml") : NULL;
    char *said = NULL;
    struct experiment *e = NULL;
    struct count count = { 0 };
    bioft_status st = manifest ? BIOFT_OK : error_memory(err, "a path");

    if (st == BIOFT_OK && !file_exists(manifest))
        st = error_set(err, BIOFT_ERR_INVALID, "%s has no manifest.yaml: no run of bioft works there", folder);
    if (st == BIOFT_OK)
        st = experiment_read(&(struct experiment_params){ .path = manifest,
                                                          .out = folder,
                                                          .plugin_paths = how->plugin_paths,
                                                          .plugin_path_count = how->plugin_path_count,
                                                          .trust_plugins = how->trust_plugins },
                             &e, &said, err);
    if (st == BIOFT_ERR_INVALID && said)
        error_set(err, st, "%s cannot be read:\n%s", manifest, said);
    for (size_t i = 0; st == BIOFT_OK && i < e->trial_count; i++)
        show_trial(folder, &e->trials[i], &count, ret);
    if (st == BIOFT_OK) {
        text_printf(ret, "%zu of %zu trials done, %zu running", count.done, e->trial_count, count.running);
        if (count.failed)
            text_printf(ret, ", %zu failed", count.failed);
        if (count.stopped)
            text_printf(ret, ", %zu stopped", count.stopped);
        if (count.stopped || (!count.running && count.done < e->trial_count))
            text_printf(ret, ": continue with 'bioft run %s --out %s --resume'", manifest, folder);
        text_add(ret, "\n");
        st = ret->failed ? error_memory(err, "the state of a run") : BIOFT_OK;
    }
    experiment_destroy(e);
    free(said);
    free(manifest);
    free(folder);
    return st;
}

int command_status(int argc, char **argv)
{
    struct argument_list plugin_paths = { 0 };
    bool trust = false;
    const struct argument arguments[] = {
        { "plugin-path", "DIR", ARGUMENT_LIST, &plugin_paths, "look for plugins here first; may be given again" },
        { "trust-plugins", NULL, ARGUMENT_FLAG, &trust, TRUST_HELP },
        { NULL, NULL, ARGUMENT_FLAG, NULL, NULL },
    };
    struct command_line line = {
        .name = "status",
        .usage = "OUT [options]",
        .arguments = arguments,
        .positional_min = 1,
        .positional_max = 1,
        .summary =
            "Prints what the run in the output folder OUT is doing: one line per running trial, and how many are done.",
    };
    struct text text = { 0 };
    struct error err = { 0 };

    const int status = arguments_parse(&line, argc, argv);
    if (status >= 0)
        return status;
    bioft_status st = show(line.positional[0],
                           &(struct experiment_params){ .plugin_paths = plugin_paths.items,
                                                        .plugin_path_count = plugin_paths.count,
                                                        .trust_plugins = trust },
                           &text, &err);
    if (st == BIOFT_OK)
        print("%s", text.data);
    else
        print_error("bioft status: %s\n", err.text);
    text_free(&text);
    return st == BIOFT_OK ? 0 : st == BIOFT_ERR_INVALID ? 2 : 1;
}
