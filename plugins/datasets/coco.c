/* MS-COCO 2017 or 2014: 123,287 photographs with 80 classes of objects, several an image (Lin et al.,
 * "Microsoft COCO: common objects in context", ECCV 2014; https://cocodataset.org).
 *
 * A class's number is the rank of its category's id, which has gaps. protocol classification:
 * train2017 and val2017, or 2014's. protocol retrieval: both together, drawn by the keyed generator into
 * train, val and test (the queries) among the images that have an object and are there; the rest
 * is the database. */
#include "coco_json.h"
#include "label_lists.h"
#include "lines.h"

#include <stdlib.h>

enum { PARTS = 2, FULL_CLASSES = 80, FULL = 123287 };

static const char *const protocols[] = { "classification", "retrieval", NULL };
static const char *const years[] = { "2017", "2014", NULL };
/* The two years cut the same images differently. */
static const char *const names_of[][PARTS] = { { "train2017", "val2017" }, { "train2014", "val2014" } };

typedef struct {
    struct image_list list;
    int64_t train_count, val_count, test_count;
    int32_t iscrowd, year; /* year: of years */
    const char *lists, *strip_prefix;
    struct coco_file parts[PARTS];
    char folders[PARTS][32]; /* "train2017/", or below images/ */
    uint64_t ends[PARTS];    /* of each part's images in the list */
    uint64_t missing;
} coco;

static const char *const crowds[] = { "keep", "drop", NULL };
static const bioft_option options[] = {
    { .name = "train_count",
      .type = BIOFT_I64,
      .offset = offsetof(coco, train_count),
      .def = 10000,
      .min = 0,
      .max = FULL,
      .unit = "images",
      .help = "retrieval: split train" },
    { .name = "val_count",
      .type = BIOFT_I64,
      .offset = offsetof(coco, val_count),
      .def = 5000,
      .min = 0,
      .max = FULL,
      .unit = "images",
      .help = "retrieval: split val" },
    { .name = "test_count",
      .type = BIOFT_I64,
      .offset = offsetof(coco, test_count),
      .def = 5000,
      .min = 0,
      .max = FULL,
      .unit = "images",
      .help = "retrieval: split test, the queries" },
    { .name = "iscrowd",
      .type = BIOFT_CHOICE,
      .offset = offsetof(coco, iscrowd),
      .choices = crowds,
      .help = "do outlines around crowds count as objects?" },
    { .name = "year",
      .type = BIOFT_CHOICE,
      .offset = offsetof(coco, year),
      .choices = years,
      .help = "of the release: 2014 has 82,783 images in train2014 and 40,504 in val2014" },
    { .name = "lists",
      .type = BIOFT_PATH,
      .offset = offsetof(coco, lists),
      .help = "folder of train.txt, test.txt, database.txt (val.txt) of lines 'path b1 ... bC', in "
              "place of the annotations and of the splits drawn from them; the images are found "
              "by the number in their names, 2014's too" },
    { .name = "strip_prefix",
      .type = BIOFT_STRING,
      .offset = offsetof(coco, strip_prefix),
      .help = "what the lists' paths begin with that is not a folder here: './data/coco'" },
};

static void destroy(void *self)
{
    coco *d = self;
    for (int i = 0; i < PARTS; i++)
        coco_free(&d->parts[i]);
    image_list_free(&d->list);
}

static bioft_status out_of_memory(const coco *d)
{
    return d->list.host->fail(d->list.host, BIOFT_ERR_MEMORY, "out of memory for the labels");
}

static int there(const coco *d, const char *path) { return d->list.files->exists(d->list.host, path); }

static bioft_status find_folders(coco *d)
{
    for (int i = 0; i < PARTS; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s", names_of[d->year][i]);
        if (there(d, path) != 2)
            snprintf(path, sizeof path, "images/%s", names_of[d->year][i]);
        if (there(d, path) != 2) {
            snprintf(path, sizeof path, "%s.zip", names_of[d->year][i]);
            return bioft_failf(d->list.host, BIOFT_ERR_IO, "%s: no folder %s of images in it: %s",
                               d->list.files->root(d->list.host), names_of[d->year][i],
                               there(d, path) == 1 ? "its zip file is there and not unpacked (unzip -q)"
                               : d->year           ? "get train2014.zip and val2014.zip from "
                                                     "https://cocodataset.org/#download and unpack them here"
                                                   : "get train2017.zip and val2017.zip from "
                                                     "https://cocodataset.org/#download and unpack them here");
        }
        snprintf(d->folders[i], sizeof d->folders[i], "%.30s/", path);
    }
    return BIOFT_OK;
}

