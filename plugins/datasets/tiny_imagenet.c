/* Tiny ImageNet: 200 of ImageNet's classes at 64x64 (Stanford's CS231n, tiny-imagenet-200.zip): wnids.txt,
 * train/WNID/images/NAME.JPEG, val/images/NAME.JPEG with val/val_annotations.txt, `NAME<TAB>WNID<TAB>box`. The labels of its
 * test images were never published: its validation images are the split test, as in ImageNet's case. */
#include "lines.h"
#include "walk.h"

#include <stdlib.h>

enum { CLASSES = 200, WNID = 10, LARGEST_LIST = 1 << 24, FULL_TRAIN = 100000, FULL_VAL = 10000 };

typedef struct {
    struct image_list list; /* first: IMAGE_LIST_CALLS */
    char wnids[CLASSES][WNID];
    uint32_t count; /* of classes */
    uint32_t filling;
    const char *base; /* of the archive below the root: "" or "tiny-imagenet-200/" */
    uint64_t train;
} tiny;

static const char *const protocols[] = { "classification", NULL };

static void destroy(void *self) { image_list_free(&((tiny *)self)->list); }

static bioft_status find(tiny *d)
{
    static const char *const bases[] = { "", "tiny-imagenet-200/" };
    const bioft_host *host = d->list.host;
    const char *root = d->list.files->root(host);
    char path[64];

    if (!root)
        return host->fail(host, BIOFT_ERR_INVALID, "no root given: name the folder of tiny-imagenet-200 with 'root'");
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%swnids.txt", bases[i]);
        if (d->list.files->exists(host, path) == 1) {
            d->base = bases[i];
            return BIOFT_OK;
        }
    }
    return bioft_failf(host, BIOFT_ERR_IO,
                       "%s: no wnids.txt nor tiny-imagenet-200/wnids.txt in it: get "
                       "http://cs231n.stanford.edu/tiny-imagenet-200.zip and unpack it here",
                       root);
}

/* A class's number, or CLASSES. The list is sorted. */
static uint32_t class_of(const tiny *d, const char *wnid)
{
    for (uint32_t c = 0; c < d->count; c++)
        if (!strcmp(d->wnids[c], wnid))
            return c;
    return CLASSES;
}

static int compare(const void *a, const void *b) { return strcmp(a, b); }

/* Bytewise, as torchvision's ImageFolder numbers the folders of train/. */
static bioft_status read_classes(tiny *d, struct lines *in)
{
    int more = 1;
    bioft_status st = BIOFT_OK;

    while ((st = lines_next(in, &more)) == BIOFT_OK && more) {
        if (!is_wnid(in->text, in->length))
            return lines_fail(in, "expected a wnid such as n01443537");
        if (d->count == CLASSES)
            return lines_fail(in, "more than %d classes", CLASSES);
        if (class_of(d, in->text) < CLASSES)
            return lines_fail(in, "the same class twice");
        memcpy(d->wnids[d->count++], in->text, WNID);
    }
    if (st == BIOFT_OK && d->count < 2)
        st = lines_fail(in, "fewer than two classes");
    qsort(d->wnids, d->count, sizeof d->wnids[0], compare);
    return st;
}

static bioft_status on_image(void *ctx, const char *folder, const char *name)
{
    tiny *d = ctx;
    return image_list_add(&d->list, folder, name, d->filling);
}

static void on_other(void *ctx, const char *folder, const char *name) /* the boxes of each class */
{
    (void)ctx;
    (void)folder;
    (void)name;
}

static bioft_status read_train(tiny *d)
{
    const struct walk w = { &d->list, d, on_image, on_other };
    bioft_status st = BIOFT_OK;

    for (uint32_t c = 0; st == BIOFT_OK && c < d->count; c++) {
        const uint64_t before = d->list.count;
        char folder[64];
        snprintf(folder, sizeof folder, "%strain/%s/images/", d->base, d->wnids[c]);
        d->filling = c;
        if (d->list.files->exists(d->list.host, folder) == 2)
            st = walk_images(&w, folder);
        if (st == BIOFT_OK && d->list.count == before)
            st = d->list.files->fail_at(d->list.host, BIOFT_ERR_FORMAT, folder, 0, 0, "a class without images");
    }
    d->train = d->list.count;
    return st;
}

