/* What the backbones of today's networks share: geometry in words, normalisation's published numbers. */
#ifndef BACKBONES_NETS_H
#define BACKBONES_NETS_H

#include <bioft/backbone_util.h>

#include <stdio.h>

static inline void normalise_imagenet(const bioft_builder *b)
{
    static const float mean[3] = { 0.485f, 0.456f, 0.406f }, std[3] = { 0.229f, 0.224f, 0.225f };
    b->normalise(b, mean, std, 3);
}

/* Of CIFAR-10's training images. */
static inline void normalise_cifar(const bioft_builder *b)
{
    static const float mean[3] = { 0.4914f, 0.4822f, 0.4465f }, std[3] = { 0.2470f, 0.2435f, 0.2616f };
    b->normalise(b, mean, std, 3);
}

/* A square convolution without bias, padded to keep the size at stride 1. */
static inline bioft_tensor conv_same(const bioft_builder *b, const char *name, bioft_tensor x, uint32_t out,
                                     uint32_t kernel, uint32_t stride, uint32_t groups)
{
    const uint32_t p = kernel / 2;
    const bioft_conv2d c = {
        .struct_size = sizeof(c),
        .out = out,
        .kernel = { kernel, kernel },
        .stride = { stride, stride },
        .padding = { p, p, p, p },
        .groups = groups,
        .no_bias = 1,
        .init = BIOFT_INIT_KAIMING_NORMAL_FAN_OUT,
    };
    return b->conv2d(b, name, x, &c);
}

static inline bioft_tensor batchnorm(const bioft_builder *b, const char *name, bioft_tensor x)
{
    const bioft_norm n = { .struct_size = sizeof(n) };
    return b->batchnorm(b, name, x, &n);
}

/* timm's name of a layer: its own, or one of block `block` of stage `stage`. */
static inline void named_by_timm(const bioft_builder *b, const char *name, const char *other)
{
    if (BIOFT_HAS(b, bioft_builder, other_name))
        b->other_name(b, name, other);
}

static inline void block_by_timm(const bioft_builder *b, const char *name, size_t stage, uint32_t block,
                                 const char *last)
{
    char other[64];
    snprintf(other, sizeof other, "blocks.%zu.%u.%s", stage, block, last);
    named_by_timm(b, name, other);
}

/* The mean of each channel, flat. */
static inline bioft_tensor global_average(const bioft_builder *b, bioft_tensor x)
{
    return b->flatten(b, b->adaptive_avgpool(b, x, 1, 1));
}

#define TEXT(x)  #x
#define VALUE(x) TEXT(x)

#endif
