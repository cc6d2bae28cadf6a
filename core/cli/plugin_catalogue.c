/* Every plugin that can be found, gathered. */
#include "cli/plugin_catalogue.h"

#include <stdlib.h>
#include <string.h>

static const char *string_of(const struct json *object, const char *key)
{
    const struct json *j = json_get(object, key);
    return j && j->type == JSON_STRING ? j->text : "";
}

static char *on_one_line(const char *s, struct arena *arena)
{
    char *copy = arena_text(arena, s);
    for (char *c = copy; c && *c; c++)
        if (*c == '\n')
            *c = ';';
    return copy;
}

struct gathering {
    struct catalogue_row *rows;
    size_t count, capacity;
    uint32_t kind;    /* 0: all */
    const char *name; /* NULL: all */
    struct arena *arena;
};

static bioft_status add(struct gathering *g, struct catalogue_row row, struct error *err)
{
    const bool asked = (g->kind == 0 || row.kind == 0 || row.kind == g->kind) &&
                       (!g->name || strcmp(row.name, g->name) == 0);
    if (!asked)
        return BIOFT_OK;
    if (!row.name || !row.path || !mem_grow(&g->rows, &g->capacity, g->count + 1, sizeof *g->rows))
        return error_memory(err, "the list of plugins");
    g->rows[g->count++] = row;
    return BIOFT_OK;
}

static bioft_status add_file(struct gathering *g, const struct registry_file *file, struct error *err)
{
    struct catalogue_row row = {
        .kind = file->kind,
        .name = arena_text(g->arena, file->name),
        .path = arena_text(g->arena, file->path),
        .overridden = file->overridden,
        .explicit_place = file->explicit_place,
    };
    struct description d;
    bioft_status st = describe_file(file->path, file->kind, g->arena, &d, err);
    if (st != BIOFT_OK)
        return st;
    if (d.fault) {
        row.fault = on_one_line(d.fault, g->arena);
        return row.fault ? add(g, row, err) : error_memory(err, "the list of plugins");
    }
    if (file->kind != 0 && d.plugins->count != 1) {
        row.fault = arena_printf(g->arena,
                                 "%s: it holds %zu plugins, so it must be named as a file, by plugins: or "
                                 "--plugin-path",
                                 file->path, d.plugins->count);
        return row.fault ? add(g, row, err) : error_memory(err, "the list of plugins");
    }
    for (size_t i = 0; i < d.plugins->count && st == BIOFT_OK; i++) {
        row.plugin = json_get(d.plugins->items[i], "plugin");
        row.text = string_of(d.plugins->items[i], "text");
        row.json = string_of(d.plugins->items[i], "json");
        row.kind = kind_by_word(string_of(row.plugin, "kind"));
        row.name = string_of(row.plugin, "name");
        st = add(g, row, err);
    }
    return st;
}

static int compare(const void *a, const void *b)
{
    const struct catalogue_row *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    const int order = strcmp(x->name, y->name);
    if (order)
        return order;
    if (x->explicit_place != y->explicit_place)
        return x->explicit_place ? -1 : 1;
    return (x->overridden > y->overridden) - (x->overridden < y->overridden);
}

bioft_status catalogue_read(struct registry *r, uint32_t kind, const char *name, struct arena *arena,
                            struct catalogue *ret, struct error *err)
{
    struct gathering g = { .kind = kind, .name = name, .arena = arena };
    struct registry_file *files = NULL;
    size_t count = 0;
    bioft_status st = registry_files(r, &files, &count, err);
    for (size_t i = 0; i < count && st == BIOFT_OK; i++) {
        const bool may_be = files[i].kind == 0 ||
                            ((kind == 0 || kind == files[i].kind) && (!name || strcmp(name, files[i].name) == 0));
        if (may_be)
            st = add_file(&g, &files[i], err);
    }
    struct catalogue_row *rows = st == BIOFT_OK ? arena_array(arena, g.count, sizeof *rows) : NULL;
    if (st == BIOFT_OK && !rows)
        st = error_memory(err, "the list of plugins");
    if (st == BIOFT_OK) {
        if (g.count > 0)
            memcpy(rows, g.rows, g.count * sizeof *rows);
        qsort(rows, g.count, sizeof *rows, compare);
        /* A file named as a place was not known to override before it was opened. */
        for (size_t i = 1; i < g.count; i++)
            rows[i].overridden = rows[i].kind != 0 && rows[i].kind == rows[i - 1].kind &&
                                 strcmp(rows[i].name, rows[i - 1].name) == 0;
        *ret = (struct catalogue){ .rows = rows, .count = g.count };
    }
    registry_files_free(files, count);
    free(g.rows);
    return st;
}
