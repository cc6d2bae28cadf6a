/* PNG images written by libpng: 8-bit grey or RGB, no time and no text, so that equal pixels give
 * equal bytes. */
#include "formats/png.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

enum { LEVEL = 6, LONGEST_SIDE = 65500 };

/* What libpng's callbacks get. */
struct writing {
    struct text bytes;
    char why[200];
};

static void on_write(png_structp png, png_bytep data, size_t size)
{
    struct writing *w = png_get_io_ptr(png);
    text_add_n(&w->bytes, (const char *)data, size);
    if (w->bytes.failed)
        png_error(png, "out of memory");
}

static void on_flush(png_structp png) { (void)png; }

static void on_error(png_structp png, png_const_charp text)
{
    struct writing *w = png_get_error_ptr(png);
    snprintf(w->why, sizeof w->why, "%s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

/* false: w->why says why. */
static bool encode(struct writing *w, uint32_t width, uint32_t height, uint32_t channels, const uint8_t *pixels)
{
    png_infop info = NULL;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, w, on_error, on_warning);
    if (png)
        info = png_create_info_struct(png);
    if (!info) {
        png_destroy_write_struct(&png, NULL);
        snprintf(w->why, sizeof w->why, "out of memory");
        return false;
    }
    if (setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        return false;
    }
    png_set_write_fn(png, w, on_write, on_flush);
    png_set_user_limits(png, LONGEST_SIDE, LONGEST_SIDE);
    png_set_IHDR(png, info, width, height, 8, channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(png, LEVEL);
    png_write_info(png, info);
    for (size_t y = 0; y < height; y++)
        png_write_row(png, pixels + y * width * channels);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    return true;
}

bioft_status png_write(const char *path, uint32_t width, uint32_t height, uint32_t channels, const uint8_t *pixels,
                       struct error *err)
{
    struct writing w = { .why = "" };
    bioft_status st;
    if ((channels != 1 && channels != 3) || width == 0 || height == 0 || width > LONGEST_SIDE || height > LONGEST_SIDE)
        return error_set(err, BIOFT_ERR_INVALID,
                         "%s: no PNG of %u x %u pixels with %u channels: sides are 1 to %d, "
                         "channels 1 or 3",
                         path, width, height, channels, LONGEST_SIDE);
    if (encode(&w, width, height, channels, pixels))
        st = file_write(path, w.bytes.data, w.bytes.length, err);
    else
        st = error_set(err, BIOFT_ERR_MEMORY, "%s: PNG: %s", path, w.why);
    text_free(&w.bytes);
    return st;
}

const char *png_library_version(void) { return png_get_libpng_ver(NULL); }
