/* What a build left out: KIND/NAME.absent beside the plugins, or KIND/NAME/NAME.absent, is one line that says why and
 * what would bring it. */
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "plugin/check.h"
#include "plugin/registry_private.h"

#include <stdlib.h>
#include <string.h>

static const char ending[] = ".absent";

enum { MOST_BYTES = 400 };

void registry_absences_free(struct registry_absence *list, size_t count)
{
    for (size_t i = 0; list && i < count; i++) {
        free(list[i].name);
        free(list[i].why);
    }
    free(list);
}

static bool has(char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* "onednn.absent" or "onednn/": the name, else "". NULL: out of memory. */
static char *name_of(const char *entry)
{
    const char *end = strrchr(entry, '/');

    if (!end)
        end = strrchr(entry, '.');
    if (!end || (*end == '.' && strcmp(end, ending) != 0))
        return strdup("");
    return strndup(entry, (size_t)(end - entry));
}

/* The first line of the note, NULL where there is none. */
static bioft_status read_note(const char *folder, const char *name, char **ret, struct error *err)
{
    struct text path = { 0 };
    unsigned char *bytes = NULL;
    size_t size = 0, length = 0;
    struct error ignored = { 0 };

    *ret = NULL;
    text_printf(&path, "%s/%s%s", folder, name, ending);
    if (!path.failed && !file_exists(path.data)) {
        text_free(&path);
        text_printf(&path, "%s/%s/%s%s", folder, name, name, ending);
    }
    if (path.failed)
        return error_memory(err, name);
    if (file_exists(path.data) && file_read(path.data, MOST_BYTES, &bytes, &size, &ignored) == BIOFT_OK) {
        while (length < size && bytes[length] >= 0x20 && bytes[length] != 0x7f)
            length++;
        *ret = strndup((const char *)bytes, length);
    }
    free(bytes);
    text_free(&path);
    return BIOFT_OK;
}

struct absences {
    struct registry_absence *items;
    size_t count, capacity;
};

static bool known(const struct absences *a, const char *name)
{
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i].name, name) == 0)
            return true;
    return false;
}

/* Takes name over. */
static bioft_status look_at(struct absences *a, const char *folder, char *name, char *const *names, size_t count,
                            struct error *err)
{
    char *why = NULL;
    bioft_status st = BIOFT_OK;

    if (!is_plugin_name(name) || has(names, count, name) || known(a, name))
        goto out;
    st = read_note(folder, name, &why, err);
    if (st != BIOFT_OK || !why)
        goto out;
    if (!mem_grow(&a->items, &a->capacity, a->count + 1, sizeof *a->items)) {
        st = error_memory(err, name);
        goto out;
    }
    a->items[a->count++] = (struct registry_absence){ name, why };
    return BIOFT_OK;

out:
    free(name);
    free(why);
    return st;
}

static bioft_status look_in(struct absences *a, const struct place *place, uint32_t kind, char *const *names,
                            size_t count, struct error *err)
{
    char *folder, **entries = NULL;
    size_t entry_count = 0;
    bioft_status st = BIOFT_OK;

    if (place->is_file || !place->exists)
        return BIOFT_OK;
    folder = path_join(place->path, kind_folder(kind));
    if (!folder)
        return error_memory(err, place->path);
    if (file_is_folder(folder))
        st = file_list(folder, &entries, &entry_count, err);
    for (size_t i = 0; i < entry_count && st == BIOFT_OK; i++) {
        char *name = name_of(entries[i]);
        st = name ? look_at(a, folder, name, names, count, err) : error_memory(err, folder);
    }
    file_list_free(entries, entry_count);
    free(folder);
    return st;
}

bioft_status registry_absences(struct registry *r, uint32_t kind, struct registry_absence **ret, size_t *ret_count,
                               struct error *err)
{
    struct absences a = { 0 };
    char **names;
    size_t count;
    bioft_status st = registry_names(r, kind, &names, &count, err);

    if (st != BIOFT_OK)
        return st;
    for (size_t i = 0; i < r->places.count && st == BIOFT_OK; i++)
        st = look_in(&a, &r->places.items[i], kind, names, count, err);
    registry_names_free(names, count);
    if (st != BIOFT_OK) {
        registry_absences_free(a.items, a.count);
        return st;
    }
    *ret = a.items;
    *ret_count = a.count;
    return BIOFT_OK;
}
