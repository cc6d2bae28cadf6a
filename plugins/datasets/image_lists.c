/* Images named by list files, a line each: a path below the root and a label, `path,label` (CSV, RFC 4180's quotes),
 * `path<TAB>label` or `path label`. A first line that names no image is a header. Labels are numbers from 0, or names: the
 * classes are then those of the first list there is (train, val, test, database), bytewise. */
#include "image_list.h"
#include "lines.h"

#include <stdlib.h>

enum { LARGEST_LIST = 1 << 28, MOST_CLASSES = 65536, LABEL_SHOWN = 64 };

struct row {
    const char *path, *label;
    uint64_t line;
    uint32_t split;
};

typedef struct {
    struct image_list list; /* first: IMAGE_LIST_CALLS */
    const char *files[SPLIT_COUNT];
    struct row *rows;
    uint64_t count, capacity;
    const char **classes; /* names, where labels are names */
    uint32_t class_count;
} image_lists;

static const char *const protocols[] = { "classification", "retrieval", NULL };

static const bioft_option options[] = {
#define LIST(name_, index_) \
    { \
        .name = name_ "_list", .type = BIOFT_PATH, .offset = offsetof(image_lists, files[index_]), \
        .help = "list of the split " name_ ": path and label in a line" \
    }
    LIST("train", SPLIT_TRAIN),
    LIST("val", SPLIT_VAL),
    LIST("test", SPLIT_TEST),
    LIST("database", SPLIT_DATABASE),
};

static void destroy(void *self)
{
    image_lists *d = self;
    image_list_free(&d->list);
    free(d->rows);
    free(d->classes);
}

static bioft_status out_of_memory(const image_lists *d)
{
    return d->list.host->fail(d->list.host, BIOFT_ERR_MEMORY, "out of memory for the lists of images");
}

static bioft_status fail_row(const image_lists *d, const struct row *r, const char *text)
{
    return d->list.files->fail_at(d->list.host, BIOFT_ERR_FORMAT, d->files[r->split], r->line, 0, text);
}

/* A quoted field in place, without its quotes; *at: behind it. NULL: its quote does not end. */
static char *unquoted(char **at)
{
    char *from = *at + 1, *to = *at, *field = *at;
    for (; *from; from++) {
        if (*from == '"' && from[1] != '"')
            break;
        from += *from == '"';
        *to++ = *from;
    }
    if (*from != '"')
        return NULL;
    *at = from + 1;
    *to = '\0';
    return field;
}

static char *trimmed(char *text)
{
    size_t n;
    text += strspn(text, " \t");
    n = strlen(text);
    while (n && (text[n - 1] == ' ' || text[n - 1] == '\t'))
        text[--n] = '\0';
    return text;
}

/* One field of a line with separators; *at: behind the separator, or NULL at the line's end. */
static char *field_of(char **at, char separator)
{
    char *start = *at + (**at == '"' ? 0 : strspn(*at, " ")), *end;
    if (*start == '"') {
        end = start;
        start = unquoted(&end);
        if (!start || (*end && *end != separator))
            return NULL;
    } else {
        end = strchr(start, separator);
        end = end ? end : start + strlen(start);
    }
    *at = *end ? end + 1 : NULL;
    *end = '\0';
    return start;
}

/* Path and label of a line; NULL in *ret_label: it has not exactly these two. */
static void take_fields(char *text, char **ret_path, char **ret_label)
{
    const char separator = strchr(text, '\t') ? '\t' : strchr(text, ',') ? ',' : ' ';
    char *at = text, *label;

    *ret_path = *ret_label = NULL;
    if (separator == ' ') { /* a path may have blanks, a label has none */
        label = strrchr(text, ' ');
        if (!label)
            return;
        *label++ = '\0';
        *ret_path = trimmed(text);
        *ret_label = label;
        return;
    }
    *ret_path = field_of(&at, separator);
    label = *ret_path && at ? field_of(&at, separator) : NULL;
    if (label && !at) {
        *ret_path = trimmed(*ret_path);
        *ret_label = trimmed(label);
    }
}

