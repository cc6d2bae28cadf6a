/* NumPy's .npy, versions 1 to 3: read whole into C order, written as version 1.0 the way numpy
 * does. */
#include "formats/npy.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "formats/npy_dict.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "values are copied as they are in the file");

enum { PREFIX = 8, HEADER = 64 << 10, ALIGNMENT = 64 };
static const char magic[6] = { '\x93', 'N', 'U', 'M', 'P', 'Y' };

/* What a descr becomes in memory. */
static const struct kind {
    const char *descr;
    enum npy_dtype dtype;
    size_t file_size, size;
} kinds[] = {
    { "|u1", NPY_U8, 1, 1 },  { "|b1", NPY_U8, 1, 1 },  { "<i8", NPY_I64, 8, 8 },
    { "<i4", NPY_I64, 4, 8 }, { "<f4", NPY_F32, 4, 4 }, { "<f8", NPY_F32, 8, 4 },
};

static const struct kind *find_kind(const char *descr)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].descr, descr) == 0)
            return &kinds[i];
    return NULL;
}

static bioft_status refuse_dtype(const char *name, const char *descr, struct error *err)
{
    char escaped[TEXT_ESCAPED], little[sizeof((struct npy *)0)->descr];
    text_escape(escaped, descr, strlen(descr));
    if (strcmp(descr, "|O") == 0 || strcmp(descr, "O") == 0)
        return error_set(err, BIOFT_ERR_UNSUPPORTED,
                         "%s: .npy: dtype '%s' holds Python objects (pickle), which are never read", name, escaped);
    if (descr[0] != '>')
        return error_set(err, BIOFT_ERR_UNSUPPORTED,
                         "%s: .npy: dtype '%s' is not supported: uint8, int64, int32, float32, "
                         "float64 or bool are",
                         name, escaped);
    snprintf(little, sizeof little, "%s", descr);
    little[0] = '<';
    return error_set(err, BIOFT_ERR_UNSUPPORTED, "%s: .npy: dtype '%s' is big-endian; save with .astype('%s')", name,
                     escaped, find_kind(little) ? little : "<f4");
}

/* Where the header's text lies; checks magic, version and length. */
static bioft_status find_header(const char *name, const uint8_t *bytes, size_t size, size_t *ret_at, size_t *ret_length,
                                struct error *err)
{
    if (size < sizeof magic || memcmp(bytes, magic, sizeof magic) != 0)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: not a .npy file: it does not begin with \\x93NUMPY", name);
    if (size < PREFIX)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: .npy: truncated after %zu bytes", name, size);
    unsigned major = bytes[6], minor = bytes[7];
    if (major < 1 || major > 3 || minor != 0)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: .npy: version %u.%u, where 1.0, 2.0 and 3.0 are known", name,
                         major, minor);
    size_t field = major == 1 ? 2 : 4, at = PREFIX + field;
    if (size < at)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: .npy: truncated after %zu bytes", name, size);
    uint64_t length = 0;
    for (size_t i = 0; i < field; i++)
        length |= (uint64_t)bytes[PREFIX + i] << (8 * i);
    if (length > size - at)
        return error_set(err, BIOFT_ERR_FORMAT,
                         "%s: .npy: the header of %llu bytes runs past the end of the file, %zu "
                         "bytes are there",
                         name, (unsigned long long)length, size - at);
    if (length > HEADER)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: .npy: a header of %llu bytes, at most %d", name,
                         (unsigned long long)length, HEADER);
    *ret_at = at;
    *ret_length = (size_t)length;
    return BIOFT_OK;
}

/* Elements of the shape; the bytes at hand must be exactly theirs. */
static bioft_status check_size(const char *name, const struct npy_dict *h, const struct kind *kind, size_t have,
                               size_t *ret_count, struct error *err)
{
    uint64_t count = 1, need;
    for (unsigned d = 0; d < h->dims; d++)
        if (__builtin_mul_overflow(count, h->shape[d], &count))
            return error_set(err, BIOFT_ERR_FORMAT, "%s: .npy: the size of the shape overflows", name);
    if (__builtin_mul_overflow(count, (uint64_t)kind->file_size, &need))
        return error_set(err, BIOFT_ERR_FORMAT, "%s: .npy: the size of the shape overflows", name);
    if (need > have)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: .npy: truncated, the data has %zu of %llu bytes", name, have,
                         (unsigned long long)need);
    if (need < have)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: .npy: %llu bytes left over after the data", name,
                         (unsigned long long)(have - need));
    *ret_count = (size_t)count;
    return BIOFT_OK;
}

/* One element in C order; false where its value does not fit. */
static bool convert(const struct kind *kind, const uint8_t *from, void *data, size_t to)
{
    bool fits = true;
    if (kind->descr[1] == 'b') {
        fits = *from <= 1;
        ((uint8_t *)data)[to] = *from;
    } else if (kind->file_size == kind->size) {
        memcpy((uint8_t *)data + to * kind->size, from, kind->size);
    } else if (kind->dtype == NPY_I64) {
        int32_t value;
        memcpy(&value, from, sizeof value);
        ((int64_t *)data)[to] = value;
    } else {
        double value;
        memcpy(&value, from, sizeof value);
        float narrow = (float)value;
        fits = isfinite(narrow) || !isfinite(value);
        ((float *)data)[to] = narrow;
    }
    return fits;
}

