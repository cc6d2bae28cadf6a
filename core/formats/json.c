/* JSON (RFC 8259) read into a tree, by yajl's callbacks, bounded in depth and size. */
#include "formats/json.h"
#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

enum { DEPTH = 32, STRING = 1 << 20, VALUES = 1000000, SIZE = 64 << 20 };

/* A value that waits for the end of its container. */
struct pending {
    const char *key;
    struct json *value;
};

struct building {
    const char *name;
    struct arena *arena;
    struct pending *pending; /* the open containers' children so far, the outermost first */
    size_t count, capacity, values;
    size_t start[DEPTH]; /* of each open container's children; it stands just before them */
    unsigned depth;
    const char *key; /* of the next value */
    bool no_memory;
    char why[TEXT_ESCAPED + 64]; /* why a callback stopped the parse */
};

static int stop(struct building *b, const char *why)
{
    snprintf(b->why, sizeof b->why, "%s", why);
    return 0;
}

static int stop_memory(struct building *b)
{
    b->no_memory = true;
    return 0;
}

static struct json *add(struct building *b, enum json_type type)
{
    if (++b->values > VALUES) {
        stop(b, "more than 1000000 values");
        return NULL;
    }
    struct json *value = arena_array(b->arena, 1, sizeof *value);
    if (!value || !mem_grow(&b->pending, &b->capacity, b->count + 1, sizeof *b->pending)) {
        stop_memory(b);
        return NULL;
    }
    value->type = type;
    b->pending[b->count++] = (struct pending){ .key = b->key, .value = value };
    b->key = NULL;
    return value;
}

static int on_null(void *ctx) { return add(ctx, JSON_NULL) != NULL; }

static int on_bool(void *ctx, int boolean)
{
    struct json *value = add(ctx, JSON_BOOL);
    if (!value)
        return 0;
    value->boolean = boolean != 0;
    return 1;
}

static int on_number(void *ctx, const char *s, size_t length)
{
    struct building *b = ctx;
    struct json *value = add(b, JSON_NUMBER);
    if (!value)
        return 0;
    if (length > STRING || !text_to_double(s, length, &value->number) || !isfinite(value->number))
        return stop(b, "a number too large for a double");
    value->length = length;
    value->text = arena_text_n(b->arena, s, length);
    return value->text ? 1 : stop_memory(b);
}

static int on_string(void *ctx, const unsigned char *s, size_t length)
{
    struct building *b = ctx;
    if (length > STRING)
        return stop(b, "a string longer than 1048576 bytes");
    struct json *value = add(b, JSON_STRING);
    if (!value)
        return 0;
    value->length = length;
    value->text = arena_text_n(b->arena, (const char *)s, length);
    return value->text ? 1 : stop_memory(b);
}

static int on_key(void *ctx, const unsigned char *s, size_t length)
{
    struct building *b = ctx;
    if (length > STRING)
        return stop(b, "a key longer than 1048576 bytes");
    b->key = arena_text_n(b->arena, (const char *)s, length);
    return b->key ? 1 : stop_memory(b);
}

static int open_container(struct building *b, enum json_type type)
{
    if (b->depth == DEPTH)
        return stop(b, "nested more than 32 deep");
    if (!add(b, type))
        return 0;
    b->start[b->depth++] = b->count;
    return 1;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts a copy of the keys: an object may have very many. */
static int check_keys(struct building *b, const struct json *object)
{
    const char **sorted = mem_array(object->count, sizeof *sorted);
    if (!sorted)
        return stop_memory(b);
    if (object->count > 0)
        memcpy(sorted, object->keys, object->count * sizeof *sorted);
    qsort(sorted, object->count, sizeof *sorted, compare_keys);
    int fine = 1;
    for (size_t i = 1; i < object->count && fine; i++) {
        if (strcmp(sorted[i - 1], sorted[i]) != 0)
            continue;
        char escaped[TEXT_ESCAPED];
        snprintf(b->why, sizeof b->why, "the key '%s' is given twice",
                 text_escape(escaped, sorted[i], strlen(sorted[i])));
        fine = 0;
    }
    free(sorted);
    return fine;
}

static int close_container(struct building *b)
{
    size_t start = b->start[--b->depth], count = b->count - start;
    struct json *container = b->pending[start - 1].value;
    container->count = count;
    container->items = arena_array(b->arena, count, sizeof *container->items);
    if (!container->items)
        return stop_memory(b);
    for (size_t i = 0; i < count; i++)
        container->items[i] = b->pending[start + i].value;
    if (container->type == JSON_OBJECT) {
        container->keys = arena_array(b->arena, count, sizeof *container->keys);
        if (!container->keys)
            return stop_memory(b);
        for (size_t i = 0; i < count; i++)
            container->keys[i] = b->pending[start + i].key;
    }
    b->count = start;
    return container->type == JSON_OBJECT ? check_keys(b, container) : 1;
}

static int on_start_map(void *ctx) { return open_container(ctx, JSON_OBJECT); }

static int on_start_array(void *ctx) { return open_container(ctx, JSON_ARRAY); }

static int on_end(void *ctx) { return close_container(ctx); }

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_bool,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_start_map,
    .yajl_map_key = on_key,
    .yajl_end_map = on_end,
    .yajl_start_array = on_start_array,
    .yajl_end_array = on_end,
};

