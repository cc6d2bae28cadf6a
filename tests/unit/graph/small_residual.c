/* A small residual network for tests: batchnorm, a strided shortcut that does not divide, groups,
 * dilation, tanh, adaptive pooling to an oblong. Its twin is SmallResidual in
 * tests/golden/models.py. */
#include <bioft/backbone.h>

static bioft_tensor conv_norm(const bioft_builder *b, const char *conv, const char *norm, bioft_tensor x,
                              const bioft_conv2d *c)
{
    const bioft_norm n = { .struct_size = sizeof(n) };
    return b->batchnorm(b, norm, b->conv2d(b, conv, x, c), &n);
}

static bioft_tensor block(const bioft_builder *b, bioft_tensor x)
{
    const bioft_conv2d first = {
        .struct_size = sizeof(first),
        .out = 16,
        .kernel = { 3, 3 },
        .stride = { 2, 2 },
        .padding = { 1, 1, 1, 1 },
        .no_bias = 1,
        .init = BIOFT_INIT_KAIMING_NORMAL_FAN_OUT,
    };
    const bioft_conv2d second = {
        .struct_size = sizeof(second),
        .out = 16,
        .kernel = { 3, 3 },
        .padding = { 1, 1, 1, 1 },
        .groups = 4,
        .no_bias = 1,
        .init = BIOFT_INIT_KAIMING_NORMAL_FAN_OUT,
    };
    const bioft_conv2d shortcut = {
        .struct_size = sizeof(shortcut),
        .out = 16,
        .kernel = { 1, 1 },
        .stride = { 2, 2 },
        .no_bias = 1,
        .init = BIOFT_INIT_KAIMING_NORMAL_FAN_OUT,
    };
    bioft_tensor y = conv_norm(b, "layer1.conv1", "layer1.bn1", x, &first);

    y = conv_norm(b, "layer1.conv2", "layer1.bn2", b->relu(b, y), &second);
    x = conv_norm(b, "layer1.downsample.0", "layer1.downsample.1", x, &shortcut);
    return b->relu(b, b->add(b, y, x));
}

static bioft_status build(void *self, const bioft_builder *b)
{
    static const float mean[3] = { 0.5f, 0.4f, 0.3f }, std[3] = { 0.2f, 0.25f, 0.3f };
    const bioft_conv2d first = {
        .struct_size = sizeof(first),
        .out = 8,
        .kernel = { 3, 3 },
        .padding = { 1, 1, 1, 1 },
        .no_bias = 1,
        .init = BIOFT_INIT_KAIMING_NORMAL_FAN_OUT,
    };
    const bioft_conv2d last = {
        .struct_size = sizeof(last),
        .out = 12,
        .kernel = { 3, 3 },
        .stride = { 2, 2 },
        .padding = { 1, 1, 1, 1 },
        .dilation = { 2, 2 },
        .groups = 2,
        .init = BIOFT_INIT_KAIMING_NORMAL_FAN_OUT,
    };
    const bioft_linear head = { .struct_size = sizeof(head), .out = 10 };
    bioft_tensor x = b->input(b, 3, 18, 16);

    (void)self;
    b->normalise(b, mean, std, 3);
    x = block(b, b->relu(b, conv_norm(b, "conv1", "bn1", x, &first)));
    x = b->tanh_(b, b->conv2d(b, "conv2", x, &last));
    x = b->flatten(b, b->adaptive_avgpool(b, x, 3, 2));
    b->head(b, "fc", x, &head);
    return BIOFT_OK;
}

static const bioft_backbone backbone = { .struct_size = sizeof(backbone), .build = build };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_BACKBONE, "small_residual", "1.0", "bioft", "MIT"),
    .summary = "a small residual network for tests, 18x16 images of 3 channels",
    .reference = "",
    .vtable = &backbone,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
