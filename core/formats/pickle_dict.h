/* What a pickled dict has under some keys: arrays, lists of integers, lists of text. CIFAR's Python releases are such
 * files; nothing in them is executed. */
#ifndef FORMATS_PICKLE_DICT_H
#define FORMATS_PICKLE_DICT_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

enum pickle_field_kind {
    PICKLE_FIELD_MISSING = 0,
    PICKLE_FIELD_ARRAY, /* of uint8, in C order */
    PICKLE_FIELD_INTEGERS,
    PICKLE_FIELD_TEXTS
};
struct pickle_field {
    const char *key;             /* asked for */
    enum pickle_field_kind kind; /* the rest is found: */
    unsigned dims;
    uint64_t shape[8]; /* of lists [n] */
    const void *data;  /* uint8_t in the file's bytes; int64_t; const char * */
    void *owned;       /* what of data is memory; pickle_dict_free */
};
/* Fills the fields whose keys there are; a value of another kind under such a key is refused. bytes must outlive the
 * fields. name: for messages. */
bioft_status pickle_dict_read(const char *name, const uint8_t *bytes, size_t size, struct pickle_field *fields,
                              size_t count, struct error *err);
void pickle_dict_free(struct pickle_field *fields, size_t count);

#endif
