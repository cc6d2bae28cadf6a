/* safetensors opened: the checks of the reference implementation and ours, in their order, and
 * look-up by name. */
#include "formats/safetensors.h"
#include "base/file.h"
#include "base/text.h"
#include "formats/safetensors_header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct safetensors {
    struct file_map map; /* zero where the bytes are the caller's */
    struct arena *arena;
    struct safetensors_header header; /* tensors sorted by begin and end */
    const struct tensor_entry **by_name;
};

enum { LENGTH_FIELD = 8 };

/* Fails about one tensor. */
static bioft_status bad_tensor(const char *file, const struct tensor_entry *e, struct error *err, const char *format,
                               unsigned long long a, unsigned long long b)
{
    char escaped[TEXT_ESCAPED], what[160];
    snprintf(what, sizeof what, format, a, b);
    return error_set(err, BIOFT_ERR_FORMAT, "%s: safetensors: tensor '%s': %s", file,
                     text_escape(escaped, e->name, strlen(e->name)), what);
}

static bioft_status check_length(const char *name, const uint8_t *bytes, size_t size, size_t *ret, struct error *err)
{
    uint64_t length = 0;
    if (size < LENGTH_FIELD)
        return error_set(err, BIOFT_ERR_FORMAT,
                         "%s: not safetensors: its %zu bytes are shorter than its length field of "
                         "8",
                         name, size);
    for (size_t i = 0; i < LENGTH_FIELD; i++)
        length |= (uint64_t)bytes[i] << (8 * i);
    if (length > SAFETENSORS_HEADER)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: not safetensors: header too large, %llu bytes, at most %d", name,
                         (unsigned long long)length, SAFETENSORS_HEADER);
    if (length > size - LENGTH_FIELD)
        return error_set(err, BIOFT_ERR_FORMAT,
                         "%s: safetensors: the header of %llu bytes runs past the end, %zu bytes "
                         "are there: the file is cut short",
                         name, (unsigned long long)length, size - LENGTH_FIELD);
    if (length < 2)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: not safetensors: a header of %llu bytes holds no JSON object",
                         name, (unsigned long long)length);
    *ret = (size_t)length;
    return BIOFT_OK;
}

