/* Images in folders, SPLIT/CLASS/NAME.jpg or deeper, SPLIT/CLASS/.../NAME.jpg: what image_folder
 * and cifar10 share. */
#ifndef CLASS_FOLDERS_H
#define CLASS_FOLDERS_H

#include "walk.h"

enum { FOLDER_SPLITS = 4 };

struct image_file {
    const char *folder, *name; /* its path is one behind the other */
    uint32_t class_number, reserved;
};

struct folder_split {
    const char *name;
    struct image_file *files; /* by class, then by folder, then by name, all bytewise */
    uint64_t count, capacity;
};

struct class_folders {
    const bioft_host *host;
    const bioft_files *files;
    char **classes; /* the first split's, bytewise */
    uint32_t class_count;
    struct folder_split splits[FOLDER_SPLITS];
    uint32_t split_count;
    struct image_list texts; /* the folders' names */
    uint64_t others;         /* files that are no images by their names, and where the first is */
    char first_other[256];
};

/* Lists the splits that are there, in the order train, val, test, database. A class that only a
 * later split has, or one without images, is an error. */
bioft_status class_folders_read(struct class_folders *c, const bioft_host *host);
/* The same of CLASS/NAME.jpg in the root itself: all is one split, train. */
bioft_status class_folders_read_plain(struct class_folders *c, const bioft_host *host);
/* The same of CLASS/NAME.jpg in a folder below the root, "fog/3/", as one split of that name. */
bioft_status class_folders_read_as(struct class_folders *c, const bioft_host *host, const char *split,
                                   const char *folder);
void class_folders_free(struct class_folders *c); /* zero is fine */
/* Notes what was passed over. */
bioft_status class_folders_notes(const struct class_folders *c, bioft_info *info);
/* "train/cat/0007.jpg", which is its path as well. */
bioft_status class_folders_name(const struct class_folders *c, uint32_t split, uint64_t index, char *ret, size_t size);
bioft_status class_folders_sample(const struct class_folders *c, uint32_t split, uint64_t index, bioft_sample *ret);

#endif
