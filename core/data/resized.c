/* Resizing every image of a split: in pieces over the pool, in runs that are written in order. */
#include "data/resized.h"

#include "base/clock.h"
#include "base/memory.h"
#include "formats/resize.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { RUN_IMAGES = 4096 };            /* of a run, at most, */
#define RUN_BYTES (UINT64_C(64) << 20) /* and so many bytes, but for one larger image */

struct hand { /* one thread's */
    struct reader *reader;
    struct error error;
};

struct run {
    const struct making *m;
    const struct pixel_store *from; /* what is known of the images */
    struct hand *hands;
    size_t hand_count;
    uint64_t first; /* image */
    uint8_t *room;  /* where it goes */
    atomic_bool failed;
};

static bioft_status scale(const struct pixels *p, struct size to, uint8_t *ret, struct error *err)
{
    if (p->height == to.height && p->width == to.width) {
        memcpy(ret, p->data, (size_t)p->height * p->width * p->channels);
        return BIOFT_OK;
    }
    return resize_bilinear(
        &(struct resize){
            .pixels = p->data,
            .image_width = p->width,
            .image_height = p->height,
            .box = { .width = p->width, .height = p->height },
            .width = to.width,
            .height = to.height,
            .window = { .width = to.width, .height = to.height },
        },
        ret, err);
}

static bool same(const struct pixel_store *known, uint64_t position, const struct reader *r, const struct pixels *p)
{
    const struct size was = known->size[position];
    char source[SHA256_HEX];

    if (p->height != was.height || p->width != was.width)
        return false;
    if (!known->source)
        return true;
    reader_source(r, source);
    return !memcmp(source, known->source[position], SOURCE_HEX);
}

static void resize_one(void *ctx, size_t index, uint32_t thread)
{
    struct run *g = ctx;
    const struct split *s = g->m->s;
    const struct pixel_store *to = g->m->to;
    const uint64_t position = g->first + index, number = s->index[position];
    struct hand *h = &g->hands[thread];
    struct pixels p;
    bioft_status st = BIOFT_OK;

    if (atomic_load(&g->failed))
        return;
    if (!h->reader)
        st = reader_open(g->m->d, &h->reader, &h->error);
    if (st == BIOFT_OK)
        st = reader_sample(h->reader, s->number, number, &p, NULL, &h->error);
    if (st == BIOFT_OK) {
        st = same(g->from, position, h->reader, &p)
                 ? scale(&p, to->size[position], g->room + (to->at[position] - to->at[g->first]), &h->error)
                 : error_set(&h->error, BIOFT_ERR_IO, "it has changed since it was read");
        if (st != BIOFT_OK)
            reader_blame(h->reader, s->number, number, st, &h->error);
    }
    if (st != BIOFT_OK)
        atomic_store(&g->failed, true);
}

static uint64_t run_end(const struct pixel_store *h, uint64_t first, uint64_t count)
{
    uint64_t end = first + 1;
    while (end < count && end - first < RUN_IMAGES && h->at[end + 1] - h->at[first] <= RUN_BYTES)
        end++;
    return end;
}

/* Room for each run in turn. */
static uint8_t *run_room(const struct pixel_store *h, uint64_t count)
{
    uint64_t most = 0;
    for (uint64_t first = 0, end; first < count; first = end) {
        end = run_end(h, first, count);
        most = h->at[end] - h->at[first] > most ? h->at[end] - h->at[first] : most;
    }
    return most <= SIZE_MAX ? mem_aligned((size_t)most, 1) : NULL;
}

static bioft_status run(struct run *g, uint64_t end, struct error *err)
{
    pool_run(g->m->pool, (size_t)(end - g->first), resize_one, g);
    for (size_t i = 0; atomic_load(&g->failed) && i < g->hand_count; i++)
        if (g->hands[i].error.status != BIOFT_OK)
            return error_set(err, g->hands[i].error.status, "%s", g->hands[i].error.text);
    return BIOFT_OK;
}

bioft_status resized_make(struct making *m, uint8_t *own, struct cache_writer *file, struct error *err)
{
    const uint64_t count = m->s->count;
    const struct pixel_store *to = m->to;
    struct run g = { .m = m, .from = &m->d->private->stored[m->s - m->d->splits] };
    uint8_t *room = own ? NULL : run_room(to, count);
    double told = clock_seconds();
    bioft_status st = BIOFT_OK;

    g.hand_count = m->pool ? pool_threads(m->pool) : 1;
    g.hands = mem_array(g.hand_count, sizeof *g.hands);
    if (!g.hands || (!own && !room))
        st = error_memory(err, "resizing images");
    for (uint64_t end; st == BIOFT_OK && g.first < count; g.first = end) {
        end = run_end(to, g.first, count);
        g.room = own ? own + to->at[g.first] : room;
        st = run(&g, end, err);
        if (st == BIOFT_OK && !own)
            st = cache_add(file, room, (size_t)(to->at[end] - to->at[g.first]), err);
        if (clock_seconds() - told > 1.0 && end < count) {
            told = clock_seconds();
            log_write(m->log, LOG_PROGRESS, "dataset '%s': resizing the images of split '%s': %llu of %llu", m->d->name,
                      m->s->name, (unsigned long long)end, (unsigned long long)count);
        }
    }
    m->failed = atomic_load(&g.failed);
    for (size_t i = 0; g.hands && i < g.hand_count; i++)
        reader_close(g.hands[i].reader);
    free(g.hands);
    free(room);
    return st;
}
