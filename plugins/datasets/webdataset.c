/* webdataset's shards: tar archives in which the files of one sample stand together and have one name before the first dot,
 * NAME.jpg (jpeg, png) with NAME.cls, a number, or NAME.json with the number under "label", "cls" or "class" (Aizman, Maltby
 * and Breuel, "High performance I/O for large scale deep learning", IEEE Big Data, 2019). ROOT/train*.tar, val*, test* and
 * database*, or folders of these names, are the splits; where no archive is named so, all is one split, train. */
#include "tar.h"

#include <stdlib.h>
#include <yajl/yajl_tree.h>

enum { SPLITS = 4, MOST_CLASSES = 65536, MOST_LABEL = 1 << 16, DEEPEST = 32 };

static const char *const split_names[SPLITS] = { "train", "val", "test", "database" };
static const char *const protocols[] = { "classification", "retrieval", NULL };

struct item {
    const uint8_t *bytes;
    uint64_t size, header;
    uint32_t shard, label;
};

struct items {
    struct item *items;
    uint64_t count, capacity;
};

typedef struct {
    const bioft_host *host;
    const bioft_files *files;
    char **shards;
    uint32_t shard_count, classes;
    struct items splits[SPLITS];
    uint32_t numbers[SPLITS], split_count; /* the host's number of a split, to ours */
    uint64_t skipped;                      /* samples without an image */
} webdataset;

/* What is known of the sample that the members at hand are of. */
struct sample {
    char key[TAR_PATH];
    struct item item;
    int has_image, has_label;
};

static void destroy(void *self)
{
    webdataset *d = self;
    for (int i = 0; i < SPLITS; i++)
        free(d->splits[i].items);
    for (uint32_t i = 0; i < d->shard_count; i++)
        free(d->shards[i]);
    free(d->shards);
}

static bioft_status out_of_memory(const webdataset *d)
{
    return d->host->fail(d->host, BIOFT_ERR_MEMORY, "out of memory for the index of the archives");
}

static bioft_status bad_member(const webdataset *d, const char *shard, const struct tar_member *m, const char *what)
{
    char text[300];
    snprintf(text, sizeof text, "%.150s: %s", m->path, what);
    return d->files->fail_at(d->host, BIOFT_ERR_FORMAT, shard, 0, m->header, text);
}

/* Digits, and blanks around them. */
static int take_number(const char *text, uint32_t *ret)
{
    uint32_t n = 0, digits = 0;
    text += strspn(text, " \t\r\n");
    for (; *text >= '0' && *text <= '9' && n < MOST_CLASSES; text++, digits++)
        n = 10 * n + (uint32_t)(*text - '0');
    text += strspn(text, " \t\r\n");
    *ret = n;
    return digits && !*text && n < MOST_CLASSES;
}

