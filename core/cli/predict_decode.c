/* An image's file as pixels, in room that is used again. */
#include "cli/predict_decode.h"

#include "base/file.h"
#include "base/memory.h"
#include "formats/image.h"
#include <stdlib.h>

enum { LARGEST_FILE = 1 << 30 };

struct decoder {
    struct bitmap image;
};

bioft_status decoder_create(struct decoder **ret, struct error *err)
{
    struct decoder *d = mem_array(1, sizeof *d);
    if (!d)
        return error_memory(err, "images");
    *ret = d;
    return BIOFT_OK;
}

void decoder_destroy(struct decoder *d)
{
    if (!d)
        return;
    image_free(&d->image);
    free(d);
}

/* Three equal channels become one, in place; false: they are not equal. */
static bool make_grey(uint8_t *pixels, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (pixels[3 * i] != pixels[3 * i + 1] || pixels[3 * i] != pixels[3 * i + 2])
            return false;
        pixels[i] = pixels[3 * i];
    }
    return true;
}

bioft_status decoder_read(struct decoder *d, const char *path, const char *name, uint32_t channels, struct pixels *ret,
                          struct error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    bioft_status st = file_read(path, LARGEST_FILE, &bytes, &size, err);

    if (st == BIOFT_OK)
        st = image_decode(name, bytes, size, 0, &d->image, err);
    free(bytes);
    if (st != BIOFT_OK)
        return st;
    if (channels == 1 && !make_grey(d->image.pixels, (size_t)d->image.height * d->image.width))
        return error_set(err, BIOFT_ERR_FORMAT,
                         "%s: a colour image, and the network takes one channel: colour "
                         "is not made grey",
                         name);
    *ret = (struct pixels){ .format = BIOFT_SAMPLE_U8_HWC,
                            .height = d->image.height,
                            .width = d->image.width,
                            .channels = channels,
                            .data = d->image.pixels };
    return BIOFT_OK;
}
