/* Arrays of NumPy: SPLIT_images.npy and SPLIT_labels.npy for the splits train, val, test and
 * database. Images are uint8 [n][height][width][channels] or float32 [n][channels][height][width]
 * in [0,1], grey ones without the channels too; labels are integers [n] or [n][1] or, for several a
 * sample, [n][classes] of 0 and 1. Data that comes whole is images.npy and labels.npy. */
#include "npy.h"

static const char *const split_names[SPLITS] = { "train", "val", "test", "database" };
static const char *const protocols[] = { "classification", "retrieval", NULL };

/* One split, where it is there. prefix: "train_", or "" of data that comes whole. */
static bioft_status load(npy *d, const char *split, const char *prefix)
{
    char images[32], labels[32], text[160];
    struct arrays *s = &d->splits[d->split_count];

    snprintf(images, sizeof images, "%simages.npy", prefix);
    snprintf(labels, sizeof labels, "%slabels.npy", prefix);
    const int have_images = d->files->exists(d->host, images) == 1;
    const int have_labels = d->files->exists(d->host, labels) == 1;
    if (!have_images && !have_labels)
        return BIOFT_OK;
    if (!have_images || !have_labels) {
        snprintf(text, sizeof text, "missing; a split needs its images and its labels, and the folder has only %s",
                 have_images ? images : labels);
        return d->files->fail_at(d->host, BIOFT_ERR_IO, have_images ? labels : images, 0, 0, text);
    }
    s->images = s->labels = (bioft_array){ .struct_size = sizeof(bioft_array) };
    bioft_status st = d->files->npy(d->host, images, &s->images);
    if (st == BIOFT_OK)
        st = d->files->npy(d->host, labels, &s->labels);
    return st == BIOFT_OK ? npy_add_split(d, split, images, labels) : st;
}

static bioft_status describe(void *self, bioft_info *ret)
{
    npy *d = self;
    bioft_status st = open_files(d->host, protocols, &d->files);
    const char *root = st == BIOFT_OK ? d->files->root(d->host) : NULL;

    if (st == BIOFT_OK && !root)
        st = d->host->fail(d->host, BIOFT_ERR_INVALID, "no root given: name the folder of the data with 'root'");
    for (int i = 0; st == BIOFT_OK && i < SPLITS; i++) {
        char prefix[16];
        snprintf(prefix, sizeof prefix, "%s_", split_names[i]);
        st = load(d, split_names[i], prefix);
    }
    if (st == BIOFT_OK && !d->split_count)
        st = load(d, split_names[0], "");
    if (st == BIOFT_OK && !d->split_count)
        st = bioft_failf(d->host, BIOFT_ERR_IO, "%s: %s", root,
                         d->files->exists(d->host, ".") == 2 ? "none of the files is there" : "no such folder");
    return st == BIOFT_OK ? npy_describe(d, ret) : st;
}

static const bioft_dataset dataset = {
    .struct_size = sizeof dataset,
    .describe = describe,
    NPY_CALLS,
    NPY_SAMPLES,
    .layout = "train_images.npy and train_labels.npy, and the same for val, test and database, not all of "
              "which have to be there; or images.npy and labels.npy, of which the manifest's split makes the "
              "splits",
    .source = "your own arrays, written by numpy.save",
};

static const bioft_option options[] = { NPY_LABELS };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_DATASET, "npy", "1.0", "bioft", "MIT"),
    .reference = "",
    .summary = "arrays of NumPy: train_images.npy, train_labels.npy, test_images.npy, test_labels.npy",
    .instance_size = sizeof(npy),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(npy, host),
    .vtable = &dataset,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
