/* Arrays of NumPy: SPLIT_images.npy and SPLIT_labels.npy for the splits train, val, test and
 * database. Images are uint8 [n][height][width][channels] or float32 [n][channels][height][width]
 * in [0,1], grey ones without the channels too; labels are integers [n] or [n][1] or, for several a
 * sample, [n][classes] of 0 and 1. */
#include "dataset_util.h"

#include <stddef.h>

enum { SPLITS = 4, MAX_SIDE = 65500, MAX_CHANNELS = 4, MAX_CLASSES = 65536 };

static const char *const split_names[SPLITS] = { "train", "val", "test", "database" };
static const char *const protocols[] = { "classification", "retrieval", NULL };

enum { LABELS_AUTO, LABELS_SINGLE, LABELS_SEVERAL };
static const char *const label_forms[] = { "auto", "single", "several", NULL };

struct arrays { /* one split's files */
    const char *name;
    bioft_array images, labels;
    uint64_t count;
};

typedef struct {
    const bioft_host *host;
    const bioft_files *files;
    struct arrays splits[SPLITS];
    uint32_t split_count;
    uint32_t height, width, channels, dtype;
    uint32_t classes;
    int32_t multi_label;
    int32_t form; /* LABELS_AUTO ... */
} npy;

static bioft_status create(void *self, const bioft_host *host)
{
    npy *d = self;
    d->host = host;
    d->files = files_of(host);
    return d->files ? BIOFT_OK
                    : host->fail(host, BIOFT_ERR_UNSUPPORTED, "the host has no bioft.files/1");
}

static bioft_status fail_at(const npy *d, const char *path, const char *text)
{
    return d->files->fail_at(d->host, BIOFT_ERR_FORMAT, path, 0, 0, text);
}

