/* MATLAB 5 files (MathWorks, "MAT-File Format"): elements of a type, a size and data padded to 8
 * bytes; a matrix is an element of elements, a compressed one a zlib stream with one element.
 * Not libmatio: it opens paths, while a dataset gets bytes from its host; it needs hdf5; and struct arrays of hostile files
 * have overflowed it again and again (https://github.com/tbeu/matio/issues/103, 127, 128, 129). Only meta.mat is read. */
#include "matlab.h"

#include <math.h>
#include <stdlib.h>
#include <zlib.h>

enum { HEADER = 128, LARGEST_FILE = 1 << 24, LARGEST_INFLATED = 1 << 24, MOST_FIELDS = 64, LONGEST_FIELD = 64 };
enum { /* types of elements */
       INT8 = 1,
       UINT8,
       INT16,
       UINT16,
       INT32,
       UINT32,
       SINGLE,
       DOUBLE = 9,
       MATRIX = 14,
       COMPRESSED,
       UTF8
};
enum { CLASS_STRUCT = 2, CLASS_CHAR = 4, CLASS_DOUBLE = 6 };

struct element {
    uint32_t type, size;
    const uint8_t *data;
};

struct cursor {
    const uint8_t *at, *end;
};

static uint32_t u32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t u64(const uint8_t *p) { return u32(p) | (uint64_t)u32(p + 4) << 32; }

/* 0: nothing whole is left. */
static int next(struct cursor *c, struct element *ret)
{
    const size_t left = (size_t)(c->end - c->at);
    uint32_t tag;
    size_t step;

    if (left < 8)
        return 0;
    tag = u32(c->at);
    if (tag >> 16) { /* small: size and type share a word, the data follows in the next */
        *ret = (struct element){ .type = tag & 0xffff, .size = tag >> 16, .data = c->at + 4 };
        c->at += 8;
        return ret->size <= 4;
    }
    *ret = (struct element){ .type = tag, .size = u32(c->at + 4), .data = c->at + 8 };
    if (ret->size > left - 8)
        return 0;
    step = 8 + (size_t)ret->size;
    if (ret->type != COMPRESSED)
        step = (step + 7) / 8 * 8;
    c->at += step < left ? step : left;
    return 1;
}

/* The head of a matrix: its class and number of elements; c is left behind its name. */
static int matrix_head(const struct element *matrix, struct cursor *c, uint32_t *ret_class, uint64_t *ret_count,
                       struct element *ret_name)
{
    struct element e;
    uint64_t count = 1;

    *c = (struct cursor){ .at = matrix->data, .end = matrix->data + matrix->size };
    if (matrix->type != MATRIX || !next(c, &e) || e.type != UINT32 || e.size != 8)
        return 0;
    *ret_class = e.data[0];
    if (!next(c, &e) || e.type != INT32 || e.size % 4 || e.size > 32)
        return 0;
    for (uint32_t i = 0; i < e.size; i += 4) {
        const uint32_t n = u32(e.data + i);
        if (n > LARGEST_INFLATED || (n && count > LARGEST_INFLATED / n))
            return 0;
        count *= n;
    }
    *ret_count = count;
    return next(c, ret_name);
}

/* A matrix of one number. */
static int number(const struct element *matrix, double *ret)
{
    struct cursor c;
    struct element e;
    uint32_t class;
    uint64_t count, bits;
    float single;

    if (!matrix_head(matrix, &c, &class, &count, &e) || class < CLASS_DOUBLE || count != 1 || !next(&c, &e))
        return 0;
    if (e.type == UINT8 && e.size == 1)
        *ret = e.data[0];
    else if (e.type == INT8 && e.size == 1)
        *ret = (int8_t)e.data[0];
    else if (e.type == UINT16 && e.size == 2)
        *ret = e.data[0] | e.data[1] << 8;
    else if (e.type == INT16 && e.size == 2)
        *ret = (int16_t)(e.data[0] | e.data[1] << 8);
    else if (e.type == UINT32 && e.size == 4)
        *ret = u32(e.data);
    else if (e.type == INT32 && e.size == 4)
        *ret = (int32_t)u32(e.data);
    else if (e.type == SINGLE && e.size == 4) {
        const uint32_t word = u32(e.data);
        memcpy(&single, &word, sizeof single);
        *ret = (double)single;
    } else if (e.type == DOUBLE && e.size == 8) {
        bits = u64(e.data);
        memcpy(ret, &bits, sizeof *ret);
    } else {
        return 0;
    }
    return 1;
}

/* A matrix of characters that is a wnid. */
static int wnid(const struct element *matrix, char ret[WNID])
{
    struct cursor c;
    struct element e;
    uint32_t class, step;
    uint64_t count;

    if (!matrix_head(matrix, &c, &class, &count, &e) || class != CLASS_CHAR || count != WNID - 1 || !next(&c, &e))
        return 0;
    step = e.type == UINT16 ? 2 : e.type == UTF8 || e.type == UINT8 || e.type == INT8 ? 1 : 0;
    if (!step || e.size != step * (WNID - 1))
        return 0;
    for (uint32_t i = 0; i < WNID - 1; i++) {
        ret[i] = (char)e.data[i * step];
        if (step == 2 && e.data[i * step + 1])
            return 0;
    }
    ret[WNID - 1] = '\0';
    return is_wnid(ret, WNID - 1);
}

