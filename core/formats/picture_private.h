/* What the decoders of picture.h share: their entry points, and the memory of the pixels. */
#ifndef FORMATS_PICTURE_PRIVATE_H
#define FORMATS_PICTURE_PRIVATE_H

#include "formats/picture.h"

bioft_status picture_jpeg(const char *name, const uint8_t *bytes, size_t size, struct bitmap *ret,
                          struct error *err);
bioft_status picture_png(const char *name, const uint8_t *bytes, size_t size, unsigned flags,
                         struct bitmap *ret, struct error *err);

/* Checks the size against the limits and makes room for its pixels. */
bioft_status picture_reserve(const char *name, uint32_t width, uint32_t height, struct bitmap *ret,
                             struct error *err);

#endif
