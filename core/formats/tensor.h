/* Named arrays as the weight formats hold them: what is read, what is declared to be written. */
#ifndef FORMATS_TENSOR_H
#define FORMATS_TENSOR_H

#include "base/error.h"
#include <stdbool.h>

enum { TENSOR_DIMS = 8, TENSOR_NAME = 512, TENSORS = 100000 };

enum tensor_dtype {
    TENSOR_UNKNOWN = 0,
    TENSOR_F32,
    TENSOR_F16,
    TENSOR_BF16,
    TENSOR_F64,
    TENSOR_I64,
    TENSOR_I32,
    TENSOR_I16,
    TENSOR_I8,
    TENSOR_U8,
    TENSOR_BOOL,
    TENSOR_OTHER /* a known dtype that bioft does not load */
};
/* By the name in safetensors; *ret_size (may be NULL): bytes of an element, 0 where unknown. */
enum tensor_dtype tensor_dtype_named(const char *name, size_t length, size_t *ret_size);
const char *tensor_dtype_name(enum tensor_dtype dtype); /* NULL: not one that is loaded */
size_t tensor_dtype_size(enum tensor_dtype dtype);      /* 0: not one that is loaded */

struct tensor_entry {
    char *name;
    enum tensor_dtype dtype;
    char dtype_name[12];
    unsigned dims;
    uint64_t shape[TENSOR_DIMS];
    size_t count;
    const uint8_t *bytes;         /* in the map: maybe not aligned */
    size_t size;                  /* from the first element to past the last */
    bool strided;                 /* not row-major: elements lie `stride` apart */
    uint64_t stride[TENSOR_DIMS]; /* in elements; meaningful where strided */
};

/* Converts F32, F16, BF16, F64 to float; count is checked. */
bioft_status tensor_to_float(const struct tensor_entry *t, float *ret, size_t count, struct error *err);
/* I64, I32, I16, I8, U8, BOOL to int64. */
bioft_status tensor_to_int64(const struct tensor_entry *t, int64_t *ret, size_t count, struct error *err);
/* The values where they lie, if they are aligned row-major F32; else NULL. */
const float *tensor_floats(const struct tensor_entry *t);
/* The elements as they are in the file, row-major, count * size of one; for any loaded dtype. */
void tensor_gather(const struct tensor_entry *t, void *ret);

/* What a writer is told of a tensor before its data. */
struct tensor_out {
    const char *name;
    enum tensor_dtype dtype;
    unsigned dims;
    uint64_t shape[TENSOR_DIMS];
};
/* Names of 1 to 512 bytes of UTF-8, each once, of loaded dtypes, with sizes that can be; ret_bytes
 * [count] are those sizes. "PATH: FORMAT: tensor 'NAME': WHY". */
bioft_status tensor_out_check(const char *path, const char *format, const struct tensor_out *tensors, size_t count,
                              size_t *ret_bytes, struct error *err);
bioft_status tensor_out_refuse(const char *path, const char *format, const char *name, const char *why,
                               struct error *err);

#endif
