/* What the canonical trees of all trials share: what the resolved manifest says beside `sweep`. */
#include "manifest/resolve.h"

/* false: they differ as wholes, and there is nothing to keep. */
static bool merge(struct yaml *into, const struct yaml *other)
{
    if (into->type != other->type)
        return false;
    if (into->type == YAML_SCALAR)
        return tree_equal(into, other);
    if (into->type == YAML_LIST) {
        if (into->count != other->count)
            return false;
        for (size_t i = 0; i < into->count; i++)
            if (!merge(into->items[i], other->items[i]))
                return false;
        return true;
    }
    for (size_t i = 0; i < into->count;) {
        const struct yaml *same = yaml_get(other, into->keys[i]->text);
        if (same && merge(into->items[i], same))
            i++;
        else
            tree_remove(into, i);
    }
    return true;
}

void resolve_merge(struct yaml *into, const struct yaml *other) { merge(into, other); }

void resolve_prune(struct yaml *node)
{
    for (size_t i = 0; i < node->count;) {
        struct yaml *item = node->items[i];
        resolve_prune(item);
        if (node->type == YAML_MAP && item->type == YAML_MAP && item->count == 0)
            tree_remove(node, i);
        else
            i++;
    }
}