static bioft_status read_annotation(tiny *d, struct lines *in, const char *folder)
{
    char *at = in->text, *name = lines_word(&at), *wnid = name ? lines_word(&at) : NULL, text[40];
    const char *kept, *fault;
    uint32_t c;

    if (!wnid)
        return lines_fail(in, "expected an image and its class");
    fault = listed_fault(d->list.host, folder, name);
    if (fault)
        return lines_fail(in, "%s", fault);
    c = class_of(d, wnid);
    if (c == CLASSES)
        return lines_fail(in, "class '%s' is not in wnids.txt", shown(wnid, text, sizeof text));
    kept = image_list_text(&d->list, name, strlen(name));
    if (!kept)
        return d->list.host->fail(d->list.host, BIOFT_ERR_MEMORY, "out of memory for the list of images");
    return image_list_add(&d->list, folder, kept, c);
}

static bioft_status read_val(tiny *d, struct lines *in, const char *folder)
{
    int more = 1;
    bioft_status st = BIOFT_OK;

    while ((st = lines_next(in, &more)) == BIOFT_OK && more && st == BIOFT_OK) {
        st = read_annotation(d, in, folder);
        if (st != BIOFT_OK)
            return st;
    }
    return st == BIOFT_OK && d->list.count == d->train ? lines_fail(in, "no image in this list") : st;
}

static bioft_status read_all(tiny *d, struct lines *in)
{
    char path[64], folder[64];
    const char *kept;
    bioft_status st;

    snprintf(path, sizeof path, "%swnids.txt", d->base);
    st = lines_open(in, d->list.host, path, LARGEST_LIST);
    if (st == BIOFT_OK)
        st = read_classes(d, in);
    if (st == BIOFT_OK)
        st = read_train(d);
    snprintf(path, sizeof path, "%sval/val_annotations.txt", d->base);
    snprintf(folder, sizeof folder, "%sval/images/", d->base);
    kept = image_list_text(&d->list, folder, strlen(folder));
    if (st == BIOFT_OK && !kept)
        st = d->list.host->fail(d->list.host, BIOFT_ERR_MEMORY, "out of memory for the list of images");
    if (st == BIOFT_OK)
        st = lines_open(in, d->list.host, path, LARGEST_LIST);
    return st == BIOFT_OK ? read_val(d, in, kept) : st;
}

static bioft_status make_splits(tiny *d)
{
    uint8_t *which = malloc(d->list.count);
    bioft_status st = BIOFT_OK;

    if (!which)
        return d->list.host->fail(d->list.host, BIOFT_ERR_MEMORY, "out of memory for the list of images");
    for (uint64_t i = 0; i < d->list.count; i++)
        which[i] = i < d->train ? SPLIT_TRAIN : SPLIT_TEST;
    st = image_list_split(&d->list, which);
    free(which);
    return st;
}

static bioft_status describe(void *self, bioft_info *ret)
{
    tiny *d = self;
    struct lines *in = malloc(sizeof *in);
    char text[160];
    bioft_status st = image_list_begin(&d->list, protocols);

    if (st == BIOFT_OK && !in)
        st = d->list.host->fail(d->list.host, BIOFT_ERR_MEMORY, "out of memory for the list of images");
    if (st == BIOFT_OK)
        st = find(d);
    if (st == BIOFT_OK)
        st = read_all(d, in);
    free(in);
    if (st == BIOFT_OK)
        st = make_splits(d);
    for (uint32_t c = 0; st == BIOFT_OK && c < d->count; c++)
        st = ret->class_name(ret, c, d->wnids[c]);
    if (st == BIOFT_OK)
        st = image_list_describe(&d->list, ret);
    if (st != BIOFT_OK || (d->train == FULL_TRAIN && d->list.count == FULL_TRAIN + FULL_VAL))
        return st;
    snprintf(text, sizeof text,
             "not the whole Tiny ImageNet: %llu images for training and %llu for testing, not %d and %d",
             (unsigned long long)d->train, (unsigned long long)(d->list.count - d->train), FULL_TRAIN, FULL_VAL);
    return ret->note(ret, text);
}

static const bioft_dataset dataset = {
    .struct_size = sizeof dataset,
    .describe = describe,
    IMAGE_LIST_CALLS,
    .layout = "wnids.txt, train/WNID/images/NAME.JPEG, val/images/NAME.JPEG and val/val_annotations.txt",
    .samples = "JPEG files of 64x64 in 200 classes: 100,000 for training, 10,000 for test",
    .source = "tiny-imagenet-200.zip, http://cs231n.stanford.edu/tiny-imagenet-200.zip",
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_DATASET, "tiny_imagenet", "1.0", "bioft", "MIT"),
    .summary = "Tiny ImageNet: 110,000 images of 64x64 in 200 classes; the validation images are the split test",
    .reference = "Le, Yang, Tiny ImageNet visual recognition challenge, CS231n, 2015",
    .instance_size = sizeof(tiny),
    BIOFT_HOST_AT(tiny, list.host),
    .destroy = destroy,
    .vtable = &dataset,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