/* The categories of both files are the same. */
static bioft_status check_categories(const coco *d)
{
    const struct coco_file *a = &d->parts[0], *b = &d->parts[1];
    int same = a->category_count == b->category_count;

    for (uint64_t i = 0; same && i < a->category_count; i++)
        same = a->categories[i].id == b->categories[i].id && !strcmp(a->categories[i].name, b->categories[i].name);
    return same ? BIOFT_OK
                : bioft_failf(d->list.host, BIOFT_ERR_FORMAT,
                              "%s: the annotations of %s and %s have different categories",
                              d->list.files->root(d->list.host), names_of[d->year][0], names_of[d->year][1]);
}

static bioft_status add_part(coco *d, int part, const char *path)
{
    const struct coco_file *f = &d->parts[part];
    const uint64_t first = d->list.count;
    bioft_status st = BIOFT_OK;

    for (uint64_t i = 0; i < f->image_count; i++) {
        const struct coco_image *image = &f->images[i];
        const char *fault = listed_fault(d->list.host, d->folders[part], image->file_name);
        if (fault)
            return d->list.files->fail_at(d->list.host, BIOFT_ERR_FORMAT, path, 0, image->at, fault);
    }
    for (uint64_t i = 0; st == BIOFT_OK && i < f->image_count; i++)
        st = image_list_add(&d->list, d->folders[part], f->images[i].file_name, 0);
    for (uint64_t i = 0; st == BIOFT_OK && i < f->annotation_count; i++) {
        const struct coco_annotation *a = &f->annotations[i];
        if (!a->crowd || !d->iscrowd)
            set_label(image_list_bits(&d->list, first + coco_find_image(f, a->image)),
                      coco_find_category(f, a->category));
    }
    d->ends[part] = d->list.count;
    return st;
}

static bioft_status read_annotations(coco *d)
{
    bioft_status st = BIOFT_OK;

    char paths[PARTS][64];

    for (int i = 0; st == BIOFT_OK && i < PARTS; i++) {
        snprintf(paths[i], sizeof paths[i], "annotations/instances_%s.json", names_of[d->year][i]);
        if (there(d, paths[i]) != 1)
            return d->list.files->fail_at(d->list.host, BIOFT_ERR_IO, paths[i], 0, 0,
                                          d->year ? "missing: get annotations_trainval2014.zip from "
                                                    "https://cocodataset.org/#download and unpack it in the root"
                                                  : "missing: get annotations_trainval2017.zip from "
                                                    "https://cocodataset.org/#download and unpack it in the root");
        st = coco_read(paths[i], &d->list, &d->parts[i]);
    }
    if (st == BIOFT_OK)
        st = check_categories(d);
    if (st == BIOFT_OK)
        image_list_multi_label(&d->list, (uint32_t)d->parts[0].category_count);
    for (int i = 0; st == BIOFT_OK && i < PARTS; i++)
        st = add_part(d, i, paths[i]);
    return st == BIOFT_OK && !d->list.count
               ? d->list.host->fail(d->list.host, BIOFT_ERR_FORMAT, "the annotations have no image")
               : st;
}

static int labelled(const coco *d, uint64_t image)
{
    for (uint32_t w = 0; w < d->list.label_words; w++)
        if (image_list_bits(&d->list, image)[w])
            return 1;
    return 0;
}

/* What is missing or has no object is left in the database, where the host deals with it. */
static bioft_status draw_retrieval(coco *d, uint8_t *which)
{
    static const uint8_t kinds[] = { SPLIT_TRAIN, SPLIT_VAL, SPLIT_TEST };
    const int64_t wanted[] = { d->train_count, d->val_count, d->test_count };
    uint32_t *members = malloc(d->list.count * sizeof *members);
    uint64_t n = 0;
    char path[4200];
    bioft_status st;

    if (!members)
        return out_of_memory(d);
    for (uint64_t i = 0; i < d->list.count; i++) {
        const struct listed_image *p = &d->list.images[i];
        which[i] = SPLIT_DATABASE;
        if (!labelled(d, i))
            continue;
        snprintf(path, sizeof path, "%s%s", p->folder, p->name);
        if (there(d, path) == 1)
            members[n++] = (uint32_t)i;
        else
            d->missing++;
    }
    st = image_list_draw(&d->list, &(struct image_draw){ "retrieval", "the set", members, n, wanted, kinds, 3 }, which);
    free(members);
    return st;
}

