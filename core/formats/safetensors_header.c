/* The JSON header of a safetensors file, read by yajl's callbacks: what may stand where is a state
 * machine. */
#include "formats/safetensors_header.h"
#include "base/text.h"
#include "formats/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

static const uint64_t LARGEST = UINT64_C(1) << 40; /* of one dimension */

/* Where the parse stands; an object's or array's state lasts until its end. */
enum place {
    AT_START,
    IN_FILE,
    AT_TENSOR,
    IN_TENSOR,
    AT_DTYPE,
    AT_SHAPE,
    IN_SHAPE,
    AT_OFFSETS,
    IN_OFFSETS,
    AT_METADATA,
    IN_METADATA,
    AT_METADATA_VALUE
};
static const char *const expected[] = {
    [AT_START] = "the header must be an object",
    [IN_FILE] = "a name expected",
    [AT_TENSOR] = "a tensor must be an object",
    [IN_TENSOR] = "a key expected",
    [AT_DTYPE] = "'dtype' must be text",
    [AT_SHAPE] = "'shape' must be a list of integers",
    [IN_SHAPE] = "'shape' must be a list of integers: not an integer",
    [AT_OFFSETS] = "'data_offsets' must be a list of two integers",
    [IN_OFFSETS] = "'data_offsets' must be a list of two integers: not an integer",
    [AT_METADATA] = "'__metadata__' must be an object of text",
    [IN_METADATA] = "a key expected",
    [AT_METADATA_VALUE] = "metadata must be text",
};
enum { SEEN_DTYPE = 1, SEEN_SHAPE = 2, SEEN_OFFSETS = 4, SEEN_ALL = 7 };

struct parsing {
    const char *name;
    struct arena *arena;
    struct safetensors_header *header;
    enum place place;
    struct tensor_range tensor; /* the one being read */
    unsigned seen, offsets;
    bool has_metadata, no_memory;
    const char *meta_key;
    char why[2 * TEXT_ESCAPED + 100];
};

/* Stops the parse: what is wrong, and where. */
static int stop(struct parsing *p, const char *what)
{
    char escaped[TEXT_ESCAPED];
    const char *name = p->tensor.entry.name;
    if (p->place >= AT_TENSOR && p->place <= IN_OFFSETS && name)
        snprintf(p->why, sizeof p->why, "tensor '%s': %s", text_escape(escaped, name, strlen(name)), what);
    else
        snprintf(p->why, sizeof p->why, "%s", what);
    return 0;
}

static int stop_memory(struct parsing *p)
{
    p->no_memory = true;
    return 0;
}

static int misplaced(struct parsing *p) { return stop(p, expected[p->place]); }

static int on_null(void *ctx) { return misplaced(ctx); }

static int on_bool(void *ctx, int boolean)
{
    (void)boolean;
    return misplaced(ctx);
}

/* Digits only, no leading zero, at most 2^63-1. */
static bool to_integer(const char *s, size_t length, uint64_t *ret)
{
    uint64_t value = 0;
    if (length == 0 || (length > 1 && s[0] == '0'))
        return false;
    for (size_t i = 0; i < length; i++)
        if (s[i] < '0' || s[i] > '9' || __builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(s[i] - '0'), &value) || value > INT64_MAX)
            return false;
    *ret = value;
    return true;
}

static int on_number(void *ctx, const char *s, size_t length)
{
    struct parsing *p = ctx;
    struct tensor_entry *e = &p->tensor.entry;
    char escaped[TEXT_ESCAPED], what[TEXT_ESCAPED + 100];
    uint64_t value;
    if (p->place != IN_SHAPE && p->place != IN_OFFSETS)
        return misplaced(p);
    if (!to_integer(s, length, &value)) {
        snprintf(what, sizeof what, "%s is not an integer from 0 to 2^63-1 in plain digits",
                 text_escape(escaped, s, length));
        return stop(p, what);
    }
    if (p->place == IN_OFFSETS) {
        if (p->offsets == 2)
            return misplaced(p);
        *(p->offsets++ == 0 ? &p->tensor.begin : &p->tensor.end) = value;
        return 1;
    }
    if (e->dims == TENSOR_DIMS)
        return stop(p, "too many dimensions, at most 8");
    if (value > LARGEST) {
        snprintf(what, sizeof what, "a dimension of %llu is too large, at most 2^40", (unsigned long long)value);
        return stop(p, what);
    }
    e->shape[e->dims++] = value;
    return 1;
}

