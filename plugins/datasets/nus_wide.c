/* NUS-WIDE: 269,648 images of Flickr with 81 concepts (Chua et al., "NUS-WIDE: a real-world web
 * image database from National University of Singapore", CIVR 2009), from the official ground truth
 * or from the hashing literature's list files. What is used of them are the 21 most frequent
 * concepts.
 *
 * Splits from the ground truth: for each concept, the rarest first, as many images as the options
 * say that have it and are in no split yet, by a keyed permutation; the rest is the database. They
 * are drawn among the images that are there. */
#include "label_lists.h"
#include "lines.h"

#include <stdlib.h>

enum { CONCEPTS = 21, FULL = 269648, LARGEST_TEXT = 1 << 26 };

static const char *const concepts[CONCEPTS] = {
    "animal",  "beach",  "buildings",  "clouds", "flowers", "grass", "lake",
    "mountain", "ocean", "person",     "plants", "reflection", "road", "rocks",
    "sky",     "snow",   "sunset",     "tree",   "vehicle", "water", "window",
};
static const char *const protocols[] = { "retrieval", NULL };

typedef struct {
    struct image_list list;
    int64_t train_per_concept, val_per_concept, test_per_concept;
    const char *images, *lists, *strip_prefix;
    uint64_t missing; /* images that are not there */
} nus_wide;

static const bioft_option options[] = {
    { .name = "train_per_concept",
      .type = BIOFT_I64,
      .offset = offsetof(nus_wide, train_per_concept),
      .def = 500,
      .min = 0,
      .max = FULL,
      .unit = "images",
      .help = "split train: images drawn for each of the 21 concepts" },
    { .name = "val_per_concept",
      .type = BIOFT_I64,
      .offset = offsetof(nus_wide, val_per_concept),
      .def = 100,
      .min = 0,
      .max = FULL,
      .unit = "images",
      .help = "split val: images drawn for each of the 21 concepts" },
    { .name = "test_per_concept",
      .type = BIOFT_I64,
      .offset = offsetof(nus_wide, test_per_concept),
      .def = 100,
      .min = 0,
      .max = FULL,
      .unit = "images",
      .help = "split test, the queries: images drawn for each of the 21 concepts" },
    { .name = "images",
      .type = BIOFT_STRING,
      .offset = offsetof(nus_wide, images),
      .help = "folder of the images below the root; where it is not given Flickr, images or the "
              "root itself" },
    { .name = "lists",
      .type = BIOFT_PATH,
      .offset = offsetof(nus_wide, lists),
      .help = "folder of train.txt, test.txt, database.txt (val.txt) of lines 'path b1 ... bC', in "
              "place of the ground truth and of the splits drawn from it" },
    { .name = "strip_prefix",
      .type = BIOFT_STRING,
      .offset = offsetof(nus_wide, strip_prefix),
      .help = "what the lists' paths begin with that is not a folder here: './data/nuswide_81'" },
};

static void destroy(void *self)
{
    image_list_free(&((nus_wide *)self)->list);
}

static bioft_status out_of_memory(const nus_wide *d)
{
    return d->list.host->fail(d->list.host, BIOFT_ERR_MEMORY, "out of memory for the labels");
}

/* The first of the paths that is there, or NULL. */
static const char *first_of(const nus_wide *d, const char *const *paths, int kind)
{
    for (; *paths; paths++)
        if (d->list.files->exists(d->list.host, *paths) == kind)
            return *paths;
    return NULL;
}

/* "Flickr/", as a text of the list. */
static bioft_status image_folder(nus_wide *d, const char **ret)
{
    static const char *const usual[] = { "Flickr", "images", NULL };
    const char *const given[] = { d->images, NULL };
    const char *found = first_of(d, d->images ? given : usual, 2);
    char text[1024];

    if (!found && d->images)
        return d->list.files->fail_at(d->list.host, BIOFT_ERR_IO, d->images, 0, 0,
                                      "no such folder of images (option images)");
    snprintf(text, sizeof text, "%s%s", found ? found : "", found ? "/" : "");
    *ret = image_list_text(&d->list, text, strlen(text));
    return *ret ? BIOFT_OK : out_of_memory(d);
}

/* One line of the list of images: actor\0001_2124494179.jpg. */
static bioft_status add_image(nus_wide *d, struct lines *in, const char *folder)
{
    const char *fault, *kept;

    for (char *p = in->text; *p; p++)
        if (*p == '\\')
            *p = '/';
    fault = listed_fault(d->list.host, folder, in->text);
    if (fault)
        return lines_fail(in, "%s", fault);
    kept = image_list_text(&d->list, in->text, in->length);
    return kept ? image_list_add(&d->list, folder, kept, 0) : out_of_memory(d);
}

