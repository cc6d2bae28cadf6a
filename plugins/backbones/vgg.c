/* VGG with 11, 13, 16 or 19 layers, with or without batch normalisation (Simonyan and Zisserman,
 * ICLR 2015), as in torchvision. Compiled once a network: VGG_DEPTH, and VGG_BATCHNORM 0 or 1. */
#include <bioft/backbone.h>

#include <stdio.h>

#define TEXT(x)  #x
#define VALUE(x) TEXT(x)
#if VGG_BATCHNORM
#define NAME "vgg" VALUE(VGG_DEPTH) "_bn"
#define NORM " with batch normalisation"
#else
#define NAME "vgg" VALUE(VGG_DEPTH)
#define NORM ""
#endif

typedef struct {
    double dropout;
    int32_t head;
} vgg;

enum { HEAD_LINEAR, HEAD_GAP };
static const char *const heads[] = { "linear", "gap", NULL };

static const bioft_option options[] = {
    { .name = "dropout",
      .type = BIOFT_F64,
      .offset = offsetof(vgg, dropout),
      .def = 0.5,
      .min = 0,
      .max = 0.99,
      .help = "probability after each hidden linear layer" },
    { .name = "head",
      .type = BIOFT_CHOICE,
      .offset = offsetof(vgg, head),
      .def = HEAD_LINEAR,
      .choices = heads,
      .help = "what follows the convs: three linear layers, or each channel's mean and one, for weights of the convs "
              "alone" },
};

/* Five blocks of 3x3 convs, each ended by a pool. Three of the layers are linear; the first two
 * blocks have one conv each at depth 11, else two; the last three share the rest. */
enum { BLOCKS = 5, LINEAR = 3, EARLY = VGG_DEPTH == 11 ? 1 : 2, LATE = (VGG_DEPTH - LINEAR - 2 * EARLY) / 3 };
_Static_assert(LINEAR + 2 * EARLY + 3 * LATE == VGG_DEPTH, "a depth of 11, 13, 16 or 19");
static const uint32_t widths[BLOCKS] = { 64, 128, 256, 512, 512 };

/* One conv with what follows it; *number is its place in torchvision's `features` and moves on. */
static bioft_tensor conv(const bioft_builder *b, bioft_tensor x, uint32_t out, uint32_t *number)
{
    const bioft_conv2d c = {
        .struct_size = sizeof(c),
        .out = out,
        .kernel = { 3, 3 },
        .padding = { 1, 1, 1, 1 },
        .init = BIOFT_INIT_KAIMING_NORMAL_FAN_OUT,
    };
    const bioft_norm norm = { .struct_size = sizeof(norm) };
    char name[32];

    snprintf(name, sizeof name, "features.%u", (*number)++);
    x = b->conv2d(b, name, x, &c);
    if (VGG_BATCHNORM) {
        snprintf(name, sizeof name, "features.%u", (*number)++);
        x = b->batchnorm(b, name, x, &norm);
    }
    (*number)++;
    return b->relu(b, x);
}

static bioft_tensor hidden(const vgg *s, const bioft_builder *b, const char *name, bioft_tensor x)
{
    const bioft_linear l = {
        .struct_size = sizeof(l),
        .out = 4096,
        .init = BIOFT_INIT_NORMAL,
        .init_std = 0.01f,
    };
    return b->dropout(b, b->relu(b, b->linear(b, name, x, &l)), s->dropout);
}

static bioft_status build(void *self, const bioft_builder *b)
{
    static const float mean[3] = { 0.485f, 0.456f, 0.406f }, std[3] = { 0.229f, 0.224f, 0.225f };
    const bioft_pool pool = { .struct_size = sizeof(pool), .kernel = { 2, 2 } };
    const bioft_linear head = {
        .struct_size = sizeof(head),
        .out = 1000,
        .init = BIOFT_INIT_NORMAL,
        .init_std = 0.01f,
    };
    bioft_tensor x = b->input(b, 3, 224, 224);
    uint32_t number = 0;

    b->normalise(b, mean, std, 3);
    for (int block = 0; block < BLOCKS; block++) {
        for (int i = 0; i < (block < 2 ? EARLY : LATE); i++)
            x = conv(b, x, widths[block], &number);
        x = b->maxpool(b, x, &pool);
        number++;
    }
    if (((const vgg *)self)->head == HEAD_GAP) {
        b->head(b, "classifier", b->flatten(b, b->adaptive_avgpool(b, x, 1, 1)), &head);
        return BIOFT_OK;
    }
    x = b->flatten(b, b->adaptive_avgpool(b, x, 7, 7));
    x = hidden(self, b, "classifier.0", x);
    x = hidden(self, b, "classifier.3", x);
    b->head(b, "classifier.6", x, &head);
    return BIOFT_OK;
}

static const bioft_backbone backbone = { .struct_size = sizeof(backbone), .build = build };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_BACKBONE, NAME, "1.0", "bioft", "MIT"),
    .summary = "VGG of " VALUE(VGG_DEPTH) " layers" NORM ", as in torchvision, 224x224",
    .reference = "Simonyan, Zisserman, ICLR 2015",
    .instance_size = sizeof(vgg),
    BIOFT_OPTIONS(options),
    .vtable = &backbone,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
