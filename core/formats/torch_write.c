/* A .pth written: the pickle of a dict of tensors, then each storage, stored and summed, in a zip
 * archive with zip64 where it must be. torch.load(weights_only=True) takes it. */
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "formats/torch.h"
#include "formats/torch_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { ALIGNMENT = 64, LOCAL_SIZE = 30, FLAG_UTF8 = 0x800, VERSION_ZIP64 = 45 };

struct written { /* an entry that the directory will list */
    char path[48];
    uint32_t crc;
    uint64_t size, header;
};
struct torch_writer {
    struct file_writer file;
    char *path;
    uint64_t at;        /* bytes written */
    uint64_t wide_from; /* numbers from here on take zip64's room */
    struct written *entries;
    size_t entry_count; /* of tensors + 3 */
    size_t *bytes;      /* of each tensor */
    size_t count, given;
};

static void put(struct text *t, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        text_add_n(t, &(char){ (char)(value >> (8 * i) & 0xff) }, 1);
}

/* An integer as the shortest opcode that holds it. */
static void put_integer(struct text *t, uint64_t value)
{
    if (value < 256) {
        text_add(t, "K");
        put(t, value, 1);
    } else if (value < 65536) {
        text_add(t, "M");
        put(t, value, 2);
    } else if (value <= INT32_MAX) {
        text_add(t, "J");
        put(t, value, 4);
    } else {
        unsigned bytes = 4;
        while (value >> (8 * bytes - 1) != 0) /* a byte more where the sign bit is set */
            bytes++;
        text_add(t, "\x8a");
        put(t, bytes, 1);
        put(t, value, bytes);
    }
}

static void put_string(struct text *t, const char *s)
{
    text_add(t, "X");
    put(t, strlen(s), 4);
    text_add(t, s);
}

static const char *storage_of(enum tensor_dtype dtype)
{
    switch (dtype) {
    case TENSOR_F32: return "FloatStorage";
    case TENSOR_F64: return "DoubleStorage";
    case TENSOR_F16: return "HalfStorage";
    case TENSOR_BF16: return "BFloat16Storage";
    case TENSOR_I64: return "LongStorage";
    case TENSOR_I32: return "IntStorage";
    case TENSOR_I16: return "ShortStorage";
    case TENSOR_I8: return "CharStorage";
    case TENSOR_U8: return "ByteStorage";
    default: return "BoolStorage";
    }
}

/* name: _rebuild_tensor_v2(storage number n, 0, shape, its strides, False, OrderedDict()) */
static void put_tensor(struct text *t, const struct tensor_out *tensor, size_t n, size_t bytes)
{
    char key[24];
    uint64_t stride[TENSOR_DIMS], product = 1;
    snprintf(key, sizeof key, "%zu", n);
    put_string(t, tensor->name);
    text_add(t, "ctorch._utils\n_rebuild_tensor_v2\n((");
    put_string(t, "storage");
    text_printf(t, "ctorch\n%s\n", storage_of(tensor->dtype));
    put_string(t, key);
    put_string(t, "cpu");
    put_integer(t, bytes / tensor_dtype_size(tensor->dtype));
    text_add(t, "tQK");
    put(t, 0, 1);
    text_add(t, "(");
    for (unsigned d = 0; d < tensor->dims; d++)
        put_integer(t, tensor->shape[d]);
    text_add(t, "t(");
    for (unsigned d = tensor->dims; d-- > 0;) {
        stride[d] = product;
        product *= tensor->shape[d] ? tensor->shape[d] : 1;
    }
    for (unsigned d = 0; d < tensor->dims; d++)
        put_integer(t, stride[d]);
    text_add(t, "t\x89"
                "ccollections\nOrderedDict\n)RtR");
}

static bioft_status add(struct torch_writer *w, const void *bytes, size_t size, struct error *err)
{
    w->at += size;
    return size > 0 ? file_add(&w->file, bytes, size, err) : BIOFT_OK;
}

