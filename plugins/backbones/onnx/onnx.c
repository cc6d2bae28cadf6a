/* A network of an ONNX file (https://onnx.ai, Open Neural Network Exchange): its graph, translated node by node to the
 * operators that engines have, its layers' names by the file's arrays, its values as initial ones. */
#include "translate.h"

struct onnx {
    const bioft_host *host;
    const char *file;
    const char *output;
    int32_t head, values, order;
    int64_t size;
    bioft_list mean, std;
};

static const char *const heads[] = { "last", "added", NULL };
static const char *const sources[] = { "file", "random", NULL };
static const char *const orders[] = { "rgb", "bgr", NULL };

static const bioft_option options[] = {
    { .name = "file", .type = BIOFT_PATH, .offset = offsetof(struct onnx, file), .help = "the ONNX file" },
    { .name = "weights",
      .type = BIOFT_CHOICE,
      .offset = offsetof(struct onnx, values),
      .def = VALUES_FILE,
      .choices = sources,
      .help = "initial values: the file's, or random ones" },
    { .name = "head",
      .type = BIOFT_CHOICE,
      .offset = offsetof(struct onnx, head),
      .def = HEAD_LAST,
      .choices = heads,
      .help =
          "what the task's head replaces: the file's last linear layer, or nothing, and it is added behind the output" },
    { .name = "output",
      .type = BIOFT_STRING,
      .offset = offsetof(struct onnx, output),
      .help = "the tensor that the network ends with; without, the graph's first output" },
    { .name = "mean",
      .type = BIOFT_F64_LIST,
      .offset = offsetof(struct onnx, mean),
      .def_string = "[]",
      .help = "of pixels in [0,1]: one for all channels, or each's; without, 0" },
    { .name = "std",
      .type = BIOFT_F64_LIST,
      .offset = offsetof(struct onnx, std),
      .def_string = "[]",
      .help = "standard deviation, as mean; without, 1" },
    { .name = "order",
      .type = BIOFT_CHOICE,
      .offset = offsetof(struct onnx, order),
      .def = ORDER_RGB,
      .choices = orders,
      .help = "in which the network takes the colours; mean and std are those of red, green, blue" },
    { .name = "size",
      .type = BIOFT_I64,
      .offset = offsetof(struct onnx, size),
      .def = 0,
      .min = 0,
      .max = INT16_MAX,
      .unit = "pixels",
      .help = "side of the input where the file does not give it" },
};

static bioft_status build(void *self, const bioft_builder *b)
{
    const struct onnx *s = self;
    const struct request request = {
        .output = s->output,
        .head = s->head,
        .values = s->values,
        .order = s->order,
        .size = s->size,
        .mean = s->mean,
        .std = s->std,
    };
    struct fault fault = { 0 };
    struct model m;

    if (!s->file)
        return s->host->fail(s->host, BIOFT_ERR_INVALID,
                             "the option file names the ONNX file: {plugin: onnx, file: FILE}");
    if (model_read(&m, s->file, &fault) == BIOFT_OK)
        translate(&m, &request, b, &fault);
    model_free(&m);
    return fault.status == BIOFT_OK ? BIOFT_OK : s->host->fail(s->host, fault.status, fault.text);
}

static const bioft_backbone backbone = { .struct_size = sizeof(backbone), .build = build };

static const bioft_plugin plugin = {
    .magic = BIOFT_MAGIC,
    .struct_size = sizeof(plugin),
    .abi_version = BIOFT_ABI_VERSION,
    .kind = BIOFT_KIND_BACKBONE,
    .name = "onnx",
    .version = "1.0",
    .author = "bioft",
    .license = "MIT",
    .summary = "a network of an ONNX file, with its values",
    .reference = "ONNX, https://onnx.ai",
    .instance_size = sizeof(struct onnx),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(struct onnx, host),
    .vtable = &backbone,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
