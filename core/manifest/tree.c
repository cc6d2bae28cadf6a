/* Trees of YAML: building, copying and comparing. None is deeper than twice YAML_DEPTH, so recursion is safe. */
#include "manifest/tree.h"

#include <string.h>

struct yaml **tree_array(struct arena *arena, size_t count)
{
    size_t room = 1;

    while (room < count)
        room *= 2;
    return arena_array(arena, room, sizeof(struct yaml *));
}

struct yaml *tree_node(struct arena *arena, enum yaml_type type, struct mark mark, uint32_t width)
{
    struct yaml *node = arena_array(arena, 1, sizeof *node);

    if (!node)
        return NULL;
    node->type = type;
    node->mark = mark;
    node->width = width;
    node->text = type == YAML_SCALAR ? "" : NULL;
    return node;
}

struct yaml *tree_scalar(struct arena *arena, const char *text, struct mark mark, uint32_t width)
{
    struct yaml *node = tree_node(arena, YAML_SCALAR, mark, width);

    if (!node)
        return NULL;
    node->length = strlen(text);
    node->text = arena_text_n(arena, text, node->length);
    return node->text ? node : NULL;
}

struct yaml *tree_copy(const struct yaml *node, struct arena *arena, const struct yaml *at)
{
    const struct yaml *place = at ? at : node;
    struct yaml *copy = tree_node(arena, node->type, place->mark, place->width);

    if (!copy)
        return NULL;
    copy->quoted = node->quoted;
    copy->length = node->length;
    if (node->type == YAML_SCALAR) {
        copy->text = arena_text_n(arena, node->text, node->length);
        return copy->text ? copy : NULL;
    }
    copy->count = node->count;
    copy->items = tree_array(arena, node->count);
    copy->keys = node->type == YAML_MAP ? tree_array(arena, node->count) : NULL;
    if (!copy->items || (node->type == YAML_MAP && !copy->keys))
        return NULL;
    for (size_t i = 0; i < node->count; i++) {
        copy->items[i] = tree_copy(node->items[i], arena, at);
        if (!copy->items[i])
            return NULL;
        if (copy->keys) {
            copy->keys[i] = tree_copy(node->keys[i], arena, at);
            if (!copy->keys[i])
                return NULL;
        }
    }
    return copy;
}

/* Room for one more. */
static bool grow(struct arena *arena, struct yaml ***items, size_t count)
{
    struct yaml **grown;

    if (count > 0 && (count & (count - 1)) != 0)
        return true;
    grown = tree_array(arena, count + 1);
    if (!grown)
        return false;
    if (count > 0)
        memcpy(grown, *items, count * sizeof(*grown));
    *items = grown;
    return true;
}

bool tree_append(struct arena *arena, struct yaml *list, struct yaml *item)
{
    if (!item || !grow(arena, &list->items, list->count))
        return false;
    list->items[list->count++] = item;
    return true;
}

bool tree_put(struct arena *arena, struct yaml *map, struct yaml *key, struct yaml *value)
{
    if (!key || !value)
        return false;
    size_t index = tree_find(map, key->text);
    if (index == map->count) {
        if (!grow(arena, &map->items, map->count) || !grow(arena, &map->keys, map->count))
            return false;
        map->keys[map->count++] = key;
    }
    map->items[index] = value;
    return true;
}

void tree_remove(struct yaml *map, size_t index)
{
    for (size_t i = index + 1; i < map->count; i++) {
        map->items[i - 1] = map->items[i];
        map->keys[i - 1] = map->keys[i];
    }
    map->count--;
}

size_t tree_find(const struct yaml *map, const char *key)
{
    size_t index = 0;

    while (index < map->count && strcmp(map->keys[index]->text, key) != 0)
        index++;
    return index;
}

bool tree_equal(const struct yaml *a, const struct yaml *b)
{
    if (a->type != b->type || a->count != b->count)
        return false;
    if (a->type == YAML_SCALAR)
        return a->quoted == b->quoted && strcmp(a->text, b->text) == 0;
    for (size_t i = 0; i < a->count; i++)
        if ((a->type == YAML_MAP && strcmp(a->keys[i]->text, b->keys[i]->text) != 0) ||
            !tree_equal(a->items[i], b->items[i]))
            return false;
    return true;
}
