/* What is known of a split's images, and their pixels where those are at hand. */
#ifndef DATA_PIXEL_STORE_H
#define DATA_PIXEL_STORE_H

#include "base/file.h"
#include "data/sample.h"

enum { SOURCE_HEX = 16 }; /* digits of the SHA-256 of an image's file, without a NUL */

struct size {
    uint32_t height, width;
};

struct pixel_store {
    struct size *size;          /* [count] */
    char (*source)[SOURCE_HEX]; /* [count] of what each is made from; NULL: not known */
    uint64_t *at;               /* [count + 1] where each begins in pixels, then their end */
    const uint8_t *pixels;      /* [height][width][3] each; NULL: decoded when they are used */
    uint8_t *own;               /* pixels that are freed */
    struct file_map map;        /* or lie in a cache's file */
};
void pixel_store_finish(struct pixel_store *h); /* zero is fine */
/* Fills in `at` from the sizes. */
bioft_status pixel_store_place(struct pixel_store *h, uint64_t count, uint32_t channels, struct error *err);
/* Of pixels that are at hand. */
struct pixels pixel_store_pixels(const struct pixel_store *h, uint64_t position, uint32_t channels);

/* Bytes of an image; false: more than can be counted. */
bool size_bytes(struct size s, uint32_t channels, uint64_t *ret);

#endif
