/* MobileNetV2 (Sandler, Howard, Zhu, Zhmoginov and Chen, CVPR 2018), as in torchvision. */
#include "nets.h"

typedef struct {
    double dropout;
} mobilenet;

static const bioft_option options[] = {
    { .name = "dropout",
      .type = BIOFT_F64,
      .offset = offsetof(mobilenet, dropout),
      .def = 0.2,
      .min = 0,
      .max = 0.99,
      .help = "probability before the head" },
};

/* Groups of inverted residuals: by how much the first conv widens, channels, repeats, first stride. */
static const struct {
    uint32_t expand, out, repeats, stride;
} groups[] = {
    { 1, 16, 1, 1 }, { 6, 24, 2, 2 },  { 6, 32, 3, 2 },  { 6, 64, 4, 2 },
    { 6, 96, 3, 1 }, { 6, 160, 3, 2 }, { 6, 320, 1, 1 },
};
enum { FIRST = 32, LAST = 1280 };

/* "<place>.<0>" a conv and "<place>.<1>" its batchnorm. */
static bioft_tensor conv_norm(const bioft_builder *b, const char *conv, const char *norm, bioft_tensor x, uint32_t out,
                              uint32_t kernel, uint32_t stride, uint32_t group)
{
    return batchnorm(b, norm, conv_same(b, conv, x, out, kernel, stride, group));
}

/* A block's number among torchvision's `features`; its stage and its number there, as timm counts. */
struct place {
    uint32_t number, block;
    size_t stage;
};

/* in: channels of x. */
static bioft_tensor inverted_residual(const bioft_builder *b, struct place at, bioft_tensor x, uint32_t in,
                                      uint32_t out, uint32_t expand, uint32_t stride)
{
    const uint32_t number = at.number;
    const uint32_t wide = in * expand;
    bioft_tensor y = x;
    char conv[48], norm[48];
    uint32_t place = 0;

    if (expand != 1) {
        snprintf(conv, sizeof conv, "features.%u.conv.%u.0", number, place);
        snprintf(norm, sizeof norm, "features.%u.conv.%u.1", number, place++);
        y = bioft_relu6(b, conv_norm(b, conv, norm, y, wide, 1, 1, 1));
        block_by_timm(b, conv, at.stage, at.block, "conv_pw");
        block_by_timm(b, norm, at.stage, at.block, "bn1");
    }
    snprintf(conv, sizeof conv, "features.%u.conv.%u.0", number, place);
    snprintf(norm, sizeof norm, "features.%u.conv.%u.1", number, place++);
    y = bioft_relu6(b, conv_norm(b, conv, norm, y, wide, 3, stride, wide));
    block_by_timm(b, conv, at.stage, at.block, "conv_dw");
    block_by_timm(b, norm, at.stage, at.block, expand != 1 ? "bn2" : "bn1");
    snprintf(conv, sizeof conv, "features.%u.conv.%u", number, place);
    snprintf(norm, sizeof norm, "features.%u.conv.%u", number, place + 1);
    y = conv_norm(b, conv, norm, y, out, 1, 1, 1);
    block_by_timm(b, conv, at.stage, at.block, expand != 1 ? "conv_pwl" : "conv_pw");
    block_by_timm(b, norm, at.stage, at.block, expand != 1 ? "bn3" : "bn2");
    return stride == 1 && in == out ? b->add(b, x, y) : y;
}

static const char *const outer[][2] = {
    { "features.0.0", "conv_stem" }, { "features.0.1", "bn1" },        { "features.18.0", "conv_head" },
    { "features.18.1", "bn2" },      { "classifier.1", "classifier" },
};

static bioft_status build(void *self, const bioft_builder *b)
{
    const bioft_linear head = {
        .struct_size = sizeof(head),
        .out = 1000,
        .init = BIOFT_INIT_NORMAL,
        .init_std = 0.01f,
    };
    bioft_tensor x = b->input(b, 3, 224, 224);
    uint32_t in = FIRST, number = 1;

    normalise_imagenet(b);
    x = bioft_relu6(b, conv_norm(b, "features.0.0", "features.0.1", x, FIRST, 3, 2, 1));
    for (size_t g = 0; g < sizeof(groups) / sizeof(*groups); g++)
        for (uint32_t i = 0; i < groups[g].repeats; i++, in = groups[g].out)
            x = inverted_residual(b, (struct place){ number++, i, g }, x, in, groups[g].out, groups[g].expand,
                                  i == 0 ? groups[g].stride : 1);
    x = bioft_relu6(b, conv_norm(b, "features.18.0", "features.18.1", x, LAST, 1, 1, 1));
    x = b->dropout(b, global_average(b, x), ((const mobilenet *)self)->dropout);
    b->head(b, "classifier.1", x, &head);
    for (size_t i = 0; i < sizeof(outer) / sizeof(*outer); i++)
        named_by_timm(b, outer[i][0], outer[i][1]);
    return BIOFT_OK;
}

static const bioft_backbone backbone = { .struct_size = sizeof(backbone), .build = build };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_BACKBONE, "mobilenet_v2", "1.0", "bioft", "MIT"),
    .summary = "MobileNetV2 as in torchvision, 224x224",
    .reference = "Sandler, Howard, Zhu, Zhmoginov, Chen, CVPR 2018",
    .instance_size = sizeof(mobilenet),
    BIOFT_OPTIONS(options),
    .vtable = &backbone,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
