/* A node of a manifest that is only read. */
#include "manifest/tree.h"

#include <string.h>

struct yaml *yaml_get(const struct yaml *map, const char *key)
{
    if (!map || map->type != YAML_MAP)
        return NULL;
    size_t index = tree_find(map, key);
    return index < map->count ? map->items[index] : NULL;
}

struct yaml *yaml_copy(const struct yaml *node, struct arena *arena) { return tree_copy(node, arena, NULL); }

bool yaml_is_null(const struct yaml *node)
{
    static const char *const words[] = { "", "~", "null", "Null", "NULL" };

    if (node->type != YAML_SCALAR || node->quoted)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(node->text, words[i]) == 0)
            return true;
    return false;
}
