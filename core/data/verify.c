/* Verification of images: a look at every one, or a cache of it; what is missing or broken is
 * named and left out. */
#include "data/verify.h"

#include "data/cache.h"
#include "data/omitted.h"
#include "data/sample.h"
#include "data/select.h"
#include <stdlib.h>
#include <string.h>

enum {
    NAMED = 5,  /* faults that are named, the rest is counted */
    PROBES = 16 /* files that a cache is compared with */
};

/* One image looked at by a reader of its own. */
static enum fault probe(const struct dataset *d, const struct split *s, uint64_t position, char ret_source[SHA256_HEX],
                        struct error *text)
{
    struct reader *r;
    struct pixels p;
    enum fault found;

    if (reader_open(d, &r, text) != BIOFT_OK)
        return FAILED;
    found = inspect_one(r, s, position, &p, text);
    if (found == FINE)
        reader_source(r, ret_source);
    reader_close(r);
    return found;
}

/* Counts the faults of a kind and names the first ones in a note, or fails with the first where
 * they are not dropped. A fault's text is made by reading again, which is cheaper than keeping them
 * all. */
static bioft_status report_faults(struct dataset *d, const struct split *s, const struct inspection *l, enum fault kind,
                                  const char *word, bool drop, const struct log *log, struct error *err)
{
    struct text named = { 0 }, note = { 0 };
    uint64_t found = 0;
    bioft_status st = BIOFT_OK;

    for (uint64_t i = 0; i < l->count; i++) {
        struct error e;
        char source[SHA256_HEX];
        if (l->fault[i] != kind || ++found > NAMED)
            continue;
        if (probe(d, s, i, source, &e) == FINE)
            error_set(&e, BIOFT_ERR_IO, "dataset '%s': an image of split '%s' changes while it is inspected", d->name,
                      s->name);
        if (!drop) {
            text_free(&named);
            return error_set(err, e.status, "%s", e.text);
        }
        text_printf(&named, "%s%s", found > 1 ? "; " : "", e.text);
    }
    if (found) {
        text_printf(&note, "split '%s': %llu %s image%s left out: %s%s", s->name, (unsigned long long)found, word,
                    found == 1 ? "" : "s", named.data ? named.data : "", found > NAMED ? "; ..." : "");
        st = note.failed ? error_memory(err, "a note") : dataset_note(d, log, note.data, err);
    }
    text_free(&named);
    text_free(&note);
    return st;
}

static bioft_status apply_faults(struct dataset *d, struct split *s, const struct inspection *l, const struct log *log,
                                 struct error *err)
{
    uint8_t *keep;
    bioft_status st = report_faults(d, s, l, FAILED, "unreadable", false, log, err);
    if (st == BIOFT_OK)
        st = report_faults(d, s, l, MISSING, "missing", d->spec->missing == POLICY_DROP, log, err);
    if (st == BIOFT_OK)
        st = report_faults(d, s, l, BROKEN, "broken", d->spec->broken == POLICY_DROP, log, err);
    if (st != BIOFT_OK)
        return st;
    keep = mem_array(l->count, 1);
    if (!keep)
        return error_memory(err, "inspecting the images");
    for (uint64_t i = 0; st == BIOFT_OK && i < l->count; i++) {
        keep[i] = l->fault[i] == FINE;
        if (!keep[i])
            st = omitted_add(d, s, s->index[i], l->fault[i] == MISSING ? OMITTED_MISSING : OMITTED_BROKEN, err);
    }
    if (st == BIOFT_OK)
        split_filter(d, s, keep);
    free(keep);
    return st;
}

/* A few of the images, evenly spread, are still what the cache was made from, and what was at
 * fault is so still. */
static bool still_true(const struct dataset *d, const struct split *s, const struct inspection *l)
{
    const uint64_t stride = l->count < PROBES ? 1 : l->count / PROBES;
    for (uint64_t i = 0; i < l->count; i++) {
        char source[SHA256_HEX];
        enum fault found;
        if (i % stride && l->fault[i] == FINE)
            continue;
        found = probe(d, s, i, source, NULL);
        if (found != l->fault[i] || (found == FINE && memcmp(source, l->source[i], SOURCE_HEX) != 0))
            return false;
    }
    return true;
}

/* What is kept on disk of an earlier look; false: nothing of use. */
static bool recall(const struct dataset *d, const struct split *s, const char *path, struct inspection *l,
                   struct file_map *map, const struct log *log)
{
    struct error why;

