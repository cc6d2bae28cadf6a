/* Reading `sweep`: paths and their values, alone or zipped, in the manifest's order, the last axis fastest; and the
 * combinations that skip_if leaves out. */
#include "manifest/expand.h"

#include <string.h>

/* What reading needs beside its result. */
struct opening {
    struct sweep *sweep;
    struct arena *arena;
    struct diagnostics *d;
    const struct yaml *skips; /* the list of skip_if; NULL: none */
    size_t room;              /* for paths */
    bool failed;              /* memory ran out */
};

static bool read_list(const struct yaml *key, const struct yaml *list, bool zipped, struct diagnostics *d)
{
    static const char *const fixed[] = { "bioft",    "name", "folder", "plugins", "output",
                                         "baseline", "log",  "sweep",  "search" };
    const size_t first = strcspn(key->text, ".");

    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (strlen(fixed[i]) == first && strncmp(key->text, fixed[i], first) == 0) {
            diagnose_error(d, key->mark, key->width, "'%s' is the same for all trials", fixed[i]);
            return false;
        }
    if (list->type != YAML_LIST || list->count == 0) {
        diagnose_error(d, list->mark, list->width, "a list of values to try expected%s",
                       list->type == YAML_LIST ? ", found an empty one" : "");
        return false;
    }
    /* A longer list is refused for its length. */
    for (size_t i = 0; i < list->count && !zipped && list->count <= SWEEP_TRIALS; i++)
        for (size_t k = 0; k < i; k++)
            if (tree_equal(list->items[i], list->items[k])) {
                diagnose_error(d, list->items[i]->mark, list->items[i]->width, "this value is in the list already");
                return false;
            }
    return true;
}

/* As few components as tell the paths apart. */
static const char *label_of(const struct sweep *s, size_t index)
{
    const char *path = s->paths[index].text, *label = path;

    for (size_t n = 1;; n++) {
        bool unique = true;
        label = path_last(path, n);
        for (size_t i = 0; i < s->count; i++)
            unique = unique && (i == index || strcmp(path_last(s->paths[i].text, n), label) != 0);
        if (unique || label == path)
            return label;
    }
}

static struct path path_of(const struct yaml *key)
{
    struct path p = { .text = key->text, .mark = key->mark };

    p.in_place = key->width == key->length + (key->quoted ? 2 : 0);
    p.mark.column += key->quoted && p.in_place;
    return p;
}

/* A path with its values on the axis that is open. false: it is not one, which is reported. */
static bool add_path(struct opening *o, const struct yaml *key, struct yaml *list, bool zipped)
{
    struct sweep *s = o->sweep;
    struct path p = path_of(key);

    p.text = arena_text(o->arena, p.text);
    if (!p.text) {
        o->failed = true;
        return false;
    }
    if (!path_check(&p, o->d) || !read_list(key, list, zipped, o->d))
        return false;
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->paths[i].text, p.text) == 0) {
            diagnose_error(o->d, key->mark, key->width, "'%s' is in the sweep already", p.text);
            return false;
        }
    s->paths[s->count] = p;
    s->lists[s->count] = list;
    s->axis[s->count++] = s->axes;
    return true;
}

/* Ends the axis that is open. */
static void close_axis(struct opening *o, const struct yaml *place, size_t length, bool zipped)
{
    struct sweep *s = o->sweep;

    s->zipped[s->axes] = zipped;
    s->lengths[s->axes++] = length;
    if (length > SWEEP_TRIALS / s->combinations) {
        if (s->combinations <= SWEEP_TRIALS)
            diagnose_error(o->d, place->mark, place->width, "the sweep makes more than %d trials", (int)SWEEP_TRIALS);
        s->combinations = SWEEP_TRIALS + 1; /* said once */
        return;
    }
    s->combinations *= length;
}

/* No two rows of a group alike. */
static void check_rows(const struct opening *o, const struct yaml *group, size_t length)
{
    for (size_t i = 0; i < length; i++)
        for (size_t k = 0; k < i; k++) {
            bool same = true;
            for (size_t m = 0; m < group->count && same; m++)
                same = tree_equal(group->items[m]->items[i], group->items[m]->items[k]);
            if (same) {
                const struct yaml *value = group->items[0]->items[i];
                diagnose_error(o->d, value->mark, value->width, "these values stand together already");
                return;
            }
        }
}

