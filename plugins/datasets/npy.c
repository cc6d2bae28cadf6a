/* Arrays of NumPy: SPLIT_images.npy and SPLIT_labels.npy for the splits train, val, test and
 * database. Images are uint8 [n][height][width][channels] or float32 [n][channels][height][width]
 * in [0,1], grey ones without the channels too; labels are integers [n] or [n][1] or, for several a
 * sample, [n][classes] of 0 and 1. */
#include "npy.h"

#include <stddef.h>

enum { MAX_SIDE = 65500, MAX_CHANNELS = 4 };

static const char *const split_names[SPLITS] = { "train", "val", "test", "database" };
static const char *const protocols[] = { "classification", "retrieval", NULL };

static const char *const label_forms[] = { "auto", "single", "several", NULL };

/* Floats are pixels: finite and in [0,1]. The index of the first that is not is told. */
static bioft_status check_pixels(const npy *d, const char *path, const bioft_array *a)
{
    const float *v = a->data;
    const uint64_t plane = a->shape[2] * a->shape[3], image = a->shape[1] * plane;

    for (uint64_t i = 0; i < a->shape[0] * image; i++) {
        const uint64_t at = i % image;
        if (!(v[i] >= 0.0f && v[i] <= 1.0f))
            return fail_at(d, path,
                           "pixel [%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
                           "] is %g: pixels are in [0,1]",
                           i / image, at / plane, at % plane / a->shape[3], at % a->shape[3],
                           (double)v[i]);
    }
    return BIOFT_OK;
}

/* Grey images without a dimension for it: a channel is put in. */
static void add_channel(bioft_array *a)
{
    if (a->dims != 3)
        return;
    a->dims = 4;
    if (a->dtype == BIOFT_DTYPE_U8) {
        a->shape[3] = 1;
        return;
    }
    a->shape[3] = a->shape[2];
    a->shape[2] = a->shape[1];
    a->shape[1] = 1;
}

/* Dimensions and type; the first split's are those of all. */
static bioft_status check_images(npy *d, const char *path, bioft_array *a)
{
    const int bytes = a->dtype == BIOFT_DTYPE_U8;

    if (a->dtype == BIOFT_DTYPE_I64)
        return fail_at(d, path, "images are integers: save them as uint8 [n,h,w,c], or as float32 "
                       "[n,c,h,w] in [0,1]");
    add_channel(a);
    if (a->dims != 4)
        return fail_at(d, path, "%u dimensions; images are uint8 [n,h,w,c] or float32 [n,c,h,w], "
                       "grey ones also [n,h,w]", a->dims);
    const uint64_t height = a->shape[bytes ? 1 : 2], width = a->shape[bytes ? 2 : 3],
                   channels = a->shape[bytes ? 3 : 1];
    if (!height || !width || height > MAX_SIDE || width > MAX_SIDE || !channels ||
        channels > MAX_CHANNELS)
        return fail_at(d, path,
                       "images of %" PRIu64 " rows, %" PRIu64 " columns and %" PRIu64
                       " channels: 1 to %d, 1 to %d and 1 to %d are possible; %s",
                       height, width, channels, MAX_SIDE, MAX_SIDE, MAX_CHANNELS,
                       bytes ? "uint8 is [n,h,w,c]" : "float32 is [n,c,h,w]");
    if (d->split_count && (d->height != height || d->width != width || d->channels != channels ||
                           d->dtype != a->dtype))
        return fail_at(d, path,
                       "images of %" PRIu64 "x%" PRIu64 "x%" PRIu64
                       " in %s, the others are %ux%ux%u in %s",
                       height, width, channels, bytes ? "bytes" : "floats", d->height, d->width,
                       d->channels, d->dtype == BIOFT_DTYPE_U8 ? "bytes" : "floats");
    d->height = (uint32_t)height;
    d->width = (uint32_t)width;
    d->channels = (uint32_t)channels;
    d->dtype = a->dtype;
    return bytes ? BIOFT_OK : check_pixels(d, path, a);
}

