/* The hashing literature's list files: train.txt, val.txt, test.txt, database.txt with a line
 * `path b1 ... bC` of zeros and ones for each image (Cao et al., "HashNet", ICCV 2017, and its
 * successors). */
#ifndef LABEL_LISTS_H
#define LABEL_LISTS_H

#include "image_list.h"

struct label_lists {
    const char *folder; /* absolute */
    const char *strip;  /* what paths begin with that is no part of them here; NULL: nothing */
    int single;         /* exactly one label an image */
    /* Where the image is below the root, or NULL with a failure told. path: as in the list,
     * label: the first column with a one. NULL: paths are as they stand. */
    const char *(*place)(void *ctx, struct image_list *l, const char *path, uint32_t label);
    void *ctx;
    uint32_t columns; /* found */
};
/* Reads the lists that are there; they are the splits. Several labels an image unless single. A
 * path twice in one list and one of test in train are refused; others that are in two lists are
 * noted. */
bioft_status label_lists_read(struct label_lists *lists, struct image_list *l, bioft_info *info);

#endif