/* All elements; in fortran order the first index varies fastest in the file, in memory the last. */
static bioft_status copy(const char *name, const struct kind *kind, const struct npy_dict *h, const uint8_t *from,
                         size_t count, void *data, struct error *err)
{
    size_t index[NPY_DIMS] = { 0 }, stride[NPY_DIMS] = { 0 }, at = 0;
    bool transpose = h->fortran_order && h->dims > 1;
    if (!transpose && kind->file_size == kind->size && kind->descr[1] != 'b') {
        if (count > 0)
            memcpy(data, from, count * kind->size);
        return BIOFT_OK;
    }
    if (transpose)
        for (size_t d = 0, step = 1; d < h->dims && count > 0; step *= (size_t)h->shape[d++])
            stride[d] = step;
    for (size_t i = 0; i < count; i++) {
        if (!convert(kind, from + (transpose ? at : i) * kind->file_size, data, i))
            return error_set(err, BIOFT_ERR_FORMAT,
                             kind->descr[1] == 'b' ? "%s: .npy: the bool at index %zu is neither 0 nor 1"
                                                   : "%s: .npy: the value at index %zu is out of float32's range",
                             name, i);
        if (!transpose)
            continue;
        size_t d = h->dims - 1; /* the next index in C order */
        for (;;) {
            at += stride[d];
            if (++index[d] < h->shape[d] || d == 0)
                break;
            at -= stride[d] * index[d];
            index[d--] = 0;
        }
    }
    return BIOFT_OK;
}

bioft_status npy_parse(const char *name, const uint8_t *bytes, size_t size, struct npy *ret, struct error *err)
{
    struct npy_dict h;
    size_t at = 0, length = 0, count = 0;
    bioft_status st = find_header(name, bytes, size, &at, &length, err);
    if (st == BIOFT_OK)
        st = npy_dict_parse(name, (const char *)bytes + at, length, &h, err);
    if (st != BIOFT_OK)
        return st;
    const struct kind *kind = find_kind(h.descr);
    if (!kind)
        return refuse_dtype(name, h.descr, err);
    at += length;
    st = check_size(name, &h, kind, size - at, &count, err);
    if (st != BIOFT_OK)
        return st;
    void *data = mem_aligned(count, kind->size);
    if (!data)
        return error_memory(err, name);
    st = copy(name, kind, &h, bytes + at, count, data, err);
    if (st != BIOFT_OK) {
        free(data);
        return st;
    }
    *ret = (struct npy){ .dtype = kind->dtype, .dims = h.dims, .count = count, .data = data };
    memcpy(ret->shape, h.shape, sizeof ret->shape);
    memcpy(ret->descr, h.descr, sizeof ret->descr);
    return BIOFT_OK;
}

bioft_status npy_read(const char *path, struct npy *ret, struct error *err)
{
    struct file_map map = { 0 };
    bioft_status st = file_map_open(path, &map, err);
    if (st != BIOFT_OK)
        return st;
    struct npy npy = { 0 };
    st = file_map_check(&map, npy_parse(path, map.bytes, map.size, &npy, err), err);
    if (st == BIOFT_OK)
        *ret = npy;
    else
        npy_free(&npy);
    file_map_close(&map);
    return st;
}

void npy_free(struct npy *npy)
{
    if (!npy)
        return;
    free(npy->data);
    *npy = (struct npy){ .data = NULL };
}

size_t npy_header(enum npy_dtype dtype, unsigned dims, const uint64_t *shape, char *ret, size_t size)
{
    const char *descr = dtype == NPY_U8 ? "|u1" : dtype == NPY_I64 ? "<i8" : dtype == NPY_F32 ? "<f4" : NULL;
    char tuple[NPY_DIMS * 24 + 8] = "(", dict[sizeof tuple + 80];
    if (!descr || dims > NPY_DIMS)
        return 0;
    for (unsigned d = 0; d < dims; d++) {
        size_t at = strlen(tuple);
        snprintf(tuple + at, sizeof tuple - at,
                 d + 1 < dims ? "%" PRIu64 ", "
                 : dims == 1  ? "%" PRIu64 ","
                              : "%" PRIu64,
                 shape[d]);
    }
    snprintf(dict, sizeof dict, "{'descr': '%s', 'fortran_order': False, 'shape': %s), }", descr, tuple);
    size_t text = strlen(dict), start = PREFIX + 2;
    size_t total = (start + text + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (total > size)
        return 0;
    memset(ret, ' ', total);
    memcpy(ret, magic, sizeof magic);
    ret[6] = 1;
    ret[7] = 0;
    ret[8] = (char)((total - start) & 0xff);
    ret[9] = (char)((total - start) >> 8);
    memcpy(ret + start, dict, text);
    ret[total - 1] = '\n';
    return total;
}

bioft_status npy_write(const char *path, enum npy_dtype dtype, unsigned dims, const uint64_t *shape, const void *data,
                       struct error *err)
{
    struct file_writer w = { .fd = -1 };
    char header[8 * ALIGNMENT];
    size_t length = npy_header(dtype, dims, shape, header, sizeof header);
    size_t bytes = dtype == NPY_U8 ? 1 : dtype == NPY_I64 ? 8 : 4;
    if (length == 0)
        return error_set(err, BIOFT_ERR_INVALID, "%s: no .npy header for dtype %d with %u dimensions", path, (int)dtype,
                         dims);
    for (unsigned d = 0; d < dims; d++)
        if (shape[d] > SIZE_MAX || !mem_product(bytes, (size_t)shape[d], &bytes))
            return error_set(err, BIOFT_ERR_INVALID, "%s: the size of the shape overflows", path);
    bioft_status st = file_begin(path, &w, err);
    if (st == BIOFT_OK)
        st = file_add(&w, header, length, err);
    if (st == BIOFT_OK && bytes > 0)
        st = file_add(&w, data, bytes, err);
    if (st == BIOFT_OK)
        st = file_commit(&w, err);
    file_abort(&w);
    return st;
}
