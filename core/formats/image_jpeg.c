/* JPEG (ITU-T T.81) by libjpeg-turbo with the library's defaults, which are what Pillow uses. */
#include "formats/image_private.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/* A small file can ask for many passes over a large image. */
enum { SCANS = 100 };
static const uint64_t PASSED_PIXELS = UINT64_C(1) << 31;

/* One image being decoded. The library's objects come first, so that its callbacks find the rest.
 * A decompressor is not used twice: it would keep one file's tables for the next. */
struct decoding {
    struct jpeg_decompress_struct library;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf failed;
    const char *name;
    struct bitmap *image;
    struct error *err;
    bioft_status status;
    uint8_t *row; /* CMYK as the library gives it */
};

static struct decoding *decoding_of(j_common_ptr library) { return library->client_data; }

/* Leaves the library; does not return. */
static void stop(struct decoding *d, bioft_status status)
{
    d->status = status;
    longjmp(d->failed, 1);
}

static void on_error(j_common_ptr library)
{
    struct decoding *d = decoding_of(library);
    char text[JMSG_LENGTH_MAX];
    (*library->err->format_message)(library, text);
    if (library->err->msg_code == JERR_OUT_OF_MEMORY)
        stop(d, error_memory(d->err, d->name));
    stop(d, error_set(d->err, BIOFT_ERR_FORMAT, "%s: JPEG: %s", d->name, text));
}

/* Warnings have a negative level; of the others nothing is said. The library would go on with grey
 * after the end of the file. */
static void on_message(j_common_ptr library, int level)
{
    struct decoding *d = decoding_of(library);
    if (level >= 0)
        return;
    library->err->num_warnings++;
    if (library->err->msg_code == JWRN_JPEG_EOF)
        stop(d, error_set(d->err, BIOFT_ERR_FORMAT, "%s: JPEG: truncated: it ends early", d->name));
}

static void on_output(j_common_ptr library) { (void)library; }

static void on_progress(j_common_ptr library)
{
    struct decoding *d = decoding_of(library);
    uint64_t scans = (uint64_t)d->library.input_scan_number;
    uint64_t pixels = (uint64_t)d->library.image_width * d->library.image_height;
    if (scans > SCANS || (scans > 1 && scans * pixels > PASSED_PIXELS))
        stop(d, error_set(d->err, BIOFT_ERR_FORMAT, "%s: JPEG: more than %llu scans of %u x %u pixels", d->name,
                          (unsigned long long)scans - 1, d->library.image_width, d->library.image_height));
}

/* A Huffman code takes at least a bit for a block of 8 x 8, and there is more than half a block for
 * every 64 pixels whatever the sampling: a large image has a large file. An arithmetic code has
 * no such bound, so it gets one that no photograph comes near. */
static void check_header(struct decoding *d, size_t size)
{
    const struct jpeg_decompress_struct *l = &d->library;
    uint64_t pixels = (uint64_t)l->image_width * l->image_height;
    uint64_t most_of_a_byte = l->arith_code ? 65536 : 2 * 8 * 64;
    if (l->num_components != 1 && l->num_components != 3 && l->num_components != 4)
        stop(d, error_set(d->err, BIOFT_ERR_FORMAT, "%s: JPEG: %d components, 1, 3 or 4 are read", d->name,
                          l->num_components));
    if (pixels / most_of_a_byte > size)
        stop(d, error_set(d->err, BIOFT_ERR_FORMAT, "%s: JPEG: truncated: %zu bytes cannot hold %u x %u pixels",
                          d->name, size, l->image_width, l->image_height));
    bioft_status st = image_reserve(d->name, l->image_width, l->image_height, d->image, d->err);
    if (st != BIOFT_OK)
        stop(d, st);
}

static unsigned product_over_255(unsigned a, unsigned b)
{
    unsigned t = a * b + 128;
    return ((t >> 8) + t) >> 8;
}

/* Pillow takes every CMYK image for one of inverted inks, with Adobe's marker or without. */
static void convert_cmyk(const uint8_t *cmyk, uint8_t *rgb, size_t width)
{
    for (size_t x = 0; x < width; x++) {
        unsigned black = cmyk[4 * x + 3];
        for (size_t c = 0; c < 3; c++) {
            unsigned taken = product_over_255(255u - cmyk[4 * x + c], black);
            rgb[3 * x + c] = (uint8_t)(black - taken);
        }
    }
}

/* Grey values at the row's start become RGB, from the last on. */
static void spread_grey(uint8_t *row, size_t width)
{
    for (size_t x = width; x-- > 0;)
        row[3 * x] = row[3 * x + 1] = row[3 * x + 2] = row[x];
}

static void read_rows(struct decoding *d)
{
    struct jpeg_decompress_struct *l = &d->library;
    size_t width = l->output_width;
    if (l->out_color_space == JCS_CMYK) {
        d->row = malloc(width * 4);
        if (!d->row)
            stop(d, error_memory(d->err, d->name));
    }
    while (l->output_scanline < l->output_height) {
        uint8_t *rgb = d->image->pixels + l->output_scanline * width * 3;
        JSAMPROW row = d->row ? d->row : rgb;
        jpeg_read_scanlines(l, &row, 1);
        if (l->out_color_space == JCS_CMYK)
            convert_cmyk(d->row, rgb, width);
        else if (l->out_color_space == JCS_GRAYSCALE)
            spread_grey(rgb, width);
    }
}

/* Ends by stop() where anything is wrong. */
static void decode(struct decoding *d, const uint8_t *bytes, size_t size)
{
    struct jpeg_decompress_struct *l = &d->library;
    jpeg_create_decompress(l);
    jpeg_mem_src(l, bytes, (unsigned long)size);
    jpeg_read_header(l, TRUE);
    check_header(d, size);
    l->out_color_space = l->num_components == 1 ? JCS_GRAYSCALE : l->num_components == 3 ? JCS_RGB : JCS_CMYK;
    d->progress.progress_monitor = on_progress;
    l->progress = &d->progress;
    jpeg_start_decompress(l);
    read_rows(d);
    jpeg_finish_decompress(l);
    d->image->width = l->output_width;
    d->image->height = l->output_height;
    d->image->warnings = (uint32_t)d->errors.num_warnings;
}

bioft_status image_jpeg(const char *name, const uint8_t *bytes, size_t size, struct bitmap *ret, struct error *err)
{
    struct decoding *d = calloc(1, sizeof *d);
    if (!d)
        return error_memory(err, name);
    d->name = name;
    d->image = ret;
    d->err = err;
    d->library.client_data = d;
    d->library.err = jpeg_std_error(&d->errors);
    d->errors.error_exit = on_error;
    d->errors.emit_message = on_message;
    d->errors.output_message = on_output;
    if (setjmp(d->failed) == 0)
        decode(d, bytes, size);
    jpeg_destroy_decompress(&d->library);
    bioft_status st = d->status;
    free(d->row);
    free(d);
    return st;
}