/* Brackets within brackets; those in text count too, which does no harm. */
static int is_deep(const char *text)
{
    int depth = 0, deepest = 0;
    for (; *text; text++) {
        depth += (*text == '[' || *text == '{') - (*text == ']' || *text == '}');
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest > DEEPEST;
}

static int take_json(const char *text, uint32_t *ret)
{
    static const char *const keys[] = { "label", "cls", "class" };
    char why[100];
    yajl_val tree = is_deep(text) ? NULL : yajl_tree_parse(text, why, sizeof why), v = NULL;
    int found = 0;

    for (size_t i = 0; tree && !v && i < sizeof keys / sizeof *keys; i++) {
        const char *path[] = { keys[i], NULL };
        v = yajl_tree_get(tree, path, yajl_t_number);
    }
    if (v && YAJL_IS_INTEGER(v) && YAJL_GET_INTEGER(v) >= 0 && YAJL_GET_INTEGER(v) < MOST_CLASSES) {
        *ret = (uint32_t)YAJL_GET_INTEGER(v);
        found = 1;
    }
    yajl_tree_free(tree);
    return found;
}

static bioft_status take_label(const webdataset *d, const char *shard, const struct tar_member *m, int json,
                               struct sample *s)
{
    char *text;
    int fine;
    uint32_t label = 0;

    if (m->size > MOST_LABEL || memchr(m->bytes, 0, m->size))
        return bad_member(d, shard, m, "a label of more than 64 KiB, or with a NUL");
    text = malloc(m->size + 1);
    if (!text)
        return out_of_memory(d);
    memcpy(text, m->bytes, m->size);
    text[m->size] = '\0';
    fine = json ? take_json(text, &label) : take_number(text, &label);
    free(text);
    if (!fine && json)
        return BIOFT_OK; /* a .json may say other things, and .cls the class */
    if (!fine)
        return bad_member(d, shard, m, "not a class's number from 0 to 65535");
    if (s->has_label && s->item.label != label)
        return bad_member(d, shard, m, "another class than the sample's other file says");
    s->item.label = label;
    s->has_label = 1;
    return BIOFT_OK;
}

/* The sample whose members have ended. */
static bioft_status finish(webdataset *d, struct items *to, const char *shard, struct sample *s)
{
    char text[300];

    if (!*s->key)
        return BIOFT_OK;
    if (s->has_image && !s->has_label) {
        snprintf(text, sizeof text,
                 "sample '%.150s' has no class: neither .cls nor a .json with \"label\", \"cls\" or \"class\"", s->key);
        return d->files->fail_at(d->host, BIOFT_ERR_FORMAT, shard, 0, s->item.header, text);
    }
    d->skipped += !s->has_image;
    if (!s->has_image)
        return BIOFT_OK;
    if (to->count == to->capacity) {
        const uint64_t capacity = to->capacity ? to->capacity * 2 : 1024;
        struct item *more = realloc(to->items, capacity * sizeof *more);
        if (!more)
            return out_of_memory(d);
        to->items = more;
        to->capacity = capacity;
    }
    to->items[to->count++] = s->item;
    if (s->item.label >= d->classes)
        d->classes = s->item.label + 1;
    return BIOFT_OK;
}

static bioft_status take_member(webdataset *d, struct items *to, const char *shard, const struct tar_member *m,
                                struct sample *s)
{
    const char *base = strrchr(m->path, '/'), *dot = strchr(base ? base : m->path, '.');
    const size_t length = dot ? (size_t)(dot - m->path) : 0;
    bioft_status st = BIOFT_OK;

    if (!m->file || !length)
        return BIOFT_OK;
    if (strlen(s->key) != length || memcmp(s->key, m->path, length) != 0) {
        const uint32_t index = s->item.shard;
        st = finish(d, to, shard, s);
        *s = (struct sample){ .item = { .shard = index } };
        memcpy(s->key, m->path, length);
    }
    if (st != BIOFT_OK)
        return st;
    if (!strcmp(dot, ".cls") || !strcmp(dot, ".json"))
        return take_label(d, shard, m, dot[1] == 'j', s);
    if (!is_image(m->path) || strchr(dot + 1, '.'))
        return BIOFT_OK; /* other fields of the sample: text, masks */
    if (s->has_image)
        return bad_member(d, shard, m, "a second image of one sample");
    s->has_image = 1;
    s->item.bytes = m->bytes;
    s->item.size = m->size;
    s->item.header = m->header;
    return BIOFT_OK;
}

static bioft_status read_shard(webdataset *d, struct items *to, uint32_t index)
{
    struct tar t = { .host = d->host, .path = d->shards[index] };
    struct tar_member *m = malloc(sizeof *m);
    struct sample *s = calloc(1, sizeof *s);
    int more = 1;
    bioft_status st = m && s ? d->files->map(d->host, t.path, &t.bytes, &t.size) : out_of_memory(d);

    if (s)
        s->item.shard = index;
    while (st == BIOFT_OK) {
        st = tar_next(&t, m, &more);
        if (st != BIOFT_OK || !more)
            break;
        st = take_member(d, to, t.path, m, s);
    }
    if (st == BIOFT_OK)
        st = finish(d, to, t.path, s);
    free(m);
    free(s);
    return st;
}

static int is_shard(const char *entry)
{
    const size_t length = strlen(entry);
    return length > 4 && !strcmp(entry + length - 4, ".tar");
}

/* The split that a name begins with, and no letter behind that; SPLITS: none. */
static int split_of(const char *entry)
{
    for (int s = 0; s < SPLITS; s++) {
        const size_t n = strlen(split_names[s]);
        const char next = entry[n < strlen(entry) ? n : strlen(entry)];
        if (!strncmp(entry, split_names[s], n) && !(next >= 'a' && next <= 'z'))
            return s;
    }
    return !strncmp(entry, "validation", 10) ? 1 : SPLITS;
}

static bioft_status add_shard(webdataset *d, const char *folder, const char *entry, int split)
{
    const size_t length = strlen(folder) + strlen(entry) + 1;
    char **more = realloc(d->shards, (d->shard_count + 1) * sizeof *more), *path = more ? malloc(length) : NULL;

    if (more)
        d->shards = more;
    if (!path)
        return out_of_memory(d);
    snprintf(path, length, "%s%s", folder, entry);
    d->shards[d->shard_count++] = path;
    return read_shard(d, &d->splits[split], d->shard_count - 1);
}

/* The archives in a folder; named: only those of a split's name, else all are `split`. */
static bioft_status read_folder(webdataset *d, const char *folder, int named, int split)
{
    const char *const *entries;
    uint64_t count;
    bioft_status st = d->files->list(d->host, *folder ? folder : ".", &entries, &count);

    for (uint64_t i = 0; st == BIOFT_OK && i < count; i++) {
        const int s = named ? split_of(entries[i]) : split;
        if (s == SPLITS)
            continue;
        if (is_shard(entries[i]))
            st = add_shard(d, folder, entries[i], s);
        else if (named && is_folder(entries[i]))
            st = read_folder(d, entries[i], 0, s);
    }
    return st;
}

static bioft_status read_all(webdataset *d, bioft_info *info)
{
    bioft_status st = read_folder(d, "", 1, 0);

    if (st != BIOFT_OK || d->shard_count)
        return st;
    st = read_folder(d, "", 0, 0);
    if (st == BIOFT_OK && !d->shard_count)
        st = bioft_failf(d->host, BIOFT_ERR_IO,
                         "%s: no .tar archive in it; webdataset's shards are expected, train-000000.tar "
                         "and test-000000.tar, or others that 'split' makes splits of",
                         d->files->root(d->host));
    return st == BIOFT_OK
               ? info->note(info, "no archive is named after a split: all images are for training but what 'split' "
                                  "takes")
               : st;
}

static bioft_status describe(void *self, bioft_info *ret)
{
    webdataset *d = self;
    char text[120];
    bioft_status st = open_files(d->host, protocols, &d->files);

    if (st == BIOFT_OK && !d->files->root(d->host))
        st = d->host->fail(d->host, BIOFT_ERR_INVALID,
                           "no root given: name the folder of the .tar archives with 'root'");
    if (st == BIOFT_OK)
        st = read_all(d, ret);
    if (st == BIOFT_OK && !d->classes)
        st = bioft_failf(d->host, BIOFT_ERR_FORMAT, "%s: no image with a class in its archives",
                         d->files->root(d->host));
    if (st == BIOFT_OK)
        st = number_classes(ret, d->classes);
    for (uint32_t s = 0; st == BIOFT_OK && s < SPLITS; s++) {
        if (!d->splits[s].count)
            continue;
        d->numbers[d->split_count++] = s;
        st = ret->split(ret, split_names[s], d->splits[s].count);
    }
    if (st != BIOFT_OK || !d->skipped)
        return st;
    snprintf(text, sizeof text, "%llu samples without a .jpg, .jpeg or .png passed over",
             (unsigned long long)d->skipped);
    return ret->note(ret, text);
}

static const struct item *item_of(const webdataset *d, uint32_t split, uint64_t index)
{
    return &d->splits[d->numbers[split]].items[index];
}

static bioft_status labels(const void *self, uint32_t split, uint64_t index, uint64_t *ret, uint32_t label_words)
{
    (void)label_words;
    set_label(ret, item_of(self, split, index)->label);
    return BIOFT_OK;
}

/* The archive and where the image's header is in it. */
static bioft_status name(const void *self, uint32_t split, uint64_t index, char *ret, size_t size)
{
    const webdataset *d = self;
    const struct item *i = item_of(d, split, index);
    return sample_name(d->host, d->shards[i->shard], i->header, ret, size);
}

static bioft_status sample(const void *self, void *reader, uint32_t split, uint64_t index, bioft_sample *ret)
{
    const struct item *i = item_of(self, split, index);
    (void)reader;
    ret->format = BIOFT_SAMPLE_ENCODED;
    return ret->map(ret, i->bytes, i->size);
}

static const bioft_dataset dataset = {
    .struct_size = sizeof dataset,
    .describe = describe,
    .labels = labels,
    .name = name,
    .sample = sample,
    .layout =
        "train*.tar, and the same for val, test and database, or folders of these names; or any .tar files, which "
        "are the split train",
    .samples = "NAME.jpg or NAME.png with NAME.cls or NAME.json, which has the class as a number from 0",
    .source = "your own shards, written by the Python package webdataset",
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_DATASET, "webdataset", "1.0", "bioft", "MIT"),
    .summary = "JPEG and PNG images in webdataset's .tar shards, with their classes in .cls or .json",
    .reference = "Aizman, Maltby, Breuel, High performance I/O for large scale deep learning, IEEE Big Data 2019",
    .instance_size = sizeof(webdataset),
    BIOFT_HOST_AT(webdataset, host),
    .destroy = destroy,
    .vtable = &dataset,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
