/* A small network for tests with all that a resumed stage could get wrong: batchnorm's statistics,
 * dropout, and a batchnorm of one value a channel and image. */
#include <bioft/backbone.h>

static bioft_status build(void *self, const bioft_builder *b)
{
    const bioft_conv2d first = {
        .struct_size = sizeof(first),
        .out = 4,
        .kernel = { 3, 3 },
        .padding = { 1, 1, 1, 1 },
        .no_bias = 1,
    };
    const bioft_conv2d second = { .struct_size = sizeof(second), .out = 6, .kernel = { 3, 3 } };
    const bioft_linear hidden = { .struct_size = sizeof(hidden), .out = 12 };
    const bioft_linear head = { .struct_size = sizeof(head), .out = 10 };
    const bioft_norm norm = { .struct_size = sizeof(norm) };
    const bioft_pool half = { .struct_size = sizeof(half), .kernel = { 2, 2 } };
    bioft_tensor x = b->input(b, 1, 8, 8);
    (void)self;
    x = b->batchnorm(b, "bn1", b->conv2d(b, "conv1", x, &first), &norm);
    x = b->maxpool(b, b->relu(b, x), &half);
    x = b->dropout(b, b->relu(b, b->conv2d(b, "conv2", x, &second)), 0.3);
    x = b->linear(b, "fc1", b->flatten(b, x), &hidden);
    x = b->relu(b, b->batchnorm(b, "bn2", x, &norm));
    b->head(b, "fc2", b->dropout(b, x, 0.2), &head);
    b->other_name(b, "conv1", "stem.conv");
    b->other_name(b, "bn1", "stem.norm");
    b->other_name(b, "fc2", "classifier");
    return BIOFT_OK;
}

static const bioft_backbone backbone = { .struct_size = sizeof(backbone), .build = build };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_BACKBONE, "small_norm", "1.0", "bioft", "MIT"),
    .summary = "a small network with batchnorm and dropout, 8x8 grey images",
    .reference = "",
    .vtable = &backbone,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