static bioft_status make_splits(coco *d, int retrieval)
{
    uint8_t *which = malloc(d->list.count);
    bioft_status st = which ? BIOFT_OK : out_of_memory(d);

    for (uint64_t i = 0; st == BIOFT_OK && i < d->list.count; i++)
        which[i] = i < d->ends[0] ? SPLIT_TRAIN : SPLIT_TEST;
    if (st == BIOFT_OK && retrieval)
        st = draw_retrieval(d, which);
    if (st == BIOFT_OK)
        st = image_list_split(&d->list, which);
    free(which);
    return st;
}

static bioft_status notes(const coco *d, bioft_info *info)
{
    char text[240];
    bioft_status st = BIOFT_OK;

    if (d->list.count != FULL || d->parts[0].category_count != FULL_CLASSES) {
        snprintf(text, sizeof text, "not the whole MS-COCO %s: %llu images and %llu classes, not %d and %d",
                 years[d->year], (unsigned long long)d->list.count, (unsigned long long)d->parts[0].category_count,
                 FULL, FULL_CLASSES);
        st = info->note(info, text);
    }
    if (st != BIOFT_OK)
        return st;
    if (d->missing) {
        snprintf(text, sizeof text,
                 "%llu images with an object are not there, which 'missing' allows; no split "
                 "but the database has one of them",
                 (unsigned long long)d->missing);
        st = info->note(info, text);
    }
    return st;
}

/* COCO_val2014_000000000042.jpg of a list is 000000000042.jpg in one of the two folders; a path
 * that is there as it stands stays as it is. */
static const char *place(void *ctx, struct image_list *l, const char *path, uint32_t label)
{
    coco *d = ctx;
    const char *base = strrchr(path, '/'), *number;
    char text[4200];

    (void)label;
    if (there(d, path) == 1)
        return image_list_text(l, path, strlen(path));
    base = base ? base + 1 : path;
    number = strrchr(base, '_');
    number = number ? number + 1 : base;
    for (int i = 0; i < PARTS; i++) {
        snprintf(text, sizeof text, "%s%s", d->folders[i], number);
        if (there(d, text) == 1)
            break;
    }
    return image_list_text(l, text, strlen(text));
}

static bioft_status read_all(coco *d, int retrieval, bioft_info *info, uint32_t *ret_columns)
{
    struct label_lists lists = { .folder = d->lists, .strip = d->strip_prefix, .place = place, .ctx = d };
    bioft_status st = find_folders(d);

    if (st == BIOFT_OK && d->lists) {
        st = label_lists_read(&lists, &d->list, info);
        *ret_columns = lists.columns;
        return st;
    }
    if (st == BIOFT_OK)
        st = read_annotations(d);
    if (st == BIOFT_OK)
        st = make_splits(d, retrieval);
    return st == BIOFT_OK ? notes(d, info) : st;
}

static bioft_status describe(void *self, bioft_info *ret)
{
    coco *d = self;
    uint32_t columns = 0;
    bioft_status st = image_list_begin(&d->list, protocols);

    if (st == BIOFT_OK && !d->list.files->root(d->list.host))
        st = d->list.host->fail(d->list.host, BIOFT_ERR_INVALID,
                                "no root given: name the folder of the data with 'root'");
    if (st == BIOFT_OK)
        st = read_all(d, image_list_retrieval(&d->list), ret, &columns);
    if (st == BIOFT_OK)
        st = number_classes(ret, columns);
    for (uint64_t c = 0; st == BIOFT_OK && !d->lists && c < d->parts[0].category_count; c++)
        st = ret->class_name(ret, (uint32_t)c, d->parts[0].categories[c].name);
    return st == BIOFT_OK ? image_list_describe(&d->list, ret) : st;
}

static const bioft_dataset dataset = {
    .struct_size = sizeof dataset,
    .flags = BIOFT_DATASET_MULTI_LABEL,
    .describe = describe,
    IMAGE_LIST_CALLS,
    .layout = "train2017/ and val2017/ (also below images/), "
              "annotations/instances_train2017.json and annotations/instances_val2017.json;"
              " or list files with the option lists",
    .samples = "JPEG photographs of about 640x480, each with any of 80 classes",
    .source = "train2017.zip, val2017.zip and annotations_trainval2017.zip, "
              "https://cocodataset.org/#download",
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_DATASET, "coco", "1.0", "bioft", "MIT"),
    .summary = "photographs with 80 classes of objects, several an image: MS-COCO's "
               "annotations, or list files",
    .reference = "Lin et al., Microsoft COCO: common objects in context, ECCV 2014",
    .instance_size = sizeof(coco),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(coco, list.host),
    .destroy = destroy,
    .vtable = &dataset,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
