/* Arrays of NumPy in one archive, as numpy.savez writes it: train_images and train_labels and the like of val, test and
 * database, which is MedMNIST's layout (Yang et al., "MedMNIST v2", Scientific Data, 2023); x_train, y_train, x_test,
 * y_test, which is that of Keras; or images and labels, data that comes whole. Arrays are as of the dataset npy. */
#include "npy.h"

enum { NAMES = 2 * SPLITS };

static const char *const split_names[SPLITS] = { "train", "val", "test", "database" };
static const char *const protocols[] = { "classification", "retrieval", NULL };
static const char *const layouts[][NAMES] = {
    { "train_images", "train_labels", "val_images", "val_labels", "test_images", "test_labels", "database_images",
      "database_labels" },
    { "x_train", "y_train", "x_val", "y_val", "x_test", "y_test", "x_database", "y_database" },
    { "images", "labels" },
};
enum { LAYOUTS = sizeof layouts / sizeof *layouts };

/* The one archive in the root, or the one named. */
static bioft_status find(npy *d)
{
    const char *const *entries, *root = d->files->root(d->host);
    uint64_t count, found = 0;
    bioft_status st;

    if (!root)
        return d->host->fail(d->host, BIOFT_ERR_INVALID, "no root given: name the folder of the data with 'root'");
    d->archive = d->file;
    if (d->file)
        return BIOFT_OK;
    st = d->files->list(d->host, ".", &entries, &count);
    for (uint64_t i = 0; st == BIOFT_OK && i < count; i++) {
        const size_t length = strlen(entries[i]);
        if (length > 4 && !strcmp(entries[i] + length - 4, ".npz")) {
            d->archive = entries[i];
            found++;
        }
    }
    if (st != BIOFT_OK || found == 1)
        return st;
    return bioft_failf(d->host, BIOFT_ERR_IO,
                       found ? "%s: %u .npz files in it: name one with 'file'" : "%s: no .npz file in it", root,
                       (unsigned)found);
}

/* A split of a layout, where it is there. */
static bioft_status add(npy *d, int split, const char *const *names, const bioft_array *images,
                        const bioft_array *labels)
{
    if (!images->data && !labels->data)
        return BIOFT_OK;
    if (!images->data || !labels->data)
        return fail_at(d, names[images->data != NULL],
                       "missing; a split needs its images and its labels, and the archive "
                       "has only %s",
                       names[images->data == NULL]);
    d->splits[d->split_count].images = *images;
    d->splits[d->split_count].labels = *labels;
    return npy_add_split(d, split_names[split], names[0], names[1]);
}

static bioft_status load(npy *d, const char *const *names)
{
    bioft_array a[NAMES] = { { 0 } };
    uint32_t count = 0;
    while (count < NAMES && names[count])
        count++;
    bioft_status st = d->files->npz(d->host, d->archive, names, count, a);
    for (uint32_t i = 0; st == BIOFT_OK && i < count; i += 2)
        st = add(d, (int)i / 2, names + i, &a[i], &a[i + 1]);
    return st;
}

static bioft_status describe(void *self, bioft_info *ret)
{
    npy *d = self;
    bioft_status st = open_files(d->host, protocols, &d->files);

    if (st == BIOFT_OK && !BIOFT_HAS(d->files, bioft_files, npz))
        st = d->host->fail(d->host, BIOFT_ERR_UNSUPPORTED, "the host reads no .npz: it is too old");
    if (st == BIOFT_OK)
        st = find(d);
    for (int i = 0; st == BIOFT_OK && i < LAYOUTS && !d->split_count; i++)
        st = load(d, layouts[i]);
    if (st == BIOFT_OK && !d->split_count)
        st = d->files->fail_at(
            d->host, BIOFT_ERR_FORMAT, d->archive, 0, 0,
            "none of the arrays is in it that are looked for: train_images and train_labels (also val_, "
            "test_ and database_), x_train and y_train, images and labels");
    return st == BIOFT_OK ? npy_describe(d, ret) : st;
}

static const bioft_dataset dataset = {
    .struct_size = sizeof dataset,
    .describe = describe,
    NPY_CALLS,
    NPY_SAMPLES,
    .layout = "one .npz file of train_images and train_labels, and the same for val, test and database; of "
              "x_train, y_train, x_test and y_test; or of images and labels, of which the manifest's split "
              "makes the splits",
    .source = "your own arrays, written by numpy.savez; MedMNIST, https://medmnist.com",
};

static const bioft_option options[] = {
    NPY_LABELS,
    { .name = "file",
      .type = BIOFT_STRING,
      .offset = offsetof(npy, file),
      .help = "name of the archive in the root, where there are several" },
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_DATASET, "npz", "1.0", "bioft", "MIT"),
    .reference = "",
    .summary = "arrays of NumPy in one .npz: MedMNIST's layout, Keras's, or images and labels",
    .instance_size = sizeof(npy),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(npy, host),
    .vtable = &dataset,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