    if (!cache_load(d, path, l, map, &why)) {
        if (why.text[0])
            log_write(log, LOG_INFO, "dataset '%s': the cache is rebuilt: %s", d->name, why.text);
        return false;
    }
    if (still_true(d, s, l))
        return true;
    log_write(log, LOG_INFO, "dataset '%s': the cache is rebuilt: the images of split '%s' have changed", d->name,
              s->name);
    file_map_close(map);
    return false;
}

/* What is known of the images that are kept. */
static bioft_status take(struct dataset *d, size_t split, struct inspection *l, struct error *err)
{
    struct pixel_store *held = &d->private->stored[split];
    uint64_t n = 0;

    for (uint64_t i = 0; i < l->count; i++) {
        if (l->fault[i] != FINE)
            continue;
        memmove(l->source[n], l->source[i], SOURCE_HEX);
        l->size[n++] = l->size[i];
        sides_widen(&d->private->sides, l->size[i].height, l->size[i].width);
    }
    held->size = l->size;
    l->size = NULL;
    held->source = l->source;
    l->source = NULL;
    return pixel_store_place(held, n, d->channels, err);
}

static bioft_status verify_split(struct dataset *d, size_t split, bool hold, struct pool *pool, const struct log *log,
                                 struct error *err)
{
    struct split *s = &d->splits[split];
    struct pixel_store *held = &d->private->stored[split];
    struct inspection l;
    struct error e;
    char *path = NULL;
    bool recalled;
    bioft_status st = inspection_init(&l, s->count, err);

    if (st != BIOFT_OK)
        return st;
    st = cache_path(d, s, NULL, &path, err);
    recalled = st == BIOFT_OK && path && recall(d, s, path, &l, &held->map, log);
    if (st == BIOFT_OK && !recalled) {
        l.pixel_bytes = 0;
        st = dataset_check(d, inspect_all(d, s, hold, true, pool, log, &l, err), err);
        if (st == BIOFT_OK && path && cache_save(d, path, &l, &e) != BIOFT_OK)
            log_write(log, LOG_WARNING, "dataset '%s': no cache is kept: %s", d->name, e.text);
    }
    if (st == BIOFT_OK)
        st = apply_faults(d, s, &l, log, err);
    if (st == BIOFT_OK)
        st = take(d, split, &l, err);
    if (recalled)
        held->pixels = cache_pixels(&held->map, &l);
    else
        held->pixels = held->own = l.pixels;
    l.pixels = NULL;
    free(path);
    inspection_finish(&l);
    return st;
}

/* The first sample that can be read says what the data is. */
static bioft_status look_at_first(struct dataset *d, bool *ret_encoded, struct error *err)
{
    struct reader *r;
    struct pixels p;
    struct error first, *e = &first;
    bool found = false;
    bioft_status st = reader_open(d, &r, err);
    if (st != BIOFT_OK)
        return st;
    for (size_t i = 0; i < d->split_count && !found; i++)
        for (uint64_t k = 0; k < d->splits[i].count && !found; k++) {
            st = reader_sample(r, d->splits[i].number, d->splits[i].index[k], &p, ret_encoded, e);
            found = st == BIOFT_OK;
            e = NULL;
        }
    reader_close(r);
    if (!found)
        return error_set(err, first.status, "%s", first.text);
    d->channels = p.channels;
    d->height = p.height;
    d->width = p.width;
    sides_widen(&d->private->sides, p.height, p.width);
    d->private->format = p.format;
    return BIOFT_OK;
}

bioft_status verify_images(struct dataset *d, struct pool *pool, const struct log *log, struct error *err)
{
    uint64_t all = 0;
    bioft_status st = look_at_first(d, &d->encoded, err);
    if (st != BIOFT_OK || !d->encoded)
        return st;
    for (size_t i = 0; i < d->split_count; i++)
        all += d->splits[i].count;
    const uint64_t image = (uint64_t)d->height * d->width * d->channels;
    const bool hold = strcmp(d->spec->cache ? d->spec->cache : "auto", "off") != 0 && all <= PIXEL_STORE_BYTES / image;
    for (size_t i = 0; st == BIOFT_OK && i < d->split_count; i++)
        st = verify_split(d, i, hold, pool, log, err);
    return st;
}
