/* ImageNet-C: the validation images with a corruption in five severities (corruptions.h), CORRUPTION/SEVERITY/WNID/NAME.JPEG,
 * in the root or in the folders of its archives (noise, blur, weather, digital, extra). One corruption and severity is the
 * split test; a class's number is the rank of its folder's name. */
#include "class_folders.h"
#include "corruptions.h"

enum { CLASSES = 1000 };

typedef struct {
    struct class_folders tree;
    int32_t corruption;
    int64_t severity;
} imagenet_c;

static const char *const protocols[] = { "classification", NULL };

static void destroy(void *self) { class_folders_free(&((imagenet_c *)self)->tree); }

/* folder: room for its path below the root, "noise/shot_noise/3/". */
static bioft_status find(const imagenet_c *d, char *folder, size_t size)
{
    static const char *const groups[] = { "", "noise/", "blur/", "weather/", "digital/", "extra/" };
    const bioft_files *files = d->tree.files;
    const char *root = files->root(d->tree.host), *name = corruptions[d->corruption];

    if (!root)
        return d->tree.host->fail(d->tree.host, BIOFT_ERR_INVALID,
                                  "no root given: name the folder of ImageNet-C with 'root'");
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        snprintf(folder, size, "%s%s/%d/", groups[i], name, (int)d->severity);
        if (files->exists(d->tree.host, folder) == 2)
            return BIOFT_OK;
    }
    return bioft_failf(d->tree.host, BIOFT_ERR_IO,
                       "%s: no folder %s/%d in it, nor in noise, blur, weather, digital or extra: "
                       "get ImageNet-C's archives from https://zenodo.org/records/2235448 and unpack them here",
                       root, name, (int)d->severity);
}

static bioft_status describe(void *self, bioft_info *ret)
{
    imagenet_c *d = self;
    char folder[64], text[120];
    bioft_status st = open_files(d->tree.host, protocols, &d->tree.files);

    if (st == BIOFT_OK)
        st = find(d, folder, sizeof folder);
    if (st == BIOFT_OK)
        st = class_folders_read_as(&d->tree, d->tree.host, "test", folder);
    for (uint32_t c = 0; st == BIOFT_OK && c < d->tree.class_count; c++)
        st = ret->class_name(ret, c, d->tree.classes[c]);
    if (st == BIOFT_OK)
        st = ret->split(ret, "test", d->tree.splits[0].count);
    if (st == BIOFT_OK && d->tree.class_count != CLASSES) {
        snprintf(text, sizeof text, "not the whole ImageNet-C: %u classes, not %d", d->tree.class_count, CLASSES);
        st = ret->note(ret, text);
    }
    return st == BIOFT_OK ? class_folders_notes(&d->tree, ret) : st;
}

static bioft_status labels(const void *self, uint32_t split, uint64_t index, uint64_t *ret, uint32_t label_words)
{
    (void)label_words;
    set_label(ret, ((const imagenet_c *)self)->tree.splits[split].files[index].class_number);
    return BIOFT_OK;
}

static bioft_status name(const void *self, uint32_t split, uint64_t index, char *ret, size_t size)
{
    return class_folders_name(&((const imagenet_c *)self)->tree, split, index, ret, size);
}

static bioft_status sample(const void *self, void *reader, uint32_t split, uint64_t index, bioft_sample *ret)
{
    (void)reader;
    return class_folders_sample(&((const imagenet_c *)self)->tree, split, index, ret);
}

static const bioft_dataset dataset = {
    .struct_size = sizeof dataset,
    .describe = describe,
    .labels = labels,
    .name = name,
    .sample = sample,
    .layout =
        "CORRUPTION/SEVERITY/WNID/NAME.JPEG, also below the archives' folders noise, blur, weather, digital, extra",
    .samples = "JPEG files of 224x224 in a thousand classes, 50,000 for each corruption and severity",
    .source = "https://zenodo.org/records/2235448",
};

static const bioft_option options[] = { CORRUPTION_OPTIONS(imagenet_c) };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_DATASET, "imagenet_c", "1.0", "bioft", "MIT"),
    .summary = "ImageNet-C: ILSVRC 2012's validation images with one corruption of one severity",
    .reference = "Hendrycks, Dietterich, ICLR 2019",
    .instance_size = sizeof(imagenet_c),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(imagenet_c, tree.host),
    .destroy = destroy,
    .vtable = &dataset,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
