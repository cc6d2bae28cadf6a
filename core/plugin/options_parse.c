/* One option's value from what a manifest or a default says, checked against type, range and choices. */
#include "base/file.h"
#include "plugin/options.h"

#include <stdlib.h>
#include <string.h>

static size_t choice_count(const bioft_option *o)
{
    size_t count = 0;
    while (o->choices[count])
        count++;
    return count;
}

/* "number expected, found 'x'": found is what stood there, NULL for null. */
static bioft_status expected(const bioft_option *o, const char *found, struct error *err)
{
    char escaped[TEXT_ESCAPED] = "";
    struct text type = { 0 };
    const char *near = NULL;
    if (found && o->type == BIOFT_CHOICE)
        near = text_nearest(found, o->choices, choice_count(o));
    if (found)
        text_escape(escaped, found, strlen(found));
    option_type_text(o, &type);
    const char *word = type.data ? type.data : "another type";
    if (near)
        error_set(err, BIOFT_ERR_INVALID, "%s expected, found '%s'; did you mean '%s'?", word, escaped, near);
    else if (found)
        error_set(err, BIOFT_ERR_INVALID, "%s expected, found '%s'", word, escaped);
    else
        error_set(err, BIOFT_ERR_INVALID, "%s expected, found null", word);
    text_free(&type);
    return BIOFT_ERR_INVALID;
}

/* The type of a list's items, as an option of its own. */
static bioft_option item_of(const bioft_option *o)
{
    bioft_option item = *o;
    item.type = o->type == BIOFT_F64_LIST ? BIOFT_F64 : o->type == BIOFT_I64_LIST ? BIOFT_I64 : BIOFT_STRING;
    return item;
}

static bioft_status in_range(const bioft_option *o, double value, const char *found, struct error *err)
{
    char escaped[TEXT_ESCAPED], number[TEXT_NUMBER];
    if (o->min == 0.0 && o->max == 0.0)
        return BIOFT_OK;
    text_escape(escaped, found, strlen(found));
    if (value < o->min)
        return error_set(err, BIOFT_ERR_INVALID, "%s is below the smallest, %s", escaped, text_number(number, o->min));
    if (value > o->max)
        return error_set(err, BIOFT_ERR_INVALID, "%s is above the largest, %s", escaped, text_number(number, o->max));
    return BIOFT_OK;
}

static bioft_status parse_number(const bioft_option *o, const char *s, double *ret, struct error *err)
{
    double value;
    if (!s || !number_parse(s, strlen(s), o->flags & BIOFT_OPTION_FRACTIONS, &value))
        return expected(o, s, err);
    bioft_status st = in_range(o, value, s, err);
    if (st == BIOFT_OK)
        *ret = value;
    return st;
}

static bioft_status parse_integer(const bioft_option *o, const char *s, int64_t *ret, struct error *err)
{
    int64_t value;
    if (!s || !integer_parse(s, strlen(s), &value))
        return expected(o, s, err);
    bioft_status st = in_range(o, (double)value, s, err);
    if (st == BIOFT_OK)
        *ret = value;
    return st;
}

static bioft_status parse_word(const bioft_option *o, const char *s, int64_t *ret, struct error *err)
{
    static const char *const truth[] = { "false", "true", NULL };
    const char *const *words = o->type == BIOFT_BOOL ? truth : o->choices;
    for (int64_t i = 0; s && words[i]; i++)
        if (strcmp(s, words[i]) == 0) {
            *ret = i;
            return BIOFT_OK;
        }
    return expected(o, s, err);
}

static bioft_status parse_text(const bioft_option *o, const char *s, const char *folder, struct arena *arena,
                               const char **ret, struct error *err)
{
    char *absolute = NULL;
    if (!s && o->def_string)
        return expected(o, s, err);
    if (!s) {
        *ret = NULL;
        return BIOFT_OK;
    }
    if (o->type == BIOFT_PATH && !*s)
        return expected(o, s, err);
    if (o->type == BIOFT_PATH)
        absolute = path_of_user(folder, s);
    const char *copy = o->type == BIOFT_PATH && !absolute ? NULL : arena_text(arena, absolute ? absolute : s);
    free(absolute);
    if (!copy)
        return error_memory(err, "an option's text");
    *ret = copy;
    return BIOFT_OK;
}

static bioft_status parse_list(const bioft_option *o, const char *const *items, size_t count, struct arena *arena,
                               struct option_value *ret, struct error *err)
{
    const bioft_option item = item_of(o);
    double *numbers = arena_array(arena, count + 1, sizeof *numbers);
    int64_t *integers = arena_array(arena, count + 1, sizeof *integers);
    const char **texts = arena_array(arena, count + 1, sizeof *texts);
    bioft_status st = BIOFT_OK;
    if (!numbers || !integers || !texts)
        return error_memory(err, "an option's list");
    for (size_t i = 0; i < count && st == BIOFT_OK; i++) {
        if (item.type == BIOFT_F64)
            st = parse_number(&item, items[i], &numbers[i], err);
        else if (item.type == BIOFT_I64)
            st = parse_integer(&item, items[i], &integers[i], err);
        else if (!items[i])
            st = expected(&item, NULL, err);
        else
            st = parse_text(&item, items[i], NULL, arena, &texts[i], err);
    }
    if (st != BIOFT_OK)
        return st;
    *ret = (struct option_value){ .count = count, .numbers = numbers, .integers = integers, .texts = texts };
    return BIOFT_OK;
}

bioft_status option_parse(const bioft_option *o, const char *const *items, size_t count, bool is_list,
                          const char *folder, struct arena *arena, struct option_value *ret, struct error *err)
{
    struct option_value value = { 0 };
    bioft_status st;
    if (is_list && !option_is_list(o->type)) {
        struct text type = { 0 };
        option_type_text(o, &type);
        st = error_set(err, BIOFT_ERR_INVALID, "%s expected, found a list", type.data ? type.data : "another type");
        text_free(&type);
        return st;
    }
    if (!is_list && (option_is_list(o->type) || count != 1))
        return expected(o, count == 1 ? items[0] : NULL, err);
    switch (o->type) {
    case BIOFT_F64: st = parse_number(o, items[0], &value.number, err); break;
    case BIOFT_I64: st = parse_integer(o, items[0], &value.integer, err); break;
    case BIOFT_BOOL:
    case BIOFT_CHOICE: st = parse_word(o, items[0], &value.integer, err); break;
    case BIOFT_STRING:
    case BIOFT_PATH: st = parse_text(o, items[0], folder, arena, &value.text, err); break;
    default: st = parse_list(o, items, count, arena, &value, err);
    }
    if (st != BIOFT_OK)
        return st;
    value.given = true;
    *ret = value;
    return BIOFT_OK;
}
