/* ImageNet-100: a hundred of ILSVRC 2012's classes. Which hundred differs between publications, and
 * figures over different lists do not compare: the manifest names them, in this order, or they are
 * drawn by the keyed generator.
 *
 * protocol classification: the training images and, as test, the validation images of these
 * classes. protocol retrieval: of the training images a number a class are train, the rest is the
 * database; the validation images are split evenly into test (the queries) and val. */
#include "ilsvrc.h"
#include "label_lists.h"

#include <stdlib.h>

enum { LARGEST_TEXT = 1 << 20, MOST_CLASSES = 1000 };

static const char *const protocols[] = { "classification", "retrieval", NULL };

typedef struct {
    struct ilsvrc set; /* which begins with the list */
    bioft_list wnids;
    const char *wnid_file, *lists, *strip_prefix;
    int64_t random_classes, train_per_class, val_per_class;
    const char **chosen;
    uint32_t chosen_count;
} imagenet100;

static const bioft_option options[] = {
    { .name = "wnids",
      .type = BIOFT_STRING_LIST,
      .offset = offsetof(imagenet100, wnids),
      .def_string = "[]",
      .help = "the classes, in this order: [n02869837, n01749939, ...]" },
    { .name = "wnid_file",
      .type = BIOFT_PATH,
      .offset = offsetof(imagenet100, wnid_file),
      .help = "file of the classes in place of wnids: one per line, what follows a blank or # is "
              "left out" },
    { .name = "random_classes",
      .type = BIOFT_I64,
      .offset = offsetof(imagenet100, random_classes),
      .def = 100,
      .min = 1,
      .max = MOST_CLASSES,
      .unit = "classes",
      .help = "where neither is given: so many drawn by split_seed" },
    { .name = "train_per_class",
      .type = BIOFT_I64,
      .offset = offsetof(imagenet100, train_per_class),
      .def = 130,
      .min = 1,
      .max = 1300,
      .unit = "images",
      .help = "retrieval: split train" },
    { .name = "val_per_class",
      .type = BIOFT_I64,
      .offset = offsetof(imagenet100, val_per_class),
      .def = 0,
      .min = 0,
      .max = 700,
      .unit = "images",
      .help = "classification: split val, drawn from the training images; 0: none" },
    { .name = "lists",
      .type = BIOFT_PATH,
      .offset = offsetof(imagenet100, lists),
      .help = "folder of train.txt, test.txt, database.txt (val.txt) of lines 'path b1 ... bC', in "
              "place of classes and splits drawn; images are found by their names" },
    { .name = "strip_prefix",
      .type = BIOFT_STRING,
      .offset = offsetof(imagenet100, strip_prefix),
      .help = "what the lists' paths begin with that is not a folder here: './data/imagenet'" },
};

static void destroy(void *self)
{
    imagenet100 *d = self;
    free(d->chosen);
    ilsvrc_free(&d->set);
}

static bioft_status out_of_memory(const imagenet100 *d)
{
    return d->set.list.host->fail(d->set.list.host, BIOFT_ERR_MEMORY, "out of memory for the classes");
}

static bioft_status add_chosen(imagenet100 *d, const char *wnid)
{
    const char **more = realloc(d->chosen, (d->chosen_count + 1) * sizeof *more);
    if (!more)
        return out_of_memory(d);
    d->chosen = more;
    d->chosen[d->chosen_count++] = wnid;
    return BIOFT_OK;
}

static bioft_status read_wnid_file(imagenet100 *d)
{
    struct lines *in = malloc(sizeof *in);
    int more = 1;
    bioft_status st = in ? lines_open(in, d->set.list.host, d->wnid_file, LARGEST_TEXT) : out_of_memory(d);

    while (st == BIOFT_OK) {
        char *at, *word, text[24];
        st = lines_next(in, &more);
        if (st != BIOFT_OK || !more)
            break;
        in->text[strcspn(in->text, "#")] = '\0';
        at = in->text;
        word = lines_word(&at);
        if (!word)
            continue;
        if (!is_wnid(word, strlen(word)))
            st = lines_fail(in, "'%s' is not a wnid such as n01440764", shown(word, text, sizeof text));
        else if (d->chosen_count == MOST_CLASSES)
            st = lines_fail(in, "more than %d classes", MOST_CLASSES);
        else {
            const char *kept = image_list_text(&d->set.list, word, strlen(word));
            st = kept ? add_chosen(d, kept) : out_of_memory(d);
        }
    }
    if (st == BIOFT_OK && !d->chosen_count)
        st = lines_fail(in, "no class in this file");
    free(in);
    return st;
}

