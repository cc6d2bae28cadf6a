/* What is behind a struct dataset, for this room alone. */
#ifndef DATA_PRIVATE_H
#define DATA_PRIVATE_H

#include "base/file.h"
#include "data/dataset.h"
#include "data/describe.h"
#include "data/files.h"

struct sides { /* smallest and largest; all 0: of nothing */
    uint32_t min_height, min_width, max_height, max_width;
};

struct dataset_private {
    struct arena *arena; /* names and notes */
    struct files *files;
    uint32_t format;           /* of the first sample: BIOFT_SAMPLE_* */
    struct sides sides;        /* of the pictures kept */
    struct held {              /* decoded pictures, where all have one size and there is room */
        const uint8_t *pixels; /* [count][height][width][3]; NULL: decoded when they are used */
        uint8_t *own;          /* pixels that are freed */
        struct file_map map;   /* or lie in a cache's file */
    } held[MAX_SPLITS];
    size_t note_capacity;
};

/* Adds a note of the host's own and logs it. */
bioft_status dataset_note(struct dataset *d, const struct log *log, const char *text,
                          struct error *err);

#endif
