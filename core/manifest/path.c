/* Dotted paths: walked component by component from the root. */
#include "manifest/path.h"

#include "base/text.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* One step of the walk. */
struct component {
    char name[128];
    size_t offset, length; /* in the path's text */
    bool last;
};

/* The component at `offset`. Under the root's `sweep` and `search` the rest is one key: paths are the keys there. */
static struct component component_at(const char *path, size_t offset)
{
    struct component c = { .offset = offset };
    const bool key_of_sweep = (offset == strlen("sweep.") && strncmp(path, "sweep.", offset) == 0) ||
                              (offset == strlen("search.") && strncmp(path, "search.", offset) == 0);

    c.length = key_of_sweep ? strlen(path + offset) : strcspn(path + offset, ".");
    c.last = path[offset + c.length] == '\0';
    if (c.length < sizeof c.name)
        memcpy(c.name, path + offset, c.length);
    return c;
}

static struct mark mark_of(const struct path *p, const struct component *c)
{
    struct mark mark = p->mark;

    if (p->in_place)
        mark.column += (uint32_t)utf8_count(p->text, c->offset);
    return mark;
}

static void report(const struct path *p, const struct component *c, struct diagnostics *d, const char *what,
                   const char *more)
{
    char escaped[TEXT_ESCAPED];

    diagnose_error(d, mark_of(p, c), utf8_count(p->text + c->offset, c->length), "'%s': %s%s",
                   text_escape(escaped, p->text, strlen(p->text)), what, more);
}

bool path_check(const struct path *p, struct diagnostics *d)
{
    size_t components = 0;

    for (size_t offset = 0;; components++) {
        const struct component c = component_at(p->text, offset);
        if (c.length == 0 || c.length >= sizeof c.name || components == YAML_DEPTH / 2) {
            report(p, &c, d, "no path of keys such as stages.NAME.rule", "");
            return false;
        }
        if (c.last)
            return true;
        offset += c.length + 1;
    }
}

/* The key under which a bare word stands for a map: `rule: usf` is `rule: {plugin: usf}`. NULL: it does not. */
static const char *short_for(const char *key)
{
    static const char *const keys[][2] = {
        { "engine", "plugin" }, { "dataset", "plugin" }, { "backbone", "plugin" }, { "rule", "plugin" },
        { "loss", "plugin" },   { "attacks", "plugin" }, { "optimizer", "name" },  { "schedule", "name" },
    };

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i][0], key) == 0)
            return keys[i][1];
    return NULL;
}

static const char *scalar_text(const struct yaml *node)
{
    return node && node->type == YAML_SCALAR && !yaml_is_null(node) ? node->text : NULL;
}

/* An entry of a list: by name, then by plugin where it has no name, then by number; the count where there is none. */
static size_t find_entry(const struct yaml *list, const char *name, struct path_use *use)
{
    use->end = PATH_NAME;
    for (size_t i = 0; i < list->count; i++) {
        const char *own = scalar_text(yaml_get(list->items[i], "name"));
        if (own && strcmp(own, name) == 0)
            return i;
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml *item = list->items[i];
        const char *plugin = scalar_text(item->type == YAML_SCALAR ? item : yaml_get(item, "plugin"));
        if (plugin && !yaml_get(item, "name") && strcmp(plugin, name) == 0) {
            use->by_plugin = true;
            return i;
        }
    }
    use->end = PATH_NUMBER;
    if (strspn(name, "0123456789") != strlen(name) || strlen(name) > 6)
        return list->count;
    const size_t index = (size_t)strtoul(name, NULL, 10);
    return index < list->count ? index : list->count;
}

static void report_entries(const struct path *p, const struct component *c, const struct yaml *list,
                           struct diagnostics *d)
{
    struct text names = { 0 };
    char escaped[TEXT_ESCAPED];

    for (size_t i = 0; i < list->count && i < 20; i++) {
        const struct yaml *item = list->items[i];
        const char *name = scalar_text(yaml_get(item, "name"));
        if (!name)
            name = scalar_text(item->type == YAML_SCALAR ? item : yaml_get(item, "plugin"));
        text_printf(&names, "%s%zu", i ? ", " : "", i);
        if (name)
            text_printf(&names, " or %s", text_escape(escaped, name, strlen(name)));
    }
    report(p, c, d, "no such entry", "");
    diagnose_note(d, "entries here: %s", names.data ? names.data : "none");
    text_free(&names);
}