/* Floats are pixels: finite and in [0,1]. The index of the first that is not is told. */
static bioft_status check_pixels(const npy *d, const char *path, const bioft_array *a)
{
    const float *v = a->data;
    const uint64_t picture = a->shape[1] * a->shape[2] * a->shape[3];
    char text[200];

    for (uint64_t i = 0; i < a->shape[0] * picture; i++) {
        const uint64_t at = i % picture, plane = a->shape[2] * a->shape[3];
        if (v[i] >= 0.0f && v[i] <= 1.0f)
            continue;
        snprintf(text, sizeof text, "pixel [%llu,%llu,%llu,%llu] is %g: pixels are in [0,1]",
                 (unsigned long long)(i / picture), (unsigned long long)(at / plane),
                 (unsigned long long)(at % plane / a->shape[3]),
                 (unsigned long long)(at % a->shape[3]), (double)v[i]);
        return fail_at(d, path, text);
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
    uint64_t height, width, channels;
    char text[240];

    if (a->dtype == BIOFT_DTYPE_I64)
        return fail_at(
            d, path,
            "images are integers: save them as uint8 [n,h,w,c], or as float32 [n,c,h,w] in [0,1]");
    add_channel(a);
    if (a->dims != 4) {
        snprintf(text, sizeof text,
                 "%u dimensions; images are uint8 [n,h,w,c] or float32 [n,c,h,w], grey ones also "
                 "[n,h,w]",
                 a->dims);
        return fail_at(d, path, text);
    }
    height = a->shape[bytes ? 1 : 2];
    width = a->shape[bytes ? 2 : 3];
    channels = a->shape[bytes ? 3 : 1];
    if (!height || !width || height > MAX_SIDE || width > MAX_SIDE || !channels ||
        channels > MAX_CHANNELS) {
        snprintf(
            text, sizeof text,
            "images of %llu rows, %llu columns and %llu channels: 1 to %d, 1 to %d and 1 to %d are "
            "possible; %s",
            (unsigned long long)height, (unsigned long long)width, (unsigned long long)channels,
            MAX_SIDE, MAX_SIDE, MAX_CHANNELS,
            bytes ? "uint8 is [n,h,w,c]" : "float32 is [n,c,h,w]");
        return fail_at(d, path, text);
    }
    if (d->split_count && (d->height != height || d->width != width || d->channels != channels ||
                           d->dtype != a->dtype)) {
        snprintf(text, sizeof text, "images of %llux%llux%llu in %s, the others are %ux%ux%u in %s",
                 (unsigned long long)height, (unsigned long long)width,
                 (unsigned long long)channels, bytes ? "bytes" : "floats", d->height, d->width,
                 d->channels, d->dtype == BIOFT_DTYPE_U8 ? "bytes" : "floats");
        return fail_at(d, path, text);
    }
    d->height = (uint32_t)height;
    d->width = (uint32_t)width;
    d->channels = (uint32_t)channels;
    d->dtype = a->dtype;
    return bytes ? BIOFT_OK : check_pixels(d, path, a);
}

static int64_t label_at(const bioft_array *a, uint64_t i)
{
    return a->dtype == BIOFT_DTYPE_U8 ? ((const uint8_t *)a->data)[i]
                                      : ((const int64_t *)a->data)[i];
}

static bioft_status check_single(npy *d, const char *path, const bioft_array *a)
{
    /* The training split's labels say what classes there are. */
    const int64_t limit =
        d->split_count && !strcmp(d->splits[0].name, "train") ? d->classes : MAX_CLASSES;
    char text[200];

    for (uint64_t i = 0; i < a->shape[0]; i++) {
        const int64_t v = label_at(a, i);
        if (v < 0 || v >= limit) {
            snprintf(text, sizeof text, "label %lld at index %llu is out of range 0 to %lld%s",
                     (long long)v, (unsigned long long)i, (long long)limit - 1,
                     limit < MAX_CLASSES ? ", the training split's" : "");
            return fail_at(d, path, text);
        }
        if ((uint64_t)v >= d->classes)
            d->classes = (uint32_t)v + 1;
    }
    return BIOFT_OK;
}

static bioft_status check_multi(npy *d, const char *path, const bioft_array *a)
{
    char text[200];

    if (!a->shape[1] || a->shape[1] > MAX_CLASSES ||
        (d->split_count && a->shape[1] != d->classes)) {
        snprintf(text, sizeof text, "labels of %llu classes; %s%.0u",
                 (unsigned long long)a->shape[1],
                 d->split_count ? "the other splits have " : "1 to 65536 are possible",
                 d->split_count ? d->classes : 0);
        return fail_at(d, path, text);
    }
    d->classes = (uint32_t)a->shape[1];
    for (uint64_t i = 0; i < a->shape[0] * a->shape[1]; i++) {
        const int64_t v = label_at(a, i);
        if (v < 0 || v > 1) {
            snprintf(text, sizeof text,
                     "value %lld at [%llu,%llu]: labels of several classes are 0 or 1",
                     (long long)v, (unsigned long long)(i / a->shape[1]),
                     (unsigned long long)(i % a->shape[1]));
            return fail_at(d, path, text);
        }
    }
    return BIOFT_OK;
}

/* [n] and [n][1] are numbers of classes, [n][2 or more] columns of 0 and 1, unless the manifest
 * says otherwise. */
static bioft_status label_form(const npy *d, const char *path, const bioft_array *a, int *ret_multi)
{
    const int single = a->dims == 1 || (a->dims == 2 && a->shape[1] == 1);

    if (a->dtype == BIOFT_DTYPE_F32 || a->dims < 1 || a->dims > 2)
        return fail_at(d, path,
                       "labels are integers: the numbers of classes as [n] or [n,1], or [n,classes] "
                       "of 0 and 1");
    if (d->form == LABELS_SINGLE && !single)
        return fail_at(d, path, "labels: single is given, and these are several columns");
    if (d->form == LABELS_SEVERAL && a->dims != 2)
        return fail_at(d, path, "labels: several is given, which are [n,classes] of 0 and 1");
    *ret_multi = d->form == LABELS_SEVERAL || !single;
    return BIOFT_OK;
}

static bioft_status check_labels(npy *d, const char *path, const bioft_array *a, uint64_t count)
{
    int multi = 0;
    char text[200];
    const bioft_status st = label_form(d, path, a, &multi);

    if (st != BIOFT_OK)
        return st;
    if (d->split_count && multi != d->multi_label)
        return fail_at(d, path, "one split has single labels, another several a sample");
    if (a->shape[0] != count) {
        snprintf(text, sizeof text, "the counts differ: %llu labels for %llu images",
                 (unsigned long long)a->shape[0], (unsigned long long)count);
        return fail_at(d, path, text);
    }
    d->multi_label = multi;
    return multi ? check_multi(d, path, a) : check_single(d, path, a);
}

/* One split, where it is there. */
static bioft_status load(npy *d, const char *split)
{
    char images[32], labels[32], text[160];
    struct arrays *s = &d->splits[d->split_count];
    int have_images, have_labels;
    bioft_status st;

    snprintf(images, sizeof images, "%s_images.npy", split);
    snprintf(labels, sizeof labels, "%s_labels.npy", split);
    have_images = d->files->exists(d->host, images) == 1;
    have_labels = d->files->exists(d->host, labels) == 1;
    if (!have_images && !have_labels)
        return BIOFT_OK;
    if (!have_images || !have_labels) {
        snprintf(text, sizeof text,
                 "missing; a split needs its images and its labels, and the folder has only %s",
                 have_images ? images : labels);
        return d->files->fail_at(d->host, BIOFT_ERR_IO, have_images ? labels : images, 0, 0, text);
    }
    s->images = s->labels = (bioft_array){ .struct_size = sizeof(bioft_array) };
    st = d->files->npy(d->host, images, &s->images);
    if (st == BIOFT_OK)
        st = check_images(d, images, &s->images);
    if (st == BIOFT_OK)
        st = d->files->npy(d->host, labels, &s->labels);
    if (st == BIOFT_OK)
        st = check_labels(d, labels, &s->labels, s->images.shape[0]);
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
    const char *root = d->files->root(d->host);
    bioft_status st = check_protocol(d->host, protocols);

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
                         "and database_)",
                         root,
                         d->files->exists(d->host, ".") == 2 ? "none of the files is there"
                                                             : "no such folder");
    for (uint32_t i = 0; st == BIOFT_OK && i < d->classes; i++) {
        char name[16];
        snprintf(name, sizeof name, "%u", i);
        st = ret->class_name(ret, i, name);
    }
    for (uint32_t i = 0; st == BIOFT_OK && i < d->split_count; i++)
        st = ret->split(ret, d->splits[i].name, d->splits[i].count);
    return st;
}

