/* Images: what is decoded is decoded the same again, and can be resized. */
#include "fuzz.h"

#include "formats/image.h"
#include "formats/resize.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bitmap first = { .pixels = NULL }, second = { .pixels = NULL };
    struct error err = { .text = "" };
    if (image_decode("t", data, size, 0, &first, &err) != BIOFT_OK) {
        MUST(err.text[0] != '\0' && first.width == 0);
        image_free(&first);
        return 0;
    }
    size_t bytes = (size_t)first.width * first.height * 3;
    MUST(image_decode("t", data, size, 0, &second, &err) == BIOFT_OK);
    MUST(second.width == first.width && second.height == first.height);
    MUST(memcmp(first.pixels, second.pixels, bytes) == 0);

    uint8_t out[9 * 7 * 3];
    struct resize r = { .pixels = first.pixels,
                        .image_width = first.width,
                        .image_height = first.height,
                        .box = { first.width / 3, first.height / 3, (first.width + 2) / 3, (first.height + 2) / 3 },
                        .width = 11,
                        .height = 13,
                        .window = { 1, 2, 9, 7 } };
    MUST(resize_bilinear(&r, out, &err) == BIOFT_OK);
    image_free(&first);
    image_free(&second);
    return 0;
}
