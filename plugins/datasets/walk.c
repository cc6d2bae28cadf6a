/* The images below a folder: folders in the order of their paths, files in that of their names, as torchvision's
 * make_dataset sorts what os.walk finds. */
#include "walk.h"

#include <stdlib.h>

/* A link that leads back makes folders without end. */
enum { DEEPEST = 32, MOST_FOLDERS = 1 << 20, LONGEST_PATH = 4096 };

struct folders { /* found and not yet read, then all of them; without the '/' at the end */
    const char **items;
    size_t count, capacity;
};

static bioft_status out_of_memory(const struct walk *w)
{
    return w->texts->host->fail(w->texts->host, BIOFT_ERR_MEMORY, "out of memory for the list of images");
}

static bioft_status add_folder(const struct walk *w, struct folders *f, const char *path, size_t length)
{
    if (f->count == f->capacity) {
        const size_t capacity = f->capacity ? f->capacity * 2 : 16;
        const char **more = realloc(f->items, capacity * sizeof *more);
        if (!more)
            return out_of_memory(w);
        f->items = more;
        f->capacity = capacity;
    }
    f->items[f->count] = image_list_text(w->texts, path, length);
    return f->items[f->count++] ? BIOFT_OK : out_of_memory(w);
}

static int depth(const char *below)
{
    int n = 0;
    for (; *below; below++)
        n += *below == '/';
    return n;
}

/* The folders in this one, behind the others. */
static bioft_status find_folders(const struct walk *w, struct folders *f, const char *folder, size_t top)
{
    const char *const *entries;
    uint64_t count;
    char path[LONGEST_PATH];
    bioft_status st = w->texts->files->list(w->texts->host, folder, &entries, &count);

    for (uint64_t i = 0; st == BIOFT_OK && i < count; i++) {
        if (!is_folder(entries[i]))
            continue;
        const int n = snprintf(path, sizeof path, "%s/%s", folder, entries[i]);
        if (n < 0 || (size_t)n >= sizeof path || depth(path + top) > DEEPEST || f->count >= MOST_FOLDERS)
            return w->texts->files->fail_at(w->texts->host, BIOFT_ERR_FORMAT, folder, 0, 0,
                                            "folders within folders without end: does a link in "
                                            "them lead back?");
        st = add_folder(w, f, path, (size_t)n - 1);
    }
    return st;
}

static int compare(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* The files of one folder. */
static bioft_status read_files(const struct walk *w, const char *folder)
{
    const char *const *entries, *kept;
    uint64_t count;
    char path[LONGEST_PATH];
    bioft_status st = w->texts->files->list(w->texts->host, folder, &entries, &count);

    if (st != BIOFT_OK)
        return st;
    const int n = snprintf(path, sizeof path, "%s/", folder);
    kept = image_list_text(w->texts, path, (size_t)n);
    if (!kept)
        return out_of_memory(w);
    for (uint64_t i = 0; st == BIOFT_OK && i < count; i++) {
        if (is_folder(entries[i]))
            continue;
        if (is_image(entries[i]))
            st = w->image(w->ctx, kept, entries[i]);
        else
            w->other(w->ctx, kept, entries[i]);
    }
    return st;
}

bioft_status walk_images(const struct walk *w, const char *folder)
{
    struct folders f = { 0 };
    const size_t length = strlen(folder) - 1;
    bioft_status st = add_folder(w, &f, folder, length);

    for (size_t i = 0; st == BIOFT_OK && i < f.count; i++)
        st = find_folders(w, &f, f.items[i], length);
    if (st == BIOFT_OK)
        qsort(f.items, f.count, sizeof *f.items, compare);
    for (size_t i = 0; st == BIOFT_OK && i < f.count; i++)
        st = read_files(w, f.items[i]);
    free(f.items);
    return st;
}
