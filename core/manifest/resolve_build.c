/* Nodes of the canonical tree, from single values to a plugin with its options. */
#include "manifest/resolve.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct mark nowhere = { 0 };

static struct yaml *kept(struct resolver *b, struct yaml *node)
{
    b->failed = b->failed || !node;
    return node;
}

struct yaml *build_map(struct resolver *b) { return kept(b, tree_node(b->arena, YAML_MAP, nowhere, 0)); }

struct yaml *build_list(struct resolver *b) { return kept(b, tree_node(b->arena, YAML_LIST, nowhere, 0)); }

void build_put(struct resolver *b, struct yaml *map, const char *key, struct yaml *value)
{
    if (!b->failed)
        b->failed = !tree_put(b->arena, map, tree_scalar(b->arena, key, nowhere, 0), value);
}

void build_append(struct resolver *b, struct yaml *list, struct yaml *item)
{
    if (!b->failed)
        b->failed = !tree_append(b->arena, list, item);
}

struct yaml *build_text(struct resolver *b, const char *text)
{
    struct yaml *node = kept(b, tree_scalar(b->arena, text, nowhere, 0));

    if (node)
        node->quoted = yaml_is_null(node);
    return node;
}

struct yaml *build_number(struct resolver *b, double value)
{
    char number[TEXT_NUMBER];

    return kept(b, tree_scalar(b->arena, text_number(number, value), nowhere, 0));
}

struct yaml *build_integer(struct resolver *b, int64_t value)
{
    char number[TEXT_NUMBER];

    snprintf(number, sizeof number, "%" PRId64, value);
    return kept(b, tree_scalar(b->arena, number, nowhere, 0));
}

struct yaml *build_bool(struct resolver *b, bool value)
{
    return kept(b, tree_scalar(b->arena, value ? "true" : "false", nowhere, 0));
}

struct yaml *build_path(struct resolver *b, const char *absolute)
{
    size_t length = strlen(b->folder);
    const char *below;

    if (b->identity)
        return build_text(b, "");
    while (length > 0 && b->folder[length - 1] == '/')
        length--;
    if (strncmp(absolute, b->folder, length) != 0 || (absolute[length] != '/' && absolute[length]))
        return build_text(b, absolute);
    below = absolute[length] && absolute[length + 1] ? absolute + length + 1 : ".";
    if (*below == '~') /* a name here, and not the user's home */
        below = arena_printf(b->arena, "./%s", below);
    b->failed = b->failed || !below;
    return build_text(b, below ? below : "");
}

/* NULL without failure: a text that has no value. */
static struct yaml *build_option(struct resolver *b, const bioft_option *o, const struct option_value *v)
{
    struct yaml *list;

    switch (o->type) {
    case BIOFT_F64: return build_number(b, v->number);
    case BIOFT_I64: return build_integer(b, v->integer);
    case BIOFT_BOOL: return build_bool(b, v->integer != 0);
    case BIOFT_CHOICE: return build_text(b, o->choices[v->integer]);
    case BIOFT_STRING: return v->text ? build_text(b, v->text) : NULL;
    case BIOFT_PATH: return v->text ? build_path(b, v->text) : NULL;
    default: list = build_list(b);
    }
    for (size_t i = 0; i < v->count; i++)
        build_append(b, list,
                     o->type == BIOFT_F64_LIST   ? build_number(b, v->numbers[i])
                     : o->type == BIOFT_I64_LIST ? build_integer(b, v->integers[i])
                                                 : build_text(b, v->texts[i]));
    return list;
}

static const struct grid *find_grid(const struct grids *grids, size_t option)
{
    for (size_t i = 0; grids && i < grids->count; i++)
        if (grids->items[i].option == option)
            return &grids->items[i];
    return NULL;
}

struct yaml *build_plugin(struct resolver *b, const struct plugin *plugin, const struct option_value *values,
                          const struct grids *grids)
{
    const bioft_plugin *d = &plugin->descriptor;
    struct yaml *map = build_map(b);

    build_put(b, map, "plugin", build_text(b, d->name));
    if (b->key)
        build_put(b, map, "version", build_text(b, d->version));
    for (uint32_t i = 0; i < d->option_count; i++) {
        const struct grid *grid = find_grid(grids, i);
        struct yaml *value;
        if (grid) {
            value = build_list(b);
            for (size_t k = 0; k < grid->count; k++)
                build_append(b, value, build_option(b, &d->options[i], &grid->values[k]));
        } else {
            value = build_option(b, &d->options[i], &values[i]);
        }
        if (value)
            build_put(b, map, d->options[i].name, value);
    }
    return map;
}

struct yaml *build_gradient(struct resolver *b, const struct attack_spec *s, enum gradient_kind kind)
{
    struct yaml *smoothing, *map;

    if (kind != GRADIENT_SMOOTHED)
        return build_text(b, gradient_word(kind));
    smoothing = build_map(b);
    build_put(b, smoothing, "samples", build_integer(b, s->smoothing.samples));
    build_put(b, smoothing, "sigma", build_number(b, s->smoothing.sigma));
    map = build_map(b);
    build_put(b, map, gradient_word(kind), smoothing);
    return map;
}

struct yaml *build_before(struct resolver *b, const struct trial *t, const struct attack_spec *s)
{
    struct yaml *list = build_list(b);

    for (const struct attack_spec *a = t->attacks; a < s; a++) {
        build_append(b, list, build_text(b, a->key));
        for (size_t i = 0; i < a->epsilon_count; i++)
            build_append(b, list, build_number(b, a->epsilon[i]));
        for (size_t i = 0; i < a->gradient_count; i++)
            build_append(b, list, build_gradient(b, a, a->gradients[i]));
    }
    return list;
}
