/* safetensors: a JSON header and arrays. Every check of the reference implementation and ours. */
#ifndef FORMATS_SAFETENSORS_H
#define FORMATS_SAFETENSORS_H

#include "base/error.h"
#include <stdbool.h>

enum tensor_dtype {
    TENSOR_UNKNOWN = 0, TENSOR_F32, TENSOR_F16, TENSOR_BF16, TENSOR_F64, TENSOR_I64, TENSOR_I32,
    TENSOR_U8, TENSOR_BOOL,
    TENSOR_OTHER                                   /* a known dtype that bioft does not load */
};

struct tensor_entry {
    char *name;
    enum tensor_dtype dtype;
    char dtype_name[12];
    unsigned dims;
    uint64_t shape[8];
    size_t count;
    const uint8_t *bytes;                          /* in the map: maybe not aligned */
    size_t size;
};
struct safetensors;                                /* an open file: its map, header and metadata */
bioft_status safetensors_open(const char *path, struct safetensors **ret, struct error *err);
/* bytes must outlive it. */
bioft_status safetensors_parse(const char *name, const uint8_t *bytes, size_t size,
                               struct safetensors **ret, struct error *err);
void safetensors_close(struct safetensors *s);     /* NULL is fine */
size_t safetensors_count(const struct safetensors *s);
/* In the order of the data. */
const struct tensor_entry *safetensors_entry(const struct safetensors *s, size_t index);
const struct tensor_entry *safetensors_find(const struct safetensors *s, const char *name);
const char *safetensors_metadata(const struct safetensors *s, const char *key);    /* NULL: none */

/* Converts F32, F16, BF16, F64 to float; count is checked. */
bioft_status tensor_to_float(const struct tensor_entry *t, float *ret, size_t count,
                             struct error *err);
/* I64, I32, U8, BOOL to int64. */
bioft_status tensor_to_int64(const struct tensor_entry *t, int64_t *ret, size_t count,
                             struct error *err);

/* Writing: declare everything, begin, give the data of each in the order declared, commit. The
 * tensors are declared by groups, F32, I64, U8 in this order. */
struct safetensors_out {
    const char *name;
    enum tensor_dtype dtype;                       /* F32, I64 or U8 */
    unsigned dims;
    uint64_t shape[8];
};
struct safetensors_meta {
    const char *key, *value;
};
struct safetensors_writer;
bioft_status safetensors_begin(const char *path, const struct safetensors_out *tensors,
                               size_t count, const struct safetensors_meta *metadata,
                               size_t metadata_count, struct safetensors_writer **ret,
                               struct error *err);
bioft_status safetensors_add(struct safetensors_writer *w, const void *data, size_t bytes,
                             struct error *err);
/* Frees w, whatever it returns. */
bioft_status safetensors_commit(struct safetensors_writer *w, struct error *err);
void safetensors_abort(struct safetensors_writer *w);      /* NULL is fine */

#endif
