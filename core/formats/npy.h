/* NumPy's .npy, versions 1 to 3, as docs/formats.md says; no evaluation of the header. */
#ifndef FORMATS_NPY_H
#define FORMATS_NPY_H

#include "base/error.h"
#include <stdbool.h>

/* The values of BIOFT_DTYPE_*. i4 becomes I64, f8 becomes F32, b1 becomes U8. */
enum npy_dtype { NPY_U8 = 1, NPY_I64, NPY_F32 };

struct npy {
    enum npy_dtype dtype;
    unsigned dims;
    uint64_t shape[8];
    size_t count;  /* elements */
    void *data;    /* C order, aligned; npy_free */
    char descr[8]; /* as in the file, for messages */
};
/* name: for messages. Everything is checked, the array copied. */
bioft_status npy_parse(const char *name, const uint8_t *bytes, size_t size, struct npy *ret, struct error *err);
bioft_status npy_read(const char *path, struct npy *ret, struct error *err);
void npy_free(struct npy *npy);

/* Version 1.0, whole or not at all. data: count of dtype elements. */
bioft_status npy_write(const char *path, enum npy_dtype dtype, unsigned dims, const uint64_t *shape, const void *data,
                       struct error *err);
/* The header alone (for writing in pieces): bytes written to ret, 0 where it does not fit. */
size_t npy_header(enum npy_dtype dtype, unsigned dims, const uint64_t *shape, char *ret, size_t size);

#endif
