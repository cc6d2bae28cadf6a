/* PNG (ISO/IEC 15948) by libpng, to the RGB that Pillow makes of it. */
#include "formats/image_private.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

/* Deflate cannot expand more than 1032 to 1. */
enum { EXPANSION = 1032, SLACK = 64 << 10, CHUNK = 1 << 20 };

/* How rows come from the library: RGB, or something that is widened here. */
enum rows { ROWS_RGB, ROWS_INDEX, ROWS_GREY16 };

/* One image being decoded. What the library's longjmp passes over lies here, not on the stack. */
struct decoding {
    const char *name;
    const uint8_t *bytes;
    size_t size, at;
    struct bitmap *image;
    struct error *err;
    bioft_status status;
    bool pillow_grey16;
    uint32_t width, height;
    enum rows rows;
    png_structp png;
    png_infop info;
};

static void on_error(png_structp png, png_const_charp text)
{
    struct decoding *d = png_get_error_ptr(png);
    d->status = error_set(d->err, BIOFT_ERR_FORMAT, "%s: PNG: %s", d->name, text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    struct decoding *d = png_get_error_ptr(png);
    (void)text;
    d->image->warnings++;
}

static void stop(struct decoding *d, bioft_status status)
{
    d->status = status;
    png_longjmp(d->png, 1);
}

static void on_read(png_structp png, png_bytep data, size_t size)
{
    struct decoding *d = png_get_io_ptr(png);
    if (d->size - d->at < size)
        stop(d, error_set(d->err, BIOFT_ERR_FORMAT, "%s: PNG: truncated after %zu bytes", d->name, d->size));
    memcpy(data, d->bytes + d->at, size);
    d->at += size;
}

static void set_limits(png_structp png)
{
    png_set_user_limits(png, IMAGE_SIDE, IMAGE_SIDE);
    png_set_chunk_malloc_max(png, CHUNK);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_WARN_DISCARD);
    /* Everything but header, palette, data and end is passed over unread: profiles and texts may be
     * bombs, gamma and transparency are not used. */
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, (png_const_bytep) "tRNS", 1);
}

static void read_header(struct decoding *d)
{
    int depth, colour;
    png_set_read_fn(d->png, d, on_read);
    png_read_info(d->png, d->info);
    png_get_IHDR(d->png, d->info, &d->width, &d->height, &depth, &colour, NULL, NULL, NULL);
    uint64_t raw = ((uint64_t)png_get_rowbytes(d->png, d->info) + 1) * d->height;
    bioft_status st;
    if (raw / EXPANSION > d->size + SLACK / EXPANSION)
        st = error_set(d->err, BIOFT_ERR_FORMAT, "%s: PNG: truncated: %zu bytes cannot hold %u x %u pixels", d->name,
                       d->size, d->width, d->height);
    else
        st = image_reserve(d->name, d->width, d->height, d->image, d->err);
    if (st != BIOFT_OK)
        stop(d, st);

    d->rows = ROWS_RGB;
    if (colour == PNG_COLOR_TYPE_PALETTE) {
        d->rows = ROWS_INDEX; /* looked up here, where the range is checked */
        png_set_packing(d->png);
        return;
    }
    if (colour == PNG_COLOR_TYPE_GRAY && depth == 16) {
        d->rows = ROWS_GREY16;
        return;
    }
    if (depth == 16)
        png_set_strip_16(d->png);
    if (colour == PNG_COLOR_TYPE_GRAY && depth < 8)
        png_set_expand_gray_1_2_4_to_8(d->png);
    if (colour & PNG_COLOR_MASK_ALPHA)
        png_set_strip_alpha(d->png);
    if (!(colour & PNG_COLOR_MASK_COLOR))
        png_set_gray_to_rgb(d->png);
}

/* Bytes a pixel takes in a row of the library's. */
static size_t pixel_size(const struct decoding *d) { return d->rows == ROWS_RGB ? 3 : d->rows == ROWS_GREY16 ? 2 : 1; }

/* Rows that are to be widened lie at the end of the pixels: widening from the front then never
 * overtakes what is not read yet. */
static uint8_t *raw_pixels(const struct decoding *d)
{
    return d->image->pixels + (size_t)d->width * d->height * (3 - pixel_size(d));
}

static void read_rows(struct decoding *d)
{
    size_t row_bytes = pixel_size(d) * d->width;
    int passes = png_set_interlace_handling(d->png);
    png_read_update_info(d->png, d->info);
    if (png_get_rowbytes(d->png, d->info) != row_bytes)
        stop(d, error_set(d->err, BIOFT_ERR_FORMAT, "%s: PNG: rows of another size than announced", d->name));
    if (passes > 1)
        memset(raw_pixels(d), 0, row_bytes * d->height);
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < d->height; y++)
            png_read_row(d->png, raw_pixels(d) + y * row_bytes, NULL);
    png_read_end(d->png, NULL);
}

static void widen_indices(struct decoding *d)
{
    png_colorp palette = NULL;
    int count = 0;
    const uint8_t *from = raw_pixels(d);
    uint8_t *to = d->image->pixels;
    png_get_PLTE(d->png, d->info, &palette, &count);
    for (size_t i = 0; i < (size_t)d->width * d->height; i++, to += 3) {
        unsigned index = from[i];
        if (index >= (unsigned)count)
            stop(d, error_set(d->err, BIOFT_ERR_FORMAT, "%s: PNG: index %u in a palette of %d colours", d->name, index,
                              count));
        to[0] = palette[index].red;
        to[1] = palette[index].green;
        to[2] = palette[index].blue;
    }
}

static void widen_grey16(struct decoding *d)
{
    const uint8_t *from = raw_pixels(d);
    uint8_t *to = d->image->pixels;
    for (size_t i = 0; i < (size_t)d->width * d->height; i++, from += 2, to += 3) {
        uint8_t high = from[0], low = from[1];
        uint8_t grey = !d->pillow_grey16 ? high : high > 0 ? 255 : low;
        to[0] = to[1] = to[2] = grey;
    }
}

static void decode(struct decoding *d)
{
    set_limits(d->png);
    read_header(d);
    read_rows(d);
    if (d->rows == ROWS_INDEX)
        widen_indices(d);
    if (d->rows == ROWS_GREY16)
        widen_grey16(d);
    d->image->width = d->width;
    d->image->height = d->height;
}

bioft_status image_png(const char *name, const uint8_t *bytes, size_t size, unsigned flags, struct bitmap *ret,
                       struct error *err)
{
    struct decoding *d = calloc(1, sizeof *d);
    if (!d)
        return error_memory(err, name);
    *d = (struct decoding){ .name = name, .bytes = bytes, .size = size, .image = ret, .err = err };
    d->pillow_grey16 = flags & IMAGE_PILLOW_GREY16;
    d->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, d, on_error, on_warning);
    if (d->png)
        d->info = png_create_info_struct(d->png);
    if (!d->info)
        d->status = error_memory(err, name);
    else if (setjmp(png_jmpbuf(d->png)) == 0)
        decode(d);
    png_destroy_read_struct(&d->png, &d->info, NULL);
    bioft_status st = d->status;
    free(d);
    return st;
}