static bioft_status labels(const void *self, uint32_t split, uint64_t index, uint64_t *ret,
                           uint32_t label_words)
{
    const npy *d = self;
    const bioft_array *a = &d->splits[split].labels;
    (void)label_words;
    if (!d->multi_label)
        set_label(ret, (uint32_t)label_at(a, index));
    for (uint32_t c = 0; d->multi_label && c < d->classes; c++)
        if (label_at(a, index * d->classes + c))
            set_label(ret, c);
    return BIOFT_OK;
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
    .struct_size = sizeof dataset,
    .describe = describe,
    .labels = labels,
    .name = name,
    .sample = sample,
    .multi_label = multi_label,
};

static const bioft_option options[] = {
    { .name = "labels",
      .type = BIOFT_CHOICE,
      .offset = offsetof(npy, form),
      .choices = label_forms,
      .help = "single: a class a sample, [n] or [n,1]; several: [n,classes] of 0 and 1; auto: single "
              "but for two columns and more" },
};

static const bioft_plugin plugin = {
    .magic = BIOFT_MAGIC,
    .struct_size = sizeof plugin,
    .abi_version = BIOFT_ABI_VERSION,
    .kind = BIOFT_KIND_DATASET,
    .name = "npy",
    .version = "1.0",
    .author = "bioft",
    .license = "MIT",
    .summary =
        "arrays of NumPy: train_images.npy, train_labels.npy, test_images.npy, test_labels.npy",
    .reference = "",
    .instance_size = sizeof(npy),
    .options = options,
    .option_count = 1,
    .option_size = sizeof options[0],
    .create = create,
    .vtable = &dataset,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index)
{
    return index == 0 ? &plugin : NULL;
}
