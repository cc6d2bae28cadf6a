/* A dataset as the rest of core sees it: a plugin's splits after the manifest's choice of classes and samples. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include "base/sha256.h"
#include "base/threads.h"
#include "manifest/experiment.h"
#include "plugin/instance.h"

struct split {
    const char *name;         /* "train", "val", "test", "database" */
    uint32_t number;          /* the plugin's */
    uint64_t count;           /* samples kept */
    const uint64_t *index;    /* [count] in the plugin's numbering, ascending */
    int32_t *label;           /* [count], -1 where a sample has not exactly one */
    uint64_t *labels;         /* [count][label_words] bit sets */
    uint64_t left_out;        /* broken, missing or unlabelled images dropped */
    char fingerprint[17];     /* count and hash of the names: first 16 hex of a SHA-256 */
    char content[SHA256_HEX]; /* of the pixels, or the images' files, and the labels */
    char identity[17];        /* of fingerprint, content and left_out: what is measured on */
};

struct dataset {
    const struct dataset_spec *spec;
    struct instance *instance;
    const char *name, *protocol; /* plugin's name; protocol in words, "classification" by default */
    uint32_t classes, label_words;
    bool multi_label;
    const char *const *class_names; /* [classes] */
    struct split *splits;
    size_t split_count;
    uint32_t channels, height, width; /* of the first sample; encoded images: channels 3 */
    bool encoded;
    const char *const *notes;
    size_t note_count;
    struct dataset_private *private;
};

/* Opens, describes, keeps the manifest's classes and at most `limit` samples a split (class-balanced, by split_seed), and
 * decodes every image once: what is missing, broken or unlabelled is left out, counted and noted, or an error, as the
 * policies say. Decoded images of one size stay in memory up to 1 GiB (cache: auto or a folder) and in the cache's
 * folder for the next run, which compares some with the files; `off` decodes at each use. Photographs are kept resized
 * (pixel_store_keep_resized). spec must live on. */
bioft_status dataset_open(const struct dataset_spec *spec, struct pool *pool, const struct log *log,
                          struct dataset **ret, struct error *err);
void dataset_close(struct dataset *d);                                        /* NULL is fine */
const struct split *dataset_split(const struct dataset *d, const char *name); /* NULL: none */
/* The split, or an error that names those there are. */
bioft_status dataset_need(const struct dataset *d, const char *name, const struct split **ret, struct error *err);

#endif
