/* NUS-WIDE: 269,648 images of Flickr with 81 concepts (Chua et al., "NUS-WIDE: a real-world web
 * image database from National University of Singapore", CIVR 2009), from the official ground truth
 * or from the hashing literature's list files. What is used of them are the 21 most frequent
 * concepts, or all.
 *
 * Splits from the ground truth: for each concept, the rarest first, as many images as the options
 * say that have it and are in no split yet, by a keyed permutation; the rest is the database. They
 * are drawn among the images that are there. */
#include "label_lists.h"
#include "lines.h"

#include <stdlib.h>

enum { CONCEPTS = 21, ALL = 81, MOST = 256, FULL = 269648, LARGEST_TEXT = 1 << 26 };

static const char *const concepts[CONCEPTS] = {
    "animal",     "beach", "buildings", "clouds", "flowers", "grass",  "lake", "mountain", "ocean", "person", "plants",
    "reflection", "road",  "rocks",     "sky",    "snow",    "sunset", "tree", "vehicle",  "water", "window",
};
static const char *const protocols[] = { "retrieval", NULL };

typedef struct {
    struct image_list list;
    int64_t train_per_concept, val_per_concept, test_per_concept;
    const char *images, *lists, *strip_prefix;
    uint64_t missing; /* images that are not there */
    int32_t all;
    const char *concepts[MOST]; /* [count] */
    uint32_t count;
} nus_wide;
static const char *const choices[] = { "frequent", "all", NULL };

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
    { .name = "concepts",
      .type = BIOFT_CHOICE,
      .offset = offsetof(nus_wide, all),
      .choices = choices,
      .help = "frequent: the 21 most frequent; all: each that Groundtruth/AllLabels has, 81 in the "
              "release, of which the rarest has to have the images that the options above ask for" },
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

static void destroy(void *self) { image_list_free(&((nus_wide *)self)->list); }

static bioft_status out_of_memory(const nus_wide *d)
{
    return d->list.host->fail(d->list.host, BIOFT_ERR_MEMORY, "out of memory for the labels");
}

static int has(const nus_wide *d, uint64_t image, uint32_t c)
{
    return (int)(image_list_bits(&d->list, image)[c / 64] >> (c % 64) & 1);
}

static int has_any(const nus_wide *d, uint64_t image)
{
    for (uint32_t w = 0; w < d->list.label_words; w++)
        if (image_list_bits(&d->list, image)[w])
            return 1;
    return 0;
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
    static const char *const names[] = { "ImageList/Imagelist.txt", "Imagelist.txt", "ImageList/ImageList.txt", NULL };
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

    snprintf(path, sizeof path, "%sLabels_%.100s.txt", folder, d->concepts[c]);
    if (d->list.files->exists(d->list.host, path) != 1)
        return d->list.files->fail_at(d->list.host, BIOFT_ERR_IO, path, 0, 0,
                                      "missing: one of the concepts' files of the ground truth "
                                      "(Groundtruth/AllLabels of the NUS-WIDE release)");
    st = lines_open(in, d->list.host, path, LARGEST_TEXT);
    while (st == BIOFT_OK) {
        st = lines_next(in, &more);
        if (st != BIOFT_OK || !more)
            break;
        if ((in->text[0] != '0' && in->text[0] != '1') || in->length != 1)
            st = lines_fail(in, "'%s': 0 or 1 is expected", shown(in->text, text, sizeof text));
        else if (n == d->list.count)
            st = lines_fail(in, "more lines than the %llu images of the list of images", (unsigned long long)n);
        else if (in->text[0] == '1')
            set_label(image_list_bits(&d->list, n), c);
        n++;
    }
    if (st != BIOFT_OK)
        return st;
    if (n != d->list.count)
        return lines_fail(in, "ends after %llu lines; the list of images has %llu", (unsigned long long)n,
                          (unsigned long long)d->list.count);
    return BIOFT_OK;
}

/* The frequent ones, or those of which the folder has a file, in bytewise order. */
static bioft_status find_concepts(nus_wide *d, const char *folder)
{
    const char *const *entries;
    uint64_t count;
    bioft_status st = BIOFT_OK;

    for (; !d->all && d->count < CONCEPTS; d->count++)
        d->concepts[d->count] = concepts[d->count];
    if (!d->all)
        return BIOFT_OK;
    st = d->list.files->list(d->list.host, folder, &entries, &count);
    for (uint64_t i = 0; st == BIOFT_OK && i < count && d->count < MOST; i++) {
        const size_t length = strlen(entries[i]);
        if (length <= 11 || length > 100 || strncmp(entries[i], "Labels_", 7) != 0 ||
            strcmp(entries[i] + length - 4, ".txt") != 0)
            continue;
        d->concepts[d->count] = image_list_text(&d->list, entries[i] + 7, length - 11);
        if (!d->concepts[d->count++])
            return out_of_memory(d);
    }
    if (st == BIOFT_OK && !d->count)
        st = d->list.files->fail_at(d->list.host, BIOFT_ERR_FORMAT, folder, 0, 0, "no file Labels_CONCEPT.txt in it");
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
    /* The images need the number of concepts, and their absence is told first. */
    st = folder ? find_concepts(d, folder) : BIOFT_OK;
    image_list_multi_label(&d->list, folder ? d->count : CONCEPTS);
    if (st == BIOFT_OK)
        st = read_images(d, in);
    if (st == BIOFT_OK && !folder)
        st = bioft_failf(d->list.host, BIOFT_ERR_IO,
                         "%s: no folder Groundtruth/AllLabels in it; it is in Groundtruth.zip of "
                         "the NUS-WIDE release",
                         d->list.files->root(d->list.host));
    if (st == BIOFT_OK)
        snprintf(text, sizeof text, "%s/", folder);
    for (uint32_t c = 0; st == BIOFT_OK && c < d->count; c++)
        st = read_concept(d, in, text, c);
    free(in);
    return st;
}

