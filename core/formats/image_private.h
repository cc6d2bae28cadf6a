/* What the decoders of image.h share: their entry points, and the memory of the pixels. */
#ifndef FORMATS_IMAGE_PRIVATE_H
#define FORMATS_IMAGE_PRIVATE_H

#include "formats/image.h"

bioft_status image_jpeg(const char *name, const uint8_t *bytes, size_t size, struct bitmap *ret, struct error *err);
bioft_status image_png(const char *name, const uint8_t *bytes, size_t size, unsigned flags, struct bitmap *ret,
                       struct error *err);

/* Checks the size against the limits and makes room for its pixels. */
bioft_status image_reserve(const char *name, uint32_t width, uint32_t height, struct bitmap *ret, struct error *err);

#endif
