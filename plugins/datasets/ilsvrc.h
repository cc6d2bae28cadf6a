/* ILSVRC 2012 on disk: train/WNID/NAME.JPEG, and the validation images in val/WNID/ or, flat, in
 * val/ beside the development kit. What imagenet and imagenet100 share. */
#ifndef ILSVRC_H
#define ILSVRC_H

#include "ilsvrc_truth.h"
#include "image_list.h"

struct ilsvrc {
    struct image_list list; /* the training images by class and name, then validation's */
    char base[64];          /* where train/ and val/ are: "" or "ILSVRC/Data/CLS-LOC/" */
    const char **wnids;     /* the classes, whose numbers are their places here */
    uint32_t class_count;
    const char **there; /* all in train, or without it all that validation has; bytewise */
    uint32_t there_count;
    const char **by_name; /* the classes bytewise, and their numbers */
    uint32_t *number;
    int has_train, flat;
    struct truth truth;
    uint64_t train_count;
    uint64_t others; /* files in class folders that are no images */
};

/* Finds the folders and what classes there are; then `there` may be chosen from. */
bioft_status ilsvrc_open(struct ilsvrc *m, const bioft_host *host);
/* The classes that are kept, in this order; wnids: from `there`. */
bioft_status ilsvrc_classes(struct ilsvrc *m, const char *const *wnids, uint32_t count);
/* A class's number, or BIOFT_NONE. */
uint32_t ilsvrc_number(const struct ilsvrc *m, const char *wnid);
/* Lists their images. strict: a validation image of another class is an error. */
bioft_status ilsvrc_read(struct ilsvrc *m, int strict);
void ilsvrc_free(struct ilsvrc *m); /* zero is fine */

/* train (without `val_per_class` of each class, which are val, where that is above 0) and test. */
bioft_status ilsvrc_classification(const struct ilsvrc *m, int64_t val_per_class, uint8_t *which);
/* The numbers of a class's images from first to end - 1. ret: room for them. */
uint64_t ilsvrc_members(const struct ilsvrc *m, uint32_t c, uint64_t first, uint64_t end, uint32_t *ret);
/* "n01440764 tench, Tinca tinca" where a file with names is there, else the wnid. */
bioft_status ilsvrc_names(const struct ilsvrc *m, bioft_info *info);
bioft_status ilsvrc_notes(const struct ilsvrc *m, bioft_info *info);

#endif
