/* The Python dict in a .npy file's header, read by its grammar and never evaluated. */
#ifndef FORMATS_NPY_DICT_H
#define FORMATS_NPY_DICT_H

#include "base/error.h"
#include <stdbool.h>

enum { NPY_DIMS = 8 };

struct npy_dict {
    char descr[8]; /* as written; a longer one is refused */
    bool fortran_order;
    unsigned dims;
    uint64_t shape[NPY_DIMS];
};
bioft_status npy_dict_parse(const char *name, const char *text, size_t size, struct npy_dict *ret, struct error *err);

#endif
