/* CIFAR-10: 60,000 colour images of 32x32 in ten classes, from the binary or the Python release
 * or from folders of JPEG or PNG files (Krizhevsky, "Learning multiple layers of features from tiny images", 2009;
 * https://www.cs.toronto.edu/~kriz/cifar.html).
 *
 * protocol classification: the published training and test images. protocol retrieval: all
 * images together, drawn a class by the keyed generator into train, val and test (the queries),
 * the rest is the database. */
#include "cifar_records.h"
#include "class_folders.h"

#include <stdlib.h>

enum { CLASSES = 10, BATCHES = 6, TRAIN_BATCHES = 5, FULL_TRAIN = 50000, FULL_TEST = 10000, SPLITS = 4 };
enum { TRAIN, VAL, TEST, DATABASE };

static const char *const class_names[CLASSES] = {
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
};
static const char *const split_names[SPLITS] = { "train", "val", "test", "database" };
static const char *const protocols[] = { "classification", "retrieval", NULL };

struct cifar_split {
    const char *name;
    uint64_t count;
    uint32_t *images; /* ascending; 0 .. train - 1 are the published training images */
};

typedef struct {
    int64_t train_per_class, val_per_class, test_per_class;
    const bioft_host *host;
    const bioft_files *files;
    int folders, retrieval;
    struct cifar_file batches[BATCHES];
    struct class_folders tree;
    uint64_t train, count; /* images: published for training, and all */
    uint8_t *label;        /* [count] */
    struct cifar_split splits[SPLITS];
    uint32_t split_count;
} cifar10;

static const bioft_option options[] = {
    { .name = "val_per_class",
      .type = BIOFT_I64,
      .offset = offsetof(cifar10, val_per_class),
      .def = -1,
      .min = -1,
      .max = 6000,
      .unit = "images",
      .help = "split val, drawn from the training images (classification; -1: none) or "
              "from all (retrieval; -1: 100)" },
    { .name = "train_per_class",
      .type = BIOFT_I64,
      .offset = offsetof(cifar10, train_per_class),
      .def = 500,
      .min = 1,
      .max = 6000,
      .unit = "images",
      .help = "retrieval: split train" },
    { .name = "test_per_class",
      .type = BIOFT_I64,
      .offset = offsetof(cifar10, test_per_class),
      .def = 100,
      .min = 1,
      .max = 6000,
      .unit = "images",
      .help = "retrieval: split test, the queries" },
};

static void destroy(void *self)
{
    cifar10 *d = self;
    class_folders_free(&d->tree);
    free(d->label);
    for (int i = 0; i < SPLITS; i++)
        free(d->splits[i].images);
}

static bioft_status out_of_memory(const cifar10 *d)
{
    return d->host->fail(d->host, BIOFT_ERR_MEMORY, "out of memory for the labels");
}

/* The six files of a release, in the root or in the archive's folder below it. end: ".bin", or "" of
 * the Python release. */
static bioft_status read_batches(cifar10 *d, const char *folder, const char *end)
{
    static const uint32_t limits[] = { CLASSES };
    static const char *const keys[] = { "labels", NULL };
    char path[64];
    uint64_t n = 0;
    bioft_status st = BIOFT_OK;

    for (int i = 0; st == BIOFT_OK && i < BATCHES; i++) {
        if (i < TRAIN_BATCHES)
            snprintf(path, sizeof path, "%sdata_batch_%d%s", folder, i + 1, end);
        else
            snprintf(path, sizeof path, "%stest_batch%s", folder, end);
        st = *end ? cifar_map(d->host, path, 1, limits, &d->batches[i])
                  : cifar_unpickle(d->host, path, keys, limits, &d->batches[i]);
        d->count += d->batches[i].records;
        d->train += i < TRAIN_BATCHES ? d->batches[i].records : 0;
    }
    if (st != BIOFT_OK)
        return st;
    d->label = malloc(d->count);
    if (!d->label)
        return out_of_memory(d);
    for (int i = 0; i < BATCHES; i++)
        for (uint64_t k = 0; k < d->batches[i].records; k++)
            d->label[n++] = cifar_label(&d->batches[i], k, 0);
    return BIOFT_OK;
}

/* train/CLASS/NAME.jpg and test/CLASS/NAME.jpg, with the ten classes by name. */
static bioft_status read_folders(cifar10 *d)
{
    struct class_folders *t = &d->tree;
    uint64_t n = 0;
    bioft_status st = class_folders_read(t, d->host);

    if (st != BIOFT_OK)
        return st;
    if (t->split_count != 2 || strcmp(t->splits[0].name, "train") != 0 || strcmp(t->splits[1].name, "test") != 0)
        return bioft_failf(d->host, BIOFT_ERR_FORMAT, "%s: folders train and test are expected, and no val or database",
                           d->files->root(d->host));
    for (uint32_t c = 0; c < CLASSES || c < t->class_count; c++)
        if (c >= CLASSES || c >= t->class_count || strcmp(t->classes[c], class_names[c]) != 0)
            return bioft_failf(d->host, BIOFT_ERR_FORMAT,
                               "%s/train: class folder %u is '%s' where CIFAR-10 has '%s'; for "
                               "other images there is the dataset image_folder",
                               d->files->root(d->host), c + 1, c < t->class_count ? t->classes[c] : "missing",
                               c < CLASSES ? class_names[c] : "none");
    d->folders = 1;
    d->train = t->splits[0].count;
    d->count = d->train + t->splits[1].count;
    d->label = malloc(d->count);
    if (!d->label)
        return out_of_memory(d);
    for (int s = 0; s < 2; s++)
        for (uint64_t k = 0; k < t->splits[s].count; k++)
            d->label[n++] = (uint8_t)t->splits[s].files[k].class_number;
    return BIOFT_OK;
}

