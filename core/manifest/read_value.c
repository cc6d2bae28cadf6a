/* Single values of a manifest: numbers, words, names and paths, each checked where it stands. */
#include "base/file.h"
#include "manifest/read.h"

#include "manifest/synonyms.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *read_array(struct reader *r, size_t count, size_t size)
{
    void *p = arena_array(r->arena, count, size);

    r->failed = r->failed || !p;
    return p;
}

const char *read_copy(struct reader *r, const char *text)
{
    const char *copy = arena_text(r->arena, text);

    r->failed = r->failed || !copy;
    return copy;
}

struct yaml *read_member(struct yaml *map, const char *key)
{
    struct yaml *node = yaml_get(map, key);

    if (!node)
        return NULL;
    node->used = true;
    return yaml_is_null(node) ? NULL : node;
}

void read_error(struct reader *r, const struct yaml *node, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    diagnose_error(r->d, node->mark, node->width, "%s", text);
}

const char *read_found(char ret[READ_FOUND], const struct yaml *node)
{
    char escaped[TEXT_ESCAPED];

    if (node->type != YAML_SCALAR)
        return strcpy(ret, node->type == YAML_LIST ? "a list" : "a map");
    if (yaml_is_null(node))
        return strcpy(ret, "nothing");
    snprintf(ret, READ_FOUND, node->quoted ? "the text '%s'" : "'%s'", text_escape(escaped, node->text, node->length));
    return ret;
}

bool read_is_map(struct reader *r, const struct yaml *node, const char *what, const char *example)
{
    char found[READ_FOUND];

    if (node->type == YAML_MAP)
        return true;
    read_error(r, node, "'%s': a map such as %s expected, found %s", what, example, read_found(found, node));
    return false;
}

const char *read_scalar(struct reader *r, const struct yaml *node, const char *key, const char *expected)
{
    char found[READ_FOUND];

    if (node->type == YAML_SCALAR && !yaml_is_null(node))
        return node->text;
    read_error(r, node, "'%s': %s expected, found %s", key, expected, read_found(found, node));
    if (node->type == YAML_LIST)
        diagnose_note(r->d, "expected one value; a path under 'sweep' makes a trial of each value of a list");
    return NULL;
}

/* "number above 0 expected". */
static void describe_range(char *ret, size_t size, const struct range *range)
{
    char low[TEXT_NUMBER], high[TEXT_NUMBER];
    const bool top = range->high < 1e300;

    snprintf(ret, size, top ? "number %s %s and %s %s" : "number %s %s", range->above ? "above" : "of at least",
             text_number(low, range->low), range->below ? "below" : "at most",
             top ? text_number(high, range->high) : "");
}

double read_number_node(struct reader *r, const struct yaml *node, const char *key, const struct range *range,
                        bool fraction, double otherwise)
{
    char expected[128], found[READ_FOUND];
    double value;

    describe_range(expected, sizeof expected, range);
    if (!read_scalar(r, node, key, expected))
        return otherwise;
    if (!node->quoted && number_parse(node->text, node->length, fraction, &value) && value >= range->low &&
        value <= range->high && !(range->above && value == range->low) && !(range->below && value == range->high))
        return value;
    read_error(r, node, "'%s': %s expected, found %s", key, expected, read_found(found, node));
    return otherwise;
}

double read_number(struct reader *r, struct yaml *map, const char *key, const struct range *range, double otherwise)
{
    const struct yaml *node = read_member(map, key);

    return node ? read_number_node(r, node, key, range, false, otherwise) : otherwise;
}

int64_t read_integer_node(struct reader *r, const struct yaml *node, const char *key, int64_t low, int64_t high,
                          int64_t otherwise)
{
    char expected[128], found[READ_FOUND];
    int64_t value;

    if (high == INT64_MAX)
        snprintf(expected, sizeof expected, "integer of at least %lld", (long long)low);
    else
        snprintf(expected, sizeof expected, "integer from %lld to %lld", (long long)low, (long long)high);
    if (!read_scalar(r, node, key, expected))
        return otherwise;
    if (!node->quoted && integer_parse(node->text, node->length, &value) && value >= low && value <= high)
        return value;
    read_error(r, node, "'%s': %s expected, found %s", key, expected, read_found(found, node));
    return otherwise;
}

int64_t read_integer(struct reader *r, struct yaml *map, const char *key, int64_t low, int64_t high, int64_t otherwise)
{
    const struct yaml *node = read_member(map, key);

    return node ? read_integer_node(r, node, key, low, high, otherwise) : otherwise;
}