static bioft_status add_text(struct torch_writer *w, struct text *t, struct error *err)
{
    bioft_status st = t->failed ? error_memory(err, w->path) : add(w, t->data, t->length, err);
    text_free(t);
    return st;
}

static uint32_t narrow(const struct torch_writer *w, uint64_t value)
{
    return value >= w->wide_from ? UINT32_MAX : (uint32_t)value;
}

static uint32_t sum_of(const void *bytes, size_t size) { return (uint32_t)crc32_z(crc32_z(0, NULL, 0), bytes, size); }

/* The local header, padded so that the data begins at a multiple of 64, then the data. */
static bioft_status add_entry(struct torch_writer *w, const char *path, const void *bytes, size_t size,
                              struct error *err)
{
    struct written *e = &w->entries[w->entry_count];
    struct text t = { 0 };
    const size_t wide = size >= w->wide_from ? 20 : 0;
    *e = (struct written){ .crc = sum_of(bytes, size), .size = size, .header = w->at };
    snprintf(e->path, sizeof e->path, "archive/%s", path);
    const size_t before = (size_t)(w->at % ALIGNMENT) + LOCAL_SIZE + strlen(e->path) + wide + 4;
    const size_t padding = (ALIGNMENT - before % ALIGNMENT) % ALIGNMENT;
    text_add_n(&t, "PK\3\4", 4);
    put(&t, wide ? VERSION_ZIP64 : 0, 2);
    put(&t, FLAG_UTF8, 2);
    put(&t, 0, 2 + 2 + 2);
    put(&t, e->crc, 4);
    put(&t, narrow(w, size), 4);
    put(&t, narrow(w, size), 4);
    put(&t, strlen(e->path), 2);
    put(&t, wide + 4 + padding, 2);
    text_add(&t, e->path);
    if (wide) {
        put(&t, 1, 2);
        put(&t, 16, 2);
        put(&t, size, 8);
        put(&t, size, 8);
    }
    text_add(&t, "FB");
    put(&t, padding, 2);
    for (size_t i = 0; i < padding; i++)
        text_add(&t, "Z");
    bioft_status st = add_text(w, &t, err);
    if (st == BIOFT_OK)
        st = add(w, bytes, size, err);
    w->entry_count++;
    return st;
}

static void put_central(const struct torch_writer *w, const struct written *e, struct text *t)
{
    const bool size = e->size >= w->wide_from, place = e->header >= w->wide_from;
    const unsigned extra = (size ? 16 : 0) + (place ? 8 : 0);
    text_add_n(t, "PK\1\2", 4);
    put(t, extra ? VERSION_ZIP64 : 0, 2);
    put(t, extra ? VERSION_ZIP64 : 0, 2);
    put(t, FLAG_UTF8, 2);
    put(t, 0, 2 + 2 + 2);
    put(t, e->crc, 4);
    put(t, narrow(w, e->size), 4);
    put(t, narrow(w, e->size), 4);
    put(t, strlen(e->path), 2);
    put(t, extra ? extra + 4 : 0, 2);
    put(t, 0, 2 + 2 + 2);
    put(t, 0, 4);
    put(t, narrow(w, e->header), 4);
    text_add(t, e->path);
    if (extra) {
        put(t, 1, 2);
        put(t, extra, 2);
    }
    for (unsigned i = 0; size && i < 2; i++)
        put(t, e->size, 8);
    if (place)
        put(t, e->header, 8);
}