static bioft_status read_any(cifar10 *d)
{
    static const char *const archives[] = { "cifar-10-binary.tar.gz", "cifar-10-python.tar.gz" };
    const bioft_host *host = d->host;
    const char *root = d->files->root(host);

    if (!root)
        return host->fail(host, BIOFT_ERR_INVALID, "no root given: name the folder of the data with 'root'");
    if (d->files->exists(host, "data_batch_1.bin") == 1 || d->files->exists(host, "test_batch.bin") == 1)
        return read_batches(d, "", ".bin");
    if (d->files->exists(host, "cifar-10-batches-bin") == 2)
        return read_batches(d, "cifar-10-batches-bin/", ".bin");
    if (d->files->exists(host, "data_batch_1") == 1)
        return read_batches(d, "", "");
    if (d->files->exists(host, "cifar-10-batches-py") == 2)
        return read_batches(d, "cifar-10-batches-py/", "");
    if (d->files->exists(host, "train") == 2)
        return read_folders(d);
    for (int i = 0; i < 2; i++)
        if (d->files->exists(host, archives[i]) == 1)
            return bioft_failf(host, BIOFT_ERR_UNSUPPORTED, "%s: %s is not unpacked: tar xzf %s", root, archives[i],
                               archives[i]);
    return bioft_failf(host, BIOFT_ERR_IO,
                       "%s: no CIFAR-10 in it: neither cifar-10-batches-bin/data_batch_1.bin nor "
                       "cifar-10-batches-py/data_batch_1 nor train/airplane/NAME.jpg",
                       root);
}

/* Where the number of images is the published one, so is that of every class. */
static bioft_status check_counts(const cifar10 *d, bioft_info *info)
{
    uint64_t counts[2][CLASSES] = { { 0 } };
    char text[200];

    for (uint64_t i = 0; i < d->count; i++)
        counts[i >= d->train][d->label[i]]++;
    for (int s = 0; s < 2; s++) {
        const uint64_t full = s ? FULL_TEST : FULL_TRAIN, have = s ? d->count - d->train : d->train;
        for (int c = 0; have == full && c < CLASSES; c++)
            if (counts[s][c] != full / CLASSES)
                return bioft_failf(d->host, BIOFT_ERR_FORMAT,
                                   "%s: class '%s' has %llu images for %s where CIFAR-10 has "
                                   "%llu",
                                   d->files->root(d->host), class_names[c], (unsigned long long)counts[s][c],
                                   s ? "testing" : "training", (unsigned long long)(full / CLASSES));
    }
    if (d->train == FULL_TRAIN && d->count - d->train == FULL_TEST)
        return BIOFT_OK;
    snprintf(text, sizeof text, "not the whole CIFAR-10: %llu images for training and %llu for testing, not %d and %d",
             (unsigned long long)d->train, (unsigned long long)(d->count - d->train), FULL_TRAIN, FULL_TEST);
    return info->note(info, text);
}

/* Draws `wanted` of a class's images among the first `among` that are in split `from` into split
 * `to`. */
static bioft_status draw_class(const cifar10 *d, uint8_t *which, int c, uint64_t among, const char *stream,
                               const int64_t *wanted, const uint8_t *to, int kinds)
{
    uint64_t n = 0, sum = 0, taken = 0, *members, *order;
    char name[64];
    bioft_status st = BIOFT_OK;

    for (int k = 0; k < kinds; k++)
        sum += (uint64_t)wanted[k];
    members = malloc((among + 1) * 2 * sizeof *members);
    if (!members)
        return out_of_memory(d);
    order = members + among;
    for (uint64_t i = 0; i < among; i++)
        if (d->label[i] == c)
            members[n++] = i;
    if (n <= sum)
        st = bioft_failf(d->host, BIOFT_ERR_FORMAT,
                         "class '%s' has %llu images, and %llu are to be drawn with some left: "
                         "see the options train_per_class, val_per_class and test_per_class",
                         class_names[c], (unsigned long long)n, (unsigned long long)sum);
    snprintf(name, sizeof name, "%s/%s", stream, class_names[c]);
    if (st == BIOFT_OK)
        st = d->files->permute(d->host, name, n, order);
    for (int k = 0; st == BIOFT_OK && k < kinds; k++)
        for (int64_t i = 0; i < wanted[k]; i++)
            which[members[order[taken++]]] = to[k];
    free(members);
    return st;
}

