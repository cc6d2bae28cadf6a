/* A trial of the sweep, found by its values. */
#include "manifest/expand.h"

#include <string.h>

static size_t path_named(const struct sweep *s, const char *key)
{
    size_t p = 0;

    while (p < s->count && strcmp(s->paths[p].text, key) != 0 && strcmp(s->labels[p], key) != 0)
        p++;
    return p;
}

/* With or without quotes: what a value is for is not known here. */
static bool same_value(const struct yaml *a, const struct yaml *b)
{
    if (a->type != b->type || a->count != b->count)
        return false;
    if (a->type == YAML_SCALAR)
        return strcmp(a->text, b->text) == 0;
    for (size_t i = 0; i < a->count; i++)
        if ((a->type == YAML_MAP && strcmp(a->keys[i]->text, b->keys[i]->text) != 0) ||
            !same_value(a->items[i], b->items[i]))
            return false;
    return true;
}

/* Does row `row` of an axis have the values that the point gives for its paths? */
static bool is_row(const struct sweep *s, const struct sweep_point *point, size_t axis, size_t row)
{
    for (size_t i = 0; i < point->count; i++) {
        const size_t p = path_named(s, point->keys[i]);
        if (s->axis[p] == axis && !same_value(s->lists[p]->items[row], point->values[i]))
            return false;
    }
    return true;
}

static bool asks_for(const struct sweep *s, const struct sweep_point *point, size_t axis)
{
    for (size_t i = 0; i < point->count; i++)
        if (s->axis[path_named(s, point->keys[i])] == axis)
            return true;
    return false;
}

/* The trial of a combination; trials ascend in it. */
static bool trial_of(const struct sweep *s, size_t combination, size_t *ret)
{
    size_t low = 0, high = s->trials;

    *ret = combination;
    if (!s->numbers)
        return true;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (s->numbers[middle] < combination)
            low = middle + 1;
        else
            high = middle;
    }
    *ret = low;
    return low < s->trials && s->numbers[low] == combination;
}

bool sweep_find(const struct sweep *s, size_t number, const struct sweep_point *point, size_t *ret, size_t *ret_unknown)
{
    size_t rest = s->numbers ? s->numbers[number] : number, combination = 0, place = 1;

    for (*ret_unknown = 0; *ret_unknown < point->count; ++*ret_unknown)
        if (path_named(s, point->keys[*ret_unknown]) == s->count)
            return false;
    for (size_t axis = s->axes; axis-- > 0;) {
        size_t row = rest % s->lengths[axis];
        rest /= s->lengths[axis];
        if (asks_for(s, point, axis))
            for (row = 0; row < s->lengths[axis] && !is_row(s, point, axis, row);)
                row++;
        if (row == s->lengths[axis])
            return false;
        combination += row * place;
        place *= s->lengths[axis];
    }
    return trial_of(s, combination, ret);
}
