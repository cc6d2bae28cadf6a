/* The default of one option, from the numbers or the text of its row in the table. */
#include "plugin/options.h"

#include <math.h>
#include <string.h>

static const char *skip_blanks(const char *s) { return s + strspn(s, " "); }

/* One item of a list, plain or quoted, copied; *at moves behind it. NULL: there is none, or memory is out. */
static const char *scan_item(const char **at, const char *end, struct arena *arena)
{
    const char *s = skip_blanks(*at);
    char *item = arena_text_n(arena, s, (size_t)(end - s)); /* long enough for whatever it turns out to be */
    size_t n = 0;
    if (!item || s == end)
        return NULL;
    if (*s == '\'' || *s == '"') {
        const char quote = *s++;
        while (s < end && (*s != quote || (quote == '\'' && s[1] == quote))) {
            s += *s == quote || (quote == '"' && *s == '\\'); /* '' and \" stand for one character */
            item[n++] = *s++;
        }
        if (s >= end)
            return NULL;
        s++;
    } else {
        while (s < end && *s != ',')
            item[n++] = *s++;
        while (n > 0 && item[n - 1] == ' ')
            n--;
        if (n == 0)
            return NULL;
    }
    item[n] = '\0';
    *at = skip_blanks(s);
    return item;
}

/* The items of "[0, 1]" or "['a, b', c]". */
static bool scan_list(const char *s, struct arena *arena, const char ***ret, size_t *ret_count)
{
    const size_t length = strlen(s);
    size_t count = 0;
    if (length < 2 || s[0] != '[' || s[length - 1] != ']')
        return false;
    const char *end = s + length - 1, *at = skip_blanks(s + 1);
    const char **items = arena_array(arena, length, sizeof *items); /* no list has more items than characters */
    if (!items)
        return false;
    while (at < end || count > 0) {
        const char *item = scan_item(&at, end, arena);
        if (!item)
            return false;
        items[count++] = item;
        if (at == end)
            break;
        if (at > end || *at++ != ',')
            return false;
    }
    *ret = items;
    *ret_count = count;
    return true;
}

static bioft_status default_number(const bioft_option *o, struct arena *arena, struct option_value *ret,
                                   struct error *err)
{
    char number[TEXT_NUMBER];
    const char *item = text_number(number, o->def);
    size_t choices = 0;
    if (o->type == BIOFT_CHOICE) {
        while (o->choices[choices])
            choices++;
        if (!(o->def >= 0.0 && o->def < (double)choices) || o->def != floor(o->def))
            return error_set(err, BIOFT_ERR_INVALID, "%s is not an index of its %zu choices", number, choices);
        item = o->choices[(size_t)o->def];
    } else if (o->type == BIOFT_BOOL && (o->def == 0.0 || o->def == 1.0)) {
        item = o->def != 0.0 ? "true" : "false";
    }
    return option_parse(o, &item, 1, false, NULL, arena, ret, err);
}

bioft_status option_default(const bioft_option *o, struct arena *arena, struct option_value *ret, struct error *err)
{
    const char **items = NULL;
    size_t count = 0;
    bioft_status st;
    if (o->type == BIOFT_STRING || o->type == BIOFT_PATH) {
        /* Whoever asks for a default knows no folder to put before it. */
        if (o->type == BIOFT_PATH && o->def_string && o->def_string[0] != '/')
            return error_set(err, BIOFT_ERR_INVALID, "a path must be absolute, or NULL for none");
        *ret = (struct option_value){ .text = o->def_string };
        return BIOFT_OK;
    }
    if (!option_is_list(o->type)) {
        st = default_number(o, arena, ret, err);
    } else {
        const char *text = o->def_string ? o->def_string : "[]";
        if (!scan_list(text, arena, &items, &count))
            return error_set(err, BIOFT_ERR_INVALID, "no list such as [0, 1]");
        st = option_parse(o, items, count, true, NULL, arena, ret, err);
    }
    if (st == BIOFT_OK)
        ret->given = false;
    return st;
}
