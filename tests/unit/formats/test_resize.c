/* Resizing equals Pillow's on every byte; sizes and boxes equal torchvision's. */
#include "hostile.h"

#include "base/sha256.h"
#include "formats/resize.h"

#include "resize_golden.h"

/* The image that Pillow resized: a linear congruential sequence's high bytes. */
static uint8_t *noise(uint32_t width, uint32_t height)
{
    size_t size = (size_t)width * height * 3;
    uint8_t *pixels = malloc(size);
    uint32_t x = 1;
    assert_non_null(pixels);
    for (size_t i = 0; i < size; i++) {
        x = x * 1664525u + 1013904223u;
        pixels[i] = (uint8_t)(x >> 24);
    }
    return pixels;
}

static void resizes_as_pillow_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof resized / sizeof *resized; i++) {
        uint8_t *pixels = noise(resized[i].width, resized[i].height);
        struct resize r = { .pixels = pixels,
                            .image_width = resized[i].width,
                            .image_height = resized[i].height,
                            .box = resized[i].box,
                            .width = resized[i].to_width,
                            .height = resized[i].to_height,
                            .window = resized[i].window };
        size_t size = (size_t)r.window.width * r.window.height * 3;
        uint8_t *out = malloc(size);
        char hash[SHA256_HEX];
        struct error err;
        assert_non_null(out);
        if (resize_bilinear(&r, out, &err) != BIOFT_OK)
            fail_msg("%s", err.text);
        sha256_bytes(out, size, hash);
        if (strcmp(hash, resized[i].sha256) != 0)
            fail_msg("%u x %u to %u x %u (case %zu) differs from Pillow", r.image_width, r.image_height, r.width,
                     r.height, i);
        free(out);
        free(pixels);
    }
}

/* By hand: 0 and 100 to three pixels, and 0, 100, 200, 100 to two. */
static void resizes_known_rows(void **state)
{
    static const uint8_t two[6] = { 0, 0, 0, 100, 100, 100 };
    static const uint8_t four[12] = { 0, 0, 0, 100, 100, 100, 200, 200, 200, 100, 100, 100 };
    struct resize r = { .pixels = two,
                        .image_width = 2,
                        .image_height = 1,
                        .box = { 0, 0, 2, 1 },
                        .width = 3,
                        .height = 1,
                        .window = { 0, 0, 3, 1 } };
    uint8_t out[9];
    struct error err;
    (void)state;
    /* Centres at 1/3, 1 and 5/3: clamped, half each, clamped. */
    assert_int_equal(resize_bilinear(&r, out, &err), BIOFT_OK);
    assert_int_equal(out[0], 0);
    assert_int_equal(out[3], 50);
    assert_int_equal(out[6], 100);
    /* Centre at 1, support 2: weights 3/4, 3/4, 1/4 over 7/4 of the first three. */
    r = (struct resize){ .pixels = four,
                         .image_width = 4,
                         .image_height = 1,
                         .box = { 0, 0, 4, 1 },
                         .width = 2,
                         .height = 1,
                         .window = { 0, 0, 2, 1 } };
    assert_int_equal(resize_bilinear(&r, out, &err), BIOFT_OK);
    assert_int_equal(out[0], 71);  /* (0 + 75 + 50) / 1.75 = 71.4 */
    assert_int_equal(out[3], 143); /* (25 + 150 + 75) / 1.75 = 142.9 */
}

static void refuses_what_lies_outside(void **state)
{
    static const uint8_t pixels[12];
    static const struct resize cases[] = {
        { pixels, 2, 2, { 0, 0, 3, 2 }, 2, 2, { 0, 0, 2, 2 } },
        { pixels, 2, 2, { 1, 0, 2, 2 }, 2, 2, { 0, 0, 2, 2 } },
        { pixels, 2, 2, { 0, UINT32_MAX, 2, 2 }, 2, 2, { 0, 0, 2, 2 } },
        { pixels, 2, 2, { 0, 0, 0, 2 }, 2, 2, { 0, 0, 2, 2 } },
        { pixels, 2, 2, { 0, 0, 2, 2 }, 2, 2, { 0, 1, 2, 2 } },
        { pixels, 2, 2, { 0, 0, 2, 2 }, 0, 2, { 0, 0, 2, 2 } },
        { pixels, 2, 2, { 0, 0, 2, 2 }, 65501, 2, { 0, 0, 2, 2 } },
        { pixels, 0, 2, { 0, 0, 2, 2 }, 2, 2, { 0, 0, 2, 2 } },
    };
    uint8_t out[12];
    struct error err;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(resize_bilinear(&cases[i], out, &err), BIOFT_ERR_INVALID);
}

static void sizes_and_boxes_of_torchvision(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shorter_side / sizeof *shorter_side; i++) {
        uint32_t width, height;
        resize_shorter_side(shorter_side[i].width, shorter_side[i].height, shorter_side[i].side, &width, &height);
        assert_int_equal(width, shorter_side[i].to_width);
        assert_int_equal(height, shorter_side[i].to_height);
    }
    for (size_t i = 0; i < sizeof center_crop / sizeof *center_crop; i++) {
        struct center_crop c = resize_center_crop(center_crop[i].width, center_crop[i].height, center_crop[i].side);
        assert_int_equal(c.left, center_crop[i].left);
        assert_int_equal(c.top, center_crop[i].top);
    }
    for (size_t i = 0; i < sizeof random_crop / sizeof *random_crop; i++) {
        float uniform[RESIZE_UNIFORMS];
        for (size_t k = 0; k < RESIZE_UNIFORMS; k++)
            uniform[k] = (float)random_crop[i].uniform[k] / 4096;
        struct rectangle box = resize_random_crop(random_crop[i].width, random_crop[i].height, random_crop[i].scale,
                                                  random_crop[i].ratio, uniform);
        assert_memory_equal(&box, &random_crop[i].box, sizeof box);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resizes_as_pillow_does),
        cmocka_unit_test(resizes_known_rows),
        cmocka_unit_test(refuses_what_lies_outside),
        cmocka_unit_test(sizes_and_boxes_of_torchvision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
