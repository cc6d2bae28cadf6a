/* Files beside the plugins that are not plugins: KIND/NAME.ENDING, KIND/NAME/NAME.ENDING, or NAME.ENDING in a folder that
 * the user names. */
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "plugin/check.h"
#include "plugin/registry_private.h"

#include <stdlib.h>
#include <string.h>

enum { FORMS = 3 };

/* "" where the place has no such form; NULL: out of memory. */
static char *path_of(const struct place *place, uint32_t kind, const char *name, const char *ending, int form)
{
    struct text t = { 0 };

    if (form == 0)
        text_printf(&t, "%s/%s/%s%s", place->path, kind_folder(kind), name, ending);
    else if (form == 1)
        text_printf(&t, "%s/%s/%s/%s%s", place->path, kind_folder(kind), name, name, ending);
    else if (place_is_explicit(place))
        text_printf(&t, "%s/%s%s", place->path, name, ending);
    else
        return strdup("");
    if (t.failed)
        text_free(&t);
    return t.data;
}

bioft_status registry_beside(const struct registry *r, uint32_t kind, const char *name, const char *ending, char **ret,
                             struct error *err)
{
    *ret = NULL;
    if (!is_plugin_name(name))
        return BIOFT_OK;
    for (size_t i = 0; i < r->places.count; i++) {
        const struct place *place = &r->places.items[i];
        for (int form = 0; !place->is_file && place->exists && form < FORMS; form++) {
            char *path = path_of(place, kind, name, ending, form);
            if (!path)
                return error_memory(err, name);
            if (*path && file_exists(path)) {
                *ret = path;
                return BIOFT_OK;
            }
            free(path);
        }
    }
    return BIOFT_OK;
}

struct found {
    char **names;
    size_t count, capacity;
};

/* "cifar10.ENDING" or "cifar10/": what may be a name, taken where it has such a file. */
static bioft_status take(struct found *f, const struct registry *r, uint32_t kind, const char *entry,
                         const char *ending, struct error *err)
{
    const size_t length = strlen(entry), end = strlen(ending);
    const size_t tail = length && entry[length - 1] == '/'                          ? 1
                        : length > end && strcmp(entry + length - end, ending) == 0 ? end
                                                                                    : 0;
    char *name = tail ? strndup(entry, length - tail) : NULL, *path = NULL;
    bioft_status st = !tail || name ? BIOFT_OK : error_memory(err, entry);

    if (name)
        st = registry_beside(r, kind, name, ending, &path, err);
    for (size_t i = 0; path && i < f->count; i++)
        if (strcmp(f->names[i], name) == 0) {
            free(path);
            path = NULL;
        }
    if (path && !mem_grow(&f->names, &f->capacity, f->count + 1, sizeof *f->names)) {
        st = error_memory(err, name);
    } else if (path) {
        f->names[f->count++] = name;
        name = NULL;
    }
    free(path);
    free(name);
    return st;
}

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

bioft_status registry_beside_names(const struct registry *r, uint32_t kind, const char *ending, char ***ret,
                                   size_t *ret_count, struct error *err)
{
    struct found f = { 0 };
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; st == BIOFT_OK && i < r->places.count; i++) {
        const struct place *place = &r->places.items[i];
        if (place->is_file || !place->exists)
            continue;
        char *folders[2] = { path_join(place->path, kind_folder(kind)),
                             place_is_explicit(place) ? strdup(place->path) : NULL };
        for (int k = 0; k < 2 && st == BIOFT_OK; k++) {
            char **entries = NULL;
            size_t count = 0;
            if (folders[k] && file_is_folder(folders[k]))
                st = file_list(folders[k], &entries, &count, err);
            for (size_t n = 0; st == BIOFT_OK && n < count; n++)
                st = take(&f, r, kind, entries[n], ending, err);
            file_list_free(entries, count);
        }
        free(folders[0]);
        free(folders[1]);
    }
    if (st != BIOFT_OK) {
        registry_names_free(f.names, f.count);
        return st;
    }
    if (f.count)
        qsort(f.names, f.count, sizeof *f.names, compare);
    *ret = f.names;
    *ret_count = f.count;
    return BIOFT_OK;
}