size_t read_word_node(struct reader *r, const struct yaml *node, const char *key, const char *const *words,
                      size_t otherwise)
{
    char found[READ_FOUND];
    struct text expected = { 0 };
    size_t count = 0;

    for (; words[count]; count++)
        if (node->type == YAML_SCALAR && strcmp(node->text, words[count]) == 0)
            return count;
    for (size_t i = 0; i < count; i++)
        text_printf(&expected, "%s%s", i ? ", " : "one of ", words[i]);
    if (expected.failed) {
        r->failed = true;
    } else if (read_scalar(r, node, key, expected.data)) {
        const char *near = text_nearest(node->text, words, count);
        read_error(r, node, "'%s': %s expected, found %s%s%s%s", key, expected.data, read_found(found, node),
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    text_free(&expected);
    return otherwise;
}

size_t read_word(struct reader *r, struct yaml *map, const char *key, const char *const *words, size_t otherwise)
{
    const struct yaml *node = read_member(map, key);

    return node ? read_word_node(r, node, key, words, otherwise) : otherwise;
}

bool read_bool(struct reader *r, struct yaml *map, const char *key, bool otherwise)
{
    static const char *const words[] = { "false", "true", NULL };
    const struct yaml *node = read_member(map, key);
    char found[READ_FOUND];

    if (!node || !node->quoted)
        return node ? read_word_node(r, node, key, words, otherwise) == 1 : otherwise;
    read_error(r, node, "'%s': true or false expected, found %s", key, read_found(found, node));
    return otherwise;
}

const char *read_text(struct reader *r, struct yaml *map, const char *key)
{
    const struct yaml *node = read_member(map, key);
    const char *text = node ? read_scalar(r, node, key, "text") : NULL;

    return text ? read_copy(r, text) : NULL;
}

const char *read_name_node(struct reader *r, const struct yaml *node, const char *key, bool dots)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.";
    const char *text = read_scalar(r, node, key, "a name");
    char found[READ_FOUND];

    if (!text)
        return NULL;
    size_t length = strspn(text, letters);
    if (length > 0 && text[length] == '\0' && length <= 64 && *text != '-' && *text != '.' &&
        (dots || !strchr(text, '.')))
        return read_copy(r, text);
    read_error(r, node, "'%s': a name of letters, digits, '_'%s and '-' expected, found %s", key, dots ? ", '.'" : "",
               read_found(found, node));
    return NULL;
}

const char *read_absolute(struct reader *r, const struct yaml *node, const char *key)
{
    const char *text = read_scalar(r, node, key, "a path");
    const uint32_t set = node->mark.source;

    if (!text)
        return NULL;
    if (!*text) {
        read_error(r, node, "'%s': a path expected, found an empty text", key);
        return NULL;
    }
    /* OUT/manifest.yaml keeps a sweep's values as they were written, and reads them from the manifest's folder. */
    if (set > 0 && r->set_sweeps[set - 1] && *text != '/' && *text != '~') {
        read_error(r, node, "'%s': a path that --set puts into the sweep must be absolute", key);
        return NULL;
    }
    char *absolute = path_of_user(set > 0 ? r->working_folder : r->folder, text);
    const char *copy = absolute ? read_copy(r, absolute) : NULL;
    r->failed = r->failed || !copy;
    free(absolute);
    return copy;
}

const char *read_path_node(struct reader *r, const struct yaml *node, const char *key)
{
    const char *path = read_absolute(r, node, key);

    if (!path || file_exists(path) || file_is_folder(path))
        return path;
    read_error(r, node, "'%s': '%s' does not exist", key, path);
    return NULL;
}

void read_unknown(struct reader *r, const struct yaml *map, const char *where, const char *const *keys,
                  const struct plugin *plugin)
{
    size_t own = 0, count;
    const uint32_t options = plugin ? plugin->descriptor.option_count : 0;
    char escaped[TEXT_ESCAPED];

    if (map->type != YAML_MAP)
        return;
    while (keys[own])
        own++;
    const char **all = read_array(r, own + options, sizeof *all);
    if (!all)
        return;
    for (count = 0; count < own; count++)
        all[count] = keys[count];
    for (uint32_t i = 0; i < options; i++)
        all[count++] = plugin->descriptor.options[i].name;
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml *key = map->keys[i];
        if (map->items[i]->used)
            continue;
        const char *near = synonym_key(key->text, all, count);
        if (!near)
            near = text_nearest(key->text, all, count);
        text_escape(escaped, key->text, key->length);
        if (near)
            read_error(r, key, "unknown key '%s' %s; did you mean '%s'?", escaped, where, near);
        else
            read_error(r, key, "unknown key '%s' %s", escaped, where);
        struct text list = { 0 };
        for (size_t k = 0; k < count; k++) {
            text_add(&list, k ? ", " : "");
            text_add(&list, all[k]);
        }
        diagnose_note(r->d, "keys here: %s", list.data ? list.data : "none");
        text_free(&list);
    }
}
