/* The releases of CIFAR-10 and CIFAR-100 (Krizhevsky, "Learning multiple layers of features from
 * tiny images", 2009). Binary: records of one or two label bytes and 32x32 pixels, planes of red,
 * green and blue. Python: a pickled dict with the pixels as an array [n][3072] in the same order, and
 * lists of labels. */
#ifndef CIFAR_RECORDS_H
#define CIFAR_RECORDS_H

#include "dataset_util.h"

enum { CIFAR_SIDE = 32, CIFAR_PLANE = CIFAR_SIDE * CIFAR_SIDE, CIFAR_PIXELS = 3 * CIFAR_PLANE };

struct cifar_file {
    const uint8_t *bytes, *pixels; /* of the first record */
    uint64_t records, stride;
    const int64_t *labels[2]; /* NULL: the record's first bytes are labels */
};

/* Maps a file of records of label_bytes + CIFAR_PIXELS bytes; label k of each must be below
 * limits[k]. */
bioft_status cifar_map(const bioft_host *host, const char *path, uint32_t label_bytes, const uint32_t *limits,
                       struct cifar_file *ret);
/* The same of a pickled file, whose label k is under keys[k]; `keys` ends with NULL. */
bioft_status cifar_unpickle(const bioft_host *host, const char *path, const char *const *keys, const uint32_t *limits,
                            struct cifar_file *ret);
static inline uint8_t cifar_label(const struct cifar_file *f, uint64_t record, uint32_t k)
{
    return f->labels[k] ? (uint8_t)f->labels[k][record] : f->bytes[record * f->stride + k];
}
bioft_status cifar_sample(const bioft_host *host, const struct cifar_file *f, uint64_t record, bioft_sample *ret);

/* `count` names, one a line, into buffer (room for `size` bytes), which they point into. */
bioft_status cifar_names(const bioft_host *host, const char *path, uint32_t count, char *buffer, size_t size,
                         const char **ret);
/* The same of a pickled dict, under a key; they live as long as the instance. */
bioft_status cifar_unpickle_names(const bioft_host *host, const char *path, const char *key, uint32_t count,
                                  const char **ret);

#endif