/* Which split every image is in. */
static bioft_status assign(const cifar10 *d, uint8_t *which)
{
    static const uint8_t to[] = { TRAIN, VAL, TEST }, val[] = { VAL };
    const int64_t own = d->retrieval ? 100 : 0, vals = d->val_per_class < 0 ? own : d->val_per_class;
    const int64_t wanted[] = { d->train_per_class, vals, d->test_per_class };
    bioft_status st = BIOFT_OK;

    for (uint64_t i = 0; i < d->count; i++)
        which[i] = d->retrieval ? DATABASE : i < d->train ? TRAIN : TEST;
    for (int c = 0; st == BIOFT_OK && c < CLASSES; c++) {
        if (d->retrieval)
            st = draw_class(d, which, c, d->count, "retrieval", wanted, to, 3);
        else if (vals)
            st = draw_class(d, which, c, d->train, "validation", &vals, val, 1);
    }
    return st;
}

static bioft_status make_splits(cifar10 *d)
{
    uint8_t *which = malloc(d->count + 1);
    bioft_status st = which ? assign(d, which) : out_of_memory(d);

    for (int s = 0; st == BIOFT_OK && s < SPLITS; s++) {
        struct cifar_split *to = &d->splits[d->split_count];
        for (uint64_t i = 0; i < d->count; i++)
            to->count += which[i] == s;
        if (!to->count)
            continue;
        to->name = split_names[s];
        to->images = malloc(to->count * sizeof *to->images);
        if (!to->images) {
            st = out_of_memory(d);
            break;
        }
        for (uint64_t i = 0, n = 0; i < d->count; i++)
            if (which[i] == s)
                to->images[n++] = (uint32_t)i;
        d->split_count++;
    }
    free(which);
    return st;
}

static bioft_status describe(void *self, bioft_info *ret)
{
    cifar10 *d = self;
    const char *protocol;
    bioft_status st = open_files(d->host, protocols, &d->files);

    if (st != BIOFT_OK)
        return st;
    protocol = d->files->protocol(d->host);
    d->retrieval = protocol && !strcmp(protocol, "retrieval");
    st = read_any(d);
    if (st == BIOFT_OK)
        st = check_counts(d, ret);
    if (st == BIOFT_OK)
        st = make_splits(d);
    for (uint32_t i = 0; st == BIOFT_OK && i < CLASSES; i++)
        st = ret->class_name(ret, i, class_names[i]);
    for (uint32_t i = 0; st == BIOFT_OK && i < d->split_count; i++)
        st = ret->split(ret, d->splits[i].name, d->splits[i].count);
    return st == BIOFT_OK && d->folders ? class_folders_notes(&d->tree, ret) : st;
}

static bioft_status labels(const void *self, uint32_t split, uint64_t index, uint64_t *ret, uint32_t label_words)
{
    const cifar10 *d = self;
    (void)label_words;
    set_label(ret, d->label[d->splits[split].images[index]]);
    return BIOFT_OK;
}

/* The published split and the number in it, whatever the protocol. */
static bioft_status name(const void *self, uint32_t split, uint64_t index, char *ret, size_t size)
{
    const cifar10 *d = self;
    const uint32_t i = d->splits[split].images[index];
    const int test = i >= d->train;

    if (d->folders)
        return class_folders_name(&d->tree, (uint32_t)test, test ? i - d->train : i, ret, size);
    return sample_name(d->host, test ? "test" : "train", test ? i - d->train : i, ret, size);
}

static bioft_status sample(const void *self, void *reader, uint32_t split, uint64_t index, bioft_sample *ret)
{
    const cifar10 *d = self;
    uint64_t i = d->splits[split].images[index];
    int batch = 0;

    (void)reader;
    if (d->folders)
        return class_folders_sample(&d->tree, i >= d->train, i >= d->train ? i - d->train : i, ret);
    while (i >= d->batches[batch].records)
        i -= d->batches[batch++].records;
    return cifar_sample(d->host, &d->batches[batch], i, ret);
}

static const bioft_dataset dataset = {
    .struct_size = sizeof dataset,
    .describe = describe,
    .labels = labels,
    .name = name,
    .sample = sample,
    .layout = "cifar-10-batches-bin/ (data_batch_1.bin to data_batch_5.bin, "
              "test_batch.bin) or cifar-10-batches-py/, or those files themselves, or train/airplane/NAME.png and "
              "test/airplane/NAME.png",
    .samples = "records of a label byte 0 to 9 and 3072 bytes 0 to 255, [3,32,32]: 50,000 "
               "for training, 10,000 for test",
    .source = "cifar-10-binary.tar.gz or cifar-10-python.tar.gz, https://www.cs.toronto.edu/~kriz/cifar.html",
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_DATASET, "cifar10", "1.0", "bioft", "MIT"),
    .summary = "60,000 colour images in ten classes, 32x32: the binary or Python release, or "
               "class folders of JPEG or PNG",
    .reference = "Krizhevsky, Learning multiple layers of features from tiny images, 2009",
    .instance_size = sizeof(cifar10),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(cifar10, host),
    .destroy = destroy,
    .vtable = &dataset,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
