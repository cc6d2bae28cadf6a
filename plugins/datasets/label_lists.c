/* The hashing literature's list files. */
#include "label_lists.h"

#include "lines.h"
#include <stdlib.h>

enum { LARGEST_LIST = 1 << 28, MOST_COLUMNS = 4096, LONGEST_PLACE = 4400 };

struct row { /* of one list, for finding an image again */
    const char *path;
    uint64_t line;
};

struct rows {
    struct row *items; /* by path */
    uint64_t count, capacity;
};

static bioft_status out_of_memory(const struct image_list *l)
{
    return l->host->fail(l->host, BIOFT_ERR_MEMORY, "out of memory for the lists of images");
}

/* Without the prefix that the manifest names, and without "./". */
static char *stripped(const struct label_lists *lists, char *path)
{
    const size_t n = lists->strip ? strlen(lists->strip) : 0;
    if (n && !strncmp(path, lists->strip, n))
        path += n + strspn(path + n, "/");
    while (path[0] == '.' && path[1] == '/')
        path += 1 + strspn(path + 1, "/");
    return path;
}

/* The path of a line, ended with a NUL; *at: behind it. A path may have blanks: it ends behind the
 * last word that is an image's name, else behind the first word. NULL: an empty line. */
static char *path_of(char **at)
{
    char *path = *at + strspn(*at, " \t"), *end = NULL;

    for (char *p = path; *p; p += strspn(p, " \t")) {
        const size_t n = strcspn(p, " \t");
        const char kept = p[n];
        p[n] = '\0';
        if (!end || is_image(p))
            end = p + n;
        p[n] = kept;
        p += n;
    }
    if (!end)
        return NULL;
    *at = end;
    if (*end) {
        *end = '\0';
        *at = end + 1;
    }
    return path;
}

/* The columns of a line from `at` on, into the last image. *ret_count: how many. */
static bioft_status read_columns(struct lines *in, char *at, uint64_t *bits, uint32_t *ret_count, uint32_t *ret_ones,
                                 uint32_t *ret_first)
{
    char *word, text[24];
    uint32_t n = 0, ones = 0, first = 0;

    for (; (word = lines_word(&at)); n++) {
        if ((word[0] != '0' && word[0] != '1') || word[1])
            return lines_fail(in, "'%s' in column %u of the labels: 0 or 1 is expected", shown(word, text, sizeof text),
                              n + 1);
        if (n == MOST_COLUMNS)
            return lines_fail(in, "more than %d labels", MOST_COLUMNS);
        if (word[0] == '0')
            continue;
        bits[n / 64] |= UINT64_C(1) << (n % 64);
        first = ones++ ? first : n;
    }
    *ret_count = n;
    *ret_ones = ones;
    *ret_first = first;
    return BIOFT_OK;
}

static bioft_status add_row(struct rows *rows, const struct image_list *l, const char *path, uint64_t line)
{
    if (rows->count == rows->capacity) {
        const uint64_t capacity = rows->capacity ? rows->capacity * 2 : 1024;
        struct row *more = realloc(rows->items, capacity * sizeof *more);
        if (!more)
            return out_of_memory(l);
        rows->items = more;
        rows->capacity = capacity;
    }
    rows->items[rows->count++] = (struct row){ .path = path, .line = line };
    return BIOFT_OK;
}

/* Does the list lead out of the root by a link? Where the image was found by the end of its path, its
 * folder is the dataset's and not the list's. */
static const char *placed_fault(const struct image_list *l, const char *path, const char *kept)
{
    const char *base = strrchr(kept, '/');
    char folder[LONGEST_PLACE];

    if (!strcmp(path, kept) || !base || (size_t)(base - kept) >= sizeof folder)
        return listed_fault(l->host, "", kept);
    snprintf(folder, sizeof folder, "%.*s", (int)(base - kept), kept);
    return listed_fault(l->host, folder, base + 1);
}

/* One line: path and labels. */
static bioft_status read_line(struct label_lists *lists, struct image_list *l, struct lines *in, struct rows *rows)
{
    uint64_t bits[MOST_COLUMNS / 64] = { 0 };
    char *at = in->text, *path = path_of(&at);
    uint32_t count = 0, ones = 0, first = 0;
    const char *kept, *fault;
    bioft_status st;

    if (!path)
        return lines_fail(in, "an empty line where an image and its labels are expected");
    st = read_columns(in, at, bits, &count, &ones, &first);
    if (st != BIOFT_OK)
        return st;
    path = stripped(lists, path);
    fault = path_fault(path);
    if (fault)
        return lines_fail(in, "%s; what paths begin with elsewhere is left out with strip_prefix", fault);
    if (!count)
        return lines_fail(in, "no labels behind the path");
    if (!lists->columns) {
        lists->columns = count;
        if (!lists->single)
            image_list_multi_label(l, count);
    }
    if (count != lists->columns)
        return lines_fail(in, "%u labels where the lines before have %u", count, lists->columns);
    if (lists->single && ones != 1)
        return lines_fail(in, "%u ones among the labels where an image has one class", ones);
    if (lists->place)
        kept = lists->place(lists->ctx, l, path, first);
    else
        kept = image_list_text(l, path, strlen(path));
    if (kept && (fault = placed_fault(l, path, kept)))
        return lines_fail(in, "%s", fault);
    if (!kept)
        return lists->place ? lines_fail(in, "no image of this data has such a name") : out_of_memory(l);
    st = image_list_add(l, "", kept, first);
    if (st == BIOFT_OK && l->label_words)
        memcpy(image_list_bits(l, l->count - 1), bits, l->label_words * sizeof *bits);
    return st == BIOFT_OK ? add_row(rows, l, kept, in->number) : st;
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    const int c = strcmp(x->path, y->path);
    return c ? c : (x->line > y->line) - (x->line < y->line);
}

