/* Keeping images resized: within a bound in memory, or in the cache's folder as far as its disk
 * has room. */
#include "data/pixel_store_resize.h"

#include "base/memory.h"
#include "data/private.h"
#include "data/resized.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

static const double GIBIBYTE = 1024.0 * 1024.0 * 1024.0;
enum { SHARE = 2 }; /* a file takes at most one part in so many of what is free */

struct keeping {
    struct dataset *d;
    struct transform transform;
    bool in_memory; /* there is room for it */
    struct pool *pool;
    const struct log *log;
};

/* Whether in training the crop comes before the resizing, so that there is nothing to keep. */
static bool crops_first(const struct transform_spec *t)
{
    return t->kind == TRANSFORM_MAP && t->train == CROP_RANDOM_RESIZED;
}

const struct pixel_store *pixel_store_resized(const struct dataset *d, const struct split *s, const struct transform *t)
{
    const struct dataset_private *p = d->private;
    const struct pixel_store *h = &p->resized[s - d->splits];

    if (!h->pixels || p->resized_height != t->image.height || p->resized_width != t->image.width ||
        (t->train && crops_first(t->spec)))
        return NULL;
    return h;
}

/* Of the transform what decides the resized images. */
static void transform_key(const struct transform *t, char *ret, size_t size)
{
    snprintf(ret, size, "kind %d, resize %u, %s %ux%u", (int)t->spec->kind, t->spec->resize,
             t->small ? "straight to" : "for", t->image.width, t->image.height);
}

/* The sizes that the images will have, and their places. */
static bioft_status lay_out(const struct keeping *g, size_t split, struct error *err)
{
    const struct split *s = &g->d->splits[split];
    const struct pixel_store *from = &g->d->private->stored[split];
    struct pixel_store *to = &g->d->private->resized[split];
    struct placement at;

    to->size = mem_array((size_t)s->count, sizeof *to->size);
    if (!to->size)
        return error_memory(err, "resized images");
    for (uint64_t i = 0; i < s->count; i++) {
        const bioft_status st = transform_place(&g->transform, from->size[i].height, from->size[i].width, i, &at, err);
        if (st != BIOFT_OK)
            return st;
        to->size[i] = (struct size){ .height = at.height, .width = at.width };
    }
    return pixel_store_place(to, s->count, g->d->channels, err);
}

/* The file of an earlier run, where it is of these images in these sizes. */
static bool recall(const struct keeping *g, size_t split, const char *path, struct error *err)
{
    const struct pixel_store *from = &g->d->private->stored[split];
    struct pixel_store *to = &g->d->private->resized[split];
    const size_t count = (size_t)g->d->splits[split].count;
    struct inspection l;
    struct file_map map;
    bool found = false;

    err->text[0] = '\0';
    if (inspection_init(&l, count, err) != BIOFT_OK)
        return false;
    if (cache_load(g->d, path, &l, &map, err)) {
        found = l.pixel_bytes == to->at[count] && !memcmp(l.source, from->source, count * sizeof *l.source) &&
                !memcmp(l.size, to->size, count * sizeof *l.size);
        if (found) {
            to->map = map;
            to->pixels = cache_pixels(&map, &l);
        } else {
            error_set(err, BIOFT_ERR_FORMAT, "%s: of other images", path);
            file_map_close(&map);
        }
    }
    inspection_finish(&l);
    return found;
}

static bioft_status check_disk(const char *path, uint64_t bytes, struct error *err)
{
    char *folder = path_folder(path);
    struct statvfs disk;
    bioft_status st = BIOFT_OK;

    if (!folder)
        return error_memory(err, "a cache");
    if (statvfs(folder, &disk) != 0) {
        st = error_set(err, BIOFT_ERR_IO, "%s: cannot determine the free disk space", folder);
    } else {
        const double room = (double)disk.f_bavail * (double)disk.f_frsize;
        if ((double)bytes > room / SHARE)
            st = error_set(err, BIOFT_ERR_IO, "%s: %.1f GiB, more than half of the %.1f GiB free", path,
                           (double)bytes / GIBIBYTE, room / GIBIBYTE);
    }
    free(folder);
    return st;
}

static bioft_status make_file(struct making *m, const char *path, struct error *err)
{
    const size_t split = (size_t)(m->s - m->d->splits);
    struct inspection l = { .count = m->s->count,
                            .source = m->d->private->stored[split].source,
                            .size = m->to->size,
                            .pixel_bytes = m->to->at[m->s->count] };
    struct cache_writer w;
    bioft_status st = check_disk(path, l.pixel_bytes, err);

    if (st != BIOFT_OK)
        return st;
    l.fault = mem_array((size_t)l.count, 1);
    st = l.fault ? cache_begin(m->d, path, &l, &w, err) : error_memory(err, "a cache");
    free(l.fault);
    if (st != BIOFT_OK)
        return st;
    st = resized_make(m, NULL, &w, err);
    if (st == BIOFT_OK)
        st = cache_commit(&w, err);
    if (st != BIOFT_OK)
        cache_abort(&w);
    return st;
}

