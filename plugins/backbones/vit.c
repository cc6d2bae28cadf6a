/* Vision transformers of 16x16 patches (Dosovitskiy et al., ICLR 2021; DeiT: Touvron et al., ICML 2021), with timm's
 * names. Compiled once a network: VIT_NAME, VIT_WIDTH, and VIT_DEIT 1 for DeiT's normalisation of pixels. */
#include "nets.h"

#include <math.h>

enum { DEPTH = 12, HEAD = 64, HEADS = VIT_WIDTH / HEAD, PATCH = 16 };
static const double deviation = 0.02, eps = 1e-6;

/* The layer `last` of block `i`. */
static const char *named(char *ret, size_t size, uint32_t i, const char *last)
{
    snprintf(ret, size, "blocks.%u.%s", i, last);
    return ret;
}

static bioft_tensor attention(const bioft_builder *b, uint32_t i, bioft_tensor x)
{
    char name[48];
    bioft_tensor qkv = bioft_positions_linear(b, named(name, sizeof name, i, "attn.qkv"), x, 3 * VIT_WIDTH, deviation);
    bioft_tensor q = bioft_slice(b, qkv, 1, 0, VIT_WIDTH), k = bioft_slice(b, qkv, 1, VIT_WIDTH, 2 * VIT_WIDTH);
    bioft_tensor v = bioft_slice(b, qkv, 1, 2 * VIT_WIDTH, 3 * VIT_WIDTH);

    x = bioft_attention(b, q, k, v, HEADS, 1 / sqrt((double)HEAD));
    return bioft_positions_linear(b, named(name, sizeof name, i, "attn.proj"), x, VIT_WIDTH, deviation);
}

static bioft_tensor block(const bioft_builder *b, uint32_t i, bioft_tensor x)
{
    char name[48];
    bioft_tensor y = bioft_layernorm(b, named(name, sizeof name, i, "norm1"), x, eps);

    x = b->add(b, x, attention(b, i, y));
    y = bioft_layernorm(b, named(name, sizeof name, i, "norm2"), x, eps);
    y = bioft_positions_linear(b, named(name, sizeof name, i, "mlp.fc1"), y, 4 * VIT_WIDTH, deviation);
    y = bioft_plain(b, "Gelu", y);
    return b->add(b, x, bioft_positions_linear(b, named(name, sizeof name, i, "mlp.fc2"), y, VIT_WIDTH, deviation));
}

static bioft_status build(void *self, const bioft_builder *b)
{
    static const float half[3] = { 0.5f, 0.5f, 0.5f };
    const bioft_conv2d patches = {
        .struct_size = sizeof(patches),
        .out = VIT_WIDTH,
        .kernel = { PATCH, PATCH },
        .stride = { PATCH, PATCH },
    };
    const bioft_linear head = {
        .struct_size = sizeof(head),
        .out = 1000,
        .init = BIOFT_INIT_NORMAL,
        .init_std = (float)deviation,
    };
    bioft_tensor x = b->input(b, 3, 224, 224);

    (void)self;
    if (VIT_DEIT)
        normalise_imagenet(b);
    else
        b->normalise(b, half, half, 3);
    x = b->conv2d(b, "patch_embed.proj", x, &patches);
    x = bioft_positions(b, "pos_embed", bioft_class_token(b, "cls_token", x, 1e-6), deviation);
    for (uint32_t i = 0; i < DEPTH; i++)
        x = block(b, i, x);
    x = bioft_layernorm(b, "norm", bioft_slice(b, x, 2, 0, 1), eps);
    b->head(b, "head", b->flatten(b, x), &head);
    return BIOFT_OK;
}

static const bioft_backbone backbone = { .struct_size = sizeof(backbone), .build = build };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_BACKBONE, VIT_NAME, "1.0", "bioft", "MIT"),
    .summary = "vision transformer of 12 blocks, " VALUE(
        VIT_WIDTH) " wide, patches of 16x16, with timm's names, 224x224",
    .reference = VIT_DEIT ? "Touvron, Cord, Douze, Massa, Sablayrolles, Jegou, ICML 2021"
                          : "Dosovitskiy et al., ICLR 2021; Steiner et al., TMLR 2022",
    .vtable = &backbone,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
