/* Codes and labels of a retrieval task in .npy files. */
#include "run/retrieval_files.h"

#include "base/memory.h"
#include "base/text.h"
#include "formats/npy.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of classes have a bit each in a label set. */
enum { MAX_CLASSES = 65536 };

/* The files of one side: queries or database. */
struct side {
    const char *codes_path, *labels_path;
    struct npy codes, labels;
};

static bool packed(const struct side *s) { return s->codes.dtype == NPY_U8; }

static uint64_t side_bits(const struct side *s) { return packed(s) ? s->codes.shape[1] * 8 : s->codes.shape[1]; }

static bioft_status check_codes(const struct side *s, struct error *err)
{
    const struct npy *c = &s->codes;
    const char *path = s->codes_path;

    if (c->dtype == NPY_I64 || strcmp(c->descr, "|b1") == 0)
        return error_set(err, BIOFT_ERR_FORMAT,
                         "%s: codes of dtype '%s': they are float32 of -1 and +1 [n, bits], or "
                         "uint8 as numpy.packbits(codes > 0, axis=1) makes them",
                         path, c->descr);
    if (c->dims != 2)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: codes have 2 dimensions, not %u: [n, %s]", path, c->dims,
                         packed(s) ? "bits / 8" : "bits");
    if (c->shape[0] == 0)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: no codes in it", path);
    if (c->shape[1] == 0 || c->shape[1] > CODES_MAX_BITS || side_bits(s) > CODES_MAX_BITS)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: codes of %" PRIu64 " bits: from 1 to %d are possible", path,
                         side_bits(s), CODES_MAX_BITS);
    if (packed(s))
        return BIOFT_OK;
    const float *values = c->data;
    for (size_t i = 0; i < c->count; i++)
        if (values[i] != 1.0f && values[i] != -1.0f)
            return error_set(err, BIOFT_ERR_FORMAT,
                             "%s: bit %" PRIu64 " of code %" PRIu64 " is %g, and every one has to "
                             "be -1 or +1%s",
                             path, i % c->shape[1], i / c->shape[1], (double)values[i],
                             values[i] == 0.0f ? "; numpy.where(x < 0, -1, 1) takes 0 as +1" : "");
    return BIOFT_OK;
}

static bioft_status check_labels(const struct side *s, struct error *err)
{
    const struct npy *l = &s->labels;
    const char *path = s->labels_path;

    if (!(l->dtype == NPY_I64 && l->dims == 1) && !(l->dtype == NPY_U8 && l->dims == 2))
        return error_set(err, BIOFT_ERR_FORMAT,
                         "%s: labels are int64 [n], or uint8 [n, classes] of 0 and 1, not '%s' of "
                         "%u dimension%s",
                         path, l->descr, l->dims, l->dims == 1 ? "" : "s");
    if (l->shape[0] != s->codes.shape[0])
        return error_set(err, BIOFT_ERR_FORMAT, "%s: %" PRIu64 " labels for the %" PRIu64 " codes of %s", path,
                         l->shape[0], s->codes.shape[0], s->codes_path);
    if (l->dtype == NPY_I64) {
        const int64_t *values = l->data;
        for (size_t i = 0; i < l->count; i++)
            if (values[i] < 0 || values[i] >= MAX_CLASSES)
                return error_set(err, BIOFT_ERR_FORMAT, "%s: label %zu is %" PRId64 ": from 0 to %d are possible", path,
                                 i, values[i], MAX_CLASSES - 1);
        return BIOFT_OK;
    }
    if (l->shape[1] == 0 || l->shape[1] > MAX_CLASSES)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: labels of %" PRIu64 " classes: from 1 to %d are possible", path,
                         l->shape[1], MAX_CLASSES);
    const uint8_t *values = l->data;
    for (size_t i = 0; i < l->count; i++)
        if (values[i] > 1)
            return error_set(err, BIOFT_ERR_FORMAT,
                             "%s: class %" PRIu64 " of label %" PRIu64 " is %u, and every one has "
                             "to be 0 or 1",
                             path, i % l->shape[1], i / l->shape[1], values[i]);
    return BIOFT_OK;
}

static bioft_status side_read(struct side *s, struct error *err)
{
    bioft_status st = npy_read(s->codes_path, &s->codes, err);

    if (st == BIOFT_OK)
        st = check_codes(s, err);
    if (st == BIOFT_OK)
        st = npy_read(s->labels_path, &s->labels, err);
    return st == BIOFT_OK ? check_labels(s, err) : st;
}

static bioft_status check_pair(const struct side *q, const struct side *db, struct error *err)
{
    if (side_bits(q) != side_bits(db))
        return error_set(err, BIOFT_ERR_FORMAT, "%s: codes of %" PRIu64 " bits, but those of %s have %" PRIu64,
                         db->codes_path, side_bits(db), q->codes_path, side_bits(q));
    if (q->labels.dtype != db->labels.dtype)
        return error_set(err, BIOFT_ERR_FORMAT,
                         "%s: one label a sample, but %s has sets of labels: give both in one form",
                         q->labels.dtype == NPY_I64 ? q->labels_path : db->labels_path,
                         q->labels.dtype == NPY_I64 ? db->labels_path : q->labels_path);
    if (q->labels.dtype == NPY_U8 && q->labels.shape[1] != db->labels.shape[1])
        return error_set(err, BIOFT_ERR_FORMAT, "%s: labels of %" PRIu64 " classes, but those of %s have %" PRIu64,
                         db->labels_path, db->labels.shape[1], q->labels_path, q->labels.shape[1]);
    return BIOFT_OK;
}

