/* Images resized as Pillow's BILINEAR does it, bit for bit, and torchvision's sizes and crops. */
#ifndef FORMATS_RESIZE_H
#define FORMATS_RESIZE_H

#include "base/error.h"

struct rectangle {
    uint32_t left, top, width, height;
};

/* The box of an image is cut out, resized to `width` x `height` as if it were an image of its
 * own, and of that the window is kept. Box and window must lie inside. */
struct resize {
    const uint8_t *pixels; /* [image_height][image_width][3] */
    uint32_t image_width, image_height;
    struct rectangle box; /* in the image */
    uint32_t width, height;
    struct rectangle window; /* in the result */
};
/* Sides of an image, before and after. */
enum { RESIZE_LARGEST = 65500 };
/* ret: [window.height][window.width][3]. From any thread. */
bioft_status resize_bilinear(const struct resize *r, uint8_t *ret, struct error *err);

/* The size that makes the shorter side `side` (torchvision's Resize). */
void resize_shorter_side(uint32_t width, uint32_t height, uint32_t side, uint32_t *ret_width, uint32_t *ret_height);

/* Where a square of `side` lies in the middle of an image (torchvision's CenterCrop). Negative: so
 * many columns or rows of zeros come before the image. */
struct center_crop {
    int32_t left, top;
};
struct center_crop resize_center_crop(uint32_t width, uint32_t height, uint32_t side);

/* torchvision's RandomResizedCrop: a box of an area in scale[0] to scale[1] of the image's and of
 * an aspect between ratio[0] and ratio[1]. `uniform`: numbers in [0,1), four for each of up to ten
 * tries. */
enum { RESIZE_TRIES = 10, RESIZE_UNIFORMS = 4 * RESIZE_TRIES };
struct rectangle resize_random_crop(uint32_t width, uint32_t height, const double scale[2], const double ratio[2],
                                    const float uniform[RESIZE_UNIFORMS]);

#endif