static void read_group(struct opening *o, const struct yaml *group)
{
    size_t length = 0;

    if (group->type != YAML_MAP || group->count == 0) {
        diagnose_error(o->d, group->mark, group->width, "a map of paths to lists of one length expected");
        return;
    }
    for (size_t i = 0; i < group->count; i++) {
        const struct yaml *list = group->items[i];
        if (!add_path(o, group->keys[i], group->items[i], true))
            return;
        if (i > 0 && list->count != length) {
            diagnose_error(o->d, list->mark, list->width,
                           "%zu value%s where '%s' has %zu: zipped lists are of one "
                           "length",
                           list->count, list->count == 1 ? "" : "s", group->keys[0]->text, length);
            return;
        }
        length = list->count;
    }
    check_rows(o, group, length);
    close_axis(o, group, length, true);
}

static void read_zip(struct opening *o, const struct yaml *list)
{
    if (yaml_is_null(list))
        return;
    if (list->type != YAML_LIST)
        diagnose_error(o->d, list->mark, list->width,
                       "'zip': a list of groups expected, such as "
                       "[{seed: [1, 2], dataset.split_seed: [1, 2]}]");
    for (size_t i = 0; list->type == YAML_LIST && i < list->count && !o->failed; i++)
        read_group(o, list->items[i]);
}

/* Every condition names paths and values that there are. */
static void check_condition(const struct opening *o, const struct yaml *map)
{
    const struct sweep *s = o->sweep;

    if (map->type != YAML_MAP || map->count == 0) {
        diagnose_error(o->d, map->mark, map->width, "a map of swept paths to values expected");
        return;
    }
    for (size_t i = 0; i < map->count; i++) {
        size_t p = 0;
        bool found = false;
        while (p < s->count && strcmp(s->paths[p].text, map->keys[i]->text) != 0)
            p++;
        if (p == s->count) {
            diagnose_error(o->d, map->keys[i]->mark, map->keys[i]->width, "'%s' is not a path of the sweep",
                           map->keys[i]->text);
            continue;
        }
        for (size_t k = 0; k < s->lists[p]->count && !found; k++)
            found = tree_equal(s->lists[p]->items[k], map->items[i]);
        if (!found)
            diagnose_error(o->d, map->items[i]->mark, map->items[i]->width, "'%s' has no such value in the sweep",
                           map->keys[i]->text);
    }
}

static void check_conditions(struct opening *o)
{
    if (o->skips && yaml_is_null(o->skips))
        o->skips = NULL;
    if (!o->skips)
        return;
    if (o->skips->type != YAML_LIST) {
        diagnose_error(o->d, o->skips->mark, o->skips->width,
                       "'skip_if': a list of conditions expected, such as "
                       "[{seed: 2}]");
        o->skips = NULL;
        return;
    }
    for (size_t i = 0; i < o->skips->count; i++)
        check_condition(o, o->skips->items[i]);
}

const struct yaml *sweep_value(const struct sweep *s, size_t index, size_t number)
{
    const size_t axis = s->axis[index];
    size_t rest = s->numbers ? s->numbers[number] : number;

    for (size_t i = s->axes; i-- > axis + 1;)
        rest /= s->lengths[i];
    return s->lists[index]->items[rest % s->lengths[axis]];
}

static bool meets(const struct sweep *s, const struct yaml *condition, size_t number)
{
    for (size_t i = 0; i < condition->count; i++)
        for (size_t p = 0; p < s->count; p++)
            if (strcmp(s->paths[p].text, condition->keys[i]->text) == 0 &&
                !tree_equal(sweep_value(s, p, number), condition->items[i]))
                return false;
    return true;
}

/* Which combinations are trials. */
static void number_trials(struct opening *o)
{
    struct sweep *s = o->sweep;
    size_t *numbers;

    s->trials = s->combinations;
    s->skips = o->skips;
    if (!o->skips || o->skips->count == 0)
        return;
    numbers = arena_array(o->arena, s->combinations, sizeof *numbers);
    if (!numbers) {
        o->failed = true;
        return;
    }
    s->trials = 0;
    for (size_t i = 0; i < s->combinations; i++) {
        bool skip = false;
        for (size_t k = 0; k < o->skips->count && !skip; k++)
            skip = meets(s, o->skips->items[k], i);
        if (!skip)
            numbers[s->trials++] = i;
    }
    s->numbers = numbers;
    if (s->trials == 0)
        diagnose_error(o->d, o->skips->mark, o->skips->width, "these conditions leave no trial");
}

