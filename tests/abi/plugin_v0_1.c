/* A rule as it was compiled against ABI 0.1, kept as source: it includes no header of bioft, its structs are written out,
 * so what it expects of the host stays what it was when the headers move on. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {                                   /* bioft_layer; read up to fan_in */
    uint32_t struct_size, index, kind, flags;
    const char *name, *key;
    uint32_t out_channels, in_channels, groups, outputs;
    uint32_t in_h, in_w, out_h, out_w, kernel[2], stride[2], dilation[2], padding[4], activation, max_batch;
    size_t count, fan_in, fan_out;
} layer;

typedef struct {                                   /* bioft_feedback */
    uint32_t struct_size, g, m, redraw, scale;
    float constant, low, high;
} feedback;

typedef struct {                                   /* bioft_host */
    uint32_t struct_size, abi_version;
    void *ctx;
    int32_t (*fail)(const void *host, int32_t status, const char *text);
    int32_t (*state)(const void *host, const char *name, size_t count, float **ret);
} host;

typedef struct {                                   /* bioft_rule */
    uint32_t struct_size, flags;
    int32_t (*feedback)(void *self, const layer *layer, feedback *ret);
    int32_t (*attach)(void *self, const layer *layer, const float *w);
    void *later[5];
} rule;

typedef struct {                                   /* bioft_option */
    const char *name;
    uint32_t type, offset, flags, reserved;
    double def, min, max;
    const char *def_string;
    const char *const *choices;
    const char *unit, *help;
} option;

typedef struct {                                   /* bioft_plugin */
    uint32_t magic, struct_size, abi_version, kind;
    const char *name, *version, *author, *license, *summary, *reference;
    size_t instance_size;
    const option *options;
    uint32_t option_count, option_size;
    uint64_t flags;
    int32_t (*create)(void *self, const host *host);
    void (*destroy)(void *self);
    const void *(*extension)(void *self, const char *id);
    const void *vtable;
} plugin;

typedef struct {
    double size;
    const host *host;
} state;

static const option options[] = {
    { .name = "size", .type = 1, .offset = offsetof(state, size), .def = 1.0, .min = 0.0, .max = 8.0,
      .help = "how large V is" },
};

static int32_t create(void *self, const host *of)
{
    ((state *)self)->host = of;
    return of->struct_size >= sizeof(host) ? 0 : of->fail(of, -5, "this host is older than ABI 0.1");
}

static int32_t attach(void *self, const layer *of, const float *w)
{
    const state *s = self;
    float *kept;
    const int32_t status = s->host->state(s->host, of->key, of->count, &kept);
    for (size_t i = 0; status == 0 && i < of->count; i++)
        kept[i] = w[i];
    return status;
}

/* V = size sign(W) / sqrt(3 fan_in) */
static int32_t declare(void *self, const layer *of, feedback *ret)
{
    const state *s = self;
    ret->g = 1;
    ret->scale = 4;
    ret->constant = (float)(s->size / sqrt(3.0 * (double)of->fan_in));
    return 0;
}

static const rule table = { .struct_size = sizeof(table), .feedback = declare, .attach = attach };

static const plugin described = {
    .magic = 0x54464f42u, .struct_size = sizeof(described), .abi_version = 1, .kind = 1, .name = "plugin_v0_1",
    .version = "1", .author = "bioft", .license = "MIT", .summary = "a rule of ABI 0.1", .reference = "",
    .instance_size = sizeof(state), .options = options, .option_count = 1, .option_size = sizeof(*options),
    .create = create, .vtable = &table,
};

__attribute__((visibility("default"))) const plugin *bioft_plugin_entry(uint32_t index);
const plugin *bioft_plugin_entry(uint32_t index)
{
    return index == 0 ? &described : NULL;
}
