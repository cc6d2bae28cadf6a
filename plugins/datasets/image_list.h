/* Images named one by one: files below the root, their labels and the splits they are in. What
 * imagenet, imagenet100, nus_wide and coco share. */
#ifndef IMAGE_LIST_H
#define IMAGE_LIST_H

#include "dataset_util.h"

enum { SPLIT_TRAIN, SPLIT_VAL, SPLIT_TEST, SPLIT_DATABASE, SPLIT_COUNT, SPLIT_NONE = 255 };
extern const char *const image_split_names[SPLIT_COUNT];

struct listed_image { /* its path is one behind the other */
    const char *folder, *name;
};

struct listed_split {
    uint32_t kind; /* SPLIT_TRAIN ... */
    uint64_t count;
    uint32_t *images; /* ascending */
};

struct text_block;
struct image_list {
    const bioft_host *host;
    const bioft_files *files;
    struct listed_image *images;
    uint32_t *label; /* [count] where every image has one label ... */
    uint64_t *bits;  /* [count][label_words] where it may have several */
    uint64_t count, capacity;
    uint32_t label_words; /* 0: single labels */
    struct listed_split splits[SPLIT_COUNT];
    uint32_t split_count;
    struct text_block *texts;
};

/* What describe() begins with; the host is in the list. known: the dataset's protocols. */
bioft_status image_list_begin(struct image_list *l, const char *const *known);
/* Does the manifest ask for retrieval? */
int image_list_retrieval(const struct image_list *l);
void image_list_free(struct image_list *l); /* zero is fine */

/* For several labels an image: call it before the first is added. */
void image_list_multi_label(struct image_list *l, uint32_t classes);
/* A copy of text that lives as long as the list, or NULL. */
const char *image_list_text(struct image_list *l, const char *text, size_t length);
/* folder and name must live on. label: ignored where there may be several. */
bioft_status image_list_add(struct image_list *l, const char *folder, const char *name, uint32_t label);
static inline uint64_t *image_list_bits(const struct image_list *l, uint64_t image)
{
    return l->bits + image * l->label_words;
}

struct image_draw {
    const char *stream, *what; /* what: names the images in a message, "class 'cat'" */
    const uint32_t *images;    /* [n] to draw from */
    uint64_t n;
    const int64_t *wanted; /* [count] kinds[k] gets wanted[k] of them */
    const uint8_t *kinds;
    int count;
};
/* By the permutation of the stream; the rest of which[] stays as it is: which[image] is its split.
 * BIOFT_ERR_FORMAT where they are too few. */
bioft_status image_list_draw(const struct image_list *l, const struct image_draw *d, uint8_t *which);
/* Makes the splits that have images. */
bioft_status image_list_split(struct image_list *l, const uint8_t *which);
/* Tells the host of them. */
bioft_status image_list_describe(const struct image_list *l, bioft_info *info);

/* The callbacks of a bioft_dataset whose instance begins with a image_list. */
#define IMAGE_LIST_CALLS .labels = image_list_labels, .name = image_list_name, .sample = image_list_sample
bioft_status image_list_labels(const void *self, uint32_t split, uint64_t index, uint64_t *ret, uint32_t label_words);
bioft_status image_list_name(const void *self, uint32_t split, uint64_t index, char *ret, size_t size);
bioft_status image_list_sample(const void *self, void *reader, uint32_t split, uint64_t index, bioft_sample *ret);

#endif
