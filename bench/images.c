/* Pixels of images as a network in evaluation gets them, for images.py: images FILE... writes
 * each image's width and height as decoded, its pixels, and the 224x224 of its middle after the
 * shorter side was made 256. */
#include "base/file.h"
#include "base/memory.h"
#include "formats/image.h"
#include "formats/resize.h"
#include <stdio.h>
#include <stdlib.h>

enum { SHORTER = 256, CROP = 224 };

static bioft_status show(const char *path, struct bitmap *b, uint8_t *window, struct error *err)
{
    struct file_map map = { 0 };
    bioft_status st = file_map_open(path, &map, err);

    if (st == BIOFT_OK)
        st = image_decode(path, map.bytes, map.size, 0, b, err);
    if (st == BIOFT_OK) {
        struct resize r = { .pixels = b->pixels,
                            .image_width = b->width,
                            .image_height = b->height,
                            .box = { 0, 0, b->width, b->height } };
        resize_shorter_side(b->width, b->height, SHORTER, &r.width, &r.height);
        const struct center_crop c = resize_center_crop(r.width, r.height, CROP);
        r.window = (struct rectangle){ (uint32_t)c.left, (uint32_t)c.top, CROP, CROP };
        st = resize_bilinear(&r, window, err);
    }
    if (st == BIOFT_OK) {
        const size_t size = (size_t)b->width * b->height * 3;
        const uint32_t sides[2] = { b->width, b->height };
        if (fwrite(sides, sizeof sides, 1, stdout) != 1 || fwrite(b->pixels, size, 1, stdout) != 1 ||
            fwrite(window, (size_t)CROP * CROP * 3, 1, stdout) != 1)
            st = error_set(err, BIOFT_ERR_IO, "cannot write to standard output");
    }
    file_map_close(&map);
    return st;
}

int main(int argc, char **argv)
{
    struct bitmap b = { .pixels = NULL };
    struct error err = { 0 };
    uint8_t *window = mem_array((size_t)CROP * CROP, 3);
    bioft_status st = window ? BIOFT_OK : error_memory(&err, "pixels");

    for (int i = 1; st == BIOFT_OK && i < argc; i++)
        st = show(argv[i], &b, window, &err);
    if (st != BIOFT_OK)
        fprintf(stderr, "images: %s\n", err.text);
    image_free(&b);
    free(window);
    return st == BIOFT_OK ? 0 : 1;
}
