/* What the small backbones share: images of 28x28 with options for their channels and their
 * normalisation, Fashion-MNIST's where nothing is said. */
#ifndef BACKBONES_IMAGE_H
#define BACKBONES_IMAGE_H

#include <bioft/backbone.h>

enum { IMAGE_SIDE = 28, IMAGE_CHANNELS = 4 };
typedef struct {
    int64_t channels;
    bioft_list mean, std;
} image;

/* The rows of the options table for an image at `offset` of the instance. */
#define IMAGE_OPTIONS(offset_) \
    { .name = "channels", \
      .type = BIOFT_I64, \
      .offset = (offset_) + offsetof(image, channels), \
      .def = 1, \
      .min = 1, \
      .max = IMAGE_CHANNELS, \
      .help = "of the images: 1 grey, 3 colour" }, \
        { .name = "mean", \
          .type = BIOFT_F64_LIST, \
          .offset = (offset_) + offsetof(image, mean), \
          .def_string = "[0.2860]", \
          .help = "of pixels in [0,1]: one for all channels, or each's" }, \
    { \
        .name = "std", .type = BIOFT_F64_LIST, .offset = (offset_) + offsetof(image, std), .def_string = "[0.3530]", \
        .help = "standard deviation, as mean" \
    }

static inline bioft_status image_check(const image *p, const bioft_host *host)
{
    const size_t channels = (size_t)p->channels;

    if ((p->mean.count != 1 && p->mean.count != channels) || (p->std.count != 1 && p->std.count != channels))
        return host->fail(host, BIOFT_ERR_INVALID, "mean and std have one value, or one a channel");
    for (size_t i = 0; i < p->std.count; i++)
        if (!(((const double *)p->std.items)[i] > 0))
            return host->fail(host, BIOFT_ERR_INVALID, "std is above 0");
    return BIOFT_OK;
}

static inline float image_value(const bioft_list *list, size_t channel)
{
    return (float)((const double *)list->items)[list->count == 1 ? 0 : channel];
}

/* The input and its normalisation. */
static inline bioft_tensor image_input(const image *p, const bioft_builder *b)
{
    const bioft_tensor x = b->input(b, (uint32_t)p->channels, IMAGE_SIDE, IMAGE_SIDE);
    float mean[IMAGE_CHANNELS], std[IMAGE_CHANNELS];

    for (size_t i = 0; i < (size_t)p->channels; i++) {
        mean[i] = image_value(&p->mean, i);
        std[i] = image_value(&p->std, i);
    }
    b->normalise(b, mean, std, (uint32_t)p->channels);
    return x;
}

#endif