static int compare_names(const void *a, const void *b)
{
    const struct tensor_entry *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static int compare_keys(const void *a, const void *b)
{
    const struct safetensors_meta *x = a, *y = b;
    return strcmp(x->key, y->key);
}

static int compare_ranges(const void *a, const void *b)
{
    const struct tensor_range *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Sorts the tensors by their data and the names beside them; a name stands once. */
static bioft_status index_names(const char *name, struct safetensors *s, struct error *err)
{
    struct safetensors_header *h = &s->header;
    char escaped[TEXT_ESCAPED];
    const char *twice = NULL;
    if (h->count > 0)
        qsort(h->tensors, h->count, sizeof *h->tensors, compare_ranges);
    s->by_name = mem_array(h->count, sizeof *s->by_name);
    if (!s->by_name)
        return error_memory(err, name);
    for (size_t i = 0; i < h->count; i++)
        s->by_name[i] = &h->tensors[i].entry;
    qsort(s->by_name, h->count, sizeof *s->by_name, compare_names);
    if (h->metadata_count > 0)
        qsort(h->metadata, h->metadata_count, sizeof *h->metadata, compare_keys);
    for (size_t i = 1; i < h->count && !twice; i++)
        if (strcmp(s->by_name[i - 1]->name, s->by_name[i]->name) == 0)
            twice = s->by_name[i]->name;
    for (size_t i = 1; i < h->metadata_count && !twice; i++)
        if (strcmp(h->metadata[i - 1].key, h->metadata[i].key) == 0)
            twice = h->metadata[i].key;
    if (twice)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: safetensors: duplicate name '%s'", name,
                         text_escape(escaped, twice, strlen(twice)));
    return BIOFT_OK;
}

/* No holes, no overlap, nothing after: each tensor's bytes begin where the previous one's end. */
static bioft_status check_ranges(const char *name, struct safetensors *s, const uint8_t *data, size_t size,
                                 struct error *err)
{
    uint64_t at = 0;
    for (size_t i = 0; i < s->header.count; i++) {
        struct tensor_range *r = &s->header.tensors[i];
        if (r->begin != at)
            return bad_tensor(name, &r->entry, err, "its offsets begin at %llu and do not continue at %llu", r->begin,
                              at);
        if (r->end < r->begin)
            return bad_tensor(name, &r->entry, err, "its offsets end at %llu, before they begin at %llu", r->end,
                              r->begin);
        if (r->end > size)
            return bad_tensor(name, &r->entry, err,
                              "its offsets end at %llu, past the end of the data at %llu: the file "
                              "is "
                              "cut short",
                              r->end, size);
        r->entry.bytes = data ? data + r->begin : NULL;
        r->entry.size = (size_t)(r->end - r->begin);
        at = r->end;
    }
    if (at != size)
        return error_set(err, BIOFT_ERR_FORMAT,
                         "%s: safetensors: bytes not covered: the tensors end at %llu, the data at "
                         "%zu",
                         name, (unsigned long long)at, size);
    return BIOFT_OK;
}

static bioft_status check_sizes(const char *name, struct safetensors *s, struct error *err)
{
    for (size_t i = 0; i < s->header.count; i++) {
        struct tensor_entry *e = &s->header.tensors[i].entry;
        uint64_t count = 1, bytes = 0;
        size_t item;
        bool fits = true;
        tensor_dtype_named(e->dtype_name, strlen(e->dtype_name), &item);
        for (unsigned d = 0; d < e->dims; d++)
            fits = fits && !__builtin_mul_overflow(count, e->shape[d], &count);
        if (!fits || __builtin_mul_overflow(count, item, &bytes))
            return bad_tensor(name, e, err, "the size of its shape overflows", 0, 0);
        if (item > 0 && bytes != e->size) /* a new dtype's size is not known: listed, not loaded */
            return bad_tensor(name, e, err, "size mismatch: its shape needs %llu bytes, its offsets give %llu", bytes,
                              e->size);
        e->count = (size_t)count;
    }
    return BIOFT_OK;
}

bioft_status safetensors_parse(const char *name, const uint8_t *bytes, size_t size, struct safetensors **ret,
                               struct error *err)
{
    size_t length = 0;
    bioft_status st = check_length(name, bytes, size, &length, err);
    if (st != BIOFT_OK)
        return st;
    struct safetensors *s = mem_array(1, sizeof *s);
    if (!s)
        return error_memory(err, name);
    s->arena = arena_create();
    if (!s->arena) {
        st = error_memory(err, name);
        goto close;
    }
    st = safetensors_header_parse(name, bytes + LENGTH_FIELD, length, s->arena, &s->header, err);
    if (st != BIOFT_OK)
        goto close;
    st = index_names(name, s, err);
    if (st != BIOFT_OK)
        goto close;
    st = check_ranges(name, s, bytes + LENGTH_FIELD + length, size - LENGTH_FIELD - length, err);
    if (st != BIOFT_OK)
        goto close;
    st = check_sizes(name, s, err);
    if (st != BIOFT_OK)
        goto close;
    *ret = s;
    return BIOFT_OK;

close:
    safetensors_close(s);
    return st;
}

bioft_status safetensors_open(const char *path, struct safetensors **ret, struct error *err)
{
    struct file_map map = { 0 };
    struct safetensors *s = NULL;
    bioft_status st = file_map_open(path, &map, err);
    if (st == BIOFT_OK)
        st = file_map_check(&map, safetensors_parse(path, map.bytes, map.size, &s, err), err);
    if (st != BIOFT_OK) {
        safetensors_close(s);
        file_map_close(&map);
        return st;
    }
    s->map = map;
    *ret = s;
    return BIOFT_OK;
}

bioft_status safetensors_check(const struct safetensors *s, bioft_status status, struct error *err)
{
    return file_map_check(&s->map, status, err);
}

void safetensors_close(struct safetensors *s)
{
    if (!s)
        return;
    safetensors_header_free(&s->header);
    free(s->by_name);
    arena_destroy(s->arena);
    file_map_close(&s->map);
    free(s);
}

size_t safetensors_count(const struct safetensors *s) { return s->header.count; }

const struct tensor_entry *safetensors_entry(const struct safetensors *s, size_t index)
{
    return index < s->header.count ? &s->header.tensors[index].entry : NULL;
}

const struct tensor_entry *safetensors_find(const struct safetensors *s, const char *name)
{
    size_t low = 0, high = s->header.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, s->by_name[middle]->name);
        if (order == 0)
            return s->by_name[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const char *safetensors_metadata(const struct safetensors *s, const char *key)
{
    for (size_t i = 0; i < s->header.metadata_count; i++)
        if (strcmp(s->header.metadata[i].key, key) == 0)
            return s->header.metadata[i].value;
    return NULL;
}