static bioft_status add_row(image_lists *d, struct lines *in, uint32_t split, char *path, const char *label)
{
    const char *fault;

    while (path[0] == '.' && path[1] == '/')
        path += 1 + strspn(path + 1, "/");
    fault = listed_fault(d->list.host, "", path);
    if (fault)
        return lines_fail(in, "%s", fault);
    if (d->count == d->capacity) {
        const uint64_t capacity = d->capacity ? d->capacity * 2 : 1024;
        struct row *more = realloc(d->rows, capacity * sizeof *more);
        if (!more)
            return out_of_memory(d);
        d->rows = more;
        d->capacity = capacity;
    }
    struct row r = { image_list_text(&d->list, path, strlen(path)), image_list_text(&d->list, label, strlen(label)),
                     in->number, split };
    if (!r.path || !r.label)
        return out_of_memory(d);
    d->rows[d->count++] = r;
    return BIOFT_OK;
}

static bioft_status read_line(image_lists *d, struct lines *in, uint32_t split)
{
    char *path, *label, text[LABEL_SHOWN];

    take_fields(in->text, &path, &label);
    if (!path || !label || !*label)
        return lines_fail(in, "expected a path and a label, with a comma, a tab or a blank between them");
    if (in->number == 1 && !is_image(path))
        return BIOFT_OK; /* a header */
    if (!is_image(path))
        return lines_fail(in, "'%s' is not the name of an image (.jpg, .jpeg or .png)", shown(path, text, sizeof text));
    return add_row(d, in, split, path, label);
}

static bioft_status read_list(image_lists *d, uint32_t split)
{
    struct lines *in = malloc(sizeof *in);
    const uint64_t before = d->count;
    int more = 1;
    bioft_status st = in ? lines_open(in, d->list.host, d->files[split], LARGEST_LIST) : out_of_memory(d);

    while (st == BIOFT_OK) {
        st = lines_next(in, &more);
        if (st != BIOFT_OK || !more)
            break;
        st = read_line(d, in, split);
    }
    free(in);
    if (st == BIOFT_OK && d->count == before)
        st = d->list.files->fail_at(d->list.host, BIOFT_ERR_FORMAT, d->files[split], 0, 0, "no image in this list");
    return st;
}

static int compare_paths(const void *a, const void *b)
{
    const struct row *x = *(const struct row *const *)a, *y = *(const struct row *const *)b;
    const int order = strcmp(x->path, y->path);
    return order ? order : (x > y) - (x < y);
}

/* An image is in one list once; a database may have those of the others, as retrieval has it. */
static bioft_status check_twice(const image_lists *d)
{
    const struct row **sorted = malloc(d->count * sizeof *sorted);
    bioft_status st = sorted ? BIOFT_OK : out_of_memory(d);
    char text[400];

    for (uint64_t i = 0; st == BIOFT_OK && i < d->count; i++)
        sorted[i] = &d->rows[i];
    if (st == BIOFT_OK)
        qsort(sorted, d->count, sizeof *sorted, compare_paths);
    for (uint64_t i = 1; st == BIOFT_OK && i < d->count; i++) {
        const struct row *a = sorted[i - 1], *b = sorted[i];
        if (strcmp(a->path, b->path) != 0 || (a->split != b->split && b->split == SPLIT_DATABASE))
            continue;
        snprintf(text, sizeof text, "the same image as in line %llu of the list of split '%s': %.250s",
                 (unsigned long long)a->line, image_split_names[a->split], a->path);
        st = fail_row(d, b, text);
    }
    free(sorted);
    return st;
}