static int compare(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* Names all classes that are not there or come twice. */
static bioft_status check_chosen(const imagenet100 *d)
{
    const struct ilsvrc *m = &d->set;
    char text[420];
    size_t n = 0, wrong = 0;

    text[0] = '\0';
    for (uint32_t i = 0; i < d->chosen_count; i++) {
        const int there = bsearch(&d->chosen[i], m->there, m->there_count, sizeof *m->there, compare) != NULL;
        int twice = 0;
        for (uint32_t k = 0; k < i; k++)
            twice |= !strcmp(d->chosen[k], d->chosen[i]);
        if (there && !twice)
            continue;
        wrong++;
        if (n + 40 < sizeof text)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%.20s %s", n ? ", " : "", d->chosen[i],
                                  twice ? "twice" : "not there");
    }
    return wrong ? bioft_failf(d->set.list.host, BIOFT_ERR_INVALID,
                               "%.200s: %zu of the classes named cannot be used: %s%s",
                               d->wnid_file ? d->wnid_file : d->set.list.files->root(d->set.list.host), wrong, text,
                               n + 40 >= sizeof text ? ", ..." : "")
                 : BIOFT_OK;
}

/* The manifest's classes, or some drawn from those that are there, bytewise. */
static bioft_status draw_classes(imagenet100 *d)
{
    const struct ilsvrc *m = &d->set;
    const uint32_t wanted = (uint32_t)d->random_classes;
    uint64_t *order;
    bioft_status st;

    if (m->there_count < wanted)
        return bioft_failf(d->set.list.host, BIOFT_ERR_FORMAT,
                           "%s: %u classes are there, and %u are to be drawn (options wnids, "
                           "wnid_file, random_classes)",
                           d->set.list.files->root(d->set.list.host), m->there_count, wanted);
    order = malloc((m->there_count + 1) * sizeof *order);
    if (!order)
        return out_of_memory(d);
    st = d->set.list.files->permute(d->set.list.host, "imagenet100/classes", m->there_count, order);
    for (uint32_t i = 0; st == BIOFT_OK && i < wanted; i++)
        st = add_chosen(d, m->there[order[i]]);
    free(order);
    if (st == BIOFT_OK)
        qsort(d->chosen, d->chosen_count, sizeof *d->chosen, compare);
    return st;
}

static bioft_status choose(imagenet100 *d)
{
    bioft_status st = BIOFT_OK;

    if (d->wnids.count && d->wnid_file)
        return d->set.list.host->fail(d->set.list.host, BIOFT_ERR_INVALID,
                                      "both wnids and wnid_file are given; one of them names the "
                                      "classes");
    if (d->wnid_file)
        st = read_wnid_file(d);
    else if (!d->wnids.count)
        return draw_classes(d);
    for (size_t i = 0; st == BIOFT_OK && !d->wnid_file && i < d->wnids.count; i++)
        st = add_chosen(d, ((const char *const *)d->wnids.items)[i]);
    return st == BIOFT_OK ? check_chosen(d) : st;
}

/* The classes in full where they were drawn, and in any case the sum that tells lists apart. */
static bioft_status note_classes(const imagenet100 *d, bioft_info *info)
{
    const size_t size = (size_t)d->chosen_count * WNID + 200;
    const int drawn = !d->wnid_file && !d->wnids.count;
    char *text = malloc(size), *list = malloc(size), sum[65];
    size_t n = 0;
    bioft_status st;

    if (!text || !list) {
        free(text);
        free(list);
        return out_of_memory(d);
    }
    for (uint32_t i = 0; i < d->chosen_count; i++)
        n += (size_t)snprintf(list + n, size - n, "%s%s", i ? "\n" : "", d->chosen[i]);
    d->set.list.files->sha256(list, n, sum);
    for (size_t i = 0; i < n; i++)
        list[i] = list[i] == '\n' ? ' ' : list[i];
    snprintf(text, size, "%u classes%s, SHA-256 of their list %s%s%s", d->chosen_count,
             drawn ? " drawn by split_seed" : "", sum, drawn ? ": " : "", drawn ? list : "");
    st = info->note(info, text);
    free(text);
    free(list);
    return st;
}

/* train of the training images, test and val of the validation images; the rest of the former
 * is the database. */
static bioft_status draw_retrieval(const imagenet100 *d, uint8_t *which)
{
    static const uint8_t train[] = { SPLIT_TRAIN }, test[] = { SPLIT_TEST };
    const struct ilsvrc *m = &d->set;
    const struct image_list *l = &m->list;
    uint32_t *members = malloc((l->count + 1) * sizeof *members);
    bioft_status st = members ? BIOFT_OK : out_of_memory(d);

    for (uint64_t i = 0; i < l->count; i++)
        which[i] = i < m->train_count ? SPLIT_DATABASE : SPLIT_VAL;
    for (uint32_t c = 0; st == BIOFT_OK && c < m->class_count; c++) {
        uint64_t n = ilsvrc_members(m, c, 0, m->train_count, members);
        char stream[64], what[64];
        int64_t half;
        snprintf(stream, sizeof stream, "retrieval/train/%s", m->wnids[c]);
        snprintf(what, sizeof what, "class %s", m->wnids[c]);
        st = image_list_draw(l, &(struct image_draw){ stream, what, members, n, &d->train_per_class, train, 1 }, which);
        if (st != BIOFT_OK)
            break;
        n = ilsvrc_members(m, c, m->train_count, l->count, members);
        half = (int64_t)(n - n / 2);
        snprintf(stream, sizeof stream, "retrieval/validation/%s", m->wnids[c]);
        st = image_list_draw(l, &(struct image_draw){ stream, what, members, n, &half, test, 1 }, which);
    }
    free(members);
    return st;
}

