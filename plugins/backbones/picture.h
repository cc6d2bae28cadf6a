/* What the small backbones share: pictures of 28x28 with options for their channels and their
 * normalisation, Fashion-MNIST's where nothing is said. */
#ifndef BACKBONES_PICTURE_H
#define BACKBONES_PICTURE_H

#include <bioft/backbone.h>

enum { PICTURE_SIDE = 28, PICTURE_CHANNELS = 4 };
typedef struct {
    int64_t channels;
    bioft_list mean, std;
} picture;

/* The rows of the options table for a picture at `offset` of the instance. */
#define PICTURE_OPTIONS(offset_)                                                                  \
    { .name = "channels", .type = BIOFT_I64, .offset = (offset_) + offsetof(picture, channels),    \
      .def = 1, .min = 1, .max = PICTURE_CHANNELS, .help = "of the images: 1 grey, 3 colour" },  \
    { .name = "mean", .type = BIOFT_F64_LIST, .offset = (offset_) + offsetof(picture, mean),       \
      .def_string = "[0.2860]", .help = "of pixels in [0,1]: one for all channels, or each's" },   \
    { .name = "std", .type = BIOFT_F64_LIST, .offset = (offset_) + offsetof(picture, std),         \
      .def_string = "[0.3530]", .help = "standard deviation, as mean" }

static inline bioft_status picture_check(const picture *p, const bioft_host *host)
{
    const size_t channels = (size_t)p->channels;

    if ((p->mean.count != 1 && p->mean.count != channels) ||
        (p->std.count != 1 && p->std.count != channels))
        return host->fail(host, BIOFT_ERR_INVALID, "mean and std have one value, or one a channel");
    for (size_t i = 0; i < p->std.count; i++)
        if (!(((const double *)p->std.items)[i] > 0))
            return host->fail(host, BIOFT_ERR_INVALID, "std is above 0");
    return BIOFT_OK;
}

static inline float picture_value(const bioft_list *list, size_t channel)
{
    return (float)((const double *)list->items)[list->count == 1 ? 0 : channel];
}

/* The input and its normalisation. */
static inline bioft_tensor picture_input(const picture *p, const bioft_builder *b)
{
    const bioft_tensor x = b->input(b, (uint32_t)p->channels, PICTURE_SIDE, PICTURE_SIDE);
    float mean[PICTURE_CHANNELS], std[PICTURE_CHANNELS];

    for (size_t i = 0; i < (size_t)p->channels; i++) {
        mean[i] = picture_value(&p->mean, i);
        std[i] = picture_value(&p->std, i);
    }
    b->normalise(b, mean, std, (uint32_t)p->channels);
    return x;
}

#endif
