/* Residual networks of 18, 34 and 50 layers (He, Zhang, Ren and Sun, CVPR 2016), and of 50 with wide
 * blocks (Zagoruyko and Komodakis, BMVC 2016), as in torchvision. Compiled once a network:
 * RESNET_DEPTH, and RESNET_WIDE, by how much a block's inner convs are wider. */
#include "nets.h"

/* Four groups of blocks, of two 3x3 convs, or from 50 layers on of a 3x3 conv between two of 1x1; the
 * depth counts these, the first conv and the head. */
enum { GROUPS = 4, DEEP = RESNET_DEPTH > 18, FIRST = 64, BOTTLENECK = RESNET_DEPTH >= 50, WIDEN = BOTTLENECK ? 4 : 1 };
static const int blocks[GROUPS] = { DEEP ? 3 : 2, DEEP ? 4 : 2, DEEP ? 6 : 2, DEEP ? 3 : 2 };
_Static_assert(RESNET_DEPTH == 18 || RESNET_DEPTH == 34 || RESNET_DEPTH == 50, "a depth of 18, 34 or 50");
_Static_assert(RESNET_WIDE == 1 || BOTTLENECK, "basic blocks are not widened");

typedef struct {
    int32_t stem;
} resnet;

enum { STEM_IMAGENET, STEM_CIFAR };
static const char *const stems[] = { "imagenet", "cifar", NULL };

static const bioft_option options[] = {
    { .name = "stem",
      .type = BIOFT_CHOICE,
      .offset = offsetof(resnet, stem),
      .def = STEM_IMAGENET,
      .choices = stems,
      .help = "first layers: a 7x7 conv of stride 2 and a pool, or for 32x32 a 3x3 conv alone" },
};

/* conv, norm: their names. */
static bioft_tensor conv_norm(const bioft_builder *b, const char *conv, const char *norm, bioft_tensor x, uint32_t out,
                              uint32_t kernel, uint32_t stride)
{
    return batchnorm(b, norm, conv_same(b, conv, x, out, kernel, stride, 1));
}

/* Inside a block called "layerG.I": "layerG.I.<conv>", "layerG.I.<norm>". */
static bioft_tensor inner(const bioft_builder *b, const char *block, const char *conv, const char *norm, bioft_tensor x,
                          uint32_t out, uint32_t kernel, uint32_t stride)
{
    char conv_name[64], norm_name[64];

    snprintf(conv_name, sizeof conv_name, "%s.%s", block, conv);
    snprintf(norm_name, sizeof norm_name, "%s.%s", block, norm);
    return conv_norm(b, conv_name, norm_name, x, out, kernel, stride);
}

/* base: the group's channels, of which a bottleneck's output has four times as many. In its 3x3 conv stands the
 * stride. */
static bioft_tensor inside(const bioft_builder *b, const char *name, bioft_tensor x, uint32_t base, uint32_t stride)
{
    if (!BOTTLENECK) {
        x = b->relu(b, inner(b, name, "conv1", "bn1", x, base, 3, stride));
        return inner(b, name, "conv2", "bn2", x, base, 3, 1);
    }
    x = b->relu(b, inner(b, name, "conv1", "bn1", x, base * RESNET_WIDE, 1, 1));
    x = b->relu(b, inner(b, name, "conv2", "bn2", x, base * RESNET_WIDE, 3, stride));
    return inner(b, name, "conv3", "bn3", x, base * WIDEN, 1, 1);
}

/* in: channels of x. Where the shape changes, the shortcut is a 1x1 conv. */
static bioft_tensor block(const bioft_builder *b, const char *name, bioft_tensor x, uint32_t in, uint32_t base,
                          uint32_t stride)
{
    const bioft_tensor y = inside(b, name, x, base, stride);

    if (stride != 1 || in != base * WIDEN)
        x = inner(b, name, "downsample.0", "downsample.1", x, base * WIDEN, 1, stride);
    return b->relu(b, b->add(b, y, x));
}

static bioft_tensor imagenet_stem(const bioft_builder *b)
{
    const bioft_pool pool = {
        .struct_size = sizeof(pool),
        .kernel = { 3, 3 },
        .stride = { 2, 2 },
        .padding = { 1, 1, 1, 1 },
    };
    const bioft_tensor x = b->input(b, 3, 224, 224);

    normalise_imagenet(b);
    return b->maxpool(b, b->relu(b, conv_norm(b, "conv1", "bn1", x, FIRST, 7, 2)), &pool);
}

/* As He et al. have it for CIFAR-10, and everybody's ResNet-18 of that data; mean and deviation are of its training
 * images. */
static bioft_tensor cifar_stem(const bioft_builder *b)
{
    const bioft_tensor x = b->input(b, 3, 32, 32);

    normalise_cifar(b);
    return b->relu(b, conv_norm(b, "conv1", "bn1", x, FIRST, 3, 1));
}

static bioft_status build(void *self, const bioft_builder *b)
{
    const int cifar = ((const resnet *)self)->stem == STEM_CIFAR;
    const bioft_linear head = { .struct_size = sizeof(head), .out = cifar ? 10 : 1000 };
    bioft_tensor x = cifar ? cifar_stem(b) : imagenet_stem(b);
    uint32_t in = FIRST;
    char name[32];

    for (int group = 0; group < GROUPS; group++) {
        const uint32_t base = (uint32_t)FIRST << group;
        for (int i = 0; i < blocks[group]; i++, in = base * WIDEN) {
            snprintf(name, sizeof name, "layer%d.%d", group + 1, i);
            x = block(b, name, x, in, base, i == 0 && group > 0 ? 2 : 1);
        }
    }
    b->head(b, "fc", global_average(b, x), &head);
    return BIOFT_OK;
}

static const bioft_backbone backbone = { .struct_size = sizeof(backbone), .build = build };

#if RESNET_WIDE > 1
#define NAME  "wide_resnet" VALUE(RESNET_DEPTH) "_" VALUE(RESNET_WIDE)
#define WIDER " with " VALUE(RESNET_WIDE) " times as wide blocks"
#define PAPER "Zagoruyko, Komodakis, BMVC 2016"
#else
#define NAME  "resnet" VALUE(RESNET_DEPTH)
#define WIDER ""
#define PAPER "He, Zhang, Ren, Sun, CVPR 2016"
#endif

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_BACKBONE, NAME, "1.0", "bioft", "MIT"),
    .summary = "ResNet of " VALUE(RESNET_DEPTH) " layers" WIDER ", as in torchvision, 224x224",
    .reference = PAPER,
    .instance_size = sizeof(resnet),
    BIOFT_OPTIONS(options),
    .vtable = &backbone,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
