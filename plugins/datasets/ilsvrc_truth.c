/* Which class each validation image of ILSVRC 2012 is of. */
#include "ilsvrc_truth.h"

#include <stdlib.h>

enum { LARGEST_TEXT = 1 << 26, MOST_IMAGES = 1 << 24 };

/* Where the files of the development kit lie after one or another way of unpacking it. */
static const char *const kit_folders[] = {
    "", "ILSVRC2012_devkit_t12/data/", "devkit/data/", "data/", "ILSVRC/devkit/data/", NULL,
};
static const char GROUND_TRUTH[] = "ILSVRC2012_validation_ground_truth.txt";

static bioft_status out_of_memory(const bioft_host *host)
{
    return host->fail(host, BIOFT_ERR_MEMORY, "out of memory for the ground truth");
}

/* The first folder that has the file; 0: none. */
static int find(const bioft_host *host, const char *name, char ret[256])
{
    for (const char *const *folder = kit_folders; *folder; folder++) {
        snprintf(ret, 256, "%s%s", *folder, name);
        if (files_of(host)->exists(host, ret) == 1)
            return 1;
    }
    return 0;
}

/* A whole number of 1 to most, or 0. */
static uint64_t number(const char *text, uint64_t most)
{
    uint64_t n = 0;
    if (!*text)
        return 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || n > most)
            return 0;
        n = n * 10 + (uint64_t)(*text - '0');
    }
    return n <= most ? n : 0;
}

/* ILSVRC ids and wnids. map[id]: wnid, "" where there is none. */
typedef char id_map[ILSVRC_CLASSES + 1][WNID];

static bioft_status read_map_line(struct lines *in, id_map map)
{
    char *at = in->text, *wnid = lines_word(&at), *id = lines_word(&at);
    uint64_t n;

    if (!wnid || !is_wnid(wnid, strlen(wnid)) || !id)
        return lines_fail(in, "'n02119789 1 kit_fox' is expected: a wnid, an id and a name");
    n = number(id, ILSVRC_CLASSES);
    if (!n)
        return lines_fail(in, "an id outside 1 to %d", ILSVRC_CLASSES);
    if (map[n][0])
        return lines_fail(in, "id %llu for a second class", (unsigned long long)n);
    for (int i = 1; i <= ILSVRC_CLASSES; i++)
        if (!strcmp(map[i], wnid))
            return lines_fail(in, "%s for a second time", wnid);
    memcpy(map[n], wnid, WNID);
    return BIOFT_OK;
}

/* A line at a time to `read`. */
static bioft_status each_line(const bioft_host *host, const char *path,
                              bioft_status (*read)(struct lines *in, void *ctx), void *ctx)
{
    struct lines *in = malloc(sizeof *in);
    int more = 1;
    bioft_status st = in ? lines_open(in, host, path, LARGEST_TEXT) : out_of_memory(host);

    while (st == BIOFT_OK) {
        st = lines_next(in, &more);
        if (st != BIOFT_OK || !more)
            break;
        st = read(in, ctx);
    }
    free(in);
    return st;
}

static bioft_status on_map_line(struct lines *in, void *ctx) { return read_map_line(in, ctx); }

/* From map_clsloc.txt, else from meta.mat. */
static bioft_status read_map(const bioft_host *host, id_map map)
{
    struct synset *synsets;
    char path[256];
    uint32_t count = 0;
    bioft_status st;

    if (find(host, "map_clsloc.txt", path))
        return each_line(host, path, on_map_line, map);
    if (!find(host, "meta.mat", path))
        return bioft_failf(host, BIOFT_ERR_IO,
                           "%s: %s numbers the classes in an order of its own, and no file here names the class "
                           "is which: put meta.mat or map_clsloc.txt of the development kit beside it, or "
                           "LOC_val_solution.csv in the root, or sort the images into val/WNID/",
                           files_of(host)->root(host), GROUND_TRUTH);
    synsets = malloc(ILSVRC_CLASSES * sizeof *synsets);
    if (!synsets)
        return out_of_memory(host);
    st = matlab_synsets(host, path, ILSVRC_CLASSES, synsets, &count);
    for (uint32_t i = 0; st == BIOFT_OK && i < count; i++) {
        if (map[synsets[i].id][0])
            st = files_of(host)->fail_at(host, BIOFT_ERR_FORMAT, path, 0, 0, "one ILSVRC2012_ID for two classes");
        memcpy(map[synsets[i].id], synsets[i].wnid, WNID);
    }
    free(synsets);
    return st;
}

