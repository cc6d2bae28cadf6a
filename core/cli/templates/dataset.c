/* @NAME@: a dataset. It names classes and splits, gives labels without pixels, and samples from any thread. This one
 * needs no files: noisy stripes, upright in class 0 and level in class 1. Files are read through the host's extension
 * "bioft.files/1", which knows the dataset's root. */
#include <bioft/dataset.h>
#include <bioft/util.h>

enum { SIDE = 28 };

typedef struct {
    int64_t count;
    const bioft_host *host;
} state;

static const bioft_option options[] = {
    { .name = "count",
      .type = BIOFT_I64,
      .offset = offsetof(state, count),
      .def = 512.0,
      .min = 2.0,
      .max = 1e6,
      .unit = "samples",
      .help = "of the training split; a quarter as many for tests" },
};

static const char *const splits[] = { "train", "test" };

/* Splits are numbered in the order of these calls, classes too. */
static bioft_status describe(void *self, bioft_info *ret)
{
    const state *p = self;
    bioft_status status = ret->class_name(ret, 0, "upright");
    if (status == BIOFT_OK)
        status = ret->class_name(ret, 1, "level");
    if (status == BIOFT_OK)
        status = ret->split(ret, splits[0], (uint64_t)p->count);
    if (status == BIOFT_OK)
        status = ret->split(ret, splits[1], (uint64_t)p->count / 4 + 2);
    return status;
}

static bioft_status labels(const void *self, uint32_t split, uint64_t index, uint64_t *ret, uint32_t label_words)
{
    (void)self, (void)split, (void)label_words;
    ret[0] |= UINT64_C(1) << (index % 2);
    return BIOFT_OK;
}

static bioft_status name(const void *self, uint32_t split, uint64_t index, char *ret, size_t size)
{
    (void)self;
    snprintf(ret, size, "%s/%06llu", splits[split], (unsigned long long)index);
    return BIOFT_OK;
}

/* Called by several threads at once: what it needs is in the sample or on the stack. */
static bioft_status sample(const void *self, void *reader, uint32_t split, uint64_t index, bioft_sample *ret)
{
    const state *p = self;
    float noise[SIDE * SIDE];
    uint8_t *pixels = ret->reserve(ret, SIDE * SIDE);
    (void)reader;
    if (!pixels)
        return BIOFT_ERR_MEMORY;
    bioft_status status = p->host->random(p->host, BIOFT_UNIFORM, splits[split], index, 0, noise, SIDE * SIDE);
    for (int i = 0; status == BIOFT_OK && i < SIDE * SIDE; i++) {
        const int along = index % 2 ? i / SIDE : i % SIDE;
        pixels[i] = (uint8_t)(noise[i] * 128.0f + (along / 4 % 2 ? 127.0f : 0.0f));
    }
    ret->format = BIOFT_SAMPLE_U8_HWC;
    ret->height = ret->width = SIDE;
    ret->channels = 1;
    return status;
}

static const bioft_dataset dataset = {
    .struct_size = sizeof(dataset),
    .describe = describe,
    .labels = labels,
    .name = name,
    .sample = sample,
    .layout = "nothing: the images are drawn",
    .samples = "grey images of 28x28, uint8 0 to 255; two classes",
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_DATASET, "@NAME@", "0.1", "you", "MIT"),
    .summary = "noisy stripes, upright and level, drawn by the seed",
    .reference = "where the data comes from",
    .instance_size = sizeof(state),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(state, host),
    .vtable = &dataset,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