/* The directory and the end records; those of zip64 only where a number needs them. */
static bioft_status add_directory(struct torch_writer *w, struct error *err)
{
    struct text t = { 0 };
    const uint64_t begin = w->at, count = w->entry_count;
    for (size_t i = 0; i < w->entry_count; i++)
        put_central(w, &w->entries[i], &t);
    const uint64_t size = t.length;
    if (count >= UINT16_MAX || size >= w->wide_from || begin >= w->wide_from) {
        text_add_n(&t, "PK\6\6", 4);
        put(&t, 44, 8);
        put(&t, VERSION_ZIP64, 2);
        put(&t, VERSION_ZIP64, 2);
        put(&t, 0, 4 + 4);
        put(&t, count, 8);
        put(&t, count, 8);
        put(&t, size, 8);
        put(&t, begin, 8);
        text_add_n(&t, "PK\6\7", 4);
        put(&t, 0, 4);
        put(&t, begin + size, 8);
        put(&t, 1, 4);
    }
    text_add_n(&t, "PK\5\6", 4);
    put(&t, 0, 2 + 2);
    for (unsigned i = 0; i < 2; i++)
        put(&t, count >= UINT16_MAX ? UINT16_MAX : count, 2);
    put(&t, narrow(w, size), 4);
    put(&t, narrow(w, begin), 4);
    put(&t, 0, 2);
    return add_text(w, &t, err);
}

static bioft_status begin(struct torch_writer *w, const struct tensor_out *tensors, struct error *err)
{
    struct text t = { 0 };
    bioft_status st = tensor_out_check(w->path, ".pth", tensors, w->count, w->bytes, err);
    if (st != BIOFT_OK)
        return st;
    text_add(&t, "\x80\x02"
                 "ccollections\nOrderedDict\n)R(");
    for (size_t i = 0; i < w->count; i++)
        put_tensor(&t, &tensors[i], i, w->bytes[i]);
    text_add(&t, "u.");
    if (t.failed)
        return error_memory(err, w->path);
    st = file_begin(w->path, &w->file, err);
    if (st == BIOFT_OK)
        st = add_entry(w, "data.pkl", t.data, t.length, err);
    if (st == BIOFT_OK)
        st = add_entry(w, "byteorder", "little", 6, err);
    text_free(&t);
    return st;
}

bioft_status torch_begin_wide(const char *path, const struct tensor_out *tensors, size_t count, uint64_t wide_from,
                              struct torch_writer **ret, struct error *err)
{
    struct torch_writer *w = mem_array(1, sizeof *w);
    if (!w)
        return error_memory(err, path);
    w->path = strdup(path);
    w->count = count;
    w->wide_from = wide_from;
    w->bytes = mem_array(count, sizeof *w->bytes);
    w->entries = count < SIZE_MAX - 3 ? mem_array(count + 3, sizeof *w->entries) : NULL;
    bioft_status st = w->path && w->bytes && w->entries ? begin(w, tensors, err) : error_memory(err, path);
    if (st == BIOFT_OK)
        *ret = w;
    else
        torch_abort(w);
    return st;
}

bioft_status torch_begin(const char *path, const struct tensor_out *tensors, size_t count, struct torch_writer **ret,
                         struct error *err)
{
    return torch_begin_wide(path, tensors, count, UINT32_MAX, ret, err);
}

bioft_status torch_add(struct torch_writer *w, const void *data, size_t bytes, struct error *err)
{
    char path[32];
    if (w->given == w->count || bytes != w->bytes[w->given])
        return error_set(err, BIOFT_ERR_INVALID,
                         "%s: .pth: %zu bytes for tensor %zu of %zu, another size "
                         "than declared",
                         w->path, bytes, w->given, w->count);
    snprintf(path, sizeof path, "data/%zu", w->given++);
    return add_entry(w, path, data, bytes, err);
}

bioft_status torch_commit(struct torch_writer *w, struct error *err)
{
    bioft_status st = BIOFT_OK;
    if (w->given < w->count)
        st = error_set(err, BIOFT_ERR_INVALID, "%s: .pth: the data of tensor %zu was not given", w->path, w->given);
    if (st == BIOFT_OK)
        st = add_entry(w, "version", "3\n", 2, err);
    if (st == BIOFT_OK)
        st = add_directory(w, err);
    if (st == BIOFT_OK)
        st = file_commit(&w->file, err);
    torch_abort(w);
    return st;
}

void torch_abort(struct torch_writer *w)
{
    if (!w)
        return;
    file_abort(&w->file);
    free(w->path);
    free(w->bytes);
    free(w->entries);
    free(w);
}
