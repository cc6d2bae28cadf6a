/* ResNet-18 with norms before the convs (He, Zhang, Ren and Sun, ECCV 2016) for 32x32, a norm before the head. Names are
 * those of the weights that the literature on robustness compares (`layer1.0.shortcut.0`, `linear`). */
#include "nets.h"

enum { GROUPS = 4, BLOCKS = 2, FIRST = 64 };

static const char *named(char *ret, size_t size, const char *block, const char *last)
{
    snprintf(ret, size, "%s.%s", block, last);
    return ret;
}

/* Where the shape changes, the shortcut takes what the first norm and relu give. */
static bioft_tensor block(const bioft_builder *b, const char *name, bioft_tensor x, uint32_t in, uint32_t out,
                          uint32_t stride)
{
    char text[64];
    bioft_tensor active = b->relu(b, batchnorm(b, named(text, sizeof text, name, "bn1"), x)), y;

    y = conv_same(b, named(text, sizeof text, name, "conv1"), active, out, 3, stride, 1);
    y = b->relu(b, batchnorm(b, named(text, sizeof text, name, "bn2"), y));
    y = conv_same(b, named(text, sizeof text, name, "conv2"), y, out, 3, 1, 1);
    if (stride != 1 || in != out)
        x = conv_same(b, named(text, sizeof text, name, "shortcut.0"), active, out, 1, stride, 1);
    return b->add(b, y, x);
}

static bioft_status build(void *self, const bioft_builder *b)
{
    const bioft_linear head = { .struct_size = sizeof(head), .out = 10 };
    bioft_tensor x = b->input(b, 3, 32, 32);
    uint32_t in = FIRST;
    char name[32];

    (void)self;
    normalise_cifar(b);
    x = conv_same(b, "conv1", x, FIRST, 3, 1, 1);
    for (uint32_t g = 0; g < GROUPS; g++) {
        const uint32_t out = (uint32_t)FIRST << g;
        for (uint32_t i = 0; i < BLOCKS; i++, in = out) {
            snprintf(name, sizeof name, "layer%u.%u", g + 1, i);
            x = block(b, name, x, in, out, i == 0 && g > 0 ? 2 : 1);
        }
    }
    x = b->relu(b, batchnorm(b, "bn", x));
    b->head(b, "linear", global_average(b, x), &head);
    return BIOFT_OK;
}

static const bioft_backbone backbone = { .struct_size = sizeof(backbone), .build = build };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_BACKBONE, "preact_resnet18", "1.0", "bioft", "MIT"),
    .summary = "ResNet of 18 layers with norms before convs, 32x32",
    .reference = "He, Zhang, Ren, Sun, ECCV 2016",
    .vtable = &backbone,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