static bioft_status read_images(nus_wide *d, struct lines *in)
{
    static const char *const names[] = { "ImageList/Imagelist.txt", "Imagelist.txt",
                                         "ImageList/ImageList.txt", NULL };
    const char *path = first_of(d, names, 1), *folder;
    int more = 1;
    bioft_status st = image_folder(d, &folder);

    if (st == BIOFT_OK && !path)
        st = bioft_failf(d->list.host, BIOFT_ERR_IO,
                         "%s: no ImageList/Imagelist.txt in it; the lists of images, ground truth "
                         "and concepts come from the NUS-WIDE page of Lab for Media Search (NUS), "
                         "unpacked to ImageList/ and Groundtruth/; or name list files with 'lists'",
                         d->list.files->root(d->list.host));
    if (st == BIOFT_OK)
        st = lines_open(in, d->list.host, path, LARGEST_TEXT);
    while (st == BIOFT_OK) {
        st = lines_next(in, &more);
        if (st != BIOFT_OK || !more)
            break;
        st = add_image(d, in, folder);
    }
    return st == BIOFT_OK && !d->list.count ? lines_fail(in, "no image in this list") : st;
}

/* One concept's file: a 0 or 1 for each image, in the list's order. */
static bioft_status read_concept(nus_wide *d, struct lines *in, const char *folder, uint32_t c)
{
    char path[256], text[24];
    uint64_t n = 0;
    int more = 1;
    bioft_status st;

    snprintf(path, sizeof path, "%sLabels_%s.txt", folder, concepts[c]);
    if (d->list.files->exists(d->list.host, path) != 1)
        return d->list.files->fail_at(d->list.host, BIOFT_ERR_IO, path, 0, 0,
                                      "missing: one of the 21 concepts' files of the ground truth "
                                      "(Groundtruth/AllLabels of the NUS-WIDE release)");
    st = lines_open(in, d->list.host, path, LARGEST_TEXT);
    while (st == BIOFT_OK) {
        st = lines_next(in, &more);
        if (st != BIOFT_OK || !more)
            break;
        if ((in->text[0] != '0' && in->text[0] != '1') || in->length != 1)
            st = lines_fail(in, "'%s': 0 or 1 is expected", shown(in->text, text, sizeof text));
        else if (n == d->list.count)
            st = lines_fail(in, "more lines than the %llu images of the list of images",
                            (unsigned long long)n);
        else if (in->text[0] == '1')
            image_list_bits(&d->list, n)[0] |= UINT64_C(1) << c;
        n++;
    }
    if (st == BIOFT_OK && n != d->list.count)
        st = lines_fail(in, "ends after %llu lines; the list of images has %llu",
                        (unsigned long long)n, (unsigned long long)d->list.count);
    return st;
}

static bioft_status read_truth(nus_wide *d)
{
    static const char *const folders[] = { "Groundtruth/AllLabels", "AllLabels", NULL };
    struct lines *in = malloc(sizeof *in);
    const char *folder = first_of(d, folders, 2);
    char text[64];
    bioft_status st;

    if (!in)
        return out_of_memory(d);
    image_list_multi_label(&d->list, CONCEPTS);
    st = read_images(d, in);
    if (st == BIOFT_OK && !folder)
        st = bioft_failf(d->list.host, BIOFT_ERR_IO,
                         "%s: no folder Groundtruth/AllLabels in it; it is in Groundtruth.zip of "
                         "the NUS-WIDE release",
                         d->list.files->root(d->list.host));
    if (st == BIOFT_OK)
        snprintf(text, sizeof text, "%s/", folder);
    for (uint32_t c = 0; st == BIOFT_OK && c < CONCEPTS; c++)
        st = read_concept(d, in, text, c);
    free(in);
    return st;
}

/* Concepts by the number of labelled images, the rarest first. */
static void by_rarity(const nus_wide *d, const uint8_t *there, uint32_t order[CONCEPTS])
{
    uint64_t have[CONCEPTS] = { 0 };

    for (uint64_t i = 0; i < d->list.count; i++)
        for (uint32_t c = 0; there[i] && c < CONCEPTS; c++)
            have[c] += image_list_bits(&d->list, i)[0] >> c & 1;
    for (uint32_t c = 0; c < CONCEPTS; c++) {
        uint32_t k = c;
        for (; k > 0 && have[order[k - 1]] > have[c]; k--)
            order[k] = order[k - 1];
        order[k] = c;
    }
}