static bioft_status parse_error(struct building *b, yajl_handle parser, yajl_status status, struct error *err)
{
    size_t at = yajl_get_bytes_consumed(parser);
    if (b->no_memory)
        return error_memory(err, b->name);
    if (status == yajl_status_client_canceled)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: JSON: %s (at byte %zu)", b->name, b->why, at);
    unsigned char *text = yajl_get_error(parser, 0, NULL, 0);
    const char *why = text ? (const char *)text : "parse error";
    bioft_status st = error_set(err, BIOFT_ERR_FORMAT, "%s: not valid JSON: %.*s (at byte %zu)", b->name,
                                (int)strcspn(why, "\n"), why, at);
    if (text)
        yajl_free_error(parser, text);
    return st;
}

bioft_status json_parse(const char *name, const char *bytes, size_t size, struct arena *arena, struct json **ret,
                        struct error *err)
{
    struct building b = { .name = name, .arena = arena };
    size_t at;
    if (size > SIZE)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: JSON of %zu bytes, %d at most", name, size, SIZE);
    const char *why = json_check_text((const uint8_t *)bytes, size, &at);
    if (why)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: JSON: %s (at byte %zu)", name, why, at);

    yajl_handle parser = yajl_alloc(&callbacks, NULL, &b);
    if (!parser)
        return error_memory(err, name);
    bioft_status st = BIOFT_OK;
    yajl_status status = yajl_parse(parser, (const unsigned char *)bytes, size);
    if (status == yajl_status_ok)
        status = yajl_complete_parse(parser);
    if (status != yajl_status_ok)
        st = parse_error(&b, parser, status, err);
    else
        *ret = b.pending[0].value;
    yajl_free(parser);
    free(b.pending);
    return st;
}

const struct json *json_get(const struct json *object, const char *key)
{
    if (!object || object->type != JSON_OBJECT)
        return NULL;
    for (size_t i = 0; i < object->count; i++)
        if (strcmp(object->keys[i], key) == 0)
            return object->items[i];
    return NULL;
}

/* The value of \uXXXX at s, or -1. */
static int32_t unicode_escape(const uint8_t *s, size_t size)
{
    if (size < 6 || s[0] != '\\' || s[1] != 'u')
        return -1;
    int32_t value = 0;
    for (int i = 2; i < 6; i++) {
        int c = s[i] | 0x20; /* lower case; digits stay */
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

const char *json_check_text(const uint8_t *bytes, size_t size, size_t *ret_at)
{
    *ret_at = utf8_valid(bytes, size);
    if (*ret_at < size)
        return "not UTF-8";
    /* In JSON a backslash stands in strings only, and anything else is the parser's to refuse. */
    for (size_t at = 0; at < size; at++) {
        *ret_at = at;
        if (bytes[at] < 0x20 && bytes[at] != '\t' && bytes[at] != '\n' && bytes[at] != '\r')
            return "a control character";
        if (bytes[at] != '\\')
            continue;
        int32_t value = unicode_escape(bytes + at, size - at);
        if (value == 0)
            return "the escape \\u0000";
        bool high = value >= 0xd800 && value < 0xdc00, low = value >= 0xdc00 && value < 0xe000;
        int32_t next = high ? unicode_escape(bytes + at + 6, size - at - 6) : -1;
        if (low || (high && (next < 0xdc00 || next >= 0xe000)))
            return "half a surrogate pair";
        at += high ? 11 : value >= 0 ? 5 : 1;
    }
    return NULL;
}