/* As many as there are columns, or one more than the largest number. */
static uint32_t count_classes(const struct side *s)
{
    const int64_t *values = s->labels.data;
    int64_t largest = 0;

    if (s->labels.dtype == NPY_U8)
        return (uint32_t)s->labels.shape[1];
    for (size_t i = 0; i < s->labels.count; i++)
        largest = values[i] > largest ? values[i] : largest;
    return (uint32_t)largest + 1;
}

static bioft_status side_pack(const struct side *s, uint32_t classes, struct codes *ret, struct error *err)
{
    bioft_status st = codes_create(s->codes.shape[0], (uint32_t)side_bits(s), classes, ret, err);

    if (st != BIOFT_OK)
        return st;
    if (packed(s))
        codes_pack_bytes(s->codes.data, ret->n, ret->bits, ret->codes);
    else
        codes_pack(s->codes.data, ret->n, ret->bits, ret->codes);
    for (uint64_t i = 0; i < ret->n; i++) {
        uint64_t *set = ret->labels + i * ret->label_words;
        if (s->labels.dtype == NPY_I64) {
            const int64_t label = ((const int64_t *)s->labels.data)[i];
            set[label / 64] |= UINT64_C(1) << (label % 64);
            continue;
        }
        const uint8_t *row = (const uint8_t *)s->labels.data + i * classes;
        for (uint32_t c = 0; c < classes; c++)
            set[c / 64] |= (uint64_t)row[c] << (c % 64);
    }
    return BIOFT_OK;
}

bioft_status retrieval_read(const struct retrieval_files *f, struct codes *ret_query, struct codes *ret_database,
                            struct error *err)
{
    struct side q = { f->query_codes, f->query_labels, { 0 }, { 0 } };
    struct side db = { f->database_codes, f->database_labels, { 0 }, { 0 } };
    struct codes query = { 0 };
    bioft_status st = side_read(&q, err);

    if (st == BIOFT_OK)
        st = side_read(&db, err);
    if (st == BIOFT_OK)
        st = check_pair(&q, &db, err);
    if (st == BIOFT_OK) {
        const uint32_t a = count_classes(&q), b = count_classes(&db), classes = a > b ? a : b;
        st = side_pack(&q, classes, &query, err);
        if (st == BIOFT_OK)
            st = side_pack(&db, classes, ret_database, err);
    }
    if (st == BIOFT_OK)
        *ret_query = query;
    else
        codes_free(&query);
    npy_free(&q.codes);
    npy_free(&q.labels);
    npy_free(&db.codes);
    npy_free(&db.labels);
    return st;
}

/* The number of a set's one label, -1 where it has none or several. */
static int64_t only_label(const struct codes *c, uint64_t i)
{
    const uint64_t *set = c->labels + i * c->label_words;
    int64_t found = -1;

    for (uint32_t k = 0; k < c->classes; k++) {
        if (!(set[k / 64] >> (k % 64) & 1))
            continue;
        if (found >= 0)
            return -1;
        found = k;
    }
    return found;
}

bool retrieval_has_sets(const struct codes *c)
{
    for (uint64_t i = 0; i < c->n; i++)
        if (only_label(c, i) < 0)
            return true;
    return false;
}

bioft_status retrieval_write_codes(const char *path, const struct codes *c, struct error *err)
{
    const bool whole = c->bits % 8 == 0;
    const uint64_t shape[] = { c->n, whole ? c->bits / 8 : c->bits };
    const size_t size = whole ? 1 : sizeof(float);
    size_t count;
    void *values = mem_product((size_t)c->n, (size_t)shape[1], &count) ? mem_array(count, size) : NULL;

    if (!values)
        return error_memory(err, "codes");
    if (whole)
        codes_unpack_bytes(c->codes, c->n, c->bits, values);
    else
        codes_unpack(c->codes, c->n, c->bits, values);
    bioft_status st = npy_write(path, whole ? NPY_U8 : NPY_F32, 2, shape, values, err);
    free(values);
    return st;
}

static bioft_status write_labels(const char *path, const struct codes *c, bool sets, struct error *err)
{
    const uint64_t shape[] = { c->n, c->classes };
    size_t count = (size_t)c->n;
    void *values = sets && !mem_product(count, c->classes, &count) ? NULL
                                                                   : mem_array(count, sets ? 1 : sizeof(int64_t));

    if (!values)
        return error_memory(err, "labels");
    for (uint64_t i = 0; i < c->n; i++) {
        const uint64_t *set = c->labels + i * c->label_words;
        if (!sets)
            ((int64_t *)values)[i] = only_label(c, i);
        for (uint32_t k = 0; sets && k < c->classes; k++)
            ((uint8_t *)values)[i * c->classes + k] = set[k / 64] >> (k % 64) & 1;
    }
    bioft_status st = npy_write(path, sets ? NPY_U8 : NPY_I64, sets ? 2 : 1, shape, values, err);
    free(values);
    return st;
}

bioft_status retrieval_write(const char *prefix, const struct codes *c, bool sets, struct error *err)
{
    struct text codes = { 0 }, labels = { 0 };

    text_printf(&codes, "%s.codes.npy", prefix);
    text_printf(&labels, "%s.labels.npy", prefix);
    bioft_status st = codes.failed || labels.failed ? error_memory(err, "a path")
                                                    : retrieval_write_codes(codes.data, c, err);
    if (st == BIOFT_OK)
        st = write_labels(labels.data, c, sets, err);
    text_free(&codes);
    text_free(&labels);
    return st;
}