/* Draws one concept's images among those in no split yet. */
static bioft_status draw_concept(const nus_wide *d, uint32_t c, const uint8_t *there,
                                 uint32_t *members, uint8_t *which)
{
    static const uint8_t kinds[] = { SPLIT_TRAIN, SPLIT_VAL, SPLIT_TEST };
    const int64_t wanted[] = { d->train_per_concept, d->val_per_concept, d->test_per_concept };
    char stream[64], what[64];
    uint64_t n = 0;

    for (uint64_t i = 0; i < d->list.count; i++)
        if (there[i] && which[i] == SPLIT_DATABASE && image_list_bits(&d->list, i)[0] >> c & 1)
            members[n++] = (uint32_t)i;
    snprintf(stream, sizeof stream, "retrieval/%s", concepts[c]);
    snprintf(what, sizeof what, "concept '%s'", concepts[c]);
    return image_list_draw(&d->list, &(struct image_draw){ stream, what, members, n, wanted, kinds, 3 }, which);
}

static bioft_status draw_splits(nus_wide *d)
{
    uint8_t *which = malloc(d->list.count), *there = malloc(d->list.count);
    uint32_t *members = malloc(d->list.count * sizeof *members), order[CONCEPTS];
    char path[4200];
    bioft_status st = which && there && members ? BIOFT_OK : out_of_memory(d);

    for (uint64_t i = 0; st == BIOFT_OK && i < d->list.count; i++) {
        const struct listed_image *p = &d->list.images[i];
        which[i] = SPLIT_DATABASE;
        there[i] = image_list_bits(&d->list, i)[0] != 0;
        if (!there[i])
            continue;
        snprintf(path, sizeof path, "%s%s", p->folder, p->name);
        there[i] = d->list.files->exists(d->list.host, path) == 1;
        d->missing += !there[i];
    }
    if (st == BIOFT_OK)
        by_rarity(d, there, order);
    for (uint32_t k = 0; st == BIOFT_OK && k < CONCEPTS; k++)
        st = draw_concept(d, order[k], there, members, which);
    if (st == BIOFT_OK)
        st = image_list_split(&d->list, which);
    free(which);
    free(there);
    free(members);
    return st;
}

static bioft_status notes(const nus_wide *d, bioft_info *info)
{
    char text[300];
    bioft_status st = BIOFT_OK;

    if (d->list.count != FULL) {
        snprintf(text, sizeof text, "not the whole NUS-WIDE: %llu images are listed, not %d",
                 (unsigned long long)d->list.count, FULL);
        st = info->note(info, text);
    }
    if (st == BIOFT_OK && d->missing) {
        snprintf(text, sizeof text,
                 "%llu images with one of the 21 concepts are not there, which is as 'missing' "
                 "says; no split but the database has one of them. Figures over different "
                 "databases do not compare",
                 (unsigned long long)d->missing);
        st = info->note(info, text);
    }
    return st;
}

/* Classes by column: the 21 concepts where there are so many columns, else numbers. */
static bioft_status name_classes(uint32_t columns, bioft_info *info)
{
    bioft_status st = BIOFT_OK;
    for (uint32_t c = 0; st == BIOFT_OK && c < columns; c++) {
        char number[16];
        snprintf(number, sizeof number, "%u", c);
        st = info->class_name(info, c, columns == CONCEPTS ? concepts[c] : number);
    }
    return st;
}

static bioft_status describe(void *self, bioft_info *ret)
{
    nus_wide *d = self;
    struct label_lists lists = { .folder = d->lists, .strip = d->strip_prefix };
    bioft_status st = image_list_begin(&d->list, protocols);

    if (st == BIOFT_OK && !d->list.files->root(d->list.host))
        st = d->list.host->fail(d->list.host, BIOFT_ERR_INVALID,
                                "no root given: name the folder of ImageList/, Groundtruth/ and "
                                "the images with 'root'");
    if (st != BIOFT_OK)
        return st;
    if (d->lists) {
        st = label_lists_read(&lists, &d->list, ret);
    } else {
        st = read_truth(d);
        if (st == BIOFT_OK)
            st = draw_splits(d);
        if (st == BIOFT_OK)
            st = notes(d, ret);
    }
    if (st == BIOFT_OK)
        st = name_classes(d->lists ? lists.columns : CONCEPTS, ret);
    return st == BIOFT_OK ? image_list_describe(&d->list, ret) : st;
}

static const bioft_dataset dataset = {
    .struct_size = sizeof dataset,
    .flags = BIOFT_DATASET_MULTI_LABEL,
    .describe = describe,
    IMAGE_LIST_CALLS,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_DATASET, "nus_wide", "1.0", "bioft", "MIT"),
    .summary = "images of Flickr with the 21 most frequent of 81 concepts, several an image: "
               "the official ground truth, or list files",
    .reference = "Chua et al., NUS-WIDE: a real-world web image database from National University "
                 "of Singapore, CIVR 2009",
    .instance_size = sizeof(nus_wide),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(nus_wide, list.host),
    .destroy = destroy,
    .vtable = &dataset,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index)
{
    return index == 0 ? &plugin : NULL;
}
