/* CIFAR-100: 60,000 colour images of 32x32 in a hundred classes or their twenty groups, from the
 * binary or the Python release (Krizhevsky, "Learning multiple layers of features from tiny images", 2009;
 * https://www.cs.toronto.edu/~kriz/cifar.html). */
#include "cifar_records.h"

enum { FINE = 100, COARSE = 20, NAME_BYTES = 4096 };

static const char *const protocols[] = { "classification", NULL };
static const char *const label_kinds[] = { "fine", "coarse", NULL };
static const char *const split_names[2] = { "train", "test" };

typedef struct {
    int32_t coarse;
    const bioft_host *host;
    const bioft_files *files;
    int pickled; /* the Python release */
    struct cifar_file splits[2];
} cifar100;

static const bioft_option options[] = {
    { .name = "level",
      .type = BIOFT_CHOICE,
      .offset = offsetof(cifar100, coarse),
      .def = 0,
      .choices = label_kinds,
      .unit = "",
      .help = "the hundred classes, or the twenty groups of five" },
};

/* The folder of train.bin, or of the pickled train, below the root, with its slash. */
static bioft_status find(cifar100 *d, const char **ret)
{
    static const struct {
        const char *seen, *folder;
        int32_t kind;
        int pickled;
    } places[] = {
        { "train.bin", "", 1, 0 },
        { "cifar-100-binary", "cifar-100-binary/", 2, 0 },
        { "train", "", 1, 1 },
        { "cifar-100-python", "cifar-100-python/", 2, 1 },
    };
    const bioft_host *host = d->host;
    const char *root = d->files->root(host);

    if (!root)
        return host->fail(host, BIOFT_ERR_INVALID, "no root given: name the folder of the data with 'root'");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (d->files->exists(host, places[i].seen) == places[i].kind) {
            *ret = places[i].folder;
            d->pickled = places[i].pickled;
            return BIOFT_OK;
        }
    return bioft_failf(host, BIOFT_ERR_IO, "%s: neither cifar-100-binary/train.bin nor cifar-100-python/train in it",
                       root);
}

/* Every class has the same number of images where their sum is the published one. */
static bioft_status check_counts(const cifar100 *d, bioft_info *info)
{
    static const uint64_t full[2] = { 50000, 10000 };
    char text[200];

    for (int s = 0; s < 2; s++) {
        uint64_t counts[FINE] = { 0 };
        for (uint64_t i = 0; i < d->splits[s].records; i++)
            counts[cifar_label(&d->splits[s], i, 1)]++;
        for (uint32_t c = 0; d->splits[s].records == full[s] && c < FINE; c++)
            if (counts[c] != full[s] / FINE)
                return bioft_failf(d->host, BIOFT_ERR_FORMAT,
                                   "%s: class %u has %llu images in split %s where CIFAR-100 "
                                   "has %llu",
                                   d->files->root(d->host), c, (unsigned long long)counts[c], split_names[s],
                                   (unsigned long long)(full[s] / FINE));
    }
    if (d->splits[0].records == full[0] && d->splits[1].records == full[1])
        return BIOFT_OK;
    snprintf(text, sizeof text, "not the whole CIFAR-100: %llu images for training and %llu for testing",
             (unsigned long long)d->splits[0].records, (unsigned long long)d->splits[1].records);
    return info->note(info, text);
}

static bioft_status name_classes(const cifar100 *d, const char *folder, bioft_info *info)
{
    const uint32_t count = d->coarse ? COARSE : FINE;
    const char *names[FINE];
    char buffer[NAME_BYTES], path[64];
    bioft_status st;

    snprintf(path, sizeof path, d->pickled ? "%smeta" : "%s%s_label_names.txt", folder, d->coarse ? "coarse" : "fine");
    st = d->pickled
             ? cifar_unpickle_names(d->host, path, d->coarse ? "coarse_label_names" : "fine_label_names", count, names)
             : cifar_names(d->host, path, count, buffer, sizeof buffer, names);
    for (uint32_t i = 0; st == BIOFT_OK && i < count; i++)
        st = info->class_name(info, i, names[i]);
    return st;
}

static bioft_status describe(void *self, bioft_info *ret)
{
    static const uint32_t limits[] = { COARSE, FINE };
    static const char *const keys[] = { "coarse_labels", "fine_labels" };
    cifar100 *d = self;
    const char *folder = "";
    char path[64];
    bioft_status st = open_files(d->host, protocols, &d->files);

    if (st != BIOFT_OK)
        return st;
    st = find(d, &folder);
    for (int s = 0; st == BIOFT_OK && s < 2; s++) {
        snprintf(path, sizeof path, "%s%s%s", folder, split_names[s], d->pickled ? "" : ".bin");
        st = d->pickled ? cifar_unpickle(d->host, path, keys, limits, &d->splits[s])
                        : cifar_map(d->host, path, 2, limits, &d->splits[s]);
    }
    if (st != BIOFT_OK)
        return st;
    st = check_counts(d, ret);
    if (st != BIOFT_OK)
        return st;
    st = name_classes(d, folder, ret);
    for (int s = 0; st == BIOFT_OK && s < 2; s++)
        st = ret->split(ret, split_names[s], d->splits[s].records);
    return st;
}

static bioft_status labels(const void *self, uint32_t split, uint64_t index, uint64_t *ret, uint32_t label_words)
{
    const cifar100 *d = self;
    (void)label_words;
    set_label(ret, cifar_label(&d->splits[split], index, d->coarse ? 0 : 1));
    return BIOFT_OK;
}

static bioft_status name(const void *self, uint32_t split, uint64_t index, char *ret, size_t size)
{
    return sample_name(((const cifar100 *)self)->host, split_names[split], index, ret, size);
}

static bioft_status sample(const void *self, void *reader, uint32_t split, uint64_t index, bioft_sample *ret)
{
    const cifar100 *d = self;
    (void)reader;
    return cifar_sample(d->host, &d->splits[split], index, ret);
}

static const bioft_dataset dataset = {
    .struct_size = sizeof dataset,
    .describe = describe,
    .labels = labels,
    .name = name,
    .sample = sample,
    .layout = "cifar-100-binary/ (train.bin, test.bin, fine_label_names.txt, "
              "coarse_label_names.txt) or cifar-100-python/, or those files themselves",
    .samples = "records of two label bytes, coarse 0 to 19 and fine 0 to 99, and 3072 bytes "
               "0 to 255, [3,32,32]: 50,000 for training, 10,000 for test",
    .source = "cifar-100-binary.tar.gz or cifar-100-python.tar.gz, https://www.cs.toronto.edu/~kriz/cifar.html",
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_DATASET, "cifar100", "1.0", "bioft", "MIT"),
    .summary = "60,000 colour images in a hundred classes, 32x32: the binary or Python release",
    .reference = "Krizhevsky, Learning multiple layers of features from tiny images, 2009",
    .instance_size = sizeof(cifar100),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(cifar100, host),
    .vtable = &dataset,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
