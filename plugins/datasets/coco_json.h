/* MS-COCO's instances_*.json, read as a stream: images, annotations and categories, whatever their
 * order (Lin et al., "Microsoft COCO: common objects in context", ECCV 2014). */
#ifndef COCO_JSON_H
#define COCO_JSON_H

#include "image_list.h"

struct coco_image {
    uint64_t id, at; /* at: byte of its end in the file */
    const char *file_name;
};

struct coco_annotation {
    uint64_t image, at;
    uint32_t category;
    int32_t crowd;
};

struct coco_category {
    uint64_t id, at;
    const char *name;
};

struct coco_file {
    struct coco_image *images; /* by id */
    struct coco_annotation *annotations;
    struct coco_category *categories; /* by id */
    uint64_t image_count, image_capacity;
    uint64_t annotation_count, annotation_capacity;
    uint64_t category_count, category_capacity;
};
/* Ids are unique, names are no paths, and every annotation's image and category are there. Texts
 * live in the list. */
bioft_status coco_read(const char *path, struct image_list *texts, struct coco_file *ret);
/* The second half of coco_read: sorts, and refuses what does not fit together. */
bioft_status coco_check(const char *path, const struct image_list *texts, struct coco_file *f);
void coco_free(struct coco_file *f); /* zero is fine */
/* The number of an image or category by its id, or BIOFT_NONE. */
uint32_t coco_find_image(const struct coco_file *f, uint64_t id);
uint32_t coco_find_category(const struct coco_file *f, uint64_t id);

#endif