struct reading {
    struct truth *truth;
    uint64_t capacity;
    id_map map;
    uint32_t of_id[ILSVRC_CLASSES + 1]; /* lines of each id */
};

static bioft_status room(struct reading *r, const bioft_host *host, uint64_t count)
{
    struct truth *t = r->truth;
    if (count > r->capacity) {
        const uint64_t capacity = count > r->capacity * 2 ? count + 1024 : r->capacity * 2;
        void *more = realloc(t->wnid, capacity * WNID);
        if (!more)
            return out_of_memory(host);
        t->wnid = more;
        r->capacity = capacity;
    }
    while (t->count < count)
        t->wnid[t->count++][0] = '\0';
    return BIOFT_OK;
}

/* Line i of the ground truth is the ILSVRC id of image i. */
static bioft_status on_truth_line(struct lines *in, void *ctx)
{
    struct reading *r = ctx;
    const uint64_t id = number(in->text, ILSVRC_CLASSES);
    char text[24];
    bioft_status st;

    if (!id)
        return lines_fail(in, "'%s' is not an id from 1 to %d", shown(in->text, text, sizeof text), ILSVRC_CLASSES);
    if (!r->map[id][0])
        return lines_fail(in, "id %llu is that of no class", (unsigned long long)id);
    if (++r->of_id[id] > ILSVRC_VALIDATION / ILSVRC_CLASSES)
        return lines_fail(in, "%s has more than the %d images that each class has", r->map[id],
                          ILSVRC_VALIDATION / ILSVRC_CLASSES);
    if (in->number > ILSVRC_VALIDATION)
        return lines_fail(in, "more than %d lines", ILSVRC_VALIDATION);
    st = room(r, in->host, in->number);
    if (st == BIOFT_OK)
        memcpy(r->truth->wnid[in->number - 1], r->map[id], WNID);
    return st;
}

/* ILSVRC2012_val_00048981,n03995372 85 1 499 272 */
static bioft_status on_solution_line(struct lines *in, void *ctx)
{
    static const char begin[] = "ILSVRC2012_val_", header[] = "ImageId,PredictionString";
    struct reading *r = ctx;
    char *comma = strchr(in->text, ','), *at, *wnid;
    uint64_t n = 0;
    bioft_status st;

    if (in->number == 1 && !strcmp(in->text, header))
        return BIOFT_OK;
    if (comma && !strncmp(in->text, begin, sizeof begin - 1)) {
        *comma = '\0';
        n = number(in->text + sizeof begin - 1, MOST_IMAGES);
    }
    at = comma ? comma + 1 : in->text;
    wnid = lines_word(&at);
    if (!n || !wnid || !is_wnid(wnid, strlen(wnid)))
        return lines_fail(in, "'%s00000001,n01440764 ...' is expected", begin);
    st = room(r, in->host, n > r->truth->count ? n : r->truth->count);
    if (st != BIOFT_OK)
        return st;
    if (r->truth->wnid[n - 1][0])
        return lines_fail(in, "image %llu for a second time", (unsigned long long)n);
    memcpy(r->truth->wnid[n - 1], wnid, WNID);
    return BIOFT_OK;
}

