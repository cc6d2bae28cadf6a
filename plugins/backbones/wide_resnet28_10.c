/* WRN-28-10 (Zagoruyko and Komodakis, BMVC 2016) for 32x32: 28 layers, ten times as wide, norms before the convs. Names
 * are those of the weights that the literature on robustness compares (`block1.layer.0.conv1`). */
#include "nets.h"

enum { GROUPS = 3, BLOCKS = 4, FIRST = 16, WIDE = 10 };

typedef struct {
    double dropout;
} wide;

static const bioft_option options[] = {
    { .name = "dropout",
      .type = BIOFT_F64,
      .offset = offsetof(wide, dropout),
      .def = 0,
      .min = 0,
      .max = 0.99,
      .help = "probability between a block's convs; 0: none" },
};

/* A layer of a block, by its last name. */
static const char *named(char *ret, size_t size, const char *block, const char *last)
{
    snprintf(ret, size, "%s.%s", block, last);
    return ret;
}

/* Where the channels change, the shortcut takes what the first norm and relu give. */
static bioft_tensor block(const wide *s, const bioft_builder *b, const char *name, bioft_tensor x, uint32_t in,
                          uint32_t out, uint32_t stride)
{
    char text[64];
    bioft_tensor active = b->relu(b, batchnorm(b, named(text, sizeof text, name, "bn1"), x)), y;

    y = conv_same(b, named(text, sizeof text, name, "conv1"), active, out, 3, stride, 1);
    y = b->relu(b, batchnorm(b, named(text, sizeof text, name, "bn2"), y));
    y = s->dropout > 0 ? b->dropout(b, y, s->dropout) : y;
    y = conv_same(b, named(text, sizeof text, name, "conv2"), y, out, 3, 1, 1);
    if (in != out)
        x = conv_same(b, named(text, sizeof text, name, "convShortcut"), active, out, 1, stride, 1);
    return b->add(b, x, y);
}

static bioft_status build(void *self, const bioft_builder *b)
{
    static const float mean[3] = { 125.3f / 255, 123.0f / 255, 113.9f / 255 };
    static const float std[3] = { 63.0f / 255, 62.1f / 255, 66.7f / 255 };
    const bioft_linear head = { .struct_size = sizeof(head), .out = 10 };
    bioft_tensor x = b->input(b, 3, 32, 32);
    uint32_t in = FIRST;
    char name[48];

    b->normalise(b, mean, std, 3);
    x = conv_same(b, "conv1", x, FIRST, 3, 1, 1);
    for (uint32_t g = 0; g < GROUPS; g++) {
        const uint32_t out = (uint32_t)(FIRST * WIDE) << g;
        for (uint32_t i = 0; i < BLOCKS; i++, in = out) {
            snprintf(name, sizeof name, "block%u.layer.%u", g + 1, i);
            x = block(self, b, name, x, in, out, i == 0 && g > 0 ? 2 : 1);
        }
    }
    x = b->relu(b, batchnorm(b, "bn1", x));
    b->head(b, "fc", global_average(b, x), &head);
    return BIOFT_OK;
}

static const bioft_backbone backbone = { .struct_size = sizeof(backbone), .build = build };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_BACKBONE, "wide_resnet28_10", "1.0", "bioft", "MIT"),
    .summary = "WRN-28-10: 28 layers, norms before convs, ten times as wide, 32x32",
    .reference = "Zagoruyko, Komodakis, BMVC 2016",
    .instance_size = sizeof(wide),
    BIOFT_OPTIONS(options),
    .vtable = &backbone,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
