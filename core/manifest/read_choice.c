/* Plugins of a manifest: found by name, their options checked against the plugin's own table. */
#include "manifest/read.h"

#include "manifest/synonyms.h"

#include <stdio.h>
#include <string.h>

static const char *kind_phrase(uint32_t kind) { return kind == BIOFT_KIND_RULE ? "learning rule" : kind_word(kind); }

/* "no learning rule named 'usff'; did you mean 'usf'?", the names there are, and where they were looked for. */
static void report_missing(struct reader *r, uint32_t kind, const char *name, const struct yaml *place,
                           const struct error *why)
{
    char **names = NULL, escaped[TEXT_ESCAPED];
    size_t count = 0;
    struct text list = { 0 };
    struct error err;
    const char *places = strstr(why->text, "ooked in "); /* the rest of the registry's words is said already */

    if (registry_names(r->registry, kind, &names, &count, &err) != BIOFT_OK)
        count = 0;
    const char *near = text_nearest(name, (const char *const *)names, count);
    if (!near)
        near = synonym_plugin(r->registry, kind, name, (const char *const *)names, count);
    text_escape(escaped, name, strlen(name));
    if (near)
        read_error(r, place, "no %s named '%s'; did you mean '%s'?", kind_phrase(kind), escaped, near);
    else
        read_error(r, place, "no %s named '%s'", kind_phrase(kind), escaped);
    for (size_t i = 0; i < count; i++) {
        text_add(&list, i ? ", " : "");
        text_add(&list, names[i]);
    }
    if (count > 0)
        diagnose_note(r->d, "%s here: %s (bioft plugin list)", kind == BIOFT_KIND_RULE ? "rules" : kind_folder(kind),
                      list.data ? list.data : "");
    diagnose_note(r->d, places ? "l%s" : "%s", places ? places : why->text);
    text_free(&list);
    if (names)
        registry_names_free(names, count);
}

const struct plugin *read_plugin(struct reader *r, uint32_t kind, const char *name, const struct yaml *place)
{
    const struct plugin *plugin;
    struct error err = { 0 };
    bioft_status st = registry_find(r->registry, kind, name, &plugin, &err);

    if (st == BIOFT_OK)
        return plugin;
    if (st == BIOFT_ERR_MEMORY)
        r->failed = true;
    else if (st == BIOFT_ERR_INVALID)
        report_missing(r, kind, name, place, &err);
    else
        read_error(r, place, "%s '%s' cannot be used: %s", kind_phrase(kind), name, err.text);
    return NULL;
}

/* Of these no quoted text is one. */
static bool takes_bare_words(uint32_t type)
{
    return type == BIOFT_F64 || type == BIOFT_I64 || type == BIOFT_BOOL || type == BIOFT_F64_LIST ||
           type == BIOFT_I64_LIST;
}

/* The texts of a scalar or of a list's items; NULL where one of them cannot be an option's. */
static const char **option_items(struct reader *r, const bioft_option *o, const struct yaml *node)
{
    const size_t count = node->type == YAML_LIST ? node->count : 1;
    const char **items = read_array(r, count + 1, sizeof *items);
    char found[READ_FOUND];

    for (size_t i = 0; items && i < count; i++) {
        const struct yaml *item = node->type == YAML_LIST ? node->items[i] : node;
        if (item->type != YAML_SCALAR || yaml_is_null(item) || (item->quoted && takes_bare_words(o->type))) {
            struct text type = { 0 };
            option_type_text(o, &type);
            read_error(r, item, "'%s': %s expected, found %s", o->name, type.data ? type.data : "another type",
                       read_found(found, item));
            text_free(&type);
            return NULL;
        }
        items[i] = item->text;
    }
    return items;
}

bool read_option(struct reader *r, const struct plugin *plugin, size_t index, const struct yaml *node,
                 struct option_value *ret)
{
    const bioft_option *o = &plugin->descriptor.options[index];
    /* One number is a list of one: a mean for all channels. */
    const bool numbers = o->type == BIOFT_F64_LIST || o->type == BIOFT_I64_LIST;
    const bool is_list = node->type == YAML_LIST || (numbers && node->type == YAML_SCALAR);
    const size_t count = node->type == YAML_LIST ? node->count : 1;
    const char **items = option_items(r, o, node);
    struct error err;