static bool make_room(struct opening *o, const struct yaml *map)
{
    struct sweep *s = o->sweep;
    size_t n = map->count;

    for (size_t i = 0; i < map->count; i++)
        for (size_t k = 0; map->items[i]->type == YAML_LIST && k < map->items[i]->count; k++)
            n += map->items[i]->items[k]->count;
    s->paths = arena_array(o->arena, n, sizeof *s->paths);
    s->lists = arena_array(o->arena, n, sizeof(struct yaml *));
    s->labels = arena_array(o->arena, n, sizeof *s->labels);
    s->axis = arena_array(o->arena, n, sizeof *s->axis);
    s->lengths = arena_array(o->arena, n, sizeof *s->lengths);
    s->zipped = arena_array(o->arena, n, sizeof *s->zipped);
    return s->paths && s->lists && s->labels && s->axis && s->lengths && s->zipped;
}

static void read_map(struct opening *o, const struct yaml *map)
{
    for (size_t i = 0; i < map->count && !o->failed; i++) {
        const char *key = map->keys[i]->text;
        if (strcmp(key, "zip") == 0)
            read_zip(o, map->items[i]);
        else if (strcmp(key, "skip_if") == 0)
            o->skips = map->items[i];
        else if (add_path(o, map->keys[i], map->items[i], false))
            close_axis(o, map->keys[i], map->items[i]->count, false);
    }
}

bool sweep_open(struct yaml *root, const char *section, struct arena *arena, struct diagnostics *d, struct sweep *ret)
{
    const size_t index = tree_find(root, section), errors = d->errors;
    struct yaml *map = index < root->count ? root->items[index] : NULL;
    struct opening o = { .sweep = ret, .arena = arena, .d = d };

    *ret = (struct sweep){ .section = section, .trials = 1, .combinations = 1 };
    if (!map)
        return true;
    ret->mark = map->mark;
    tree_remove(root, index);
    if (yaml_is_null(map))
        return true;
    if (map->type != YAML_MAP) {
        diagnose_error(d, map->mark, map->width, "'%s': a map of paths to lists expected, such as {%s: [1, 2]}",
                       section, strcmp(section, "sweep") == 0 ? "seed" : "stages.NAME.optimizer.lr");
        return true;
    }
    if (!make_room(&o, map))
        return false;
    read_map(&o, map);
    if (d->errors == errors && !o.failed)
        check_conditions(&o);
    if (d->errors == errors && !o.failed)
        number_trials(&o);
    if (d->errors != errors) { /* the rest of the manifest is read as one trial */
        ret->count = ret->axes = 0;
        ret->trials = ret->combinations = 1;
        ret->numbers = NULL;
    }
    for (size_t i = 0; i < ret->count; i++)
        ret->labels[i] = label_of(ret, i);
    return !o.failed;
}

/* The paths of one axis. */
static struct yaml *put_axis(const struct sweep *s, size_t axis, struct yaml *map, struct arena *arena)
{
    for (size_t i = 0; map && i < s->count; i++)
        if (s->axis[i] == axis &&
            !tree_put(arena, map, tree_scalar(arena, s->paths[i].text, (struct mark){ 0 }, 0), s->lists[i]))
            return NULL;
    return map;
}

struct yaml *sweep_node(const struct sweep *s, struct arena *arena)
{
    const struct mark nowhere = { 0 };
    struct yaml *map = tree_node(arena, YAML_MAP, nowhere, 0), *zip = NULL;

    for (size_t i = 0; map && i < s->axes; i++) {
        if (!s->zipped[i]) {
            map = put_axis(s, i, map, arena);
            continue;
        }
        if (!zip) {
            zip = tree_node(arena, YAML_LIST, nowhere, 0);
            if (!zip || !tree_put(arena, map, tree_scalar(arena, "zip", nowhere, 0), zip))
                return NULL;
        }
        if (!tree_append(arena, zip, put_axis(s, i, tree_node(arena, YAML_MAP, nowhere, 0), arena)))
            return NULL;
    }
    if (map && s->skips && !tree_put(arena, map, tree_scalar(arena, "skip_if", nowhere, 0), yaml_copy(s->skips, arena)))
        return NULL;
    return map;
}