/* A number from 0 below MOST_CLASSES, or -1. */
static int32_t number_of(const char *label)
{
    int32_t n = 0;
    for (const char *p = label; *p; p++) {
        if (*p < '0' || *p > '9')
            return -1;
        n = 10 * n + (*p - '0');
        if (n >= MOST_CLASSES)
            return -1;
    }
    return n;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The classes of the first list: numbers, or its names in order. */
static bioft_status find_classes(image_lists *d)
{
    int numbers = 1;
    uint64_t n = 0;

    for (uint64_t i = 0; i < d->count; i++)
        numbers = numbers && number_of(d->rows[i].label) >= 0;
    while (n < d->count && d->rows[n].split == d->rows[0].split)
        n++;
    if (numbers) {
        for (uint64_t i = 0; i < n; i++)
            if ((uint32_t)number_of(d->rows[i].label) >= d->class_count)
                d->class_count = (uint32_t)number_of(d->rows[i].label) + 1;
        return BIOFT_OK;
    }
    d->classes = malloc(n * sizeof *d->classes);
    if (!d->classes)
        return out_of_memory(d);
    for (uint64_t i = 0; i < n; i++)
        d->classes[i] = d->rows[i].label;
    qsort(d->classes, n, sizeof *d->classes, compare_texts);
    for (uint64_t i = 0; i < n; i++)
        if (!i || strcmp(d->classes[i], d->classes[d->class_count - 1]) != 0)
            d->classes[d->class_count++] = d->classes[i];
    return d->class_count <= MOST_CLASSES ? BIOFT_OK : fail_row(d, d->rows, "more than 65536 classes in this list");
}

static bioft_status add_images(image_lists *d, uint8_t *which)
{
    bioft_status st = BIOFT_OK;
    char text[200], label[LABEL_SHOWN];

    for (uint64_t i = 0; st == BIOFT_OK && i < d->count; i++) {
        const struct row *r = &d->rows[i];
        const char **found = d->classes
                                 ? bsearch(&r->label, d->classes, d->class_count, sizeof *d->classes, compare_texts)
                                 : NULL;
        const uint32_t number = d->classes ? (uint32_t)(found - d->classes) : (uint32_t)number_of(r->label);
        if (d->classes ? !found : number >= d->class_count) {
            snprintf(text, sizeof text, "class '%s', which no line of the list of split '%s' has",
                     shown(r->label, label, sizeof label), image_split_names[d->rows[0].split]);
            return fail_row(d, r, text);
        }
        st = image_list_add(&d->list, "", r->path, number);
        which[i] = (uint8_t)r->split;
    }
    return st;
}

static bioft_status read_lists(image_lists *d)
{
    uint8_t *which = NULL;
    bioft_status st = BIOFT_OK;

    for (uint32_t s = 0; st == BIOFT_OK && s < SPLIT_COUNT; s++)
        if (d->files[s])
            st = read_list(d, s);
    if (st == BIOFT_OK && !d->count)
        st = d->list.host->fail(
            d->list.host, BIOFT_ERR_INVALID,
            "no list given: name files of `path,label` lines with 'train_list' and 'test_list' (also "
            "'val_list' and 'database_list'); with 'train_list' alone 'split' makes the others");
    if (st == BIOFT_OK)
        st = check_twice(d);
    if (st == BIOFT_OK)
        st = find_classes(d);
    if (st == BIOFT_OK && !(which = malloc(d->count)))
        st = out_of_memory(d);
    if (st == BIOFT_OK)
        st = add_images(d, which);
    if (st == BIOFT_OK)
        st = image_list_split(&d->list, which);
    free(which);
    return st;
}

static bioft_status describe(void *self, bioft_info *ret)
{
    image_lists *d = self;
    bioft_status st = image_list_begin(&d->list, protocols);

    if (st == BIOFT_OK && !d->list.files->root(d->list.host))
        st = d->list.host->fail(d->list.host, BIOFT_ERR_INVALID,
                                "no root given: name the folder that the lists' paths are below with 'root'");
    if (st == BIOFT_OK)
        st = read_lists(d);
    if (st == BIOFT_OK && !d->classes)
        st = number_classes(ret, d->class_count);
    for (uint32_t c = 0; st == BIOFT_OK && d->classes && c < d->class_count; c++)
        st = ret->class_name(ret, c, d->classes[c]);
    return st == BIOFT_OK ? image_list_describe(&d->list, ret) : st;
}

static const bioft_dataset dataset = {
    .struct_size = sizeof dataset,
    .describe = describe,
    IMAGE_LIST_CALLS,
    .layout =
        "the images, named by list files (options train_list, val_list, test_list, database_list) of lines path,label",
    .samples = "JPEG and PNG files, grey or colour, of any size; labels are numbers from 0, or names",
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_DATASET, "image_lists", "1.0", "bioft", "MIT"),
    .summary = "JPEG and PNG images named by list files, CSV or blanks: a path below the root and a label in each line",
    .reference = "",
    .instance_size = sizeof(image_lists),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(image_lists, list.host),
    .destroy = destroy,
    .vtable = &dataset,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