static int on_string(void *ctx, const unsigned char *string, size_t length)
{
    struct parsing *p = ctx;
    struct safetensors_header *h = p->header;
    const char *s = (const char *)string;
    if (p->place == AT_DTYPE) {
        struct tensor_entry *e = &p->tensor.entry;
        bool fits = length < sizeof e->dtype_name;
        e->dtype = tensor_dtype_named(s, length, NULL);
        memset(e->dtype_name, 0, sizeof e->dtype_name);
        memcpy(e->dtype_name, s, fits ? length : sizeof e->dtype_name - 4);
        if (!fits)
            strcpy(e->dtype_name + sizeof e->dtype_name - 4, "...");
        p->place = IN_TENSOR;
        return 1;
    }
    if (p->place != AT_METADATA_VALUE)
        return misplaced(p);
    const char *value = arena_text_n(p->arena, s, length);
    if (!value || !mem_grow(&h->metadata, &h->metadata_capacity, h->metadata_count + 1, sizeof *h->metadata))
        return stop_memory(p);
    h->metadata[h->metadata_count++] = (struct safetensors_meta){ .key = p->meta_key, .value = value };
    p->place = IN_METADATA;
    return 1;
}

static int name_key(struct parsing *p, const char *s, size_t length)
{
    p->tensor = (struct tensor_range){ .order = p->header->count };
    if (length == 0)
        return stop(p, "a tensor without a name");
    if (length == strlen("__metadata__") && memcmp(s, "__metadata__", length) == 0) {
        if (p->has_metadata)
            return stop(p, "duplicate name '__metadata__'");
        p->has_metadata = true;
        p->place = AT_METADATA;
        return 1;
    }
    if (p->header->count == TENSORS)
        return stop(p, "too many tensors, at most 100000");
    p->tensor.entry.name = arena_text_n(p->arena, s, length);
    if (!p->tensor.entry.name)
        return stop_memory(p);
    p->seen = p->offsets = 0;
    p->place = AT_TENSOR;
    return 1;
}

static int tensor_key(struct parsing *p, const char *s, size_t length)
{
    static const struct {
        const char *key;
        enum place place;
        unsigned seen;
    } keys[] = {
        { "dtype", AT_DTYPE, SEEN_DTYPE },
        { "shape", AT_SHAPE, SEEN_SHAPE },
        { "data_offsets", AT_OFFSETS, SEEN_OFFSETS },
    };
    char escaped[TEXT_ESCAPED], what[TEXT_ESCAPED + 100];
    text_escape(escaped, s, length);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strlen(keys[i].key) != length || memcmp(keys[i].key, s, length) != 0)
            continue;
        snprintf(what, sizeof what, "duplicate name '%s'", escaped);
        if (p->seen & keys[i].seen)
            return stop(p, what);
        p->seen |= keys[i].seen;
        p->place = keys[i].place;
        return 1;
    }
    snprintf(what, sizeof what, "unknown key '%s', where dtype, shape and data_offsets may stand", escaped);
    return stop(p, what);
}

static int on_key(void *ctx, const unsigned char *string, size_t length)
{
    struct parsing *p = ctx;
    const char *s = (const char *)string;
    char escaped[TEXT_ESCAPED], what[TEXT_ESCAPED + 100];
    if (length > TENSOR_NAME) {
        snprintf(what, sizeof what, "a name of %zu bytes is too long, at most %d: '%s'", length, TENSOR_NAME,
                 text_escape(escaped, s, length));
        return stop(p, what);
    }
    if (p->place == IN_FILE)
        return name_key(p, s, length);
    if (p->place == IN_TENSOR)
        return tensor_key(p, s, length);
    if (p->header->metadata_count == TENSORS)
        return stop(p, "too many metadata entries, at most 100000");
    p->meta_key = arena_text_n(p->arena, s, length);
    p->place = AT_METADATA_VALUE;
    return p->meta_key ? 1 : stop_memory(p);
}

