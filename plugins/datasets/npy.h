/* A dataset in arrays of NumPy, in files or in an archive: what npy and npz share. */
#ifndef NPY_H
#define NPY_H

#include "dataset_util.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>

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
    int32_t form;        /* LABELS_AUTO ... */
    const char *file;    /* npz's option */
    const char *archive; /* that the arrays are in; NULL: each is a file */
} npy;

/* An error of an array, with its path before it. */
__attribute__((format(printf, 3, 4))) static inline bioft_status fail_at(const npy *d, const char *path,
                                                                         const char *format, ...)
{
    char text[300], whole[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    snprintf(whole, sizeof whole, "%.60s: %s", path, text);
    return d->archive ? d->files->fail_at(d->host, BIOFT_ERR_FORMAT, d->archive, 0, 0, whole)
                      : d->files->fail_at(d->host, BIOFT_ERR_FORMAT, path, 0, 0, text);
}

/* Are they labels of `count` images, and of what the other splits have? Then their classes are known. */
bioft_status npy_check_labels(npy *d, const char *path, const bioft_array *a, uint64_t count);
/* The split after the last, whose arrays are in its place: checks them and counts it. images, labels: what messages call
 * them. */
bioft_status npy_add_split(npy *d, const char *split, const char *images, const char *labels);
/* Tells the host of classes and splits. */
bioft_status npy_describe(const npy *d, bioft_info *info);

/* The callbacks of a bioft_dataset whose instance is an npy, and its option. */
#define NPY_CALLS .labels = npy_labels, .name = npy_name, .sample = npy_sample, .multi_label = npy_multi_label
extern const char *const npy_label_forms[];
#define NPY_LABELS \
    { \
        .name = "labels", .type = BIOFT_CHOICE, .offset = offsetof(npy, form), .choices = npy_label_forms, \
        .help = "single: a class a sample, [n] or [n,1]; several: [n,classes] of 0 and 1; auto: single " \
                "but for two columns and more" \
    }
bioft_status npy_labels(const void *self, uint32_t split, uint64_t index, uint64_t *ret, uint32_t label_words);

bioft_status npy_name(const void *self, uint32_t split, uint64_t index, char *ret, size_t size);
bioft_status npy_sample(const void *self, void *reader, uint32_t split, uint64_t index, bioft_sample *ret);
int32_t npy_multi_label(const void *self);

/* bioft_dataset.samples of both. */
#define NPY_SAMPLES \
    .samples = "images [n,h,w,c] of uint8 0 to 255, or [n,c,h,w] of float32 or float64 in [0,1], grey ones also " \
               "[n,h,w], 1 to 4 channels; labels integers (or uint8) [n] or [n,1] from 0, or, for several a " \
               "sample, [n,classes] of 0 and 1"

#endif