static bioft_status read_ground_truth(const bioft_host *host, struct reading *r)
{
    struct truth *t = r->truth;
    bioft_status st = read_map(host, r->map);

    if (st == BIOFT_OK)
        st = each_line(host, t->path, on_truth_line, r);
    return st == BIOFT_OK && !t->count ? files_of(host)->fail_at(host, BIOFT_ERR_FORMAT, t->path, 0, 0, "empty") : st;
}

static bioft_status read_solution(const bioft_host *host, struct reading *r)
{
    struct truth *t = r->truth;
    bioft_status st = each_line(host, t->path, on_solution_line, r);

    for (uint64_t i = 0; st == BIOFT_OK && i < t->count; i++)
        if (!t->wnid[i][0]) {
            char text[100];
            snprintf(text, sizeof text, "no line for image %llu of %llu", (unsigned long long)i + 1,
                     (unsigned long long)t->count);
            st = files_of(host)->fail_at(host, BIOFT_ERR_FORMAT, t->path, 0, 0, text);
        }
    return st;
}

bioft_status truth_read(const bioft_host *host, struct truth *ret)
{
    struct reading *r = calloc(1, sizeof *r);
    struct truth t = { 0 };
    char map[256];
    bioft_status st;

    if (!r)
        return out_of_memory(host);
    r->truth = &t;
    if (find(host, GROUND_TRUTH, t.path) &&
        (find(host, "map_clsloc.txt", map) || !find(host, "LOC_val_solution.csv", map)))
        st = read_ground_truth(host, r);
    else if (find(host, "LOC_val_solution.csv", t.path))
        st = read_solution(host, r);
    else
        st = bioft_failf(host, BIOFT_ERR_IO,
                         "%s: the validation images lie in one folder and no file names their classes: unpack "
                         "ILSVRC2012_devkit_t12.tar.gz (https://image-net.org/download-images) here, or put "
                         "LOC_val_solution.csv of the Kaggle release here, or sort them into val/WNID/",
                         files_of(host)->root(host));
    free(r);
    if (st != BIOFT_OK) {
        truth_free(&t);
        return st;
    }
    *ret = t;
    return BIOFT_OK;
}

void truth_free(struct truth *t) { free(t->wnid); }

struct naming {
    struct class_words *words;
    uint32_t count;
    int with_id; /* map_clsloc.txt: an id stands between */
};

static bioft_status on_words_line(struct lines *in, void *ctx)
{
    struct naming *n = ctx;
    char *at = in->text, *wnid = lines_word(&at);
    struct class_words *w = &n->words[n->count];

    if (!wnid || !is_wnid(wnid, strlen(wnid)))
        return lines_fail(in, "a wnid and a name are expected");
    if (n->count == ILSVRC_CLASSES)
        return lines_fail(in, "more than %d classes", ILSVRC_CLASSES);
    if (n->with_id)
        (void)lines_word(&at);
    memcpy(w->wnid, wnid, WNID);
    snprintf(w->words, sizeof w->words, "%.100s", at + strspn(at, " \t"));
    n->count++;
    return BIOFT_OK;
}

static int compare_words(const void *a, const void *b) { return memcmp(a, b, WNID); }

bioft_status class_words_read(const bioft_host *host, struct class_words **ret, uint32_t *ret_count)
{
    struct naming n = { 0 };
    char path[256];
    bioft_status st;

    *ret = NULL;
    *ret_count = 0;
    if (!find(host, "LOC_synset_mapping.txt", path)) {
        if (!find(host, "map_clsloc.txt", path))
            return BIOFT_OK;
        n.with_id = 1;
    }
    n.words = malloc(ILSVRC_CLASSES * sizeof *n.words);
    if (!n.words)
        return out_of_memory(host);
    st = each_line(host, path, on_words_line, &n);
    if (st != BIOFT_OK) {
        free(n.words);
        return st;
    }
    qsort(n.words, n.count, sizeof *n.words, compare_words);
    *ret = n.words;
    *ret_count = n.count;
    return BIOFT_OK;
}
