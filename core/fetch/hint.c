/* The command that fetches what is missing. A table that is wrong gives no hint: `bioft fetch` reports it. */
#include "fetch/hint.h"

#include "base/file.h"
#include "fetch/publication.h"

#include <stdlib.h>
#include <string.h>

static char *hint(const struct publication *s, const char *folder)
{
    struct text t = { 0 };

    text_add(&t, "'");
    if (s->agreement)
        text_printf(&t, "bioft fetch %s' explains how to get it", s->name);
    else
        publication_add_command(s, folder ? folder : "FOLDER", &t);
    if (!s->agreement)
        text_printf(&t, "' fetches it%s", folder ? "" : ", for 'root: FOLDER'");
    if (t.failed)
        text_free(&t);
    return t.data;
}

char *hint_data(const struct registry *r, const char *dataset, const char *root)
{
    struct arena *arena = arena_create();
    const struct publication *s = NULL;
    struct error ignored;
    char *text = NULL;

    if (arena && publication_find(r, BIOFT_KIND_DATASET, dataset, arena, &s, &ignored) == BIOFT_OK && s &&
        !(root && (s->agreement ? file_is_folder(root) : publication_is_there(s, root))))
        text = hint(s, root);
    arena_destroy(arena);
    return text;
}

static bool has_file(const struct publication *s, const char *name)
{
    for (size_t i = 0; s && i < s->count; i++)
        if (strcmp(s->files[i].gives, name) == 0)
            return true;
    return false;
}

char *hint_weights(const struct registry *r, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    struct arena *arena = arena_create();
    char **names = NULL, *folder = path_folder(path), *text = NULL;
    size_t count = 0;
    struct error ignored;

    if (!arena || !folder || publication_names(r, BIOFT_KIND_BACKBONE, &names, &count, &ignored) != BIOFT_OK)
        count = 0;
    for (size_t i = 0; !text && i < count; i++) {
        const struct publication *s = NULL;
        if (publication_find(r, BIOFT_KIND_BACKBONE, names[i], arena, &s, &ignored) == BIOFT_OK && has_file(s, name))
            text = hint(s, folder);
    }
    registry_names_free(names, count);
    free(folder);
    arena_destroy(arena);
    return text;
}
