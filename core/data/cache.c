/* The cache of looked-at pictures: a header, hashes of the files, faults, pixels, and a SHA-256
 * over all of it. */
#include "data/cache.h"

#include "data/identity.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64, BYTE_ORDER_MARK = 0x01020304 };

struct header {
    char magic[8];
    uint32_t byte_order, height, width,
        channels; /* sides of the first picture, which are those of `pixels` */
    uint64_t count, pixel_bytes;
    struct sides sides;
};
static const char MAGIC[8] = "bioftpx1";

bioft_status cache_path(const struct dataset *d, const struct split *s, char **ret,
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
    st = split_names(d, s, sum, err);
    sha256_end(sum, hex);
    if (st != BIOFT_OK)
        return st;
    text_printf(&name, "%s-%s-%.16s.pixels", d->name, s->name, hex);
    *ret = name.failed ? NULL : path_join(folder, name.data);
    text_free(&name);
    return *ret ? BIOFT_OK : error_memory(err, "a cache's name");
}

static size_t pixels_at(uint64_t count)
{
    const size_t end = sizeof(struct header) + (size_t)count * (SOURCE_HEX + 1);
    return (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

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

static uint64_t fine_count(const struct look *look)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < look->count; i++)
        n += look->fault[i] == FINE;
    return n;
}

bool cache_load(const struct dataset *d, const char *path, struct look *look,
                struct file_map *ret_map, struct error *why)
{
    struct file_map map = { 0 };
    struct header h;
    const uint8_t *at;

    why->text[0] = '\0';
    if (!file_exists(path) || file_map_open(path, &map, why) != BIOFT_OK)
        return false;
    memset(&h, 0, sizeof h);
    if (map.size >= pixels_at(look->count))
        memcpy(&h, map.bytes, sizeof h);
    if (memcmp(h.magic, MAGIC, sizeof MAGIC) != 0 || !whole(&map, &h, look->count)) {
        error_set(why, BIOFT_ERR_FORMAT, "%s: damaged", path);
    } else if (h.height != d->height || h.width != d->width || h.channels != d->channels) {
        error_set(why, BIOFT_ERR_FORMAT, "%s: of other pictures", path);
    } else {
        at = map.bytes + sizeof h;
        memcpy(look->source, at, (size_t)look->count * SOURCE_HEX);
        memcpy(look->fault, at + look->count * SOURCE_HEX, (size_t)look->count);
        look->sides = h.sides;
        look->pixel_bytes = h.pixel_bytes;
        if (!h.pixel_bytes || h.pixel_bytes == fine_count(look) * h.height * h.width * h.channels) {
            *ret_map = map;
            return true;
        }
        error_set(why, BIOFT_ERR_FORMAT, "%s: damaged", path);
    }
    file_map_close(&map);
    return false;
}

const uint8_t *cache_pixels(const struct file_map *map, const struct look *look)
{
    return look->pixel_bytes ? map->bytes + pixels_at(look->count) : NULL;
}

struct saving {
    struct file_writer writer;
    struct sha256 *sum;
};

static bioft_status add(struct saving *s, const void *bytes, size_t size, struct error *err)
{
    sha256_add(s->sum, bytes, size);
    return size ? file_add(&s->writer, bytes, size, err) : BIOFT_OK;
}

bioft_status cache_save(const struct dataset *d, const char *path, const struct look *look,
                        struct error *err)
{
    static const char zeros[ALIGNMENT];
    const size_t arrays = sizeof(struct header) + (size_t)look->count * (SOURCE_HEX + 1);
    struct header h;
    struct saving s = { .sum = sha256_begin() };
    char hex[SHA256_HEX], *folder = path_folder(path);
    bioft_status st;

    memset(&h, 0, sizeof h);
    memcpy(h.magic, MAGIC, sizeof MAGIC);
    h.byte_order = BYTE_ORDER_MARK;
    h.height = d->height;
    h.width = d->width;
    h.channels = d->channels;
    h.count = look->count;
    h.pixel_bytes = look->pixels ? look->pixel_bytes : 0;
    h.sides = look->sides;
    st = s.sum && folder ? file_make_folder(folder, err) : error_memory(err, "a cache");
    if (st == BIOFT_OK)
        st = file_begin(path, &s.writer, err);
    if (st == BIOFT_OK)
        st = add(&s, &h, sizeof h, err);
    if (st == BIOFT_OK)
        st = add(&s, look->source, (size_t)look->count * SOURCE_HEX, err);
    if (st == BIOFT_OK)
        st = add(&s, look->fault, (size_t)look->count, err);
    if (st == BIOFT_OK)
        st = add(&s, zeros, pixels_at(look->count) - arrays, err);
    if (st == BIOFT_OK)
        st = add(&s, look->pixels, (size_t)h.pixel_bytes, err);
    sha256_end(s.sum, hex);
    if (st == BIOFT_OK)
        st = file_add(&s.writer, hex, SHA256_HEX - 1, err);
    if (st == BIOFT_OK)
        st = file_commit(&s.writer, err);
    else
        file_abort(&s.writer);
    free(folder);
    return st;
}
