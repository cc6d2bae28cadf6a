/* A resolved tree as a list of paths and values. */
#include "manifest/settings.h"

#include "manifest/tree.h"
#include <stdio.h>
#include <string.h>

static bool add(struct settings *s, const char *path, const struct yaml *node, struct arena *arena)
{
    struct text t = { 0 };

    if (node->type == YAML_SCALAR)
        text_add(&t, node->text);
    else
        tree_write_line(node, &t);
    const char *value = t.failed ? NULL : arena_text(arena, t.data ? t.data : "");
    text_free(&t);
    if (!value || !*value)
        return value;
    if (s->count == s->room) {
        const size_t room = s->room ? 2 * s->room : 64;
        struct keyed_value *items = arena_array(arena, room, sizeof *items);
        if (!items)
            return false;
        if (s->count)
            memcpy(items, s->items, s->count * sizeof *items);
        s->items = items;
        s->room = room;
    }
    s->items[s->count++] = (struct keyed_value){ path, value };
    return true;
}

/* The depth is that of a manifest. */
static bool add_all(struct settings *s, const char *path, const struct yaml *node, struct arena *arena)
{
    const bool listed = node->type == YAML_LIST && node->count > 0 && node->items[0]->type == YAML_MAP;
    bool fine = true;

    if (node->type != YAML_MAP && !listed)
        return add(s, path, node, arena);
    for (size_t i = 0; fine && i < node->count; i++) {
        const struct yaml *name = listed ? yaml_get(node->items[i], "name") : node->keys[i];
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        const char *inner = arena_printf(arena, "%s%s%s", path, *path ? "." : "", name ? name->text : number);
        fine = inner && add_all(s, inner, node->items[i], arena);
    }
    return fine;
}

bool settings_read(const struct yaml *root, struct arena *arena, struct settings *ret)
{
    *ret = (struct settings){ 0 };
    return add_all(ret, "", root, arena);
}

const char *settings_find(const struct settings *s, const char *path, size_t hint)
{
    if (hint < s->count && strcmp(s->items[hint].path, path) == 0)
        return s->items[hint].value;
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->items[i].path, path) == 0)
            return s->items[i].value;
    return NULL;
}
