/* EfficientNet-lite 0 to 4: EfficientNet (Tan and Le, ICML 2019) without gates, with ReLU6, its first conv and its last
 * as wide in all sizes; padded as in TensorFlow. Layers have the names of the converted weights (`_conv_stem`,
 * `_blocks.0._depthwise_conv`). Compiled once a network: LITE, 0 to 4. */
#include "nets.h"

#include <math.h>

typedef struct {
    double dropout;
} lite;

/* Factors of channels and of repeats, the published side, dropout. */
static const struct size {
    double width, depth;
    uint32_t side;
    double dropout;
} sizes[] = {
    { 1.0, 1.0, 224, 0.2 }, { 1.0, 1.1, 240, 0.2 }, { 1.1, 1.2, 260, 0.3 },
    { 1.2, 1.4, 280, 0.3 }, { 1.4, 1.8, 300, 0.3 },
};
#define DROPOUT (LITE < 2 ? 0.2 : 0.3)

static const bioft_option options[] = {
    { .name = "dropout",
      .type = BIOFT_F64,
      .offset = offsetof(lite, dropout),
      .def = DROPOUT,
      .min = 0,
      .max = 0.99,
      .help = "probability before the head" },
};

static const struct {
    uint32_t expand, kernel, stride, out, repeats;
} groups[] = {
    { 1, 3, 1, 16, 1 },  { 6, 3, 2, 24, 2 },  { 6, 5, 2, 40, 2 },  { 6, 3, 2, 80, 3 },
    { 6, 5, 1, 112, 3 }, { 6, 5, 2, 192, 4 }, { 6, 3, 1, 320, 1 },
};
enum { GROUPS = sizeof(groups) / sizeof(*groups), FIRST = 32, LAST = 1280 };

/* The nearest multiple of 8, but not less than 0.9 of it. */
static uint32_t channels_of(uint32_t base)
{
    const double wanted = base * sizes[LITE].width;
    uint32_t rounded = (uint32_t)(wanted + 4) / 8 * 8;

    rounded = rounded < 8 ? 8 : rounded;
    return rounded < 0.9 * wanted ? rounded + 8 : rounded;
}

/* The first and the last group are as deep in all sizes. */
static uint32_t repeats_of(uint32_t group)
{
    return group == 0 || group == GROUPS - 1 ? groups[group].repeats
                                             : (uint32_t)ceil(groups[group].repeats * sizes[LITE].depth);
}

static bioft_tensor conv_norm(const bioft_builder *b, const char *conv, const char *norm, bioft_tensor x, uint32_t out,
                              uint32_t kernel, uint32_t stride, uint32_t group)
{
    const bioft_conv2d c = {
        .struct_size = sizeof(c),
        .out = out,
        .kernel = { kernel, kernel },
        .stride = { stride, stride },
        .groups = group,
        .no_bias = 1,
        .init = BIOFT_INIT_KAIMING_NORMAL_FAN_OUT,
        .same = 1,
    };
    const bioft_norm n = { .struct_size = sizeof(n), .eps = 1e-3f, .momentum = 0.01f };

    return b->batchnorm(b, norm, b->conv2d(b, conv, x, &c), &n);
}

/* A block's number in the network; its group and its number there, as timm counts. */
struct place {
    uint32_t number, group, block;
};

struct inner {
    const char *name;
    uint32_t number; /* of the conv in the block */
    uint32_t out, kernel, stride, group;
};

/* One conv of a block with its batchnorm. */
static bioft_tensor inner(const bioft_builder *b, struct place at, struct inner c, bioft_tensor x)
{
    static const char *const by_timm[2][3] = { { "conv_dw", "conv_pw" }, { "conv_pw", "conv_dw", "conv_pwl" } };
    const int widens = groups[at.group].expand != 1;
    char conv_name[64], norm_name[64], norm_by_timm[16];

    snprintf(conv_name, sizeof conv_name, "_blocks.%u.%s", at.number, c.name);
    snprintf(norm_name, sizeof norm_name, "_blocks.%u._bn%u", at.number, c.number);
    snprintf(norm_by_timm, sizeof norm_by_timm, "bn%u", widens ? c.number + 1 : c.number);
    x = conv_norm(b, conv_name, norm_name, x, c.out, c.kernel, c.stride, c.group);
    block_by_timm(b, conv_name, at.group, at.block, by_timm[widens][widens ? c.number : c.number - 1]);
    block_by_timm(b, norm_name, at.group, at.block, norm_by_timm);
    return x;
}

static bioft_tensor block(const bioft_builder *b, struct place at, bioft_tensor x, uint32_t in, uint32_t stride)
{
    const uint32_t out = channels_of(groups[at.group].out), wide = in * groups[at.group].expand;
    bioft_tensor y = x;

    if (wide != in)
        y = bioft_relu6(b, inner(b, at, (struct inner){ "_expand_conv", 0, wide, 1, 1, 1 }, y));
    y = bioft_relu6(
        b, inner(b, at, (struct inner){ "_depthwise_conv", 1, wide, groups[at.group].kernel, stride, wide }, y));
    y = inner(b, at, (struct inner){ "_project_conv", 2, out, 1, 1, 1 }, y);
    return stride == 1 && in == out ? b->add(b, y, x) : y;
}

static const char *const outer[][2] = {
    { "_conv_stem", "conv_stem" }, { "_bn0", "bn1" }, { "_conv_head", "conv_head" }, { "_bn1", "bn2" },
    { "_fc", "classifier" },
};

static bioft_status build(void *self, const bioft_builder *b)
{
    static const float mean[3] = { 0.5f, 0.5f, 0.5f }, std[3] = { 0.5f, 0.5f, 0.5f };
    const bioft_linear head = { .struct_size = sizeof(head), .out = 1000 };
    bioft_tensor x = b->input(b, 3, sizes[LITE].side, sizes[LITE].side);
    uint32_t in = FIRST, number = 0;

    b->normalise(b, mean, std, 3);
    x = bioft_relu6(b, conv_norm(b, "_conv_stem", "_bn0", x, FIRST, 3, 2, 1));
    for (uint32_t g = 0; g < GROUPS; g++)
        for (uint32_t i = 0; i < repeats_of(g); i++, in = channels_of(groups[g].out))
            x = block(b, (struct place){ number++, g, i }, x, in, i == 0 ? groups[g].stride : 1);
    x = bioft_relu6(b, conv_norm(b, "_conv_head", "_bn1", x, LAST, 1, 1, 1));
    x = b->dropout(b, global_average(b, x), ((const lite *)self)->dropout);
    b->head(b, "_fc", x, &head);
    for (size_t i = 0; i < sizeof(outer) / sizeof(*outer); i++)
        named_by_timm(b, outer[i][0], outer[i][1]);
    return BIOFT_OK;
}

static const bioft_backbone backbone = { .struct_size = sizeof(backbone), .build = build };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_BACKBONE, "efficientnet_lite" VALUE(LITE), "1.0", "bioft", "MIT"),
    .summary = "EfficientNet-lite" VALUE(LITE) ": depthwise layers, ReLU6, no gates",
    .reference = "Tan, Le, ICML 2019; Liu, EfficientNet-Lite, 2020",
    .instance_size = sizeof(lite),
    BIOFT_OPTIONS(options),
    .vtable = &backbone,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
