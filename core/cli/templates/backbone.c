/* @NAME@: a backbone. build() calls one function a layer on handles; the host keeps shapes, parameters and the first
 * failure, so nothing is checked here. This one: two convolutions and a linear layer on 28x28 grey images. */
#include <bioft/backbone.h>

/* The instance: the host writes the options into it. */
typedef struct {
    int64_t width;
} state;

static const bioft_option options[] = {
    { .name = "width",
      .type = BIOFT_I64,
      .offset = offsetof(state, width),
      .def = 8.0,
      .min = 1.0,
      .max = 1024.0,
      .unit = "channels",
      .help = "of the first convolution; the second has twice as many" },
};

/* What is not set in a layer's struct is the usual: stride 1, no padding, one group, a bias. */
static bioft_status build(void *self, const bioft_builder *b)
{
    const uint32_t width = (uint32_t)((const state *)self)->width;
    const bioft_pool pool = { .struct_size = sizeof(pool), .kernel = { 2, 2 } };
    bioft_tensor x = b->input(b, 1, 28, 28);
    x = b->conv2d(
        b, "conv1", x,
        &(bioft_conv2d){
            .struct_size = sizeof(bioft_conv2d), .out = width, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 } });
    x = b->maxpool(b, b->relu(b, x), &pool);
    x = b->conv2d(
        b, "conv2", x,
        &(bioft_conv2d){
            .struct_size = sizeof(bioft_conv2d), .out = 2 * width, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 } });
    x = b->maxpool(b, b->relu(b, x), &pool);
    /* The last layer: the task gives it as many outputs as it needs. */
    b->head(b, "fc", b->flatten(b, x), &(bioft_linear){ .struct_size = sizeof(bioft_linear), .out = 10 });
    return BIOFT_OK;
}

static const bioft_backbone backbone = { .struct_size = sizeof(backbone), .build = build };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_BACKBONE, "@NAME@", "0.1", "you", "MIT"),
    .summary = "two convolutions and a linear layer, 28x28 grey images",
    .reference = "the paper it implements",
    .instance_size = sizeof(state),
    BIOFT_OPTIONS(options),
    .vtable = &backbone,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
