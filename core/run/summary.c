/* What stands above the trials. */
#include "run/summary.h"

#include "base/clock.h"
#include "base/file.h"
#include "formats/csv.h"
#include "formats/gzip.h"
#include "formats/png.h"
#include "results/provenance.h"
#include <stdlib.h>

static bioft_status write_provenance(const struct trial_run *r, const char *path, int argc, char **argv,
                                     struct error *err)
{
    const struct trial *t = r->trial;
    const char *started = arena_array(r->arena, CLOCK_TEXT, 1);
    size_t plugin_count, dataset_count = 0;
    const struct plugin *const *loaded = registry_loaded(r->experiment->registry, &plugin_count);
    struct provenance_plugin *plugins = arena_array(r->arena, plugin_count + 1, sizeof *plugins);
    struct provenance_dataset *datasets = arena_array(r->arena, (t->stage_count + 1) * 4, sizeof *datasets);
    const struct provenance_library libraries[] = {
        { "blas or equal", r->engine->identity }, { "png", png_library_version() }, { "zlib", gzip_library_version() },
    };
    if (!started || !plugins || !datasets)
        return error_memory(err, "provenance");
    for (size_t i = 0; i < plugin_count; i++)
        plugins[i] = (struct provenance_plugin){
            kind_word(loaded[i]->descriptor.kind), loaded[i]->descriptor.name, loaded[i]->descriptor.version,
            loaded[i]->path, loaded[i]->descriptor.abi_version };
    for (size_t i = 0; i <= t->stage_count; i++)
        for (size_t k = 0; k < r->data[i]->split_count && dataset_count < (t->stage_count + 1) * 4; k++) {
            const struct split *s = &r->data[i]->splits[k];
            datasets[dataset_count++] = (struct provenance_dataset){
                r->data[i]->name, r->data[i]->spec->root, s->name, s->fingerprint, s->count, s->left_out };
        }
    return provenance_write(path, &(struct provenance){
        .argv = (const char *const *)argv, .argc = (size_t)argc, .manifest_key = r->experiment->key,
        .started = clock_utc((char *)started), .engine = r->label.engine, .engine_identity = r->engine->identity,
        .engine_why = r->engine->why, .precision = r->label.precision, .threads = t->threads, .seed = t->seed,
        .plugins = plugins, .plugin_count = plugin_count, .datasets = datasets, .dataset_count = dataset_count,
        .libraries = libraries, .library_count = sizeof libraries / sizeof *libraries }, err);
}

bioft_status summary_provenance(const struct trial_run *r, int argc, char **argv, struct error *err)
{
    char *path = path_join(r->out, "provenance.json");
    bioft_status st = path ? BIOFT_OK : error_memory(err, "a path");
    if (st == BIOFT_OK && !file_exists(path))
        st = write_provenance(r, path, argc, argv, err);
    free(path);
    return st;
}

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
        parts[i].swept = e->trials[i].varied;
        if (!(parts[i].path = trial_results_path(out, &e->trials[i])))
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
