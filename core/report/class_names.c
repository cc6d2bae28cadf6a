/* Names of classes from classes.json. */
#include "report/class_names.h"

#include "base/file.h"
#include "formats/json.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_NAMES = 1 << 20 };

bioft_status class_names_read(const struct study_trial *t, struct arena *arena, struct class_names *ret,
                              struct error *err)
{
    char *path = path_join(t->folder, "classes.json");
    uint8_t *bytes = NULL;
    size_t size;
    struct json *list = NULL;
    bioft_status st = path ? BIOFT_OK : error_memory(err, "a path");

    ret->long_ones = false;
    if (st == BIOFT_OK && file_exists(path))
        st = file_read(path, MAX_NAMES, &bytes, &size, err);
    if (bytes)
        st = json_parse(path, (char *)bytes, size, arena, &list, err);
    for (size_t k = 0; st == BIOFT_OK && k < MOST_CLASSES; k++) {
        const struct json *name = list && list->type == JSON_ARRAY && k < list->count ? list->items[k] : NULL;
        ret->names[k] = name && name->type == JSON_STRING ? name->text : arena_printf(arena, "%zu", k);
        if (!ret->names[k])
            st = error_memory(err, "names of classes");
        else if (strspn(ret->names[k], "0123456789") != strlen(ret->names[k]))
            ret->long_ones = true;
    }
    free(bytes);
    free(path);
    return st;
}
