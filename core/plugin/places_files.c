/* What lies in one place: KIND/NAME.so, as in a build tree KIND/NAME/NAME.so, or NAME.so in a folder of the user's. */
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "plugin/check.h"
#include "plugin/places.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_regular(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bioft_status place_find(const struct place *place, uint32_t kind, const char *name, char **ret, struct error *err)
{
    const char *const folder = kind_folder(kind);
    *ret = NULL;
    if (place->is_file || !place->exists)
        return BIOFT_OK;
    for (int form = 0; form < 2 + place_is_explicit(place); form++) {
        struct text path = { 0 };
        if (form == 0)
            text_printf(&path, "%s/%s/%s.so", place->path, folder, name);
        else if (form == 1)
            text_printf(&path, "%s/%s/%s/%s.so", place->path, folder, name, name);
        else
            text_printf(&path, "%s/%s.so", place->path, name);
        if (path.failed) {
            text_free(&path);
            return error_memory(err, name);
        }
        if (is_regular(path.data)) {
            *ret = path.data;
            return BIOFT_OK;
        }
        text_free(&path);
    }
    return BIOFT_OK;
}

/* What of "usf.so" or "usf/" is the plugin's name; 0: nothing. */
static size_t stem_length(const char *entry)
{
    const char *end = strrchr(entry, '/');
    if (!end) {
        end = strrchr(entry, '.');
        if (!end || strcmp(end, ".so") != 0)
            return 0;
    }
    return (size_t)(end - entry);
}

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

bioft_status place_names(const struct place *place, uint32_t kind, char ***ret, size_t *ret_count, struct error *err)
{
    char **entries = NULL, **names = NULL, *folder = NULL;
    size_t entry_count = 0, count = 0;
    bioft_status st = BIOFT_OK;
    *ret = NULL;
    *ret_count = 0;
    if (place->is_file || !place->exists)
        return BIOFT_OK;
    folder = path_join(place->path, kind_folder(kind));
    if (!folder)
        return error_memory(err, place->path);
    if (!file_is_folder(folder))
        goto out;
    st = file_list(folder, &entries, &entry_count, err);
    if (st != BIOFT_OK)
        goto out;
    names = mem_array(entry_count, sizeof *names);
    for (size_t i = 0; i < entry_count && st == BIOFT_OK; i++) {
        char *path = NULL, *name = names ? strndup(entries[i], stem_length(entries[i])) : NULL;
        st = name ? BIOFT_OK : error_memory(err, folder);
        if (name && is_plugin_name(name))
            st = place_find(place, kind, name, &path, err);
        if (path)
            names[count++] = name;
        else
            free(name);
        free(path);
    }
    if (st != BIOFT_OK)
        goto out;
    qsort(names, count, sizeof *names, compare);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && strcmp(names[kept - 1], names[i]) == 0)
            free(names[i]); /* usf.so and usf/usf.so */
        else
            names[kept++] = names[i];
    }
    *ret = names;
    *ret_count = kept;
    names = NULL;
    count = 0;

out:
    registry_names_free(names, count);
    file_list_free(entries, entry_count);
    free(folder);
    return st;
}
