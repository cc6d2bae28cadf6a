/* safetensors: a JSON header and arrays. Every check of the reference implementation and ours. */
#ifndef FORMATS_SAFETENSORS_H
#define FORMATS_SAFETENSORS_H

#include "formats/tensor.h"

struct safetensors; /* an open file: its map, header and metadata */
bioft_status safetensors_open(const char *path, struct safetensors **ret, struct error *err);
/* `status`, or where the file was cut while it was open BIOFT_ERR_IO: what was read of it counts for nothing. */
bioft_status safetensors_check(const struct safetensors *s, bioft_status status, struct error *err);
/* bytes must outlive it. */
bioft_status safetensors_parse(const char *name, const uint8_t *bytes, size_t size, struct safetensors **ret,
                               struct error *err);
void safetensors_close(struct safetensors *s); /* NULL is fine */
size_t safetensors_count(const struct safetensors *s);
/* In the order of the data. */
const struct tensor_entry *safetensors_entry(const struct safetensors *s, size_t index);
const struct tensor_entry *safetensors_find(const struct safetensors *s, const char *name);
const char *safetensors_metadata(const struct safetensors *s, const char *key); /* NULL: none */

/* Writing: declare everything, begin, give the data of each in the order declared, commit. The
 * tensors are declared by groups: F32, I64, F64, I32, F16, BF16, I16, U8, I8, BOOL. */
int safetensors_group(enum tensor_dtype dtype); /* where a dtype stands in that order */
struct safetensors_meta {
    const char *key, *value;
};
struct safetensors_writer;
bioft_status safetensors_begin(const char *path, const struct tensor_out *tensors, size_t count,
                               const struct safetensors_meta *metadata, size_t metadata_count,
                               struct safetensors_writer **ret, struct error *err);
bioft_status safetensors_add(struct safetensors_writer *w, const void *data, size_t bytes, struct error *err);
/* Frees w, whatever it returns. */
bioft_status safetensors_commit(struct safetensors_writer *w, struct error *err);
void safetensors_abort(struct safetensors_writer *w); /* NULL is fine */

#endif
