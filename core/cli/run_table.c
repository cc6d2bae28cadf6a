/* The table at a run's end, its files, and what failed. */
#include "cli/print.h"
#include "cli/run_table.h"

#include "base/file.h"
#include "report/terminal.h"
#include <stdio.h>
#include <stdlib.h>

static void add_failures(struct text *t, const struct experiment *e, const struct failures *f)
{
    if (f->failed)
        text_printf(t, "\n%zu of %zu trial%s failed:\n", f->failed, e->trial_count, e->trial_count == 1 ? "" : "s");
    for (size_t i = 0; i < f->count; i++)
        text_printf(t, "  %s: %s\n", f->items[i].id, f->items[i].why);
}

bioft_status run_table_print(const char *out, const struct experiment *e, const struct failures *failures, bool told,
                             struct error *err)
{
    struct arena *arena = arena_create();
    char *path = path_join(out, "results.csv");
    struct trial_figures *trials;
    struct text t = { 0 };
    size_t count;

    const bool none = e->trial_count > 0 && failures->failed == e->trial_count;
    bioft_status st = arena && path ? BIOFT_OK : error_memory(err, "the table");
    if (st == BIOFT_OK && none) {
        text_printf(&t, "no figures: all trials failed; their logs are in %s/trials/\n", out);
        if (!told)
            add_failures(&t, e, failures);
        st = t.failed ? error_memory(err, "the table") : BIOFT_OK;
    }
    if (st == BIOFT_OK && !none)
        st = results_read(path, arena, &trials, &count, err);
    if (st == BIOFT_OK && !none) {
        t.failed = !terminal_table(trials, count, &t) || t.failed;
        text_printf(&t,
                    "\n%s/\n  report.html     tables and plots; also in tables/ and plots/\n"
                    "  results.csv     every figure with its n and 95%% interval\n"
                    "  trials/         metrics, predictions and checkpoint of each trial\n"
                    "  manifest.yaml   as resolved; provenance.json: what it ran on\n",
                    out);
        add_failures(&t, e, failures);
        st = t.failed ? error_memory(err, "the table") : BIOFT_OK;
    }
    if (st == BIOFT_OK)
        print("%s", t.data);
    text_free(&t);
    free(path);
    arena_destroy(arena);
    return st;
}
