/* safetensors written: the same tensors and metadata give the same bytes, data from a multiple of
 * 64 on. */
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "formats/json.h"
#include "formats/safetensors.h"
#include "formats/safetensors_header.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64, LENGTH_FIELD = 8 };

struct piece {
    const char *name;
    size_t bytes;
};
struct safetensors_writer {
    struct file_writer file;
    struct arena *arena; /* of pieces, names and path */
    const char *path;
    struct piece *pieces; /* in the order declared */
    size_t count, given;
};

static bioft_status refuse(const char *path, const char *name, const char *why, struct error *err)
{
    return tensor_out_refuse(path, "safetensors", name, why, err);
}

static bool is_utf8(const char *s) { return utf8_valid((const uint8_t *)s, strlen(s)) == strlen(s); }

int safetensors_group(enum tensor_dtype dtype)
{
    static const enum tensor_dtype order[] = { TENSOR_F32,  TENSOR_I64, TENSOR_F64, TENSOR_I32, TENSOR_F16,
                                               TENSOR_BF16, TENSOR_I16, TENSOR_U8,  TENSOR_I8,  TENSOR_BOOL };
    int at = 0;
    while (at < (int)(sizeof order / sizeof *order) && order[at] != dtype)
        at++;
    return at;
}

static bioft_status declare_all(struct safetensors_writer *w, const struct tensor_out *tensors, struct error *err)
{
    size_t *bytes = mem_array(w->count, sizeof *bytes);
    bioft_status st = bytes ? tensor_out_check(w->path, "safetensors", tensors, w->count, bytes, err)
                            : error_memory(err, w->path);
    for (size_t i = 0; i < w->count && st == BIOFT_OK; i++) {
        const struct tensor_out *t = &tensors[i];
        w->pieces[i] = (struct piece){ .name = arena_text(w->arena, t->name), .bytes = bytes[i] };
        if (!w->pieces[i].name)
            st = error_memory(err, w->path);
        else if (strcmp(t->name, "__metadata__") == 0)
            st = refuse(w->path, t->name, "the name is the format's own", err);
        else if (i > 0 && safetensors_group(tensors[i - 1].dtype) > safetensors_group(t->dtype))
            st = refuse(w->path, t->name,
                        "tensors must be declared F32 first, then I64, F64, I32, F16, BF16, I16, "
                        "U8, I8, BOOL",
                        err);
    }
    free(bytes);
    return st;
}

static bioft_status add_metadata(const struct safetensors_writer *w, struct text *text,
                                 const struct safetensors_meta *metadata, size_t count, struct error *err)
{
    if (count == 0)
        return BIOFT_OK;
    json_key(text, "__metadata__");
    json_begin_object(text);
    for (size_t i = 0; i < count; i++) {
        if (!is_utf8(metadata[i].key) || !is_utf8(metadata[i].value) || strlen(metadata[i].key) > TENSOR_NAME)
            return error_set(err, BIOFT_ERR_INVALID,
                             "%s: safetensors: metadata must be UTF-8, its keys 512 bytes at most", w->path);
        json_key(text, metadata[i].key);
        json_string(text, metadata[i].value);
    }
    json_end_object(text);
    return BIOFT_OK;
}

/* The length field and the header, padded with blanks so that the data is aligned. */
static bioft_status make_header(const struct safetensors_writer *w, const struct tensor_out *tensors,
                                const struct safetensors_meta *metadata, size_t metadata_count, struct text *text,
                                struct error *err)
{
    size_t at = 0;
    text_add_n(text, "\0\0\0\0\0\0\0\0", LENGTH_FIELD);
    text_add(text, "{");
    bioft_status st = add_metadata(w, text, metadata, metadata_count, err);
    if (st != BIOFT_OK)
        return st;
    for (size_t i = 0; i < w->count; i++) {
        size_t end;
        if (__builtin_add_overflow(at, w->pieces[i].bytes, &end) || end > INT64_MAX)
            return refuse(w->path, w->pieces[i].name, "the size of the file overflows", err);
        json_key(text, w->pieces[i].name);
        json_begin_object(text);
        json_key(text, "dtype");
        json_string(text, tensor_dtype_name(tensors[i].dtype));
        json_key(text, "shape");
        json_begin_array(text);
        for (unsigned d = 0; d < tensors[i].dims; d++)
            json_integer(text, (int64_t)tensors[i].shape[d]);
        json_end_array(text);
        json_key(text, "data_offsets");
        json_begin_array(text);
        json_integer(text, (int64_t)at);
        json_integer(text, (int64_t)end);
        json_end_array(text);
        json_end_object(text);
        at = end;
    }
    text_add(text, "}");
    while (text->length % ALIGNMENT != 0 && !text->failed)
        text_add(text, " ");
    if (text->failed)
        return error_memory(err, w->path);
    uint64_t length = text->length - LENGTH_FIELD;
    if (length > SAFETENSORS_HEADER)
        return error_set(err, BIOFT_ERR_INVALID, "%s: safetensors: a header of %zu bytes, at most %d", w->path,
                         text->length, SAFETENSORS_HEADER);
    for (size_t i = 0; i < LENGTH_FIELD; i++)
        text->data[i] = (char)(length >> (8 * i) & 0xff);
    return BIOFT_OK;
}

bioft_status safetensors_begin(const char *path, const struct tensor_out *tensors, size_t count,
                               const struct safetensors_meta *metadata, size_t metadata_count,
                               struct safetensors_writer **ret, struct error *err)
{
    struct text text = { .data = NULL };
    bioft_status st;
    struct safetensors_writer *w = mem_array(1, sizeof *w);
    if (!w)
        return error_memory(err, path);
    w->count = count;
    w->arena = arena_create();
    if (w->arena) {
        w->path = arena_text(w->arena, path);
        w->pieces = arena_array(w->arena, count, sizeof *w->pieces);
    }
    if (!w->path || !w->pieces) {
        st = error_memory(err, path);
        goto end;
    }
    st = declare_all(w, tensors, err);
    if (st == BIOFT_OK)
        st = make_header(w, tensors, metadata, metadata_count, &text, err);
    if (st == BIOFT_OK)
        st = file_begin(path, &w->file, err);
    if (st == BIOFT_OK)
        st = file_add(&w->file, text.data, text.length, err);
    if (st == BIOFT_OK)
        *ret = w;

end:
    text_free(&text);
    if (st != BIOFT_OK)
        safetensors_abort(w);
    return st;
}

bioft_status safetensors_add(struct safetensors_writer *w, const void *data, size_t bytes, struct error *err)
{
    if (w->given == w->count)
        return error_set(err, BIOFT_ERR_INVALID, "%s: safetensors: data for more than the %zu tensors declared",
                         w->path, w->count);
    const struct piece *piece = &w->pieces[w->given];
    if (bytes != piece->bytes)
        return refuse(w->path, piece->name, "the data given has another size than declared", err);
    bioft_status st = bytes > 0 ? file_add(&w->file, data, bytes, err) : BIOFT_OK;
    if (st == BIOFT_OK)
        w->given++;
    return st;
}

bioft_status safetensors_commit(struct safetensors_writer *w, struct error *err)
{
    bioft_status st = BIOFT_OK;
    if (w->given < w->count)
        st = refuse(w->path, w->pieces[w->given].name, "declared, but its data was not given", err);
    if (st == BIOFT_OK)
        st = file_commit(&w->file, err);
    safetensors_abort(w);
    return st;
}

void safetensors_abort(struct safetensors_writer *w)
{
    if (!w)
        return;
    file_abort(&w->file);
    arena_destroy(w->arena);
    free(w);
}
