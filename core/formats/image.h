/* Images: JPEG and PNG in memory, decoded to 8-bit RGB pixel for pixel as Pillow does it.
 * What is nowhere read: ICC profiles, gamma, EXIF orientation. Alpha is dropped, not blended. */
#ifndef FORMATS_IMAGE_H
#define FORMATS_IMAGE_H

#include "base/error.h"
#include <stddef.h>

/* The largest side and the most pixels that are decoded (the latter Pillow's). */
enum { IMAGE_SIDE = 65500, IMAGE_PIXELS = 178956970 };

/* Decoding into the same struct again reuses its memory. Zeroed at first; image_free at last. */
struct bitmap {
    uint32_t width, height; /* 0 after an error */
    uint8_t *pixels;        /* [height][width][3] */
    size_t capacity;
    uint32_t warnings; /* damage that a decoder passes over, as Pillow does */
};

/* Flags. Pillow makes a grey image of 16 bits white where it is not nearly black; without this
 * flag the high byte is taken. */
enum { IMAGE_PILLOW_GREY16 = 1 };

/* From any thread. A truncated file is an error, bytes after the end are not. */
bioft_status image_decode(const char *name, const uint8_t *bytes, size_t size, unsigned flags, struct bitmap *ret,
                          struct error *err);
void image_free(struct bitmap *image); /* NULL is fine */

#endif