    if (!items)
        return false;
    if (o->type == BIOFT_PATH && !is_list) {
        items[0] = read_path_node(r, node, o->name);
        if (!items[0])
            return false;
    }
    bioft_status st = option_parse(o, items, count, is_list, r->folder, r->arena, ret, &err);
    if (st == BIOFT_ERR_MEMORY)
        r->failed = true;
    else if (st != BIOFT_OK)
        read_error(r, node, "'%s': %s", o->name, err.text);
    return st == BIOFT_OK;
}

/* A list of numbers for an option that takes one. */
static bool read_grid(struct reader *r, const struct plugin *plugin, size_t index, const struct yaml *node,
                      struct grids *grids)
{
    const bioft_option *o = &plugin->descriptor.options[index];
    struct grid *grid = &grids->items[grids->count];

    *grid = (struct grid){ .name = o->name, .option = index, .count = node->count };
    grid->values = read_array(r, node->count, sizeof *grid->values);
    if (!grid->values)
        return false;
    if (node->count == 0) {
        read_error(r, node, "'%s': an empty list", o->name);
        return false;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (!read_option(r, plugin, index, node->items[i], &grid->values[i]))
            return false;
    }
    if (!read_once(r, node, o->name, grid->values, sizeof *grid->values, read_compare_values))
        return false;
    grids->count++;
    return true;
}

static bool is_key(const char *const *keys, const char *name)
{
    for (size_t i = 0; keys[i]; i++)
        if (strcmp(keys[i], name) == 0)
            return true;
    return false;
}

static bool read_options(struct reader *r, struct yaml *map, const char *const *keys, const struct choice *choice,
                         struct grids *grids)
{
    const struct plugin *plugin = choice->plugin;
    bool good = true;

    for (size_t i = 0; i < map->count; i++) {
        struct yaml *node = map->items[i];
        size_t index;
        if (is_key(keys, map->keys[i]->text)) {
            node->used = true;
            continue;
        }
        const bioft_option *o = options_find(plugin, map->keys[i]->text, &index);
        if (!o)
            continue;
        node->used = true;
        if (yaml_is_null(node))
            continue;
        if (grids && node->type == YAML_LIST && (o->type == BIOFT_F64 || o->type == BIOFT_I64))
            good = read_grid(r, plugin, index, node, grids) && good;
        else
            good = read_option(r, plugin, index, node, &choice->values[index]) && good;
    }
    return good;
}

bool read_choice(struct reader *r, struct yaml *node, uint32_t kind, const char *const *keys, struct choice *ret,
                 struct grids *grids)
{
    struct yaml *name = node->type == YAML_MAP ? read_member(node, "plugin") : node;
    char where[128];
    struct error err;

    if (!name || name->type != YAML_SCALAR || yaml_is_null(name)) {
        read_error(r, name ? name : node, name ? "the name of a %s expected" : "'plugin' is missing: it names the %s",
                   kind_phrase(kind));
        return false;
    }
    ret->plugin = read_plugin(r, kind, name->text, name);
    ret->mark = name->mark;
    if (!ret->plugin)
        return false;
    if (grids) {
        grids->items = read_array(r, ret->plugin->descriptor.option_count + 2, sizeof *grids->items);
        if (!grids->items)
            return false;
    }
    bioft_status st = options_defaults(ret->plugin, r->arena, &ret->values, &err);
    if (st == BIOFT_ERR_MEMORY)
        r->failed = true;
    else if (st != BIOFT_OK)
        read_error(r, name, "%s", err.text);
    if (st != BIOFT_OK)
        return false;
    if (node->type != YAML_MAP)
        return true;
    snprintf(where, sizeof where, "of %s '%s'", kind_phrase(kind), ret->plugin->descriptor.name);
    bool good = read_options(r, node, keys, ret, grids);
    read_unknown(r, node, where, keys, ret->plugin);
    return good;
}