static int on_start_map(void *ctx)
{
    struct parsing *p = ctx;
    if (p->place != AT_START && p->place != AT_TENSOR && p->place != AT_METADATA)
        return p->place == IN_SHAPE || p->place == IN_OFFSETS ? stop(p, "nested too deep") : misplaced(p);
    p->place = p->place == AT_START ? IN_FILE : p->place == AT_TENSOR ? IN_TENSOR : IN_METADATA;
    return 1;
}

static int on_start_array(void *ctx)
{
    struct parsing *p = ctx;
    if (p->place != AT_SHAPE && p->place != AT_OFFSETS)
        return p->place == IN_SHAPE || p->place == IN_OFFSETS ? stop(p, "nested too deep") : misplaced(p);
    p->place = p->place == AT_SHAPE ? IN_SHAPE : IN_OFFSETS;
    return 1;
}

static int on_end_map(void *ctx)
{
    struct parsing *p = ctx;
    struct safetensors_header *h = p->header;
    if (p->place == IN_TENSOR) {
        if (p->seen != SEEN_ALL)
            return stop(p, p->seen & SEEN_DTYPE ? p->seen & SEEN_SHAPE ? "no 'data_offsets'" : "no 'shape'"
                                                : "no 'dtype'");
        if (!mem_grow(&h->tensors, &h->capacity, h->count + 1, sizeof *h->tensors))
            return stop_memory(p);
        h->tensors[h->count++] = p->tensor;
    }
    p->place = IN_FILE;
    return 1;
}

static int on_end_array(void *ctx)
{
    struct parsing *p = ctx;
    if (p->place == IN_OFFSETS && p->offsets != 2)
        return stop(p, "'data_offsets' must be a list of two integers");
    p->place = IN_TENSOR;
    return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_bool,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_start_map,
    .yajl_map_key = on_key,
    .yajl_end_map = on_end_map,
    .yajl_start_array = on_start_array,
    .yajl_end_array = on_end_array,
};

static bioft_status parse_error(struct parsing *p, yajl_handle parser, yajl_status status, struct error *err)
{
    size_t at = 8 + yajl_get_bytes_consumed(parser);
    if (p->no_memory)
        return error_memory(err, p->name);
    if (status == yajl_status_client_canceled)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: safetensors: %s (at byte %zu)", p->name, p->why, at);
    unsigned char *text = yajl_get_error(parser, 0, NULL, 0);
    const char *why = text ? (const char *)text : "parse error";
    bioft_status st = error_set(err, BIOFT_ERR_FORMAT,
                                "%s: safetensors: the header is not valid JSON: %.*s "
                                "(at byte %zu)",
                                p->name, (int)strcspn(why, "\n"), why, at);
    if (text)
        yajl_free_error(parser, text);
    return st;
}

bioft_status safetensors_header_parse(const char *name, const uint8_t *text, size_t size, struct arena *arena,
                                      struct safetensors_header *ret, struct error *err)
{
    struct parsing p = { .name = name, .arena = arena, .header = ret };
    size_t at;
    const char *why = json_check_text(text, size, &at);
    if (why)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: safetensors: header: %s (at byte %zu)", name, why, 8 + at);
    if (text[0] != '{')
        return error_set(err, BIOFT_ERR_FORMAT, "%s: safetensors: the header is not a JSON object (at byte 8)", name);

    yajl_handle parser = yajl_alloc(&callbacks, NULL, &p);
    if (!parser)
        return error_memory(err, name);
    bioft_status st = BIOFT_OK;
    yajl_status status = yajl_parse(parser, text, size);
    if (status == yajl_status_ok)
        status = yajl_complete_parse(parser);
    if (status != yajl_status_ok)
        st = parse_error(&p, parser, status, err);
    yajl_free(parser);
    return st;
}

void safetensors_header_free(struct safetensors_header *h)
{
    free(h->tensors);
    free(h->metadata);
    *h = (struct safetensors_header){ .tensors = NULL };
}
