/* What stands above the trials. */
#include "run/summary.h"

#include "base/file.h"
#include "formats/csv.h"
#include "run/search.h"
#include <stdlib.h>

static bioft_status write_trials(const char *out, const struct experiment *e, struct error *err)
{
    char *path = path_join(out, "trials.csv");
    struct text t = { 0 };

    csv_text(&t, "trial");
    for (size_t i = 0; i < e->sweep_count; i++)
        csv_text(&t, e->sweep_paths[i]);
    csv_end_line(&t);
    for (size_t i = 0; i < e->trial_count; i++) {
        csv_text(&t, e->trials[i].id);
        for (size_t k = 0; k < e->trials[i].swept_count; k++)
            csv_text(&t, e->trials[i].swept[k].value);
        csv_end_line(&t);
    }
    bioft_status st = path && !t.failed ? file_write(path, t.data, t.length, err) : error_memory(err, "trials.csv");
    text_free(&t);
    free(path);
    return st;
}

bioft_status summary_results(const char *out, const struct experiment *e, struct error *err)
{
    struct results_part *parts = mem_array(e->trial_count, sizeof *parts);
    char *path = path_join(out, "results.csv");
    bioft_status st = parts && path ? BIOFT_OK : error_memory(err, "results.csv");

    for (size_t i = 0; st == BIOFT_OK && i < e->trial_count; i++) {
        const struct trial *t;
        st = search_find(out, &e->trials[i], &t, err);
        parts[i].swept = t->varied;
        if (st == BIOFT_OK && !(parts[i].path = trial_results_path(out, &e->trials[i])))
            st = error_memory(err, "results.csv");
    }
    if (st == BIOFT_OK)
        st = results_join(path, e->varied, e->varied_count, parts, e->trial_count, err);
    if (st == BIOFT_OK)
        st = write_trials(out, e, err);
    for (size_t i = 0; parts && i < e->trial_count; i++)
        free((char *)parts[i].path);
    free(parts);
    free(path);
    return st;
}
