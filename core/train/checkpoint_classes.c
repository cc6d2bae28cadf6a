/* Are the classes that a checkpoint's head knows those of a dataset? */
#include "formats/json.h"
#include "train/checkpoint.h"

#include <string.h>

/* names: a JSON array of strings. */
static bioft_status compare(const char *path, const struct json *names, const struct dataset *d, struct error *err)
{
    char there[TEXT_ESCAPED], here[TEXT_ESCAPED];
    for (size_t i = 0; i < names->count && i < d->classes; i++) {
        const struct json *name = names->items[i];
        const size_t length = strlen(d->class_names[i]);
        if (name->type != JSON_STRING)
            return error_set(err, BIOFT_ERR_FORMAT, "%s: its list of classes is invalid", path);
        if (name->length != length || memcmp(name->text, d->class_names[i], length) != 0)
            return error_set(err, BIOFT_ERR_INVALID,
                             "%s: its head knows other classes than '%s': number %zu is '%s' there "
                             "and '%s' here; give the stage a head of its own",
                             path, d->name, i, text_escape(there, name->text, name->length),
                             text_escape(here, d->class_names[i], length));
    }
    if (names->count != d->classes)
        return error_set(err, BIOFT_ERR_INVALID,
                         "%s: its head knows %zu classes, '%s' has %u; give the stage a head of its "
                         "own",
                         path, names->count, d->name, d->classes);
    return BIOFT_OK;
}

bioft_status checkpoint_check_classes(const struct weights_spec *spec, const struct dataset *d, struct error *err)
{
    struct torch_params params = weights_params(spec);
    const char *path = spec->file;
    struct weights *file = NULL;
    struct json *names = NULL;
    params.unverified = true;
    bioft_status st = weights_open(path, &params, &file, err);
    if (st != BIOFT_OK)
        return st;
    const char *text = checkpoint_is(file) ? safetensors_metadata(file->safetensors, "classes") : NULL;
    struct arena *arena = arena_create();
    if (!arena) {
        st = error_memory(err, path);
    } else if (text) {
        st = json_parse(path, text, strlen(text), arena, &names, err);
        if (st == BIOFT_OK && names->type != JSON_ARRAY)
            st = error_set(err, BIOFT_ERR_FORMAT, "%s: its list of classes is invalid", path);
        if (st == BIOFT_OK)
            st = compare(path, names, d, err);
    }
    arena_destroy(arena);
    weights_close(file);
    return st;
}