enum { FIELD_ID, FIELD_WNID, FIELD_CHILDREN, FIELDS };

/* The fields' names: which of ours each is. *ret_count of them. */
static int field_names(struct cursor *c, uint32_t which[MOST_FIELDS], uint32_t *ret_count)
{
    static const char *const names[FIELDS] = { "ILSVRC2012_ID", "WNID", "num_children" };
    struct element length, list;
    uint32_t size, found = 0;

    if (!next(c, &length) || length.type != INT32 || length.size != 4 || !next(c, &list))
        return 0;
    size = u32(length.data);
    if (!size || size > LONGEST_FIELD || list.size % size || list.size / size > MOST_FIELDS)
        return 0;
    *ret_count = list.size / size;
    for (uint32_t i = 0; i < *ret_count; i++) {
        which[i] = FIELDS;
        for (uint32_t k = 0; k < FIELDS; k++)
            if (strlen(names[k]) < size && !memcmp(list.data + (size_t)i * size, names[k], strlen(names[k]) + 1)) {
                which[i] = k;
                found |= 1u << k;
            }
    }
    return found == (1u << FIELDS) - 1;
}

/* The struct array: 0 where it is not as expected. */
static int read_synsets(const struct element *matrix, uint32_t room, struct synset *ret, uint32_t *ret_count)
{
    uint32_t class, fields, which[MOST_FIELDS], n = 0;
    struct cursor c;
    struct element e;
    uint64_t count;

    if (!matrix_head(matrix, &c, &class, &count, &e) || class != CLASS_STRUCT || !field_names(&c, which, &fields))
        return 0;
    for (uint64_t i = 0; i < count; i++) {
        double id = 0, children = 0;
        struct synset s;
        for (uint32_t k = 0; k < fields; k++)
            if (!next(&c, &e) || (which[k] == FIELD_ID && !number(&e, &id)) ||
                (which[k] == FIELD_CHILDREN && !number(&e, &children)) || (which[k] == FIELD_WNID && !wnid(&e, s.wnid)))
                return 0;
        if (children != 0)
            continue;
        if (n == room || !(id >= 1 && id <= room) || floor(id) != id)
            return 0;
        s.id = (uint32_t)id;
        ret[n++] = s;
    }
    *ret_count = n;
    return n > 0;
}

/* The one element of a zlib stream. bytes: LARGEST_INFLATED of them. */
static int inflate_element(const struct element *e, uint8_t *bytes, struct element *ret)
{
    uLongf size = LARGEST_INFLATED;
    struct cursor c;

    if (uncompress(bytes, &size, e->data, e->size) != Z_OK)
        return 0;
    c = (struct cursor){ .at = bytes, .end = bytes + size };
    return next(&c, ret);
}

static int is_synsets(const struct element *matrix)
{
    struct cursor c;
    struct element name;
    uint32_t class;
    uint64_t count;
    return matrix_head(matrix, &c, &class, &count, &name) && name.size == 7 && !memcmp(name.data, "synsets", 7);
}

bioft_status matlab_synsets(const bioft_host *host, const char *path, uint32_t room, struct synset *ret,
                            uint32_t *ret_count)
{
    const bioft_files *files = files_of(host);
    const uint8_t *bytes;
    uint64_t size;
    struct cursor c;
    struct element e;
    uint8_t *inflated;
    int found = 0;
    bioft_status st = files->read(host, path, LARGEST_FILE, &bytes, &size);

    if (st != BIOFT_OK)
        return st;
    if (size < HEADER || bytes[124] || bytes[125] != 1 || bytes[126] != 'I' || bytes[127] != 'M')
        return files->fail_at(host, BIOFT_ERR_FORMAT, path, 0, 0,
                              "not a MATLAB 5 file, which the development kit's meta.mat is");
    inflated = malloc(LARGEST_INFLATED);
    if (!inflated)
        return host->fail(host, BIOFT_ERR_MEMORY, "out of memory for meta.mat");
    c = (struct cursor){ .at = bytes + HEADER, .end = bytes + size };
    while (!found && next(&c, &e)) {
        if (e.type == COMPRESSED && !inflate_element(&e, inflated, &e))
            break;
        found = is_synsets(&e) && read_synsets(&e, room, ret, ret_count);
    }
    free(inflated);
    return found ? BIOFT_OK
                 : files->fail_at(host, BIOFT_ERR_FORMAT, path, 0, (uint64_t)(c.at - bytes),
                                  "no struct array 'synsets' with ILSVRC2012_ID, WNID and "
                                  "num_children can be read from it");
}
