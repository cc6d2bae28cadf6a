/* torchvision's sizes and crops (0.14): Resize, CenterCrop, RandomResizedCrop. */
#include "formats/resize.h"

#include <math.h>
#include <stdbool.h>

void resize_shorter_side(uint32_t width, uint32_t height, uint32_t side, uint32_t *ret_width, uint32_t *ret_height)
{
    uint32_t shorter = width <= height ? width : height, longer = width <= height ? height : width;
    /* An integer product, a division in double, cut off. */
    uint32_t other = (uint32_t)((double)((uint64_t)side * longer) / shorter);
    *ret_width = width <= height ? side : other;
    *ret_height = width <= height ? other : side;
}

/* Zeros before an image that is too small come to half of what is missing, rounded down; of a
 * larger one half of what is over is cut off, rounded half to even as Python does. */
static int32_t middle(uint32_t size, uint32_t side)
{
    if (size < side)
        return -(int32_t)((side - size) / 2);
    return (int32_t)nearbyint((size - side) / 2.0);
}

struct center_crop resize_center_crop(uint32_t width, uint32_t height, uint32_t side)
{
    return (struct center_crop){ .left = middle(width, side), .top = middle(height, side) };
}

static double between(double low, double high, float uniform) { return low + (high - low) * uniform; }

static uint32_t pick(uint32_t count, float uniform)
{
    uint32_t n = (uint32_t)(count * (double)uniform);
    return n < count ? n : count - 1;
}

/* The whole image, or its middle where its aspect is outside the bounds. */
static struct rectangle fallback(uint32_t width, uint32_t height, const double ratio[2])
{
    struct rectangle r = { .width = width, .height = height };
    double aspect = (double)width / height;
    if (aspect < ratio[0])
        r.height = (uint32_t)nearbyint(width / ratio[0]);
    else if (aspect > ratio[1])
        r.width = (uint32_t)nearbyint(height * ratio[1]);
    r.left = (width - r.width) / 2;
    r.top = (height - r.height) / 2;
    return r;
}

struct rectangle resize_random_crop(uint32_t width, uint32_t height, const double scale[2], const double ratio[2],
                                    const float uniform[RESIZE_UNIFORMS])
{
    for (int try = 0; try < RESIZE_TRIES; try++) {
        const float *u = uniform + 4 * try;
        double area = (double)width * height * between(scale[0], scale[1], u[0]);
        double aspect = exp(between(log(ratio[0]), log(ratio[1]), u[1]));
        double w = nearbyint(sqrt(area * aspect)), h = nearbyint(sqrt(area / aspect));
        if (w < 1 || h < 1 || w > width || h > height)
            continue;
        struct rectangle r = { .width = (uint32_t)w, .height = (uint32_t)h };
        r.left = pick(width - r.width + 1, u[3]);
        r.top = pick(height - r.height + 1, u[2]);
        return r;
    }
    return fallback(width, height, ratio);
}
