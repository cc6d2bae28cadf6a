/* The binary releases of CIFAR-10 and CIFAR-100: records of one or two label bytes and 32x32
 * pixels, planes of red, green and blue (Krizhevsky, "Learning multiple layers of features from
 * tiny images", 2009). */
#ifndef CIFAR_RECORDS_H
#define CIFAR_RECORDS_H

#include "dataset_util.h"

enum { CIFAR_SIDE = 32, CIFAR_PLANE = CIFAR_SIDE * CIFAR_SIDE, CIFAR_PIXELS = 3 * CIFAR_PLANE };

struct cifar_file {
    const uint8_t *bytes;
    uint64_t records;
    uint32_t label_bytes;
};

/* Maps a file of records of label_bytes + CIFAR_PIXELS bytes; label k of each must be below
 * limits[k]. */
bioft_status cifar_map(const bioft_host *host, const char *path, uint32_t label_bytes,
                       const uint32_t *limits, struct cifar_file *ret);
static inline uint8_t cifar_label(const struct cifar_file *f, uint64_t record, uint32_t k)
{
    return f->bytes[record * (f->label_bytes + CIFAR_PIXELS) + k];
}
bioft_status cifar_sample(const bioft_host *host, const struct cifar_file *f, uint64_t record,
                          bioft_sample *ret);

/* `count` names, one a line, into buffer (room for `size` bytes), which they point into. */
bioft_status cifar_names(const bioft_host *host, const char *path, uint32_t count, char *buffer,
                         size_t size, const char **ret);

#endif
