/* EfficientNet-B0 (Tan and Le, ICML 2019), as in torchvision; without stochastic depth. */
#include "nets.h"

typedef struct {
    double dropout;
} efficientnet;

static const bioft_option options[] = {
    { .name = "dropout",
      .type = BIOFT_F64,
      .offset = offsetof(efficientnet, dropout),
      .def = 0.2,
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
enum { FIRST = 32, LAST = 1280, SQUEEZE = 4 };

static bioft_tensor silu(const bioft_builder *b, bioft_tensor x) { return bioft_plain(b, "Swish", x); }

/* "<block>.<place>.0" a conv and "<block>.<place>.1" its batchnorm. */
static bioft_tensor conv_norm(const bioft_builder *b, const char *block, uint32_t place, bioft_tensor x, uint32_t out,
                              uint32_t kernel, uint32_t stride, uint32_t group)
{
    char conv[64], norm[64];

    snprintf(conv, sizeof conv, "%s.%u.0", block, place);
    snprintf(norm, sizeof norm, "%s.%u.1", block, place);
    return batchnorm(b, norm, conv_same(b, conv, x, out, kernel, stride, group));
}

/* A 1x1 conv with a bias. */
static bioft_tensor dense(const bioft_builder *b, const char *block, uint32_t place, const char *last, bioft_tensor x,
                          uint32_t out)
{
    const bioft_conv2d c = {
        .struct_size = sizeof(c),
        .out = out,
        .kernel = { 1, 1 },
        .init = BIOFT_INIT_KAIMING_NORMAL_FAN_OUT,
    };
    char name[64];

    snprintf(name, sizeof name, "%s.%u.%s", block, place, last);
    return b->conv2d(b, name, x, &c);
}

/* A layer of a block, "<name>.<place>.<last>", by timm's name. */
static void inner_by_timm(const bioft_builder *b, const char *name, uint32_t place, const char *last, size_t stage,
                          uint32_t block, const char *other)
{
    char ours[64];

    snprintf(ours, sizeof ours, "%s.%u.%s", name, place, last);
    block_by_timm(b, ours, stage, block, other);
}

/* The block's layers by timm's names; widens: there are three convs, not two. */
static void names_by_timm(const bioft_builder *b, const char *name, size_t stage, uint32_t block, int widens)
{
    static const char *const convs[2][3] = { { "conv_dw", "conv_pw" }, { "conv_pw", "conv_dw", "conv_pwl" } };
    static const char *const norms[3] = { "bn1", "bn2", "bn3" };
    const uint32_t gate_at = widens ? 2 : 1;

    for (uint32_t i = 0; i < (widens ? 3u : 2u); i++) {
        const uint32_t place = i < gate_at ? i : i + 1;
        inner_by_timm(b, name, place, "0", stage, block, convs[widens][i]);
        inner_by_timm(b, name, place, "1", stage, block, norms[i]);
    }
    inner_by_timm(b, name, gate_at, "fc1", stage, block, "se.conv_reduce");
    inner_by_timm(b, name, gate_at, "fc2", stage, block, "se.conv_expand");
}

/* Squeeze and excitation (Hu, Shen and Sun, CVPR 2018). */
static bioft_tensor gate(const bioft_builder *b, const char *block, uint32_t place, bioft_tensor x, uint32_t narrow,
                         uint32_t channels)
{
    bioft_tensor g = b->adaptive_avgpool(b, x, 1, 1);

    g = silu(b, dense(b, block, place, "fc1", g, narrow));
    g = bioft_plain(b, "Sigmoid", dense(b, block, place, "fc2", g, channels));
    return bioft_multiply(b, x, g);
}

static bioft_tensor block(const bioft_builder *b, const char *name, size_t group, bioft_tensor x, uint32_t in,
                          uint32_t stride)
{
    const uint32_t out = groups[group].out, wide = in * groups[group].expand;
    uint32_t place = 0;
    bioft_tensor y = x;

    if (wide != in)
        y = silu(b, conv_norm(b, name, place++, y, wide, 1, 1, 1));
    y = silu(b, conv_norm(b, name, place++, y, wide, groups[group].kernel, stride, wide));
    y = gate(b, name, place++, y, in / SQUEEZE, wide);
    y = conv_norm(b, name, place, y, out, 1, 1, 1);
    return stride == 1 && in == out ? b->add(b, y, x) : y;
}

static const char *const outer[][2] = {
    { "features.0.0", "conv_stem" }, { "features.0.1", "bn1" },        { "features.8.0", "conv_head" },
    { "features.8.1", "bn2" },       { "classifier.1", "classifier" },
};

static bioft_status build(void *self, const bioft_builder *b)
{
    /* torchvision draws it from U(-1, 1)/sqrt(1000), which has this deviation */
    const bioft_linear head = {
        .struct_size = sizeof(head),
        .out = 1000,
        .init = BIOFT_INIT_NORMAL,
        .init_std = 0.0182574f,
    };
    bioft_tensor x = b->input(b, 3, 224, 224);
    uint32_t in = FIRST;
    char name[32];

    normalise_imagenet(b);
    x = silu(b, conv_norm(b, "features", 0, x, FIRST, 3, 2, 1));
    for (size_t g = 0; g < sizeof(groups) / sizeof(*groups); g++)
        for (uint32_t i = 0; i < groups[g].repeats; i++, in = groups[g].out) {
            snprintf(name, sizeof name, "features.%zu.%u.block", g + 1, i);
            x = block(b, name, g, x, in, i == 0 ? groups[g].stride : 1);
            names_by_timm(b, name, g, i, groups[g].expand != 1);
        }
    x = silu(b, conv_norm(b, "features", 8, x, LAST, 1, 1, 1));
    x = b->dropout(b, global_average(b, x), ((const efficientnet *)self)->dropout);
    b->head(b, "classifier.1", x, &head);
    for (size_t i = 0; i < sizeof(outer) / sizeof(*outer); i++)
        named_by_timm(b, outer[i][0], outer[i][1]);
    return BIOFT_OK;
}

static const bioft_backbone backbone = { .struct_size = sizeof(backbone), .build = build };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_BACKBONE, "efficientnet_b0", "1.0", "bioft", "MIT"),
    .summary = "EfficientNet-B0 as in torchvision, 224x224",
    .reference = "Tan, Le, ICML 2019",
    .instance_size = sizeof(efficientnet),
    BIOFT_OPTIONS(options),
    .vtable = &backbone,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