/* Concepts by the number of labelled images, the rarest first. */
static void by_rarity(const nus_wide *d, const uint8_t *there, uint32_t order[MOST])
{
    uint64_t have[MOST] = { 0 };

    for (uint64_t i = 0; i < d->list.count; i++)
        for (uint32_t c = 0; there[i] && c < d->count; c++)
            have[c] += (uint64_t)has(d, i, c);
    for (uint32_t c = 0; c < d->count; c++) {
        uint32_t k = c;
        for (; k > 0 && have[order[k - 1]] > have[c]; k--)
            order[k] = order[k - 1];
        order[k] = c;
    }
}

/* Draws one concept's images among those in no split yet. */
static bioft_status draw_concept(const nus_wide *d, uint32_t c, const uint8_t *there, uint32_t *members, uint8_t *which)
{
    static const uint8_t kinds[] = { SPLIT_TRAIN, SPLIT_VAL, SPLIT_TEST };
    const int64_t wanted[] = { d->train_per_concept, d->val_per_concept, d->test_per_concept };
    char stream[128], what[128];
    uint64_t n = 0;

    for (uint64_t i = 0; i < d->list.count; i++)
        if (there[i] && which[i] == SPLIT_DATABASE && has(d, i, c))
            members[n++] = (uint32_t)i;
    snprintf(stream, sizeof stream, "retrieval/%.100s", d->concepts[c]);
    snprintf(what, sizeof what, "concept '%.100s'", d->concepts[c]);
    return image_list_draw(&d->list, &(struct image_draw){ stream, what, members, n, wanted, kinds, 3 }, which);
}

static bioft_status draw_splits(nus_wide *d)
{
    uint8_t *which = malloc(d->list.count), *there = malloc(d->list.count);
    uint32_t *members = malloc(d->list.count * sizeof *members), order[MOST];
    char path[4200];
    bioft_status st = which && there && members ? BIOFT_OK : out_of_memory(d);

    for (uint64_t i = 0; st == BIOFT_OK && i < d->list.count; i++) {
        const struct listed_image *p = &d->list.images[i];
        which[i] = SPLIT_DATABASE;
        there[i] = (uint8_t)has_any(d, i);
        if (!there[i])
            continue;
        snprintf(path, sizeof path, "%s%s", p->folder, p->name);
        there[i] = d->list.files->exists(d->list.host, path) == 1;
        d->missing += !there[i];
    }
    if (st == BIOFT_OK)
        by_rarity(d, there, order);
    for (uint32_t k = 0; st == BIOFT_OK && k < d->count; k++)
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
    if (st != BIOFT_OK)
        return st;
    if (d->missing) {
        snprintf(text, sizeof text,
                 "%llu images with one of the %u concepts are not there, which is as 'missing' "
                 "says; no split but the database has one of them. Figures over different "
                 "databases do not compare",
                 (unsigned long long)d->missing, d->count);
        st = info->note(info, text);
    }
    if (st == BIOFT_OK && d->all && d->count != ALL) {
        snprintf(text, sizeof text, "the ground truth has %u concepts, not %d", d->count, ALL);
        st = info->note(info, text);
    }
    return st;
}

/* Classes by column: of the ground truth its concepts; of lists the 21 where there are so many columns, else numbers. */
static bioft_status name_classes(const nus_wide *d, uint32_t columns, bioft_info *info)
{
    bioft_status st = BIOFT_OK;
    for (uint32_t c = 0; st == BIOFT_OK && c < columns; c++) {
        char number[16];
        snprintf(number, sizeof number, "%u", c);
        st = info->class_name(info, c, !d->lists ? d->concepts[c] : columns == CONCEPTS ? concepts[c] : number);
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
                                "no root given: name the folder of the data with 'root'");
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
        st = name_classes(d, d->lists ? lists.columns : d->count, ret);
    return st == BIOFT_OK ? image_list_describe(&d->list, ret) : st;
}

static const bioft_dataset dataset = {
    .struct_size = sizeof dataset,
    .flags = BIOFT_DATASET_MULTI_LABEL,
    .describe = describe,
    IMAGE_LIST_CALLS,
    .layout = "ImageList/Imagelist.txt, Groundtruth/AllLabels/Labels_CONCEPT.txt and the "
              "images below Flickr/ or images/; or list files with the option lists",
    .samples = "JPEG photographs, each with any of the 21 most frequent concepts",
    .source = "the NUS-WIDE page of the Lab for Media Search, National University of "
              "Singapore",
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_DATASET, "nus_wide", "1.0", "bioft", "MIT"),
    .summary = "images of Flickr with the 21 most frequent of 81 concepts or all, several an image: "
               "the official ground truth, or list files",
    .reference = "Chua et al., NUS-WIDE: a real-world web image database from National University "
                 "of Singapore, CIVR 2009",
    .instance_size = sizeof(nus_wide),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(nus_wide, list.host),
    .destroy = destroy,
    .vtable = &dataset,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
