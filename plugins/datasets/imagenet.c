/* ImageNet's ILSVRC 2012: 1,281,167 photographs for training in a thousand classes, and 50,000 for
 * validation, which are the test split here (Russakovsky et al., "ImageNet large scale visual
 * recognition challenge", IJCV 2015). A class's number is the rank of its wnid. */
#include "ilsvrc.h"

#include <stdlib.h>

static const char *const protocols[] = { "classification", NULL };

typedef struct {
    struct ilsvrc set; /* which begins with the list */
    int64_t val_per_class;
} imagenet;

static const bioft_option options[] = {
    { .name = "val_per_class",
      .type = BIOFT_I64,
      .offset = offsetof(imagenet, val_per_class),
      .def = 0,
      .min = 0,
      .max = 700,
      .unit = "images",
      .help = "split val, drawn from the training images; 0: none" },
};

static void destroy(void *self) { ilsvrc_free(&((imagenet *)self)->set); }

static bioft_status make_splits(imagenet *d)
{
    struct image_list *l = &d->set.list;
    uint8_t *which = malloc(l->count);
    bioft_status st = which ? ilsvrc_classification(&d->set, d->val_per_class, which)
                            : l->host->fail(l->host, BIOFT_ERR_MEMORY, "out of memory");

    if (st == BIOFT_OK)
        st = image_list_split(l, which);
    free(which);
    return st;
}

static bioft_status describe(void *self, bioft_info *ret)
{
    imagenet *d = self;
    struct ilsvrc *m = &d->set;
    const bioft_host *host = m->list.host;
    bioft_status st = image_list_begin(&m->list, protocols);

    if (st == BIOFT_OK)
        st = ilsvrc_open(m, host);
    if (st == BIOFT_OK)
        st = ilsvrc_classes(m, m->there, m->there_count);
    if (st == BIOFT_OK)
        st = ilsvrc_read(m, 1);
    if (st == BIOFT_OK)
        st = make_splits(d);
    if (st == BIOFT_OK)
        st = ilsvrc_notes(m, ret);
    if (st == BIOFT_OK)
        st = ilsvrc_names(m, ret);
    return st == BIOFT_OK ? image_list_describe(&m->list, ret) : st;
}

static const bioft_dataset dataset = {
    .struct_size = sizeof dataset,
    .describe = describe,
    IMAGE_LIST_CALLS,
    .layout = "train/WNID/NAME.JPEG, val/ILSVRC2012_val_00000001.JPEG, ... with "
              "ILSVRC2012_devkit_t12/, or val/WNID/NAME.JPEG",
    .samples = "JPEG photographs of any size; a thousand classes, numbered by their wnid's "
               "rank",
    .source = "ILSVRC 2012, https://image-net.org/download-images, or Kaggle's imagenet-"
              "object-localization-challenge",
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_DATASET, "imagenet", "1.0", "bioft", "MIT"),
    .summary = "ILSVRC 2012: 1.28 million photographs in a thousand classes; train/WNID/ and val/, "
               "flat with the development kit or in folders",
    .reference = "Russakovsky et al., ImageNet large scale visual recognition challenge, IJCV 2015",
    .instance_size = sizeof(imagenet),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(imagenet, set.list.host),
    .destroy = destroy,
    .vtable = &dataset,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
