/* What is behind a struct dataset, for this room alone. */
#ifndef DATA_PRIVATE_H
#define DATA_PRIVATE_H

#include "data/dataset.h"
#include "data/describe.h"
#include "data/files.h"
#include "data/omitted.h"
#include "data/pixel_store.h"

/* Pixels are held in memory up to this size, all splits together. */
#define PIXEL_STORE_BYTES (UINT64_C(1) << 30)

struct sides { /* smallest and largest; all 0: of nothing */
    uint32_t min_height, min_width, max_height, max_width;
};

struct dataset_private {
    struct arena *arena; /* names and notes */
    struct files *files;
    uint32_t format;                        /* of the first sample: BIOFT_SAMPLE_* */
    struct sides sides;                     /* of the images kept */
    struct pixel_store stored[MAX_SPLITS];  /* with pixels where all have one size and there is room */
    struct pixel_store resized[MAX_SPLITS]; /* the same images resized for an input */
    uint32_t resized_height, resized_width; /* of these sides; 0: none */
    bool resized_train;                     /* those of training too */
    size_t note_capacity;
    char digest[SHA256_HEX]; /* "": not asked for yet */
    struct omitted *omitted; /* images left out */
    size_t omitted_count, omitted_capacity;
};

/* `status`, of what was made of the dataset's files; BIOFT_ERR_IO where one that is mapped, a cache too, was cut. */
bioft_status dataset_check(const struct dataset *d, bioft_status status, struct error *err);
/* Adds a note of the host's own and logs it. */
bioft_status dataset_note(struct dataset *d, const struct log *log, const char *text, struct error *err);

#endif
