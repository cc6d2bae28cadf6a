/* From a kind and a name to a checked plugin: explicit places first, each file loaded once. */
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "plugin/check.h"
#include "plugin/guard.h"
#include "plugin/registry_private.h"
#include "plugin/load.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is(const struct plugin *p, uint32_t kind, const char *name)
{
    return p->descriptor.kind == kind && strcmp(p->descriptor.name, name) == 0;
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return strcmp(a, b) == 0 || (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

/* The remembered plugin of this kind and name that came from `path`. */
static struct plugin *remembered(const struct registry *r, const char *path, uint32_t kind, const char *name)
{
    for (size_t i = 0; i < r->loaded_count; i++)
        if (is(r->loaded[i], kind, name) && strcmp(r->loaded[i]->path, path) == 0)
            return r->loaded[i];
    return NULL;
}

/* Takes what a file holds into the registry; the list itself is freed. */
static bioft_status remember(struct registry *r, struct plugin **plugins, size_t count, bool explicit_place,
                             struct error *err)
{
    if (!mem_grow(&r->loaded, &r->loaded_capacity, r->loaded_count + count, sizeof *r->loaded)) {
        plugins_free(plugins, count);
        return error_memory(err, "the registry of plugins");
    }
    for (size_t i = 0; i < count; i++) {
        plugins[i]->explicit_place = explicit_place;
        r->loaded[r->loaded_count++] = plugins[i];
    }
    free(plugins);
    return BIOFT_OK;
}

struct opening { /* of a file that is tried first */
    const char *path;
    uint32_t kind;
    struct error *err;
    bioft_status status;
};

/* guard.call: what is wrong with the file is told by the opening that counts. */
static bioft_status open_once(void *ctx, size_t item, struct error *err)
{
    const struct opening *o = ctx;
    struct plugin **plugins;
    size_t count;
    (void)item;
    (void)plugin_load(o->path, o->kind, &plugins, &count, err);
    return BIOFT_OK;
}

static void not_opened(void *ctx, size_t item, bool returned, bioft_status status, const char *why)
{
    struct opening *o = ctx;
    (void)item;
    (void)returned; /* open_once returns no error */
    o->status = error_set(o->err, status, "%s: it %s while being opened", o->path, why);
}

/* plugin_load, in another process first. */
static bioft_status load_guarded(const char *path, uint32_t kind, struct plugin ***ret, size_t *ret_count,
                                 struct error *err)
{
    struct opening o = { .path = path, .kind = kind, .err = err };
    bioft_status st = guard_run(&(struct guard){ .count = 1, .call = open_once, .failed = not_opened, .ctx = &o }, err);
    if (st == BIOFT_OK)
        st = o.status;
    return st == BIOFT_OK ? plugin_load(path, kind, ret, ret_count, err) : st;
}

static bioft_status open_files(struct registry *r, struct error *err)
{
    for (size_t i = 0; i < r->places.count; i++) {
        struct plugin **plugins;
        size_t count;
        if (!r->places.items[i].is_file)
            continue;
        bioft_status st = load_guarded(r->places.items[i].path, 0, &plugins, &count, err);
        if (st == BIOFT_OK)
            st = remember(r, plugins, count, true, err);
        if (st != BIOFT_OK)
            return st;
    }
    return BIOFT_OK;
}

/* Two files that the user names for one plugin: which one is meant cannot be known. */
static bioft_status check_twins(struct registry *r, struct error *err)
{
    struct registry_file *files;
    size_t count;
    bioft_status st = registry_gather(r, true, &files, &count, err);
    if (st != BIOFT_OK)
        return st;
    for (size_t i = 1; i < count && st == BIOFT_OK; i++) {
        const struct registry_file *a = &files[i - 1], *b = &files[i];
        if (a->kind != 0 && a->kind == b->kind && strcmp(a->name, b->name) == 0 && !same_file(a->path, b->path))
            st = error_set(err, BIOFT_ERR_INVALID, "%s '%s' is given twice, by %s and by %s: name one of them",
                           kind_word(a->kind), a->name, a->path, b->path);
    }
    registry_files_free(files, count);
    return st;
}

bioft_status registry_create(const struct registry_places *places, const struct log *log, struct registry **ret,
                             struct error *err)
{
    struct registry *r = mem_array(1, sizeof *r);
    if (!r)
        return error_memory(err, "the registry of plugins");
    r->log = log;
    bioft_status st = places_collect(places, log, &r->places, err);
    if (st == BIOFT_OK && !places->unopened)
        st = open_files(r, err);
    if (st == BIOFT_OK)
        st = check_twins(r, err);
    if (st != BIOFT_OK) {
        registry_destroy(r);
        return st;
    }
    *ret = r;
    return BIOFT_OK;
}

void registry_destroy(struct registry *r)
{
    if (!r)
        return;
    plugins_free(r->loaded, r->loaded_count);
    places_free(&r->places);
    free(r);
}

/* "no rule 'x'; did you mean 'y'? Looked in A, B, C". */
static bioft_status not_found(struct registry *r, uint32_t kind, const char *name, struct error *err)
{
    char escaped[TEXT_ESCAPED];
    struct text text = { 0 };
    char **names = NULL;
    size_t count = 0;
    bioft_status st = registry_names(r, kind, &names, &count, err);
    if (st != BIOFT_OK)
        return st;
    const char *near = text_nearest(name, (const char *const *)names, count);
    text_escape(escaped, name, strlen(name));
    text_printf(&text, "no %s '%s'", kind_word(kind), escaped);
    if (near)
        text_printf(&text, "; did you mean '%s'?", near);
    text_add(&text, near ? " Looked in " : ": looked in ");
    for (size_t i = 0; i < r->places.count; i++)
        text_printf(&text, "%s%s%s", i > 0 ? ", " : "", r->places.items[i].path,
                    r->places.items[i].exists ? "" : " (not there)");
    if (r->places.count == 0)
        text_add(&text, "no place");
    st = text.failed ? error_memory(err, name) : error_set(err, BIOFT_ERR_INVALID, "%s", text.data);
    text_free(&text);
    registry_names_free(names, count);
    return st;
}

/* What was found for a kind and a name: the first file, and the next one, which it overrides. */
struct found {
    char *path, *overridden;
    const struct place *place;
};

static void found_free(struct found *f)
{
    free(f->path);
    free(f->overridden);
}

static bioft_status look_in(struct registry *r, const struct place *place, uint32_t kind, const char *name, char **ret,
                            struct error *err)
{
    if (!place->is_file)
        return place_find(place, kind, name, ret, err);
    *ret = NULL;
    if (!remembered(r, place->path, kind, name))
        return BIOFT_OK;
    *ret = strdup(place->path);
    return *ret ? BIOFT_OK : error_memory(err, name);
}

/* One more file of the name. The user's folder adds and never shadows, nor is it shadowed by what is installed. */
static bioft_status add_found(struct found *f, char *path, const struct place *place, uint32_t kind, const char *name,
                              struct error *err)
{
    if (!f->path) {
        f->path = path;
        f->place = place;
        return BIOFT_OK;
    }
    if (place->source == PLACE_USER && !place_is_explicit(f->place) && !same_file(path, f->path)) {
        error_set(err, BIOFT_ERR_INVALID,
                  "%s '%s' is there twice, as %s and in the user's folder as %s, which may only add: rename or remove "
                  "that one, or name it with --plugin-path",
                  kind_word(kind), name, f->path, path);
        free(path);
        return BIOFT_ERR_INVALID;
    }
    if (f->overridden || same_file(path, f->path))
        free(path);
    else
        f->overridden = path;
    return BIOFT_OK;
}

static bioft_status find_file(struct registry *r, uint32_t kind, const char *name, struct found *ret, struct error *err)
{
    struct found f = { 0 };
    bioft_status st = BIOFT_OK;
    if (!kind_word(kind))
        return error_set(err, BIOFT_ERR_INVALID, "%u is not a kind of plugin", kind);
    for (size_t i = 0; i < r->places.count && is_plugin_name(name); i++) {
        char *path;
        st = look_in(r, &r->places.items[i], kind, name, &path, err);
        if (st == BIOFT_OK && path)
            st = add_found(&f, path, &r->places.items[i], kind, name, err);
        if (st != BIOFT_OK)
            goto fail;
    }
    if (!f.path) {
        st = not_found(r, kind, name, err);
        goto fail;
    }
    *ret = f;
    return BIOFT_OK;

fail:
    found_free(&f);
    return st;
}

bioft_status registry_locate(struct registry *r, uint32_t kind, const char *name, char **ret_path, struct error *err)
{
    struct found f;
    bioft_status st = find_file(r, kind, name, &f, err);
    if (st != BIOFT_OK)
        return st;
    *ret_path = f.path;
    free(f.overridden);
    return BIOFT_OK;
}

static bioft_status load_found(struct registry *r, const struct found *f, uint32_t kind, const char *name,
                               const struct plugin **ret, struct error *err)
{
    struct plugin **plugins;
    size_t count;
    const bool explicit_place = place_is_explicit(f->place);
    bioft_status st = load_guarded(f->path, kind, &plugins, &count, err);
    if (st != BIOFT_OK)
        return st;
    if (count != 1) {
        plugins_free(plugins, count);
        return error_set(err, BIOFT_ERR_FORMAT,
                         "%s: it holds %zu plugins, so it must be named as a file, by plugins: or --plugin-path",
                         f->path, count);
    }
    const struct plugin *p = plugins[0];
    st = remember(r, plugins, 1, explicit_place, err);
    if (st != BIOFT_OK)
        return st;
    if (explicit_place && f->overridden)
        log_write(r->log, LOG_INFO, "%s '%s': %s, named by %s, overrides %s", kind_word(kind), name, f->path,
                  place_source_word(f->place->source), f->overridden);
    *ret = p;
    return BIOFT_OK;
}

bioft_status registry_find(struct registry *r, uint32_t kind, const char *name, const struct plugin **ret,
                           struct error *err)
{
    struct found f;
    bioft_status st = find_file(r, kind, name, &f, err);
    if (st != BIOFT_OK)
        return st;
    const struct plugin *p = remembered(r, f.path, kind, name);
    if (!p)
        st = load_found(r, &f, kind, name, &p, err);
    if (st == BIOFT_OK)
        *ret = p;
    found_free(&f);
    return st;
}

const struct plugin *const *registry_loaded(const struct registry *r, size_t *ret_count)
{
    *ret_count = r->loaded_count;
    return (const struct plugin *const *)r->loaded;
}
