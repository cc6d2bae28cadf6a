/* ConvNeXt-T (Liu, Mao, Wu, Feichtenhofer, Darrell and Xie, CVPR 2022), as in torchvision; without stochastic depth. */
#include "nets.h"

enum { STAGES = 4 };
static const uint32_t depths[STAGES] = { 3, 3, 9, 3 }, widths[STAGES] = { 96, 192, 384, 768 };
static const double deviation = 0.02, eps = 1e-6, layer_scale = 1e-6;

static bioft_tensor conv(const bioft_builder *b, const char *name, bioft_tensor x, uint32_t out, uint32_t kernel,
                         uint32_t stride, uint32_t padding, uint32_t groups)
{
    const bioft_conv2d c = {
        .struct_size = sizeof(c),
        .out = out,
        .kernel = { kernel, kernel },
        .stride = { stride, stride },
        .padding = { padding, padding, padding, padding },
        .groups = groups,
        .init = BIOFT_INIT_NORMAL,
        .init_std = (float)deviation,
    };
    return b->conv2d(b, name, x, &c);
}

/* Depthwise 7x7, layernorm, two linear layers at each pixel, a factor a channel, the shortcut. */
static bioft_tensor block(const bioft_builder *b, const char *name, bioft_tensor x, uint32_t width)
{
    char text[64];
    bioft_tensor y;

    snprintf(text, sizeof text, "%s.block.0", name);
    y = conv(b, text, x, width, 7, 1, 3, width);
    snprintf(text, sizeof text, "%s.block.2", name);
    y = bioft_layernorm(b, text, y, eps);
    snprintf(text, sizeof text, "%s.block.3", name);
    y = bioft_plain(b, "Gelu", bioft_positions_linear(b, text, y, 4 * (int64_t)width, deviation));
    snprintf(text, sizeof text, "%s.block.5", name);
    y = bioft_positions_linear(b, text, y, width, deviation);
    snprintf(text, sizeof text, "%s.layer_scale", name);
    return b->add(b, bioft_scale(b, text, y, layer_scale, 3), x);
}

/* The layers of a block, or of what stands before a stage, by timm's names. */
static void names_by_timm(const bioft_builder *b, const char *name, uint32_t stage, uint32_t number)
{
    static const char *const layers[][2] = {
        { "block.0", "conv_dw" }, { "block.2", "norm" },      { "block.3", "mlp.fc1" },
        { "block.5", "mlp.fc2" }, { "layer_scale", "gamma" },
    };
    char ours[64], theirs[64];

    for (size_t i = 0; i < sizeof(layers) / sizeof(*layers); i++) {
        snprintf(ours, sizeof ours, "%s.%s", name, layers[i][0]);
        snprintf(theirs, sizeof theirs, "stages.%u.blocks.%u.%s", stage, number, layers[i][1]);
        named_by_timm(b, ours, theirs);
    }
}

static void outer_by_timm(const bioft_builder *b)
{
    static const char *const outer[][2] = {
        { "features.0.0", "stem.0" },
        { "features.0.1", "stem.1" },
        { "classifier.0", "head.norm" },
        { "classifier.2", "head.fc" },
    };
    char ours[32], theirs[32];

    for (size_t i = 0; i < sizeof(outer) / sizeof(*outer); i++)
        named_by_timm(b, outer[i][0], outer[i][1]);
    for (uint32_t s = 1; s < STAGES; s++)
        for (uint32_t i = 0; i < 2; i++) {
            snprintf(ours, sizeof ours, "features.%u.%u", 2 * s, i);
            snprintf(theirs, sizeof theirs, "stages.%u.downsample.%u", s, i);
            named_by_timm(b, ours, theirs);
        }
}

static bioft_status build(void *self, const bioft_builder *b)
{
    const bioft_linear head = {
        .struct_size = sizeof(head),
        .out = 1000,
        .init = BIOFT_INIT_NORMAL,
        .init_std = (float)deviation,
    };
    bioft_tensor x = b->input(b, 3, 224, 224);
    char name[48];

    (void)self;
    normalise_imagenet(b);
    x = bioft_layernorm(b, "features.0.1", conv(b, "features.0.0", x, widths[0], 4, 4, 0, 1), eps);
    for (uint32_t s = 0; s < STAGES; s++) {
        for (uint32_t i = 0; i < depths[s]; i++) {
            snprintf(name, sizeof name, "features.%u.%u", 2 * s + 1, i);
            x = block(b, name, x, widths[s]);
            names_by_timm(b, name, s, i);
        }
        if (s + 1 == STAGES)
            break;
        snprintf(name, sizeof name, "features.%u.0", 2 * s + 2);
        x = bioft_layernorm(b, name, x, eps);
        snprintf(name, sizeof name, "features.%u.1", 2 * s + 2);
        x = conv(b, name, x, widths[s + 1], 2, 2, 0, 1);
    }
    x = bioft_layernorm(b, "classifier.0", b->adaptive_avgpool(b, x, 1, 1), eps);
    b->head(b, "classifier.2", b->flatten(b, x), &head);
    outer_by_timm(b);
    return BIOFT_OK;
}

static const bioft_backbone backbone = { .struct_size = sizeof(backbone), .build = build };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_BACKBONE, "convnext_tiny", "1.0", "bioft", "MIT"),
    .summary = "ConvNeXt-T as in torchvision, 224x224",
    .reference = "Liu, Mao, Wu, Feichtenhofer, Darrell, Xie, CVPR 2022",
    .vtable = &backbone,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
