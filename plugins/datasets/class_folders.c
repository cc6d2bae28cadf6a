/* Images in folders, SPLIT/CLASS/NAME.jpg. */
#include "class_folders.h"

#include <stdlib.h>

enum { LONGEST_PATH = 4096, MOST_CLASSES = 1 << 20, LARGEST_IMAGE = 1 << 28 };

static const char *const split_names[FOLDER_SPLITS] = { "train", "val", "test", "database" };

static bioft_status out_of_memory(const struct class_folders *c)
{
    return c->host->fail(c->host, BIOFT_ERR_MEMORY, "out of memory for the list of images");
}

static void pass_over(struct class_folders *c, const char *folder, const char *entry)
{
    if (!c->others++)
        snprintf(c->first_other, sizeof c->first_other, "%.120s%.120s", folder, entry);
}

static bioft_status add_image(struct class_folders *c, struct folder_split *s, const char *folder, const char *name,
                              uint32_t number)
{
    if (s->count == s->capacity) {
        const uint64_t capacity = s->capacity ? s->capacity * 2 : 1024;
        struct image_file *more = realloc(s->files, capacity * sizeof *more);
        if (!more)
            return out_of_memory(c);
        s->files = more;
        s->capacity = capacity;
    }
    s->files[s->count++] = (struct image_file){ .folder = folder, .name = name, .class_number = number };
    return BIOFT_OK;
}

struct filling { /* of a split with a class's images */
    struct class_folders *c;
    struct folder_split *s;
    uint32_t number;
};

static bioft_status on_image(void *ctx, const char *folder, const char *name)
{
    struct filling *f = ctx;
    return add_image(f->c, f->s, folder, name, f->number);
}

static void on_other(void *ctx, const char *folder, const char *name)
{
    pass_over(((struct filling *)ctx)->c, folder, name);
}

/* The images of one class; folder: "train/cat/". */
static bioft_status read_class(struct class_folders *c, struct folder_split *s, const char *folder, uint32_t number)
{
    struct filling f = { c, s, number };
    const struct walk w = { &c->texts, &f, on_image, on_other };
    const uint64_t before = s->count;
    bioft_status st = walk_images(&w, folder);

    if (st != BIOFT_OK)
        return st;
    if (s->count == before)
        return c->files->fail_at(c->host, BIOFT_ERR_FORMAT, folder, 0, 0,
                                 "a class without images (files that end in .jpg, .jpeg or .png)");
    return BIOFT_OK;
}

/* A class's number by its folder's name "cat/"; the first split's folders make the classes. */
static bioft_status class_number(struct class_folders *c, const char *split, const char *entry, int first,
                                 uint32_t *ret)
{
    const size_t length = strlen(entry) - 1;
    char **more, *name;

    for (uint32_t k = 0; !first && k < c->class_count; k++)
        if (strlen(c->classes[k]) == length && !memcmp(c->classes[k], entry, length)) {
            *ret = k;
            return BIOFT_OK;
        }
    if (!first)
        return bioft_failf(c->host, BIOFT_ERR_FORMAT, "split '%s' has a class '%.*s' that split '%s' has not", split,
                           (int)length, entry, c->splits[0].name);
    more = c->class_count < MOST_CLASSES ? realloc(c->classes, (c->class_count + 1) * sizeof *more) : NULL;
    if (!more)
        return out_of_memory(c);
    c->classes = more;
    name = malloc(length + 1);
    if (!name)
        return out_of_memory(c);
    memcpy(name, entry, length);
    name[length] = '\0';
    c->classes[c->class_count] = name;
    *ret = c->class_count++;
    return BIOFT_OK;
}

/* folder: "train/", or "" for the root. */
static bioft_status read_split(struct class_folders *c, const char *name, const char *folder)
{
    struct folder_split *s = &c->splits[c->split_count];
    const int first = c->split_count == 0;
    const char *const *entries;
    uint64_t count;
    char path[LONGEST_PATH];
    bioft_status st = c->files->list(c->host, *folder ? folder : ".", &entries, &count);

    if (st != BIOFT_OK)
        return st;
    s->name = name;
    for (uint64_t i = 0; st == BIOFT_OK && i < count; i++) {
        uint32_t number = 0;
        if (!is_folder(entries[i])) {
            pass_over(c, folder, entries[i]);
            continue;
        }
        st = class_number(c, name, entries[i], first, &number);
        if (st != BIOFT_OK)
            break;
        snprintf(path, sizeof path, "%s%s", folder, entries[i]);
        st = read_class(c, s, path, number);
    }
    if (st != BIOFT_OK)
        return st;
    if (!s->count)
        return c->files->fail_at(c->host, BIOFT_ERR_FORMAT, *folder ? folder : ".", 0, 0, "no class folders in it");
    c->split_count++;
    return BIOFT_OK;
}

static void begin(struct class_folders *c, const bioft_host *host)
{
    c->host = c->texts.host = host;
    c->files = c->texts.files = files_of(host);
}

bioft_status class_folders_read(struct class_folders *c, const bioft_host *host)
{
    bioft_status st = BIOFT_OK;
    char folder[16];

    begin(c, host);
    for (int i = 0; st == BIOFT_OK && i < FOLDER_SPLITS; i++) {
        snprintf(folder, sizeof folder, "%s/", split_names[i]);
        if (c->files->exists(host, split_names[i]) == 2)
            st = read_split(c, split_names[i], folder);
    }
    return st;
}

bioft_status class_folders_read_as(struct class_folders *c, const bioft_host *host, const char *split,
                                   const char *folder)
{
    begin(c, host);
    return read_split(c, split, folder);
}

bioft_status class_folders_read_plain(struct class_folders *c, const bioft_host *host)
{
    return class_folders_read_as(c, host, split_names[0], "");
}

void class_folders_free(struct class_folders *c)
{
    for (uint32_t i = 0; i < c->class_count; i++)
        free(c->classes[i]);
    free(c->classes);
    for (int i = 0; i < FOLDER_SPLITS; i++)
        free(c->splits[i].files);
    image_list_free(&c->texts);
}

bioft_status class_folders_notes(const struct class_folders *c, bioft_info *info)
{
    char text[512];
    if (!c->others)
        return BIOFT_OK;
    snprintf(text, sizeof text, "%llu file%s passed over that %s no image%s by name, the first is %s",
             (unsigned long long)c->others, c->others == 1 ? "" : "s", c->others == 1 ? "is" : "are",
             c->others == 1 ? "" : "s", c->first_other);
    return info->note(info, text);
}

bioft_status class_folders_name(const struct class_folders *c, uint32_t split, uint64_t index, char *ret, size_t size)
{
    const struct image_file *f = &c->splits[split].files[index];
    const int n = snprintf(ret, size, "%s%s", f->folder, f->name);
    return n >= 0 && (size_t)n < size ? BIOFT_OK
                                      : c->host->fail(c->host, BIOFT_ERR_INVALID, "no room for a sample's name");
}

bioft_status class_folders_sample(const struct class_folders *c, uint32_t split, uint64_t index, bioft_sample *ret)
{
    char path[LONGEST_PATH];
    const bioft_status st = class_folders_name(c, split, index, path, sizeof path);
    return st == BIOFT_OK ? c->files->sample(c->host, path, LARGEST_IMAGE, ret) : st;
}