static bioft_status read_images(imagenet100 *d, int retrieval, bioft_info *info)
{
    struct ilsvrc *m = &d->set;
    uint8_t *which = NULL;
    bioft_status st = choose(d);

    if (st == BIOFT_OK && retrieval && !m->has_train)
        st = bioft_failf(d->set.list.host, BIOFT_ERR_IO, "%s: no folder train, which retrieval needs",
                         d->set.list.files->root(d->set.list.host));
    if (st == BIOFT_OK)
        st = ilsvrc_classes(m, d->chosen, d->chosen_count);
    if (st == BIOFT_OK)
        st = ilsvrc_read(m, 0);
    if (st == BIOFT_OK) {
        which = malloc(m->list.count);
        st = !which      ? out_of_memory(d)
             : retrieval ? draw_retrieval(d, which)
                         : ilsvrc_classification(m, d->val_per_class, which);
    }
    if (st == BIOFT_OK)
        st = image_list_split(&m->list, which);
    free(which);
    if (st == BIOFT_OK)
        st = note_classes(d, info);
    if (st == BIOFT_OK)
        st = ilsvrc_notes(m, info);
    return st == BIOFT_OK ? ilsvrc_names(m, info) : st;
}

/* image/n01440764_18.JPEG of a list is train/n01440764/n01440764_18.JPEG; a validation image is
 * found by its name, in whichever folder it lies. */
static const char *place(void *ctx, struct image_list *l, const char *path, uint32_t label)
{
    imagenet100 *d = ctx;
    const struct ilsvrc *m = &d->set;
    const char *base = strrchr(path, '/');
    char text[4400];

    (void)label;
    base = base ? base + 1 : path;
    if (l->files->exists(l->host, path) == 1)
        snprintf(text, sizeof text, "%s", path);
    else if (strlen(base) > 9 && is_wnid(base, 9))
        snprintf(text, sizeof text, "%strain/%.9s/%s", m->base, base, base);
    else if (!strncmp(base, "ILSVRC2012_val_", 15) && m->flat)
        snprintf(text, sizeof text, "%sval/%s", m->base, base);
    else if (!strncmp(base, "ILSVRC2012_val_", 15)) {
        snprintf(text, sizeof text, "%sval/%s", m->base, base);
        for (uint32_t c = 0; c < m->there_count; c++) {
            char try[4400];
            snprintf(try, sizeof try, "%sval/%s/%s", m->base, m->there[c], base);
            if (l->files->exists(l->host, try) == 1) {
                memcpy(text, try, sizeof try);
                break;
            }
        }
    } else {
        return NULL;
    }
    return image_list_text(l, text, strlen(text));
}

static bioft_status read_lists(imagenet100 *d, bioft_info *info)
{
    struct label_lists lists = { .folder = d->lists, .strip = d->strip_prefix, .single = 1, .place = place, .ctx = d };
    bioft_status st = label_lists_read(&lists, &d->set.list, info);

    return st == BIOFT_OK ? number_classes(info, lists.columns) : st;
}

static bioft_status describe(void *self, bioft_info *ret)
{
    imagenet100 *d = self;
    const bioft_host *host = d->set.list.host;
    bioft_status st = image_list_begin(&d->set.list, protocols);

    if (st == BIOFT_OK)
        st = ilsvrc_open(&d->set, host);
    if (st == BIOFT_OK)
        st = d->lists ? read_lists(d, ret) : read_images(d, image_list_retrieval(&d->set.list), ret);
    return st == BIOFT_OK ? image_list_describe(&d->set.list, ret) : st;
}

static const bioft_dataset dataset = {
    .struct_size = sizeof dataset,
    .describe = describe,
    IMAGE_LIST_CALLS,
    .layout = "train/WNID/NAME.JPEG, val/ILSVRC2012_val_00000001.JPEG, ... with "
              "ILSVRC2012_devkit_t12/, or val/WNID/NAME.JPEG; or list files with the option"
              " lists",
    .samples = "JPEG photographs of any size; a hundred of the thousand classes, numbered as"
               " wnids or wnid_file has them",
    .source = "ILSVRC 2012, https://image-net.org/download-images, or Kaggle's imagenet-"
              "object-localization-challenge",
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_DATASET, "imagenet100", "1.0", "bioft", "MIT"),
    .summary = "a hundred of ILSVRC 2012's classes, named or drawn, for classification or retrieval",
    .reference = "Russakovsky et al., ImageNet large scale visual recognition challenge, IJCV 2015",
    .instance_size = sizeof(imagenet100),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(imagenet100, set.list.host),
    .destroy = destroy,
    .vtable = &dataset,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
