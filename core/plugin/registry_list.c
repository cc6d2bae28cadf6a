/* What could be found: the names of a kind, and every file. */
#include "base/memory.h"
#include "plugin/registry_private.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    struct registry_file file;
    size_t place;
};
struct entries {
    struct entry *items;
    size_t count, capacity;
};

static void entries_free(struct entries *e)
{
    for (size_t i = 0; i < e->count; i++) {
        free(e->items[i].file.name);
        free(e->items[i].file.path);
    }
    free(e->items);
}

/* Takes name and path over; either NULL: out of memory. */
static bioft_status add(struct entries *e, uint32_t kind, char *name, char *path, size_t place, struct error *err)
{
    if (!name || !path || !mem_grow(&e->items, &e->capacity, e->count + 1, sizeof *e->items)) {
        free(name);
        free(path);
        return error_memory(err, "a list of plugins");
    }
    e->items[e->count++] = (struct entry){ .file = { .kind = kind, .name = name, .path = path }, .place = place };
    return BIOFT_OK;
}

/* A file named as a place: what it holds where it was opened, else itself without a kind. */
static bioft_status add_file(const struct registry *r, struct entries *e, size_t place, struct error *err)
{
    const char *path = r->places.items[place].path;
    bioft_status st = BIOFT_OK;
    bool opened = false;
    for (size_t i = 0; i < r->loaded_count && st == BIOFT_OK; i++) {
        const struct plugin *p = r->loaded[i];
        if (strcmp(p->path, path) != 0)
            continue;
        opened = true;
        st = add(e, p->descriptor.kind, strdup(p->descriptor.name), strdup(path), place, err);
    }
    if (opened || st != BIOFT_OK)
        return st;
    const char *name = strrchr(path, '/') + 1, *dot = strrchr(name, '.');
    const size_t length = dot && strcmp(dot, ".so") == 0 ? (size_t)(dot - name) : strlen(name);
    return add(e, 0, strndup(name, length), strdup(path), place, err);
}

static bioft_status add_folder(const struct registry *r, struct entries *e, size_t place, struct error *err)
{
    bioft_status st = BIOFT_OK;
    for (uint32_t kind = 1; kind <= PLUGIN_KINDS && st == BIOFT_OK; kind++) {
        char **names, *path = NULL;
        size_t count;
        st = place_names(&r->places.items[place], kind, &names, &count, err);
        if (st != BIOFT_OK)
            return st;
        for (size_t i = 0; i < count && st == BIOFT_OK; i++) {
            st = place_find(&r->places.items[place], kind, names[i], &path, err);
            if (st == BIOFT_OK && path) /* it may have gone meanwhile */
                st = add(e, kind, strdup(names[i]), path, place, err);
        }
        registry_names_free(names, count);
    }
    return st;
}

static int compare(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->file.kind != y->file.kind)
        return x->file.kind < y->file.kind ? -1 : 1;
    const int order = strcmp(x->file.name, y->file.name);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

static bool same_plugin(const struct registry_file *a, const struct registry_file *b)
{
    return a->kind != 0 && a->kind == b->kind && strcmp(a->name, b->name) == 0;
}

static bioft_status gather(const struct registry *r, bool explicit_only, struct entries *ret, struct error *err)
{
    struct entries e = { 0 };
    for (size_t i = 0; i < r->places.count; i++) {
        const struct place *place = &r->places.items[i];
        if (explicit_only && !place_is_explicit(place))
            continue;
        bioft_status st = place->is_file ? add_file(r, &e, i, err) : add_folder(r, &e, i, err);
        if (st != BIOFT_OK) {
            entries_free(&e);
            return st;
        }
    }
    if (e.count > 1)
        qsort(e.items, e.count, sizeof *e.items, compare);
    for (size_t i = 0; i < e.count; i++) {
        struct registry_file *file = &e.items[i].file;
        file->explicit_place = place_is_explicit(&r->places.items[e.items[i].place]);
        file->overridden = i > 0 && same_plugin(file, &e.items[i - 1].file);
    }
    *ret = e;
    return BIOFT_OK;
}

bioft_status registry_gather(const struct registry *r, bool explicit_only, struct registry_file **ret,
                             size_t *ret_count, struct error *err)
{
    struct entries e;
    bioft_status st = gather(r, explicit_only, &e, err);
    if (st != BIOFT_OK)
        return st;
    struct registry_file *files = mem_array(e.count, sizeof *files);
    if (!files) {
        entries_free(&e);
        return error_memory(err, "a list of plugins");
    }
    for (size_t i = 0; i < e.count; i++)
        files[i] = e.items[i].file;
    free(e.items);
    *ret = files;
    *ret_count = e.count;
    return BIOFT_OK;
}

bioft_status registry_files(struct registry *r, struct registry_file **ret, size_t *ret_count, struct error *err)
{
    return registry_gather(r, false, ret, ret_count, err);
}

void registry_files_free(struct registry_file *files, size_t count)
{
    for (size_t i = 0; files && i < count; i++) {
        free(files[i].name);
        free(files[i].path);
    }
    free(files);
}

bioft_status registry_names(struct registry *r, uint32_t kind, char ***ret, size_t *ret_count, struct error *err)
{
    struct registry_file *files;
    size_t file_count, count = 0;
    bioft_status st = registry_files(r, &files, &file_count, err);
    if (st != BIOFT_OK)
        return st;
    char **names = mem_array(file_count, sizeof *names);
    if (!names) {
        registry_files_free(files, file_count);
        return error_memory(err, "a list of plugins");
    }
    for (size_t i = 0; i < file_count; i++)
        if (files[i].kind == kind && !files[i].overridden) {
            names[count++] = files[i].name;
            files[i].name = NULL;
        }
    registry_files_free(files, file_count);
    *ret = names;
    *ret_count = count;
    return BIOFT_OK;
}

void registry_names_free(char **names, size_t count)
{
    for (size_t i = 0; names && i < count; i++)
        free(names[i]);
    free(names);
}
