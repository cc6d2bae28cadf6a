/* DenseNet-121 (Huang, Liu, van der Maaten and Weinberger, CVPR 2017), as in torchvision. */
#include "nets.h"

#include <math.h>

enum { BLOCKS = 4, GROWTH = 32, NARROW = 4 * GROWTH, FIRST = 64 };
static const uint32_t layers[BLOCKS] = { 6, 12, 24, 16 };

/* First values of N(0, 2/fan_in), as torchvision draws them. in: channels of x. */
static bioft_tensor conv(const bioft_builder *b, const char *name, bioft_tensor x, uint32_t in, uint32_t out,
                         uint32_t kernel, uint32_t stride)
{
    const uint32_t p = kernel / 2;
    const float deviation = (float)sqrt(2.0 / ((double)in * kernel * kernel));
    const bioft_conv2d c = {
        .struct_size = sizeof(c),
        .out = out,
        .kernel = { kernel, kernel },
        .stride = { stride, stride },
        .padding = { p, p, p, p },
        .no_bias = 1,
        .init = BIOFT_INIT_NORMAL,
        .init_std = deviation,
    };
    return b->conv2d(b, name, x, &c);
}

/* Batchnorm, relu, conv: "<block>.norm<suffix>", "<block>.conv<suffix>". */
static bioft_tensor step(const bioft_builder *b, const char *block, const char *suffix, bioft_tensor x, uint32_t in,
                         uint32_t out, uint32_t kernel)
{
    char name[80];

    snprintf(name, sizeof name, "%s.norm%s", block, suffix);
    x = b->relu(b, batchnorm(b, name, x));
    snprintf(name, sizeof name, "%s.conv%s", block, suffix);
    return conv(b, name, x, in, out, kernel, 1);
}

static bioft_tensor dense_block(const bioft_builder *b, int number, bioft_tensor x, uint32_t *channels)
{
    char name[64];

    for (uint32_t i = 1; i <= layers[number - 1]; i++, *channels += GROWTH) {
        snprintf(name, sizeof name, "features.denseblock%d.denselayer%u", number, i);
        x = bioft_concat(b, x, step(b, name, "2", step(b, name, "1", x, *channels, NARROW, 1), NARROW, GROWTH, 3));
    }
    return x;
}

static bioft_status build(void *self, const bioft_builder *b)
{
    const bioft_pool first = {
        .struct_size = sizeof(first),
        .kernel = { 3, 3 },
        .stride = { 2, 2 },
        .padding = { 1, 1, 1, 1 },
    };
    const bioft_pool half = { .struct_size = sizeof(half), .kernel = { 2, 2 }, .stride = { 2, 2 } };
    /* torchvision draws it from U(-1, 1)/sqrt(1024), which has this deviation, with a bias of 0 */
    const bioft_linear head = {
        .struct_size = sizeof(head),
        .out = 1000,
        .init = BIOFT_INIT_NORMAL,
        .init_std = 0.0180422f,
    };
    bioft_tensor x = b->input(b, 3, 224, 224);
    uint32_t channels = FIRST;
    char name[32];

    (void)self;
    normalise_imagenet(b);
    x = conv(b, "features.conv0", x, 3, FIRST, 7, 2);
    x = b->maxpool(b, b->relu(b, batchnorm(b, "features.norm0", x)), &first);
    for (int i = 1; i <= BLOCKS; i++) {
        x = dense_block(b, i, x, &channels);
        if (i == BLOCKS)
            break;
        snprintf(name, sizeof name, "features.transition%d", i);
        x = b->avgpool(b, step(b, name, "", x, channels, channels / 2, 1), &half);
        channels /= 2;
    }
    x = global_average(b, b->relu(b, batchnorm(b, "features.norm5", x)));
    b->head(b, "classifier", x, &head);
    return BIOFT_OK;
}

static const bioft_backbone backbone = { .struct_size = sizeof(backbone), .build = build };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_BACKBONE, "densenet121", "1.0", "bioft", "MIT"),
    .summary = "DenseNet-121 as in torchvision, 224x224",
    .reference = "Huang, Liu, van der Maaten, Weinberger, CVPR 2017",
    .vtable = &backbone,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
