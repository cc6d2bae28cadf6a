/* What this process adds to an output folder, for provenance.json. */
#include "run/process.h"

#include "base/clock.h"
#include "base/file.h"
#include "data/describe.h"
#include "formats/gzip.h"
#include "formats/json.h"
#include "formats/png.h"
#include "results/provenance.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HOST = 65 };
static const char folder_name[] = "processes";

/* As a part of a file's name. */
static void host_name(char ret[HOST])
{
    if (gethostname(ret, HOST) != 0)
        ret[0] = '\0';
    ret[HOST - 1] = '\0';
    for (char *c = ret; *c; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", *c))
            *c = '_';
}

/* The file that a stage begins with, where there is one. */
static bioft_status add_weights(const struct trial_run *r, size_t stage, struct provenance_weights *list, size_t *count,
                                struct error *err)
{
    const struct weights_spec *w = trial_weights(r, stage);
    char *sum = w ? arena_array(r->arena, SHA256_HEX, 1) : NULL;

    if (!w)
        return BIOFT_OK;
    if (!sum)
        return error_memory(err, "provenance");
    list[(*count)++] = (struct provenance_weights){ stage < r->trial->stage_count ? r->trial->stages[stage].name : "",
                                                    w->file, sum };
    return sha256_file(w->file, sum, err);
}

static bioft_status circumstances(struct text *t, const struct trial_run *r, const struct process *p,
                                  const char *started, const char *host, struct error *err)
{
    const struct trial *trial = r->trial;
    size_t plugin_count, dataset_count = 0, weights_count = 0;
    const char *manifest = arena_printf(r->arena, "%s/manifest.yaml", r->out);
    char manifest_sum[SHA256_HEX];
    const struct plugin *const *loaded = registry_loaded(r->experiment->registry, &plugin_count);
    struct provenance_plugin *plugins = arena_array(r->arena, plugin_count + 1, sizeof *plugins);
    struct provenance_dataset *datasets = arena_array(r->arena, (trial->stage_count + 1) * MAX_SPLITS,
                                                      sizeof *datasets);
    struct provenance_weights *weights = arena_array(r->arena, trial->stage_count + 1, sizeof *weights);
    const struct provenance_library libraries[] = {
        { "blas or equal", r->engine->identity },
        { "png", png_library_version() },
        { "zlib", gzip_library_version() },
    };

    if (!plugins || !datasets || !manifest || !weights)
        return error_memory(err, "provenance");
    bioft_status st = sha256_file(manifest, manifest_sum, err);
    for (size_t i = 0; st == BIOFT_OK && i < (trial->stage_count ? trial->stage_count : 1); i++)
        st = add_weights(r, i, weights, &weights_count, err);
    if (st != BIOFT_OK)
        return st;
    for (size_t i = 0; i < plugin_count; i++)
        plugins[i] = (struct provenance_plugin){ kind_word(loaded[i]->descriptor.kind), loaded[i]->descriptor.name,
                                                 loaded[i]->descriptor.version, loaded[i]->path,
                                                 loaded[i]->descriptor.abi_version };
    for (size_t i = 0; i <= trial->stage_count; i++)
        for (size_t k = 0; k < r->data[i]->split_count && k < MAX_SPLITS; k++) {
            const struct split *s = &r->data[i]->splits[k];
            datasets[dataset_count++] = (struct provenance_dataset){
                r->data[i]->name, r->data[i]->spec->root, s->name, s->fingerprint, s->content, s->count, s->left_out
            };
        }
    provenance_begin(t, &(struct provenance){ .argv = p->argv,
                                              .argc = (size_t)p->argc,
                                              .manifest_sha256 = manifest_sum,
                                              .started = started,
                                              .host = host,
                                              .pid = (long)getpid(),
                                              .engine = r->label.engine,
                                              .engine_identity = r->engine->identity,
                                              .engine_why = r->engine->why,
                                              .precision = r->label.precision,
                                              .threads = trial->threads,
                                              .seed = trial->seed,
                                              .plugins = plugins,
                                              .plugin_count = plugin_count,
                                              .datasets = datasets,
                                              .dataset_count = dataset_count,
                                              .weights = weights,
                                              .weights_count = weights_count,
                                              .libraries = libraries,
                                              .library_count = sizeof libraries / sizeof *libraries });
    return BIOFT_OK;
}

static bioft_status save(const struct process *p, const char *finished, struct error *err)
{
    struct text all = { 0 };

    text_add_n(&all, p->text.data, p->text.length);
    if (p->in_trial)
        provenance_trial_end(&all);
    provenance_end(&all, finished);
    bioft_status st = all.failed || p->text.failed ? error_memory(err, "provenance")
                                                   : file_write(p->path, all.data, all.length, err);
    text_free(&all);
    return st;
}

/* Names that sort as the processes began. */
static bioft_status begin(struct process *p, const struct trial_run *r, struct error *err)
{
    char host[HOST], started[CLOCK_TEXT];
    struct text path = { 0 };

    host_name(host);
    clock_utc(started);
    char *folder = path_join(r->out, folder_name);
    bioft_status st = folder ? file_make_folder(folder, err) : error_memory(err, "a path");
    /* No colons, which some file systems do not have. */
    text_printf(&path, "%s/%.13s%.2s%.2sZ-%s-%ld.json", folder ? folder : "", started, started + 14, started + 17, host,
                (long)getpid());
    if (st == BIOFT_OK && path.failed)
        st = error_memory(err, "a path");
    if (st == BIOFT_OK)
        st = circumstances(&p->text, r, p, started, host, err);
    free(folder);
    if (st == BIOFT_OK)
        p->path = path.data;
    else
        text_free(&path);
    return st;
}

/* Processes that run side by side make it one after another, so that the last one's has all. */
static bioft_status join(const char *out, const struct stop *stop, struct error *err)
{
    char *folder = path_join(out, folder_name), *path = path_join(out, "provenance.json");
    char *lock_path = path_join(out, ".provenance.lock"), **names = NULL;
    struct arena *arena = arena_create();
    size_t count = 0;
    int lock = -1;

    bioft_status st = folder && path && lock_path && arena ? file_lock_wait(lock_path, stop, &lock, err)
                                                           : error_memory(err, "a path");
    if (st == BIOFT_OK)
        st = file_list(folder, &names, &count, err);
    const char **parts = st == BIOFT_OK ? arena_array(arena, count, sizeof(const char *)) : NULL;
    for (size_t i = 0; parts && i < count; i++)
        if (!(parts[i] = arena_printf(arena, "%s/%s", folder, names[i])))
            st = error_memory(err, "a path");
    if (st == BIOFT_OK)
        st = parts ? provenance_join(path, parts, count, err) : error_memory(err, "a path");
    file_unlock(lock);
    file_list_free(names, count);
    arena_destroy(arena);
    free(folder);
    free(path);
    free(lock_path);
    return st;
}

bioft_status process_trial(struct process *p, const struct trial_run *r, struct error *err)
{
    const bool first = !p->path;
    bioft_status st = first ? begin(p, r, err) : BIOFT_OK;

    if (st != BIOFT_OK)
        return st;
    provenance_trial(&p->text, r->trial->id, r->trial->seed, r->engine->identity);
    p->in_trial = true;
    st = save(p, NULL, err);
    return st == BIOFT_OK && first ? join(r->out, r->stop, err) : st;
}

bioft_status process_did(struct process *p, struct error *err, const char *format, ...)
{
    char *line = NULL;
    va_list args;

    if (!p || !p->in_trial)
        return BIOFT_OK;
    va_start(args, format);
    const int n = vasprintf(&line, format, args);
    va_end(args);
    if (n < 0)
        return error_memory(err, "provenance");
    json_string(&p->text, line);
    free(line);
    return save(p, NULL, err);
}

bioft_status process_trial_end(struct process *p, const char *out, const struct stop *stop, struct error *err)
{
    if (!p->in_trial)
        return BIOFT_OK;
    provenance_trial_end(&p->text);
    p->in_trial = false;
    bioft_status st = save(p, NULL, err);
    return st == BIOFT_OK ? join(out, stop, err) : st;
}

bioft_status process_end(struct process *p, const char *out, bool finished, struct error *err)
{
    char now[CLOCK_TEXT];
    bioft_status st = BIOFT_OK;

    if (p->path && finished) {
        st = save(p, clock_utc(now), err);
        if (st == BIOFT_OK)
            st = join(out, NULL, err);
    }
    text_free(&p->text);
    free(p->path);
    *p = (struct process){ 0 };
    return st;
}
