/* Images named one by one. */
#include "image_list.h"

#include <stdlib.h>

enum { LONGEST_PATH = 4096, LARGEST_IMAGE = 1 << 28, BLOCK = 1 << 16 };

const char *const image_split_names[SPLIT_COUNT] = { "train", "val", "test", "database" };

struct text_block {
    struct text_block *next;
    size_t used, size;
    char bytes[];
};

static bioft_status out_of_memory(const struct image_list *l)
{
    return l->host->fail(l->host, BIOFT_ERR_MEMORY, "out of memory for the list of images");
}

bioft_status image_list_begin(struct image_list *l, const char *const *known)
{
    return open_files(l->host, known, &l->files);
}

int image_list_retrieval(const struct image_list *l)
{
    const char *protocol = l->files->protocol(l->host);
    return protocol && !strcmp(protocol, "retrieval");
}

void image_list_free(struct image_list *l)
{
    free(l->images);
    free(l->label);
    free(l->bits);
    for (int i = 0; i < SPLIT_COUNT; i++)
        free(l->splits[i].images);
    for (struct text_block *b = l->texts, *next; b; b = next) {
        next = b->next;
        free(b);
    }
}

void image_list_multi_label(struct image_list *l, uint32_t classes) { l->label_words = (classes + 63) / 64; }

const char *image_list_text(struct image_list *l, const char *text, size_t length)
{
    struct text_block *b = l->texts;
    char *to;

    if (!b || b->size - b->used <= length) {
        const size_t size = length >= BLOCK ? length + 1 : BLOCK;
        b = malloc(sizeof *b + size);
        if (!b)
            return NULL;
        b->size = size;
        b->used = 0;
        b->next = l->texts;
        l->texts = b;
    }
    to = b->bytes + b->used;
    memcpy(to, text, length);
    to[length] = '\0';
    b->used += length + 1;
    return to;
}

static bioft_status grow(struct image_list *l)
{
    const uint64_t capacity = l->capacity ? l->capacity * 2 : 1024;
    struct listed_image *images = realloc(l->images, capacity * sizeof *images);

    if (!images)
        return out_of_memory(l);
    l->images = images;
    if (l->label_words) {
        uint64_t *bits = realloc(l->bits, capacity * l->label_words * sizeof *bits);
        if (!bits)
            return out_of_memory(l);
        l->bits = bits;
    } else {
        uint32_t *label = realloc(l->label, capacity * sizeof *label);
        if (!label)
            return out_of_memory(l);
        l->label = label;
    }
    l->capacity = capacity;
    return BIOFT_OK;
}

bioft_status image_list_add(struct image_list *l, const char *folder, const char *name, uint32_t label)
{
    bioft_status st = BIOFT_OK;

    if (l->count == UINT32_MAX)
        return l->host->fail(l->host, BIOFT_ERR_FORMAT, "more images than can be numbered");
    if (l->count == l->capacity)
        st = grow(l);
    if (st != BIOFT_OK)
        return st;
    l->images[l->count] = (struct listed_image){ .folder = folder, .name = name };
    if (l->label_words)
        memset(image_list_bits(l, l->count), 0, l->label_words * sizeof *l->bits);
    else
        l->label[l->count] = label;
    l->count++;
    return BIOFT_OK;
}

bioft_status image_list_draw(const struct image_list *l, const struct image_draw *d, uint8_t *which)
{
    uint64_t sum = 0, taken = 0, *order;
    bioft_status st;

    for (int k = 0; k < d->count; k++)
        sum += (uint64_t)d->wanted[k];
    if (sum > d->n)
        return bioft_failf(l->host, BIOFT_ERR_FORMAT,
                           "%s: %s has %llu images to draw from, and the splits' options ask for "
                           "%llu",
                           l->files->root(l->host), d->what, (unsigned long long)d->n, (unsigned long long)sum);
    order = malloc((d->n + 1) * sizeof *order);
    if (!order)
        return out_of_memory(l);
    st = l->files->permute(l->host, d->stream, d->n, order);
    for (int k = 0; st == BIOFT_OK && k < d->count; k++)
        for (int64_t i = 0; i < d->wanted[k]; i++)
            which[d->images[order[taken++]]] = d->kinds[k];
    free(order);
    return st;
}

bioft_status image_list_split(struct image_list *l, const uint8_t *which)
{
    for (uint32_t kind = 0; kind < SPLIT_COUNT; kind++) {
        struct listed_split *s = &l->splits[l->split_count];
        uint64_t n = 0;

        for (uint64_t i = 0; i < l->count; i++)
            n += which[i] == kind;
        if (!n)
            continue;
        s->images = malloc(n * sizeof *s->images);
        if (!s->images)
            return out_of_memory(l);
        for (uint64_t i = 0; i < l->count; i++)
            if (which[i] == kind)
                s->images[s->count++] = (uint32_t)i;
        s->kind = kind;
        l->split_count++;
    }
    return BIOFT_OK;
}

bioft_status image_list_describe(const struct image_list *l, bioft_info *info)
{
    bioft_status st = BIOFT_OK;
    for (uint32_t i = 0; st == BIOFT_OK && i < l->split_count; i++)
        st = info->split(info, image_split_names[l->splits[i].kind], l->splits[i].count);
    return st;
}

bioft_status image_list_labels(const void *self, uint32_t split, uint64_t index, uint64_t *ret, uint32_t label_words)
{
    const struct image_list *l = self;
    const uint32_t i = l->splits[split].images[index];
    (void)label_words;
    if (l->label_words)
        memcpy(ret, image_list_bits(l, i), l->label_words * sizeof *ret);
    else
        set_label(ret, l->label[i]);
    return BIOFT_OK;
}

bioft_status image_list_name(const void *self, uint32_t split, uint64_t index, char *ret, size_t size)
{
    const struct image_list *l = self;
    const struct listed_image *p = &l->images[l->splits[split].images[index]];
    const int n = snprintf(ret, size, "%s%s", p->folder, p->name);
    return n >= 0 && (size_t)n < size ? BIOFT_OK
                                      : l->host->fail(l->host, BIOFT_ERR_INVALID, "no room for a sample's name");
}

bioft_status image_list_sample(const void *self, void *reader, uint32_t split, uint64_t index, bioft_sample *ret)
{
    const struct image_list *l = self;
    char path[LONGEST_PATH];
    const bioft_status st = image_list_name(l, split, index, path, sizeof path);
    (void)reader;
    return st == BIOFT_OK ? l->files->sample(l->host, path, LARGEST_IMAGE, ret) : st;
}