static bioft_status read_list(struct label_lists *lists, struct image_list *l, const char *file, struct rows *rows)
{
    struct lines *in = malloc(sizeof *in);
    int more = 1;
    bioft_status st = in ? lines_open(in, l->host, file, LARGEST_LIST) : out_of_memory(l);

    while (st == BIOFT_OK) {
        st = lines_next(in, &more);
        if (st != BIOFT_OK || !more)
            break;
        st = read_line(lists, l, in, rows);
    }
    if (st == BIOFT_OK && !rows->count)
        st = l->files->fail_at(l->host, BIOFT_ERR_FORMAT, file, 0, 0, "no image in this list");
    if (rows->count)
        qsort(rows->items, rows->count, sizeof *rows->items, compare_rows);
    for (uint64_t i = 1; st == BIOFT_OK && i < rows->count; i++)
        if (!strcmp(rows->items[i - 1].path, rows->items[i].path)) {
            char text[512];
            snprintf(text, sizeof text, "the same image as in line %llu: %.300s",
                     (unsigned long long)rows->items[i - 1].line, rows->items[i].path);
            st = l->files->fail_at(l->host, BIOFT_ERR_FORMAT, file, rows->items[i].line, 0, text);
        }
    free(in);
    return st;
}

/* Images of list b that are in list a too. *ret_line: of the first, in b. */
static uint64_t common(const struct rows *a, const struct rows *b, uint64_t *ret_line)
{
    uint64_t i = 0, n = 0;
    for (uint64_t k = 0; k < b->count; k++) {
        while (i < a->count && strcmp(a->items[i].path, b->items[k].path) < 0)
            i++;
        if (i < a->count && !strcmp(a->items[i].path, b->items[k].path) && !n++)
            *ret_line = b->items[k].line;
    }
    return n;
}

static bioft_status check_overlaps(const struct image_list *l, const struct rows *rows, char files[SPLIT_COUNT][4200],
                                   bioft_info *info)
{
    bioft_status st = BIOFT_OK;

    for (int a = 0; a < SPLIT_COUNT; a++)
        for (int b = a + 1; st == BIOFT_OK && b < SPLIT_COUNT; b++) {
            uint64_t line = 0;
            const uint64_t n = common(&rows[a], &rows[b], &line);
            char text[200];
            if (!n)
                continue;
            if (a == SPLIT_TRAIN && b == SPLIT_TEST)
                return l->files->fail_at(l->host, BIOFT_ERR_FORMAT, files[b], line, 0,
                                         "a test image that is in train.txt too");
            snprintf(text, sizeof text, "%llu image%s of %s.txt %s in %s.txt too", (unsigned long long)n,
                     n == 1 ? "" : "s", image_split_names[a], n == 1 ? "is" : "are", image_split_names[b]);
            st = info->note(info, text);
        }
    return st;
}

bioft_status label_lists_read(struct label_lists *lists, struct image_list *l, bioft_info *info)
{
    struct rows rows[SPLIT_COUNT] = { { 0 } };
    char files[SPLIT_COUNT][4200];
    uint64_t ends[SPLIT_COUNT] = { 0 };
    uint8_t *which = NULL;
    bioft_status st = BIOFT_OK;

    for (int s = 0; st == BIOFT_OK && s < SPLIT_COUNT; s++) {
        snprintf(files[s], sizeof files[s], "%s/%s.txt", lists->folder, image_split_names[s]);
        if (l->files->exists(l->host, files[s]) == 1)
            st = read_list(lists, l, files[s], &rows[s]);
        ends[s] = l->count;
    }
    if (st == BIOFT_OK && !l->count)
        st = bioft_failf(l->host, BIOFT_ERR_IO,
                         "%s: none of the lists train.txt, val.txt, test.txt, database.txt in it", lists->folder);
    if (st == BIOFT_OK)
        st = check_overlaps(l, rows, files, info);
    if (st == BIOFT_OK) {
        which = malloc(l->count);
        st = which ? BIOFT_OK : out_of_memory(l);
    }
    for (uint64_t i = 0, s = 0; st == BIOFT_OK && i < l->count; i++) {
        while (i >= ends[s])
            s++;
        which[i] = (uint8_t)s;
    }
    if (st == BIOFT_OK)
        st = image_list_split(l, which);
    free(which);
    for (int s = 0; s < SPLIT_COUNT; s++)
        free(rows[s].items);
    return st;
}
