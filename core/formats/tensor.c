/* The dtypes, views made row-major, and what may be written. */
#include "formats/tensor.h"

#include "base/memory.h"
#include "base/text.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

static const uint64_t LARGEST = UINT64_C(1) << 40; /* of one dimension, here and when read back */

static const struct dtype {
    const char *name;
    enum tensor_dtype dtype;
    size_t size;
} dtypes[] = {
    { "F32", TENSOR_F32, 4 },   { "F16", TENSOR_F16, 2 },       { "BF16", TENSOR_BF16, 2 },
    { "F64", TENSOR_F64, 8 },   { "I64", TENSOR_I64, 8 },       { "I32", TENSOR_I32, 4 },
    { "I16", TENSOR_I16, 2 },   { "I8", TENSOR_I8, 1 },         { "U8", TENSOR_U8, 1 },
    { "BOOL", TENSOR_BOOL, 1 }, { "F8_E5M2", TENSOR_OTHER, 1 }, { "F8_E4M3", TENSOR_OTHER, 1 },
    { "U16", TENSOR_OTHER, 2 }, { "U32", TENSOR_OTHER, 4 },     { "U64", TENSOR_OTHER, 8 },
};
enum { DTYPES = sizeof dtypes / sizeof *dtypes };

enum tensor_dtype tensor_dtype_named(const char *name, size_t length, size_t *ret_size)
{
    const struct dtype *d = NULL;
    for (size_t i = 0; i < DTYPES && !d; i++)
        if (strlen(dtypes[i].name) == length && memcmp(dtypes[i].name, name, length) == 0)
            d = &dtypes[i];
    if (ret_size)
        *ret_size = d ? d->size : 0;
    return d ? d->dtype : TENSOR_UNKNOWN;
}

static const struct dtype *find(enum tensor_dtype dtype)
{
    for (size_t i = 0; i < DTYPES && dtype != TENSOR_OTHER; i++)
        if (dtypes[i].dtype == dtype)
            return &dtypes[i];
    return NULL;
}

const char *tensor_dtype_name(enum tensor_dtype dtype)
{
    const struct dtype *d = find(dtype);
    return d ? d->name : NULL;
}

size_t tensor_dtype_size(enum tensor_dtype dtype)
{
    const struct dtype *d = find(dtype);
    return d ? d->size : 0;
}

const float *tensor_floats(const struct tensor_entry *t)
{
    const bool aligned = (uintptr_t)t->bytes % _Alignof(float) == 0;
    return t->dtype == TENSOR_F32 && !t->strided && aligned ? (const void *)t->bytes : NULL;
}

/* `count` elements, `step` bytes apart, one after another. */
static void copy_row(const uint8_t *from, size_t step, size_t item, size_t count, uint8_t *ret)
{
    if (step == item) {
        memcpy(ret, from, count * item);
        return;
    }
    for (size_t i = 0; i < count; i++)
        memcpy(ret + i * item, from + i * step, item);
}

void tensor_gather(const struct tensor_entry *t, void *ret)
{
    const size_t item = tensor_dtype_size(t->dtype);
    const unsigned last = t->dims - 1;
    uint64_t index[TENSOR_DIMS] = { 0 };
    uint8_t *to = ret;

    if (t->count == 0)
        return;
    if (!t->strided || t->dims == 0) {
        memcpy(ret, t->bytes, t->count * item);
        return;
    }
    for (size_t done = 0; done < t->count; done += (size_t)t->shape[last]) {
        size_t at = 0;
        for (unsigned d = 0; d < last; d++)
            at += (size_t)(index[d] * t->stride[d]);
        copy_row(t->bytes + at * item, (size_t)t->stride[last] * item, item, (size_t)t->shape[last], to + done * item);
        for (unsigned d = last; d-- > 0 && ++index[d] == t->shape[d];)
            index[d] = 0;
    }
}

bioft_status tensor_out_refuse(const char *path, const char *format, const char *name, const char *why,
                               struct error *err)
{
    char escaped[TEXT_ESCAPED];
    return error_set(err, BIOFT_ERR_INVALID, "%s: %s: tensor '%s': %s", path, format,
                     text_escape(escaped, name, strlen(name)), why);
}

static const char *fault(const struct tensor_out *t, size_t *ret_bytes)
{
    const size_t length = strlen(t->name);
    size_t bytes = tensor_dtype_size(t->dtype);
    if (length == 0 || length > TENSOR_NAME || utf8_valid((const uint8_t *)t->name, length) != length)
        return "the name must be 1 to 512 bytes of UTF-8";
    if (bytes == 0)
        return "its dtype is not written";
    if (t->dims > TENSOR_DIMS)
        return "too many dimensions, at most 8";
    for (unsigned d = 0; d < t->dims; d++)
        if (t->shape[d] > LARGEST || !mem_product(bytes, (size_t)t->shape[d], &bytes))
            return "the size of its shape overflows";
    *ret_bytes = bytes;
    return NULL;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bioft_status tensor_out_check(const char *path, const char *format, const struct tensor_out *tensors, size_t count,
                              size_t *ret_bytes, struct error *err)
{
    bioft_status st = BIOFT_OK;
    if (count > TENSORS)
        return error_set(err, BIOFT_ERR_INVALID, "%s: %s: %zu tensors, at most %d", path, format, count, TENSORS);
    const char **sorted = mem_array(count, sizeof *sorted);
    if (!sorted)
        return error_memory(err, path);
    for (size_t i = 0; i < count && st == BIOFT_OK; i++) {
        const char *why = fault(&tensors[i], &ret_bytes[i]);
        if (why)
            st = tensor_out_refuse(path, format, tensors[i].name, why, err);
        sorted[i] = tensors[i].name;
    }
    if (st == BIOFT_OK)
        qsort(sorted, count, sizeof *sorted, compare_names);
    for (size_t i = 1; i < count && st == BIOFT_OK; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            st = tensor_out_refuse(path, format, sorted[i], "declared twice", err);
    free(sorted);
    return st;
}
