/* The cache of images: a header, hashes of the files, sizes, faults, pixels, and a SHA-256 over
 * all of it. */
#include "data/cache.h"

#include "data/identity.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64, BYTE_ORDER_MARK = 0x01020304 };

struct header {
    char magic[8];
    uint32_t byte_order, channels;
    uint64_t count, pixel_bytes;
};
static const char MAGIC[] = { 'b', 'i', 'o', 'f', 't', 'p', 'x', '2' };

bioft_status cache_path(const struct dataset *d, const struct split *s, const char *transform, char **ret,
                        struct error *err)
{
    const char *folder = d->spec->cache;
    const bioft_plugin *plugin = &d->instance->plugin->descriptor;
    struct sha256 *sum;
    struct text name = { 0 };
    char hex[SHA256_HEX];
    bioft_status st;

    *ret = NULL;
    if (!folder || folder[0] != '/')
        return BIOFT_OK;
    sum = sha256_begin();
    if (!sum)
        return error_memory(err, "a cache's name");
    sha256_add(sum, plugin->version, strlen(plugin->version) + 1);
    if (d->spec->root)
        sha256_add(sum, d->spec->root, strlen(d->spec->root) + 1);
    if (transform)
        sha256_add(sum, transform, strlen(transform) + 1);
    st = split_names(d, s, sum, err);
    sha256_end(sum, hex);
    if (st != BIOFT_OK)
        return st;
    text_printf(&name, "%s-%s-%.16s.%s", d->name, s->name, hex, transform ? "resized" : "pixels");
    *ret = name.failed ? NULL : path_join(folder, name.data);
    text_free(&name);
    return *ret ? BIOFT_OK : error_memory(err, "a cache's name");
}

static size_t arrays_end(uint64_t count)
{
    return sizeof(struct header) + (size_t)count * (SOURCE_HEX + sizeof(struct size) + 1);
}

static size_t pixels_at(uint64_t count) { return (arrays_end(count) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

static bool whole(const struct file_map *map, const struct header *h, uint64_t count)
{
    char hex[SHA256_HEX];
    const size_t body = pixels_at(count);

    if (h->byte_order != BYTE_ORDER_MARK || h->count != count || h->pixel_bytes > map->size ||
        map->size != body + h->pixel_bytes + SHA256_HEX - 1)
        return false;
    sha256_bytes(map->bytes, body + h->pixel_bytes, hex);
    return !memcmp(hex, map->bytes + body + h->pixel_bytes, SHA256_HEX - 1);
}

/* The bytes of the images that are fine are those there are, or none are there. */
static bool fits(const struct header *h, const struct inspection *look)
{
    uint64_t left = h->pixel_bytes, bytes;

    for (uint64_t i = 0; h->pixel_bytes && i < look->count; i++) {
        if (look->fault[i] != FINE)
            continue;
        if (!size_bytes(look->size[i], h->channels, &bytes) || bytes > left)
            return false;
        left -= bytes;
    }
    return !left;
}

static void read_arrays(const uint8_t *at, struct inspection *ret)
{
    const size_t count = (size_t)ret->count;

    memcpy(ret->source, at, count * sizeof *ret->source);
    at += count * sizeof *ret->source;
    memcpy(ret->size, at, count * sizeof *ret->size);
    memcpy(ret->fault, at + count * sizeof *ret->size, count);
}

bool cache_load(const struct dataset *d, const char *path, struct inspection *look, struct file_map *ret_map,
                struct error *why)
{
    struct file_map map = { 0 };
    struct header h;

    why->text[0] = '\0';
    if (!file_exists(path) || file_map_open(path, &map, why) != BIOFT_OK)
        return false;
    memset(&h, 0, sizeof h);
    if (map.size >= pixels_at(look->count))
        memcpy(&h, map.bytes, sizeof h);
    if (map.size >= sizeof MAGIC && memcmp(map.bytes, MAGIC, sizeof MAGIC) != 0) {
        error_set(why, BIOFT_ERR_FORMAT, "%s: no cache of this version", path);
    } else if (!whole(&map, &h, look->count)) {
        error_set(why, BIOFT_ERR_FORMAT, "%s: damaged", path);
    } else if (h.channels != d->channels) {
        error_set(why, BIOFT_ERR_FORMAT, "%s: of other images", path);
    } else {
        read_arrays(map.bytes + sizeof h, look);
        look->pixel_bytes = h.pixel_bytes;
        if (fits(&h, look)) {
            *ret_map = map;
            return true;
        }
        error_set(why, BIOFT_ERR_FORMAT, "%s: damaged", path);
    }
    file_map_close(&map);
    return false;
}

const uint8_t *cache_pixels(const struct file_map *map, const struct inspection *look)
{
    return look->pixel_bytes ? map->bytes + pixels_at(look->count) : NULL;
}

bioft_status cache_begin(const struct dataset *d, const char *path, const struct inspection *look,
                         struct cache_writer *ret, struct error *err)
{
    static const char zeros[ALIGNMENT];
    const size_t count = (size_t)look->count;
    struct header h = {
        .byte_order = BYTE_ORDER_MARK, .channels = d->channels, .count = look->count, .pixel_bytes = look->pixel_bytes
    };
    struct cache_writer w = { .sum = sha256_begin() };
    char *folder = path_folder(path);
    bioft_status st = w.sum && folder ? file_make_folder(folder, err) : error_memory(err, "a cache");

    memcpy(h.magic, MAGIC, sizeof MAGIC);
    if (st == BIOFT_OK)
        st = file_begin(path, &w.file, err);
    if (st == BIOFT_OK)
        st = cache_add(&w, &h, sizeof h, err);
    if (st == BIOFT_OK)
        st = cache_add(&w, look->source, count * sizeof *look->source, err);
    if (st == BIOFT_OK)
        st = cache_add(&w, look->size, count * sizeof *look->size, err);
    if (st == BIOFT_OK)
        st = cache_add(&w, look->fault, count, err);
    if (st == BIOFT_OK)
        st = cache_add(&w, zeros, pixels_at(look->count) - arrays_end(look->count), err);
    free(folder);
    if (st != BIOFT_OK)
        cache_abort(&w);
    else
        *ret = w;
    return st;
}

bioft_status cache_add(struct cache_writer *w, const void *bytes, size_t size, struct error *err)
{
    sha256_add(w->sum, bytes, size);
    return size ? file_add(&w->file, bytes, size, err) : BIOFT_OK;
}

bioft_status cache_commit(struct cache_writer *w, struct error *err)
{
    char hex[SHA256_HEX];
    bioft_status st;

    sha256_end(w->sum, hex);
    w->sum = NULL;
    st = file_add(&w->file, hex, SHA256_HEX - 1, err);
    return st == BIOFT_OK ? file_commit(&w->file, err) : st;
}

void cache_abort(struct cache_writer *w)
{
    char hex[SHA256_HEX];

    sha256_end(w->sum, hex);
    w->sum = NULL;
    file_abort(&w->file);
}

bioft_status cache_save(const struct dataset *d, const char *path, const struct inspection *look, struct error *err)
{
    struct cache_writer w;
    bioft_status st = cache_begin(d, path, look, &w, err);

    if (st != BIOFT_OK)
        return st;
    st = cache_add(&w, look->pixels, (size_t)look->pixel_bytes, err);
    st = st == BIOFT_OK ? cache_commit(&w, err) : st;
    if (st != BIOFT_OK)
        cache_abort(&w);
    return st;
}
