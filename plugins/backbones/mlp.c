/* A multilayer perceptron: the flattened image, any number of hidden layers, the head. */
#include "image.h"

#include <stdio.h>

typedef struct {
    bioft_list hidden;
    int32_t activation;
    double dropout;
    image image;
} mlp;

enum { RELU, TANH };
static const char *const activations[] = { "relu", "tanh", NULL };

static const bioft_option options[] = {
    { .name = "hidden",
      .type = BIOFT_I64_LIST,
      .offset = offsetof(mlp, hidden),
      .min = 1,
      .max = 1 << 20,
      .def_string = "[256, 128]",
      .help = "widths of the hidden layers; [] leaves the head alone" },
    { .name = "activation",
      .type = BIOFT_CHOICE,
      .offset = offsetof(mlp, activation),
      .def = RELU,
      .choices = activations,
      .help = "what follows each hidden layer" },
    { .name = "dropout",
      .type = BIOFT_F64,
      .offset = offsetof(mlp, dropout),
      .min = 0,
      .max = 0.99,
      .help = "probability after each hidden layer; 0: none" },
    IMAGE_OPTIONS(offsetof(mlp, image)),
};

static bioft_status create(void *self, const bioft_host *host)
{
    return image_check(&((const mlp *)self)->image, host);
}

static bioft_tensor hidden(const mlp *s, const bioft_builder *b, const char *name, bioft_tensor x, uint32_t out)
{
    const bioft_linear l = { .struct_size = sizeof(l), .out = out };

    x = b->linear(b, name, x, &l);
    x = s->activation == RELU ? b->relu(b, x) : b->tanh_(b, x);
    return s->dropout > 0 ? b->dropout(b, x, s->dropout) : x;
}

static bioft_status build(void *self, const bioft_builder *b)
{
    const mlp *s = self;
    const bioft_linear head = { .struct_size = sizeof(head), .out = 10 };
    const int64_t *widths = s->hidden.items;
    bioft_tensor x = b->flatten(b, image_input(&s->image, b));
    char name[32];

    for (size_t i = 0; i < s->hidden.count; i++) {
        snprintf(name, sizeof name, "fc%zu", i + 1);
        x = hidden(s, b, name, x, (uint32_t)widths[i]);
    }
    snprintf(name, sizeof name, "fc%zu", s->hidden.count + 1);
    b->head(b, name, x, &head);
    return BIOFT_OK;
}

static const bioft_backbone backbone = { .struct_size = sizeof(backbone), .build = build };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_BACKBONE, "mlp", "1.0", "bioft", "MIT"),
    .summary = "multilayer perceptron: linear layers of any number and width",
    .reference = "",
    .instance_size = sizeof(mlp),
    BIOFT_OPTIONS(options),
    .create = create,
    .vtable = &backbone,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
