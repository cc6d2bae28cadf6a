/* The output folder. */
#include "run/output.h"

#include "base/file.h"
#include "run/output_change.h"
#include <stdlib.h>
#include <string.h>

/* The experiment that the folder is of, read as it lies there. The manifest's folder may have moved since. */
static bioft_status read_stored(const struct output_params *p, const struct experiment *e, const struct output *o,
                                const char *manifest, struct experiment **ret, struct error *err)
{
    char *said = NULL;
    if (!file_exists(manifest))
        return error_set(err, BIOFT_ERR_INVALID, "%s is not empty and has no manifest.yaml: no run of bioft wrote it; "
                         "use another --out", o->folder);
    bioft_status st = experiment_read(&(struct experiment_params){
        .path = manifest, .out = o->folder, .folder = e->folder, .plugin_paths = p->plugin_paths,
        .plugin_path_count = p->plugin_path_count, .log = p->log }, ret, &said, err);
    if (st == BIOFT_ERR_INVALID)
        error_set(err, st, "%s cannot be read any more:\n%s", manifest, said ? said : err->text);
    free(said);
    return st;
}

/* Same key: the stored experiment goes on. Additions, with force: this one takes its place. */
static bioft_status choose(const struct output_params *p, struct experiment **e, struct experiment **stored,
                           struct output *o, struct error *err)
{
    if (strcmp((*e)->key, (*stored)->key) == 0) {
        o->replaced = *e;
        *e = *stored;
        *stored = NULL;
        return BIOFT_OK;
    }
    if (p->force && change_only_adds(*stored, *e))
        return BIOFT_OK;
    return change_differs(o->folder, (*stored)->resolved, (*e)->resolved, err);
}

/* Empty, or left by a run that was killed before it had written its manifest. */
static bool is_fresh(const struct output *o, const char *lock, const char *manifest, bool resume)
{
    char **names;
    size_t count;
    struct error ignored;

    if (!file_exists(o->folder) || file_folder_is_empty(o->folder))
        return true;
    if (!resume || file_exists(manifest) || !file_exists(lock) ||
        file_list(o->folder, &names, &count, &ignored) != BIOFT_OK)
        return false;
    file_list_free(names, count);
    return count == 0;
}

bioft_status output_open(const struct output_params *p, struct experiment **e, struct output *ret, struct error *err)
{
    struct output o = { .folder = path_of_user(NULL, p->out ? p->out : (*e)->output) };
    char *manifest = o.folder ? path_join(o.folder, "manifest.yaml") : NULL;
    char *lock = o.folder ? path_join(o.folder, ".lock") : NULL;
    struct experiment *stored = NULL;
    bioft_status st = manifest && lock ? BIOFT_OK : error_memory(err, "the output folder");

    const bool fresh = st == BIOFT_OK && is_fresh(&o, lock, manifest, p->resume);
    if (st == BIOFT_OK && !fresh && !p->resume)
        st = error_set(err, BIOFT_ERR_INVALID, "%s exists and is not empty; use --resume to go on with it, or another "
                       "--out", o.folder);
    /* A child has just read the folder's own manifest, and leaves it alone. */
    const bool compare = !fresh && p->sharing != OUTPUT_CHILD;
    if (st == BIOFT_OK && compare)
        st = read_stored(p, *e, &o, manifest, &stored, err);
    if (st == BIOFT_OK && compare)
        st = choose(p, e, &stored, &o, err);
    if (st == BIOFT_OK && fresh)
        st = file_make_folder(o.folder, err);
    if (st == BIOFT_OK && p->sharing != OUTPUT_CHILD) {
        st = p->sharing == OUTPUT_SHARED ? file_lock_shared(lock, &o.lock, err) : file_lock(lock, &o.lock, err);
        o.locked = st == BIOFT_OK;
    }
    if (st == BIOFT_OK && p->sharing == OUTPUT_ALONE)
        st = file_sweep(o.folder, err);
    if (st == BIOFT_OK && stored)
        st = change_reopen_trials(stored, *e, o.folder, err);
    if (st == BIOFT_OK && (fresh || stored))
        st = file_write(manifest, (*e)->resolved, strlen((*e)->resolved), err);
    experiment_destroy(stored);
    free(manifest);
    free(lock);
    if (st != BIOFT_OK) {
        if (o.replaced) {
            experiment_destroy(*e);
            *e = o.replaced;
            o.replaced = NULL;
        }
        output_close(&o);
        return st;
    }
    *ret = o;
    return BIOFT_OK;
}

void output_unlock(struct output *o)
{
    if (o->locked)
        file_unlock(o->lock);
    o->locked = false;
}

void output_close(struct output *o)
{
    output_unlock(o);
    experiment_destroy(o->replaced);
    free(o->folder);
    *o = (struct output){ 0 };
}
