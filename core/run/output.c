/* The output folder. */
#include "run/output.h"

#include "base/file.h"
#include "run/output_change.h"
#include <stdlib.h>
#include <string.h>

struct output_paths {
    char *manifest, *lock, *deciding;
};

static bool find_paths(const char *folder, struct output_paths *ret)
{
    *ret = (struct output_paths){ path_join(folder, "manifest.yaml"), path_join(folder, ".lock"),
                                  path_join(folder, ".deciding.lock") };
    return ret->manifest && ret->lock && ret->deciding;
}

static void free_paths(struct output_paths *at)
{
    free(at->manifest);
    free(at->lock);
    free(at->deciding);
}

/* What killed processes left; trials and stages sweep their own folders. */
static bioft_status sweep(const struct output *o, struct error *err)
{
    static const char *const folders[] = { ".", "inputs", "processes" };
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; st == BIOFT_OK && i < sizeof folders / sizeof *folders; i++) {
        char *folder = path_join(o->folder, folders[i]);
        st = folder ? file_sweep(folder, err) : error_memory(err, "a path");
        free(folder);
    }
    return st;
}

/* The experiment that the folder is of, read as it lies there. The manifest's folder may have moved since. */
static bioft_status read_stored(const struct output_params *p, const struct experiment *e, const struct output *o,
                                const char *manifest, struct experiment **ret, struct error *err)
{
    char *said = NULL;
    bioft_status st = experiment_read(&(struct experiment_params){ .path = manifest,
                                                                   .out = o->folder,
                                                                   .folder = e->folder,
                                                                   .plugin_paths = p->plugin_paths,
                                                                   .plugin_path_count = p->plugin_path_count,
                                                                   .trust_plugins = p->trust_plugins,
                                                                   .log = p->log },
                                      ret, &said, err);
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

/* Nothing but what bioft begins a folder with: locks, and what a run left that was killed before it had its manifest. */
static bool is_fresh(const struct output *o, const char *manifest)
{
    char **names;
    size_t count;
    struct error ignored;

    if (file_exists(manifest) || file_list(o->folder, &names, &count, &ignored) != BIOFT_OK)
        return false;
    file_list_free(names, count);
    return count == 0;
}

static bioft_status refuse(const struct output *o, struct error *err)
{
    return error_set(err, BIOFT_ERR_INVALID,
                     "%s exists and is not empty; use --resume to go on with it, or another --out", o->folder);
}

static bioft_status not_ours(const struct output *o, struct error *err)
{
    return error_set(err, BIOFT_ERR_INVALID,
                     "%s is not empty and has no manifest.yaml: no run of bioft wrote it; use another "
                     "--out",
                     o->folder);
}

/* Before anything is written there: what is not ours is left alone. */
static bioft_status check_ours(const struct output_params *p, const struct output *o, const struct output_paths *at,
                               struct error *err)
{
    if (!file_exists(o->folder) || file_folder_is_empty(o->folder))
        return BIOFT_OK;
    if (!file_exists(at->manifest) && !file_exists(at->lock))
        return not_ours(o, err);
    return p->resume ? BIOFT_OK : refuse(o, err);
}

/* Single trials have the folder together, and decide one after the other what it is. */
static bioft_status take(const struct output_params *p, struct output *o, const struct output_paths *at,
                         int *ret_deciding, struct error *err)
{
    bioft_status st = file_make_folder(o->folder, err);

    if (st == BIOFT_OK)
        st = p->sharing == OUTPUT_SHARED ? file_lock_shared(at->lock, &o->lock, err)
                                         : file_lock(at->lock, &o->lock, err);
    o->locked = st == BIOFT_OK;
    if (st != BIOFT_OK)
        return st;
    if (p->sharing == OUTPUT_SHARED)
        return file_lock_wait(at->deciding, NULL, ret_deciding, err);
    return BIOFT_OK;
}

/* What the folder is, and what it is from here on. Under its lock: another run may have come since it was looked at. */
static bioft_status decide(const struct output_params *p, struct experiment **e, const struct output_paths *at,
                           struct output *o, struct error *err)
{
    const bool fresh = is_fresh(o, at->manifest);
    struct experiment *stored = NULL;
    bioft_status st = fresh || p->resume ? BIOFT_OK : refuse(o, err);

    if (st == BIOFT_OK && !fresh && !file_exists(at->manifest))
        st = not_ours(o, err);
    if (st == BIOFT_OK && !fresh)
        st = read_stored(p, *e, o, at->manifest, &stored, err);
    if (st == BIOFT_OK && !fresh)
        st = choose(p, e, &stored, o, err);
    if (st == BIOFT_OK && p->sharing == OUTPUT_ALONE)
        st = sweep(o, err);
    if (st == BIOFT_OK && stored)
        st = change_reopen_trials(stored, *e, o->folder, err);
    if (st == BIOFT_OK && (fresh || stored))
        st = file_write(at->manifest, (*e)->resolved, strlen((*e)->resolved), err);
    experiment_destroy(stored);
    return st;
}

bioft_status output_open(const struct output_params *p, struct experiment **e, struct output *ret, struct error *err)
{
    struct output o = { .folder = path_of_user(NULL, p->out ? p->out : (*e)->output) };
    struct output_paths at = { 0 };
    int deciding = -1;
    bioft_status st = o.folder && find_paths(o.folder, &at) ? BIOFT_OK : error_memory(err, "the output folder");

    /* A child has just read the folder's own manifest, under its parent's lock. */
    const bool child = p->sharing == OUTPUT_CHILD;
    if (st == BIOFT_OK)
        st = check_ours(p, &o, &at, err);
    if (st == BIOFT_OK && !child)
        st = take(p, &o, &at, &deciding, err);
    if (st == BIOFT_OK && !child)
        st = decide(p, e, &at, &o, err);
    file_unlock(deciding);
    free_paths(&at);
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
