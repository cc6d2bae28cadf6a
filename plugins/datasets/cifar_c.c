/* CIFAR-10-C and CIFAR-100-C: the test images with a corruption in five severities (corruptions.h), CORRUPTION.npy with the
 * severities one behind the other, and labels.npy for them all. One corruption and severity is the split test. */
#include "corruptions.h"
#include "npy.h"

typedef struct {
    npy arrays; /* first: NPY_CALLS */
    int32_t corruption;
    int64_t severity;
} cifar_c;

static const char *const protocols[] = { "classification", NULL };

static bioft_status find(const npy *d, const char *file, const char **ret)
{
    static const char *const folders[] = { "", "CIFAR-10-C/", "CIFAR-100-C/" };
    const char *root = d->files->root(d->host);
    char path[128];

    if (!root)
        return d->host->fail(d->host, BIOFT_ERR_INVALID, "no root given: name the folder of CIFAR-10-C with 'root'");
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s%s", folders[i], file);
        if (d->files->exists(d->host, path) == 1) {
            *ret = folders[i];
            return BIOFT_OK;
        }
    }
    return bioft_failf(d->host, BIOFT_ERR_IO,
                       "%s: no %s nor CIFAR-10-C/%s in it: get CIFAR-10-C.tar from "
                       "https://zenodo.org/records/2535967 and unpack it here",
                       root, file, file);
}

/* The rows of one severity. */
static bioft_status cut(cifar_c *c, const char *path, bioft_array *a)
{
    const uint64_t count = a->dims ? a->shape[0] / SEVERITIES : 0;
    uint64_t row = a->dtype == BIOFT_DTYPE_U8 ? 1 : a->dtype == BIOFT_DTYPE_I64 ? sizeof(int64_t) : sizeof(float);

    if (!count || a->shape[0] % SEVERITIES)
        return fail_at(&c->arrays, path, "not the images or labels of %d severities one behind the other", SEVERITIES);
    for (uint32_t i = 1; i < a->dims; i++)
        row *= a->shape[i];
    a->data = (const uint8_t *)a->data + (uint64_t)(c->severity - 1) * count * row;
    a->shape[0] = count;
    return BIOFT_OK;
}

static bioft_status load(cifar_c *c)
{
    npy *d = &c->arrays;
    struct arrays *s = &d->splits[0];
    char images[128], labels[40];
    const char *folder = "";
    bioft_status st;

    snprintf(images, sizeof images, "%s.npy", corruptions[c->corruption]);
    st = find(d, images, &folder);
    if (st != BIOFT_OK)
        return st;
    snprintf(images, sizeof images, "%s%s.npy", folder, corruptions[c->corruption]);
    snprintf(labels, sizeof labels, "%slabels.npy", folder);
    s->images = s->labels = (bioft_array){ .struct_size = sizeof(bioft_array) };
    st = d->files->npy(d->host, images, &s->images);
    if (st == BIOFT_OK)
        st = d->files->npy(d->host, labels, &s->labels);
    if (st == BIOFT_OK && (s->images.dims != 4 || s->images.dtype != BIOFT_DTYPE_U8))
        st = fail_at(d, images, "expected images of uint8 [n,32,32,3]");
    if (st == BIOFT_OK)
        st = cut(c, images, &s->images);
    if (st == BIOFT_OK)
        st = cut(c, labels, &s->labels);
    return st == BIOFT_OK ? npy_add_split(d, "test", images, labels) : st;
}

static bioft_status describe(void *self, bioft_info *ret)
{
    cifar_c *c = self;
    bioft_status st = open_files(c->arrays.host, protocols, &c->arrays.files);

    c->arrays.form = LABELS_SINGLE;
    if (st == BIOFT_OK)
        st = load(c);
    return st == BIOFT_OK ? npy_describe(&c->arrays, ret) : st;
}

static const bioft_dataset dataset = {
    .struct_size = sizeof dataset,
    .describe = describe,
    NPY_CALLS,
    .layout =
        "CORRUPTION.npy, each of the 19 that is asked for, and labels.npy; also below CIFAR-10-C/ or CIFAR-100-C/",
    .samples = "uint8 [50000,32,32,3] 0 to 255, 10,000 for each severity from 1 to 5, and labels [50000]",
    .source = "CIFAR-10-C.tar, https://zenodo.org/records/2535967",
};

static const bioft_option options[] = { CORRUPTION_OPTIONS(cifar_c) };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_DATASET, "cifar_c", "1.0", "bioft", "MIT"),
    .summary = "CIFAR-10-C or CIFAR-100-C: the test images with one corruption of one severity",
    .reference = "Hendrycks, Dietterich, ICLR 2019",
    .instance_size = sizeof(cifar_c),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(cifar_c, arrays.host),
    .vtable = &dataset,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
