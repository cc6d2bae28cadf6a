/* LeNet-5 (LeCun, Bottou, Bengio and Haffner, Proceedings of the IEEE 1998) in its modern form: two
 * 5x5 convs of 6 and 16 channels, each pooled by 2, then 120, 84 and the head. */
#include "image.h"

typedef struct {
    int32_t activation, pool;
    image image;
} lenet5;

enum { RELU, TANH };
enum { MAX, AVG };
static const char *const activations[] = { "relu", "tanh", NULL };
static const char *const pools[] = { "max", "avg", NULL };

static const bioft_option options[] = {
    { .name = "activation",
      .type = BIOFT_CHOICE,
      .offset = offsetof(lenet5, activation),
      .def = RELU,
      .choices = activations,
      .help = "what follows each layer but the head" },
    { .name = "pool",
      .type = BIOFT_CHOICE,
      .offset = offsetof(lenet5, pool),
      .def = MAX,
      .choices = pools,
      .help = "how 2x2 pixels become one" },
    IMAGE_OPTIONS(offsetof(lenet5, image)),
};

static bioft_status create(void *self, const bioft_host *host)
{
    return image_check(&((const lenet5 *)self)->image, host);
}

static bioft_tensor activate(const lenet5 *s, const bioft_builder *b, bioft_tensor x)
{
    return s->activation == RELU ? b->relu(b, x) : b->tanh_(b, x);
}

static bioft_tensor conv(const lenet5 *s, const bioft_builder *b, const char *name, bioft_tensor x, uint32_t out,
                         uint32_t padding)
{
    const bioft_conv2d c = {
        .struct_size = sizeof(c),
        .out = out,
        .kernel = { 5, 5 },
        .padding = { padding, padding, padding, padding },
    };
    const bioft_pool p = { .struct_size = sizeof(p), .kernel = { 2, 2 } };

    x = activate(s, b, b->conv2d(b, name, x, &c));
    return s->pool == MAX ? b->maxpool(b, x, &p) : b->avgpool(b, x, &p);
}

static bioft_tensor linear(const lenet5 *s, const bioft_builder *b, const char *name, bioft_tensor x, uint32_t out)
{
    const bioft_linear l = { .struct_size = sizeof(l), .out = out };
    return activate(s, b, b->linear(b, name, x, &l));
}

static bioft_status build(void *self, const bioft_builder *b)
{
    const lenet5 *s = self;
    const bioft_linear head = { .struct_size = sizeof(head), .out = 10 };
    bioft_tensor x = image_input(&s->image, b);

    x = conv(s, b, "conv1", x, 6, 2);
    x = conv(s, b, "conv2", x, 16, 0);
    x = b->flatten(b, x);
    x = linear(s, b, "fc1", x, 120);
    x = linear(s, b, "fc2", x, 84);
    b->head(b, "fc3", x, &head);
    return BIOFT_OK;
}

static const bioft_backbone backbone = { .struct_size = sizeof(backbone), .build = build };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_BACKBONE, "lenet5", "1.0", "bioft", "MIT"),
    .summary = "LeNet-5: two convs, three linear layers, 28x28 grey images",
    .reference = "LeCun, Bottou, Bengio, Haffner, Proceedings of the IEEE 86(11), 1998",
    .instance_size = sizeof(lenet5),
    BIOFT_OPTIONS(options),
    .create = create,
    .vtable = &backbone,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