/* {word: scalar} in place of the scalar. */
static bool spell_out(struct yaml *node, const char *word, struct arena *arena)
{
    struct yaml *scalar = yaml_copy(node, arena), *map = tree_node(arena, YAML_MAP, node->mark, node->width);
    struct yaml *key = tree_scalar(arena, word, node->mark, node->width);

    if (!scalar || !map || !tree_put(arena, map, key, scalar))
        return false;
    *node = *map;
    return true;
}

/* Makes *node a map or a list that the next component can look into. word: the key of its bare value, or NULL. */
static bool open_node(const struct path *p, const struct component *c, struct yaml *node, const char *word,
                      struct arena *arena, struct diagnostics *d, bool *failed)
{
    if (node->type != YAML_SCALAR)
        return true;
    if (yaml_is_null(node)) {
        node->type = YAML_MAP;
        node->text = NULL;
        return true;
    }
    if (!word) {
        report(p, c, d, "there is a single value before this key", "");
        return false;
    }
    *failed = !spell_out(node, word, arena);
    return !*failed;
}

/* Into a member, made where it is missing. NULL: memory is out. */
static struct yaml *enter_member(const struct path *p, const struct component *c, struct yaml *map, struct arena *arena)
{
    const size_t index = tree_find(map, c->name);
    const struct mark mark = mark_of(p, c);

    if (index < map->count)
        return map->items[index];
    struct yaml *made = tree_node(arena, YAML_MAP, mark, (uint32_t)c->length);
    return tree_put(arena, map, tree_scalar(arena, c->name, mark, (uint32_t)c->length), made) ? made : NULL;
}

bool path_put(const struct path *p, struct yaml *root, struct yaml *value, struct arena *arena, struct diagnostics *d,
              struct path_use *ret, bool *failed)
{
    struct yaml *node = root;
    const char *word = NULL;
    struct component c = component_at(p->text, 0);

    *ret = (struct path_use){ 0 };
    for (;; c = component_at(p->text, c.offset + c.length + 1)) {
        if (!open_node(p, &c, node, word, arena, d, failed))
            return false;
        ret->end = PATH_KEY;
        if (node->type == YAML_MAP) {
            if (c.last) {
                const struct mark mark = mark_of(p, &c);
                const size_t index = tree_find(node, c.name);
                struct yaml *name = tree_scalar(arena, c.name, mark, (uint32_t)c.length);
                ret->replaced = index < node->count ? node->items[index] : NULL;
                *failed = !tree_put(arena, node, name, value);
                if (!*failed)
                    node->keys[tree_find(node, c.name)] = name;
                return !*failed;
            }
            node = enter_member(p, &c, node, arena);
            *failed = !node;
            word = short_for(c.name);
        } else {
            const size_t index = find_entry(node, c.name, ret);
            if (index == node->count) {
                report_entries(p, &c, node, d);
                return false;
            }
            if (c.last) {
                ret->replaced = node->items[index];
                node->items[index] = value;
                return true;
            }
            node = node->items[index]; /* its bare value means what the list's key says */
        }
        if (*failed)
            return false;
    }
}

void path_remove(const char *path, struct yaml *root)
{
    struct component c = component_at(path, 0);
    struct yaml *node = root;
    struct path_use use = { 0 };

    for (;; c = component_at(path, c.offset + c.length + 1)) {
        const bool is_map = node->type == YAML_MAP;
        if (node->type == YAML_SCALAR)
            return;
        const size_t index = is_map ? tree_find(node, c.name) : find_entry(node, c.name, &use);
        if (index == node->count)
            return;
        if (c.last) {
            if (is_map)
                tree_remove(node, index);
            return;
        }
        node = node->items[index];
    }
}

const char *path_last(const char *path, size_t n)
{
    const char *at = path + strlen(path);

    while (at > path && n > 0)
        if (*--at == '.' && --n == 0)
            return at + 1;
    return path;
}
