/* An image's format by its first bytes, its limits and its memory. */
#include "formats/image.h"
#include "formats/image_private.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const struct kind {
    const char *name, *magic;
    size_t length;
} others[] = {
    { "a GIF image", "GIF8", 4 },     { "a WebP or another RIFF file", "RIFF", 4 },
    { "a TIFF image", "II*\0", 4 },   { "a TIFF image", "MM\0*", 4 },
    { "a BMP image", "BM", 2 },       { "a JPEG 2000 image", "\0\0\0\fjP", 6 },
    { "a zip archive", "PK\3\4", 4 }, { "gzip", "\x1f\x8b", 2 },
    { "HTML or XML", "<", 1 },
};

static bool begins(const uint8_t *bytes, size_t size, const char *magic, size_t length)
{
    return size >= length && memcmp(bytes, magic, length) == 0;
}

static bioft_status refuse(const char *name, const uint8_t *bytes, size_t size, struct error *err)
{
    const char *kind = "of another kind";
    if (size == 0)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: an empty file, no image", name);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (!begins(bytes, size, others[i].magic, others[i].length))
            continue;
        kind = others[i].name;
        break;
    }
    return error_set(err, BIOFT_ERR_FORMAT, "%s: neither JPEG nor PNG: it is %s", name, kind);
}

bioft_status image_reserve(const char *name, uint32_t width, uint32_t height, struct bitmap *ret, struct error *err)
{
    if (width == 0 || height == 0 || width > IMAGE_SIDE || height > IMAGE_SIDE ||
        (uint64_t)width * height > IMAGE_PIXELS)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: an image of %u x %u pixels: sides are 1 to %d, at most %d pixels",
                         name, width, height, IMAGE_SIDE, IMAGE_PIXELS);
    size_t bytes = (size_t)width * height * 3;
    if (bytes <= ret->capacity)
        return BIOFT_OK;
    free(ret->pixels);
    ret->capacity = 0;
    ret->pixels = malloc(bytes);
    if (!ret->pixels)
        return error_memory(err, name);
    ret->capacity = bytes;
    return BIOFT_OK;
}

bioft_status image_decode(const char *name, const uint8_t *bytes, size_t size, unsigned flags, struct bitmap *ret,
                          struct error *err)
{
    bioft_status st;
    ret->width = ret->height = ret->warnings = 0;
    if (begins(bytes, size, "\xff\xd8", 2))
        st = image_jpeg(name, bytes, size, ret, err);
    else if (begins(bytes, size, "\x89PNG\r\n\x1a\n", 8))
        st = image_png(name, bytes, size, flags, ret, err);
    else
        st = refuse(name, bytes, size, err);
    if (st != BIOFT_OK)
        ret->width = ret->height = ret->warnings = 0;
    return st;
}

void image_free(struct bitmap *image)
{
    if (!image)
        return;
    free(image->pixels);
    *image = (struct bitmap){ .pixels = NULL };
}
