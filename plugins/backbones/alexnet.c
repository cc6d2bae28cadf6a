/* AlexNet as in "One weird trick for parallelizing convolutional neural networks" (Krizhevsky 2014)
 * and torchvision: without local response normalisation and groups. */
#include <bioft/backbone.h>

#include <stdio.h>

typedef struct {
    double dropout;
} alexnet;

static const bioft_option options[] = {
    { .name = "dropout",
      .type = BIOFT_F64,
      .offset = offsetof(alexnet, dropout),
      .def = 0.5,
      .min = 0,
      .max = 0.99,
      .help = "probability before each hidden linear layer" },
};

/* number: its place in torchvision's `features`. */
static const struct conv {
    uint32_t number, out, kernel, stride, padding;
    int pooled;
} convs[] = {
    { 0, 64, 11, 4, 2, 1 }, { 3, 192, 5, 1, 2, 1 },  { 6, 384, 3, 1, 1, 0 },
    { 8, 256, 3, 1, 1, 0 }, { 10, 256, 3, 1, 1, 1 },
};

static bioft_tensor conv(const bioft_builder *b, bioft_tensor x, const struct conv *p)
{
    const bioft_conv2d c = {
        .struct_size = sizeof(c),
        .out = p->out,
        .kernel = { p->kernel, p->kernel },
        .stride = { p->stride, p->stride },
        .padding = { p->padding, p->padding, p->padding, p->padding },
    };
    const bioft_pool pool = { .struct_size = sizeof(pool), .kernel = { 3, 3 }, .stride = { 2, 2 } };
    char name[32];

    snprintf(name, sizeof name, "features.%u", p->number);
    x = b->relu(b, b->conv2d(b, name, x, &c));
    return p->pooled ? b->maxpool(b, x, &pool) : x;
}

static bioft_tensor hidden(const alexnet *s, const bioft_builder *b, const char *name, bioft_tensor x)
{
    const bioft_linear l = { .struct_size = sizeof(l), .out = 4096 };
    return b->relu(b, b->linear(b, name, b->dropout(b, x, s->dropout), &l));
}

static bioft_status build(void *self, const bioft_builder *b)
{
    static const float mean[3] = { 0.485f, 0.456f, 0.406f }, std[3] = { 0.229f, 0.224f, 0.225f };
    const bioft_linear head = { .struct_size = sizeof(head), .out = 1000 };
    bioft_tensor x = b->input(b, 3, 224, 224);

    b->normalise(b, mean, std, 3);
    for (size_t i = 0; i < sizeof(convs) / sizeof(*convs); i++)
        x = conv(b, x, &convs[i]);
    x = b->flatten(b, b->adaptive_avgpool(b, x, 6, 6));
    x = hidden(self, b, "classifier.1", x);
    x = hidden(self, b, "classifier.4", x);
    b->head(b, "classifier.6", x, &head);
    return BIOFT_OK;
}

static const bioft_backbone backbone = { .struct_size = sizeof(backbone), .build = build };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_BACKBONE, "alexnet", "1.0", "bioft", "MIT"),
    .summary = "AlexNet as in torchvision: five convs, three linear layers, 224x224",
    .reference = "Krizhevsky, Sutskever, Hinton, NIPS 2012; Krizhevsky, arXiv:1404.5997, 2014",
    .instance_size = sizeof(alexnet),
    BIOFT_OPTIONS(options),
    .vtable = &backbone,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
