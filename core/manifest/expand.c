/* The sweep at work: each trial's values in its own tree, and its name. */
#include "manifest/expand.h"

#include <stdio.h>
#include <string.h>

/* What --set put here, and no sweep of its own; NULL: nothing. */
static const struct yaml *first_set(const struct yaml *node, const struct sets *sets)
{
    const struct yaml *found = NULL;

    if (node->mark.source > 0 && !sets->sweeps[node->mark.source - 1])
        return node;
    for (size_t i = 0; i < node->count && !found; i++)
        found = first_set(node->items[i], sets);
    return found;
}

static bool holds(const struct yaml *node, struct mark mark)
{
    if (node->mark.line == mark.line && node->mark.column == mark.column && node->mark.source == mark.source)
        return true;
    for (size_t i = 0; i < node->count; i++)
        if (holds(node->items[i], mark))
            return true;
    return false;
}

/* A path that undoes one before it would make trials that differ in name only. */
static void check_earlier(const struct sweep *s, size_t index, size_t number, const struct yaml *replaced,
                          struct diagnostics *d)
{
    for (size_t i = 0; replaced && i < index; i++)
        if (holds(replaced, sweep_value(s, i, number)->mark))
            diagnose_error(d, s->paths[index].mark, strlen(s->paths[index].text),
                           "this path replaces what '%s' puts there", s->paths[i].text);
}

/* What a re-read of the resolved manifest could not follow, or what would be lost unsaid. */
static void check_use(const char *section, const struct path *p, const struct path_use *use, const struct sets *sets,
                      struct diagnostics *d)
{
    const char *last = path_last(p->text, 1);
    const struct yaml *set = use->replaced ? first_set(use->replaced, sets) : NULL;
    const bool in_entry = (strncmp(p->text, "stages.", 7) == 0 || strncmp(p->text, "attacks.", 8) == 0) &&
                          path_last(p->text, 2) == strchr(p->text, '.') + 1;

    if (set)
        diagnose_error(d, set->mark, set->width, "the %s over '%s' replaces this; --set %s.%s=[...] changes it",
                       section, p->text, section, p->text);
    if (in_entry && strcmp(last, "name") == 0)
        diagnose_error(d, p->mark, strlen(p->text), "names are the same for all trials");
    else if (use->end == PATH_NAME || (use->by_plugin && in_entry && strcmp(last, "plugin") == 0))
        diagnose_error(d, p->mark, strlen(p->text),
                       "a sweep that replaces what an entry is named by must give its number");
}

bool sweep_apply(const struct sweep *sweep, size_t number, const struct sets *sets, struct yaml *root,
                 struct arena *arena, struct diagnostics *d)
{
    for (size_t i = 0; i < sweep->count; i++) {
        struct yaml *value = yaml_copy(sweep_value(sweep, i, number), arena);
        struct path_use use;
        bool failed = false;
        if (!value)
            return false;
        if (path_put(&sweep->paths[i], root, value, arena, d, &use, &failed)) {
            check_use(sweep->section, &sweep->paths[i], &use, sets, d);
            check_earlier(sweep, i, number, use.replaced, d);
        }
        if (failed)
            return false;
    }
    return true;
}

static void add_word(struct text *t, const char *s)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-";

    for (; *s; s++)
        text_add_n(t, strchr(allowed, *s) ? s : "-", 1);
}

/* A value in a folder's name: usf+scale=none, 0.9+0.999. */
static void add_value(struct text *t, const struct yaml *value)
{
    const struct yaml *plugin = yaml_get(value, "plugin"), *first = plugin ? plugin : yaml_get(value, "name");
    bool joined = first != NULL;

    if (value->type == YAML_SCALAR) {
        add_word(t, yaml_is_null(value) ? "null" : value->text);
        return;
    }
    if (first)
        add_value(t, first);
    for (size_t i = 0; i < value->count; i++) {
        if (value->items[i] == first)
            continue;
        text_add(t, joined ? "+" : "");
        if (value->type == YAML_MAP) {
            add_word(t, value->keys[i]->text);
            text_add(t, "=");
        }
        add_value(t, value->items[i]);
        joined = true;
    }
}

bool sweep_name(const struct sweep *sweep, size_t number, struct arena *arena, struct trial *ret)
{
    enum { LONGEST = 160 }; /* a folder's name may have 255 */
    struct text id = { 0 };
    int digits = 2;

    ret->swept = arena_array(arena, sweep->count, sizeof *ret->swept);
    if (!ret->swept)
        return false;
    for (size_t n = sweep->trials - 1; n >= 100; n /= 10)
        digits++;
    text_printf(&id, "%0*zu", digits, number);
    for (size_t i = 0; i < sweep->count; i++) {
        const struct yaml *value = sweep_value(sweep, i, number);
        struct text line = { 0 };
        text_add(&id, i ? "," : "-");
        add_word(&id, sweep->labels[i]);
        text_add(&id, "=");
        add_value(&id, value);
        tree_write_line(value, &line);
        ret->swept[i].path = sweep->paths[i].text;
        ret->swept[i].value = line.failed ? NULL : arena_text(arena, line.data);
        text_free(&line);
        if (!ret->swept[i].value)
            id.failed = true;
    }
    ret->swept_count = sweep->count;
    ret->id = id.failed ? NULL : arena_text_n(arena, id.data, id.length < LONGEST ? id.length : LONGEST);
    text_free(&id);
    return ret->id;
}
