/* Residual networks of basic blocks, 18 or 34 layers (He, Zhang, Ren and Sun, CVPR 2016), as in
 * torchvision. Compiled once a network: RESNET_DEPTH. */
#include <bioft/backbone.h>

#include <stdio.h>

#define TEXT(x)  #x
#define VALUE(x) TEXT(x)

/* Four groups of blocks of two 3x3 convs; the depth counts these, the first conv and the head. */
enum { GROUPS = 4, DEEP = RESNET_DEPTH == 34, FIRST = 64 };
static const int blocks[GROUPS] = { DEEP ? 3 : 2, DEEP ? 4 : 2, DEEP ? 6 : 2, DEEP ? 3 : 2 };
_Static_assert(RESNET_DEPTH == 18 || RESNET_DEPTH == 34, "a depth of 18 or 34");

/* A conv without bias, of a square kernel, padded to keep the size at stride 1, and its batchnorm.
 * conv, norm: their names. */
static bioft_tensor conv_norm(const bioft_builder *b, const char *conv, const char *norm,
                              bioft_tensor x, uint32_t out, uint32_t kernel, uint32_t stride)
{
    const uint32_t padding = kernel / 2;
    const bioft_conv2d c = {
        .struct_size = sizeof(c), .out = out, .kernel = { kernel, kernel },
        .stride = { stride, stride }, .padding = { padding, padding, padding, padding },
        .no_bias = 1, .init = BIOFT_INIT_KAIMING_NORMAL_FAN_OUT,
    };
    const bioft_norm n = { .struct_size = sizeof(n) };

    return b->batchnorm(b, norm, b->conv2d(b, conv, x, &c), &n);
}

/* The same inside a block called "layerG.I": "layerG.I.<conv>", "layerG.I.<norm>". */
static bioft_tensor inner(const bioft_builder *b, const char *block, const char *conv,
                          const char *norm, bioft_tensor x, uint32_t out, uint32_t kernel,
                          uint32_t stride)
{
    char conv_name[64], norm_name[64];

    snprintf(conv_name, sizeof conv_name, "%s.%s", block, conv);
    snprintf(norm_name, sizeof norm_name, "%s.%s", block, norm);
    return conv_norm(b, conv_name, norm_name, x, out, kernel, stride);
}

/* in: channels of x. Where the shape changes, the shortcut is a 1x1 conv. */
static bioft_tensor basic_block(const bioft_builder *b, const char *name, bioft_tensor x,
                                uint32_t in, uint32_t out, uint32_t stride)
{
    bioft_tensor y = b->relu(b, inner(b, name, "conv1", "bn1", x, out, 3, stride));

    y = inner(b, name, "conv2", "bn2", y, out, 3, 1);
    if (stride != 1 || in != out)
        x = inner(b, name, "downsample.0", "downsample.1", x, out, 1, stride);
    return b->relu(b, b->add(b, y, x));
}

static bioft_status build(void *self, const bioft_builder *b)
{
    static const float mean[3] = { 0.485f, 0.456f, 0.406f }, std[3] = { 0.229f, 0.224f, 0.225f };
    const bioft_pool pool = {
        .struct_size = sizeof(pool), .kernel = { 3, 3 }, .stride = { 2, 2 },
        .padding = { 1, 1, 1, 1 },
    };
    const bioft_linear head = { .struct_size = sizeof(head), .out = 1000 };
    bioft_tensor x = b->input(b, 3, 224, 224);
    uint32_t in = FIRST;
    char name[32];

    (void)self;
    b->normalise(b, mean, std, 3);
    x = b->maxpool(b, b->relu(b, conv_norm(b, "conv1", "bn1", x, FIRST, 7, 2)), &pool);
    for (int group = 0; group < GROUPS; group++) {
        const uint32_t out = (uint32_t)FIRST << group;
        for (int i = 0; i < blocks[group]; i++, in = out) {
            snprintf(name, sizeof name, "layer%d.%d", group + 1, i);
            x = basic_block(b, name, x, in, out, i == 0 && group > 0 ? 2 : 1);
        }
    }
    x = b->flatten(b, b->adaptive_avgpool(b, x, 1, 1));
    b->head(b, "fc", x, &head);
    return BIOFT_OK;
}

static const bioft_backbone backbone = { .struct_size = sizeof(backbone), .build = build };

static const bioft_plugin plugin = {
    .magic = BIOFT_MAGIC, .struct_size = sizeof(plugin), .abi_version = BIOFT_ABI_VERSION,
    .kind = BIOFT_KIND_BACKBONE, .name = "resnet" VALUE(RESNET_DEPTH),
    .version = "1.0", .author = "bioft", .license = "MIT",
    .summary = "ResNet of " VALUE(RESNET_DEPTH) " layers, as in torchvision, 224x224",
    .reference = "He, Zhang, Ren, Sun, CVPR 2016", .vtable = &backbone,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
