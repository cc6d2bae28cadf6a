/* PNG images, by libpng: 8-bit RGB or grey out, and written for people to look at. */
#ifndef FORMATS_PNG_H
#define FORMATS_PNG_H

#include "base/error.h"

/* pixels: [height][width][channels], channels 1 or 3. Whole or not at all. */
bioft_status png_write(const char *path, uint32_t width, uint32_t height, uint32_t channels, const uint8_t *pixels,
                       struct error *err);
const char *png_library_version(void); /* libpng's, as it runs */

#endif