/* One split, where it is there. */
static bioft_status load(npy *d, const char *split)
{
    char images[32], labels[32], text[160];
    struct arrays *s = &d->splits[d->split_count];

    snprintf(images, sizeof images, "%s_images.npy", split);
    snprintf(labels, sizeof labels, "%s_labels.npy", split);
    const int have_images = d->files->exists(d->host, images) == 1;
    const int have_labels = d->files->exists(d->host, labels) == 1;
    if (!have_images && !have_labels)
        return BIOFT_OK;
    if (!have_images || !have_labels) {
        snprintf(text, sizeof text,
                 "missing; a split needs its images and its labels, and the folder has only %s",
                 have_images ? images : labels);
        return d->files->fail_at(d->host, BIOFT_ERR_IO, have_images ? labels : images, 0, 0, text);
    }
    s->images = s->labels = (bioft_array){ .struct_size = sizeof(bioft_array) };
    bioft_status st = d->files->npy(d->host, images, &s->images);
    if (st == BIOFT_OK)
        st = check_images(d, images, &s->images);
    if (st == BIOFT_OK)
        st = d->files->npy(d->host, labels, &s->labels);
    if (st == BIOFT_OK)
        st = npy_check_labels(d, labels, &s->labels, s->images.shape[0]);
    if (st != BIOFT_OK)
        return st;
    s->name = split;
    s->count = s->images.shape[0];
    d->split_count++;
    return BIOFT_OK;
}

static bioft_status describe(void *self, bioft_info *ret)
{
    npy *d = self;
    bioft_status st = open_files(d->host, protocols, &d->files);
    const char *root = st == BIOFT_OK ? d->files->root(d->host) : NULL;

    if (st == BIOFT_OK && !root)
        st = d->host->fail(d->host, BIOFT_ERR_INVALID,
                           "no root given: name the folder of train_images.npy, "
                           "train_labels.npy, test_images.npy and test_labels.npy with 'root'");
    for (int i = 0; st == BIOFT_OK && i < SPLITS; i++)
        st = load(d, split_names[i]);
    if (st == BIOFT_OK && !d->split_count)
        st = bioft_failf(d->host, BIOFT_ERR_IO,
                         "%s: %s; expected are train_images.npy and train_labels.npy, "
                         "test_images.npy and test_labels.npy, or one of the two pairs (also val_ "
                         "and database_)", root,
                         d->files->exists(d->host, ".") == 2 ? "none of the files is there"
                                                             : "no such folder");
    if (st == BIOFT_OK)
        st = number_classes(ret, d->classes);
    for (uint32_t i = 0; st == BIOFT_OK && i < d->split_count; i++)
        st = ret->split(ret, d->splits[i].name, d->splits[i].count);
    return st;
}

static bioft_status name(const void *self, uint32_t split, uint64_t index, char *ret, size_t size)
{
    const npy *d = self;
    return sample_name(d->host, d->splits[split].name, index, ret, size);
}

static bioft_status sample(const void *self, void *reader, uint32_t split, uint64_t index,
                           bioft_sample *ret)
{
    const npy *d = self;
    const size_t size = (size_t)d->height * d->width * d->channels *
                        (d->dtype == BIOFT_DTYPE_U8 ? 1 : sizeof(float));
    (void)reader;
    ret->format = d->dtype == BIOFT_DTYPE_U8 ? BIOFT_SAMPLE_U8_HWC : BIOFT_SAMPLE_F32_CHW;
    ret->height = d->height;
    ret->width = d->width;
    ret->channels = d->channels;
    return ret->map(ret, (const uint8_t *)d->splits[split].images.data + index * size, size);
}

static int32_t multi_label(const void *self)
{
    return ((const npy *)self)->multi_label;
}

static const bioft_dataset dataset = {
    .struct_size = sizeof dataset, .describe = describe, .labels = npy_labels, .name = name,
    .sample = sample, .multi_label = multi_label,
};

static const bioft_option options[] = {
    { .name = "labels", .type = BIOFT_CHOICE, .offset = offsetof(npy, form), .choices = label_forms,
      .help = "single: a class a sample, [n] or [n,1]; several: [n,classes] of 0 and 1; auto: single "
              "but for two columns and more" },
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_DATASET, "npy", "1.0", "bioft", "MIT"), .reference = "", .summary =
        "arrays of NumPy: train_images.npy, train_labels.npy, test_images.npy, test_labels.npy",
    .instance_size = sizeof(npy), BIOFT_OPTIONS(options), BIOFT_HOST_AT(npy, host),
    .vtable = &dataset,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index)
{
    return index == 0 ? &plugin : NULL;
}
