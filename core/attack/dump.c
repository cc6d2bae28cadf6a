/* Adversarial images kept for people and for re-verification. */
#include "attack/dump.h"

#include "attack/pixels.h"
#include "base/file.h"
#include "formats/npy.h"
#include "formats/png.h"
#include <stdlib.h>
#include <string.h>

bioft_status dump_begin(struct dump *d, const struct image_format *image, uint32_t outputs, uint64_t count,
                        struct error *err)
{
    size_t values, numbers;
    *d = (struct dump){ .image = *image, .outputs = outputs, .count = count };
    if (mem_product(pixels_count(image), count, &values) && mem_product(outputs, count, &numbers)) {
        d->clean = mem_array(values, sizeof(float));
        d->adversarial = mem_array(values, sizeof(float));
        d->out = mem_array(numbers, sizeof(float));
    }
    return d->clean && d->adversarial && d->out ? BIOFT_OK : error_memory(err, "dumped images");
}

void dump_add(struct dump *d, const struct attack_made *made, const float *out)
{
    const size_t pixels = pixels_count(&d->image);
    for (uint32_t i = 0; i < made->clean->n && made->first + i < d->count; i++, d->have++) {
        memcpy(d->clean + (made->first + i) * pixels, made->clean->x + i * pixels, sizeof(float) * pixels);
        memcpy(d->adversarial + (made->first + i) * pixels, made->adversarial + i * pixels, sizeof(float) * pixels);
        if (d->outputs)
            memcpy(d->out + (made->first + i) * d->outputs, out + (size_t)i * d->outputs, sizeof(float) * d->outputs);
    }
}

/* One image beside another, CHW floats to HWC bytes. */
static void pair(const struct image_format *p, uint32_t channels, const float *left, const float *right, uint8_t *ret)
{
    const size_t plane = (size_t)p->height * p->width;
    for (uint32_t y = 0; y < p->height; y++)
        for (uint32_t x = 0; x < 2 * p->width; x++)
            for (uint32_t c = 0; c < channels; c++) {
                const float *side = x < p->width ? left : right;
                const float v = side[c * plane + (size_t)y * p->width + x % p->width];
                ret[((size_t)y * 2 * p->width + x) * channels + c] = (uint8_t)(v * 255.0f + 0.5f);
            }
}

static bioft_status write_array(const char *folder, const char *name, const char *what, uint32_t dims,
                                const uint64_t *shape, const float *values, struct error *err)
{
    struct text path = { 0 };
    text_printf(&path, "%s/%s.%s.npy", folder, name, what);
    bioft_status st = path.failed ? error_memory(err, "a path")
                                  : npy_write(path.data, NPY_F32, dims, shape, values, err);
    text_free(&path);
    return st;
}

bioft_status dump_write(const struct dump *d, const char *folder, const char *name, struct error *err)
{
    const struct image_format *p = &d->image;
    const size_t pixels = pixels_count(p);
    const uint32_t channels = p->channels == 3 ? 3 : 1;
    const uint64_t images[] = { d->have, p->channels, p->height, p->width }, outputs[] = { d->have, d->outputs };
    uint8_t *bytes = mem_array((size_t)2 * p->height * p->width, channels);

    bioft_status st = bytes ? file_make_folder(folder, err) : error_memory(err, "an image");
    if (st == BIOFT_OK)
        st = write_array(folder, name, "clean", 4, images, d->clean, err);
    if (st == BIOFT_OK)
        st = write_array(folder, name, "adversarial", 4, images, d->adversarial, err);
    if (st == BIOFT_OK && d->outputs)
        st = write_array(folder, name, "outputs", 2, outputs, d->out, err);
    for (uint64_t i = 0; st == BIOFT_OK && i < d->have; i++) {
        struct text path = { 0 };
        text_printf(&path, "%s/%s.%03llu.png", folder, name, (unsigned long long)i);
        pair(p, channels, d->clean + i * pixels, d->adversarial + i * pixels, bytes);
        st = path.failed ? error_memory(err, "a path")
                         : png_write(path.data, 2 * p->width, p->height, channels, bytes, err);
        text_free(&path);
    }
    free(bytes);
    return st;
}

void dump_free(struct dump *d)
{
    free(d->clean);
    free(d->adversarial);
    free(d->out);
    *d = (struct dump){ 0 };
}