/* Where it does not work the images are decoded at each use, which is as good but slower. */
static void hold_split(const struct keeping *g, size_t split, const char *path)
{
    const char *name = g->d->name;
    struct pixel_store *to = &g->d->private->resized[split];
    struct making m = { .d = g->d, .s = &g->d->splits[split], .to = to, .pool = g->pool, .log = g->log };
    struct error e;

    if (path && !recall(g, split, path, &e)) {
        if (e.text[0])
            log_write(g->log, LOG_INFO, "dataset '%s': the cache is rebuilt: %s", name, e.text);
        if (make_file(&m, path, &e) != BIOFT_OK || !recall(g, split, path, &e))
            log_write(g->log, LOG_WARNING, "dataset '%s': no cache is kept: %s", name, e.text[0] ? e.text : path);
    }
    if (!to->pixels && g->in_memory && !m.failed) {
        to->own = mem_aligned((size_t)to->at[m.s->count], 1);
        if (to->own && resized_make(&m, to->own, NULL, &e) == BIOFT_OK)
            to->pixels = to->own;
    }
    if (!to->pixels && !path && !g->in_memory)
        log_write(g->log, LOG_INFO,
                  "dataset '%s': the images of split '%s' are decoded at each use: resized they "
                  "take %.1f GiB, and memory holds 1 GiB of all; a folder as 'cache' would keep "
                  "them on disk",
                  name, m.s->name, (double)to->at[m.s->count] / GIBIBYTE);
    if (!to->pixels)
        pixel_store_finish(to);
}

/* Whether a split is worth it: of those that are used, one that is not at hand already. */
static bool wanted(const struct dataset *d, size_t split, bool train)
{
    const char *name = d->splits[split].name;
    const bool trained = !strcmp(name, "train");

    if (!d->splits[split].count || d->private->stored[split].pixels)
        return false;
    if (trained || !strcmp(name, "val"))
        return train && !(trained && crops_first(&d->spec->transform));
    return true;
}

/* Lays out the splits that are wanted, and says whether memory has room for them. */
static bioft_status lay_out_all(struct keeping *g, bool train, struct error *err)
{
    struct dataset *d = g->d;
    uint64_t left = PIXEL_STORE_BYTES;
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; i < d->split_count; i++) {
        const struct pixel_store *h = &d->private->stored[i];
        left -= h->own ? h->at[d->splits[i].count] : 0;
        pixel_store_finish(&d->private->resized[i]);
    }
    g->in_memory = true;
    for (size_t i = 0; st == BIOFT_OK && i < d->split_count; i++) {
        const struct pixel_store *h = &d->private->resized[i];
        if (!wanted(d, i, train))
            continue;
        st = lay_out(g, i, err);
        if (st == BIOFT_OK && h->at[d->splits[i].count] > left)
            g->in_memory = false;
        else if (st == BIOFT_OK)
            left -= h->at[d->splits[i].count];
    }
    return st;
}

bioft_status pixel_store_keep_resized(struct dataset *d, const struct image_format *input, bool train,
                                      struct pool *pool, const struct log *log, struct error *err)
{
    struct dataset_private *p = d->private;
    struct keeping g = { .d = d, .pool = pool, .log = log };
    char key[96];
    bioft_status st;

    if (!d->encoded || !strcmp(d->spec->cache ? d->spec->cache : "auto", "off"))
        return BIOFT_OK;
    if (p->resized_height == input->height && p->resized_width == input->width && (p->resized_train || !train))
        return BIOFT_OK;
    transform_init(&g.transform, &(struct batches_params){ .dataset = d, .image = *input });
    transform_key(&g.transform, key, sizeof key);
    st = lay_out_all(&g, train, err);
    if (train && crops_first(&d->spec->transform) && d->spec->cache && d->spec->cache[0] == '/')
        log_write(log, LOG_INFO,
                  "dataset '%s': a random resized crop comes before the resizing: images of "
                  "split 'train' are decoded at each use",
                  d->name);
    for (size_t i = 0; st == BIOFT_OK && i < d->split_count; i++) {
        char *path = NULL;
        if (!p->resized[i].size)
            continue;
        st = cache_path(d, &d->splits[i], key, &path, err);
        if (st == BIOFT_OK)
            hold_split(&g, i, path);
        free(path);
    }
    p->resized_height = input->height;
    p->resized_width = input->width;
    p->resized_train = train;
    return st;
}
