/* A dataset in arrays of NumPy: what its images and its labels share. */
#ifndef NPY_H
#define NPY_H

#include "dataset_util.h"

#include <inttypes.h>
#include <stdarg.h>

enum { SPLITS = 4, MAX_CLASSES = 65536 };
enum { LABELS_AUTO, LABELS_SINGLE, LABELS_SEVERAL };

struct arrays { /* one split's files */
    const char *name;
    bioft_array images, labels;
    uint64_t count;
};

typedef struct {
    const bioft_host *host;
    const bioft_files *files;
    struct arrays splits[SPLITS];
    uint32_t split_count;
    uint32_t height, width, channels, dtype;
    uint32_t classes;
    int32_t multi_label;
    int32_t form; /* LABELS_AUTO ... */
} npy;

/* An error of a file, with its path before it. */
__attribute__((format(printf, 3, 4)))
static inline bioft_status fail_at(const npy *d, const char *path, const char *format, ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return d->files->fail_at(d->host, BIOFT_ERR_FORMAT, path, 0, 0, text);
}

/* Are they labels of `count` images, and of what the other splits have? Then their classes are known. */
bioft_status npy_check_labels(npy *d, const char *path, const bioft_array *a, uint64_t count);
/* bioft_dataset.labels */
bioft_status npy_labels(const void *self, uint32_t split, uint64_t index, uint64_t *ret,
                        uint32_t label_words);

#endif
