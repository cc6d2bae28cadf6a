/* Looking at images: in pieces over the pool, in runs between which progress is told. */
#include "data/inspect.h"

#include "base/clock.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECE = 32,        /* images a piece */
    PIECES_A_RUN = 128 /* between two reports of progress */
};

struct inspecting {
    const struct dataset *d;
    const struct split *s;
    struct inspection *look;
    bool source;
    struct reader **readers; /* one a thread, opened when it is first needed */
    size_t first;            /* piece of this run */
    atomic_bool uneven;      /* an image has another size than the first */
};

bioft_status inspection_init(struct inspection *l, uint64_t count, struct error *err)
{
    *l = (struct inspection){ .count = count };
    l->fault = mem_array(count, 1);
    l->source = mem_array(count, SOURCE_HEX);
    l->size = mem_array(count, sizeof *l->size);
    if (l->fault && l->source && l->size)
        return BIOFT_OK;
    inspection_finish(l);
    return error_memory(err, "inspecting the images");
}

void inspection_finish(struct inspection *l)
{
    free(l->fault);
    free(l->source);
    free(l->size);
    free(l->pixels);
    *l = (struct inspection){ 0 };
}

void sides_widen(struct sides *s, uint32_t height, uint32_t width)
{
    const bool empty = !s->max_height;
    s->min_height = empty || height < s->min_height ? height : s->min_height;
    s->min_width = empty || width < s->min_width ? width : s->min_width;
    s->max_height = height > s->max_height ? height : s->max_height;
    s->max_width = width > s->max_width ? width : s->max_width;
}

static size_t image_bytes(const struct dataset *d) { return (size_t)d->height * d->width * d->channels; }

enum fault inspect_one(struct reader *r, const struct split *s, uint64_t position, struct pixels *ret,
                       struct error *text)
{
    const bioft_status st = reader_sample(r, s->number, s->index[position], ret, NULL, text);
    return st == BIOFT_OK ? FINE : st == BIOFT_ERR_IO ? MISSING : st == BIOFT_ERR_FORMAT ? BROKEN : FAILED;
}

static void look_at_piece(void *ctx, size_t index, uint32_t thread)
{
    struct inspecting *g = ctx;
    struct inspection *l = g->look;
    const size_t piece = g->first + index, bytes = image_bytes(g->d);
    const uint64_t end = (piece + 1) * PIECE < l->count ? (piece + 1) * PIECE : l->count;
    struct reader **r = &g->readers[thread];

    for (uint64_t i = piece * PIECE; i < end; i++) {
        struct pixels p;
        char hex[SHA256_HEX];
        if (!*r && reader_open(g->d, r, NULL) != BIOFT_OK) {
            l->fault[i] = FAILED;
            continue;
        }
        l->fault[i] = (uint8_t)inspect_one(*r, g->s, i, &p, NULL);
        if (l->fault[i] != FINE)
            continue;
        if (g->source) {
            reader_source(*r, hex);
            memcpy(l->source[i], hex, SOURCE_HEX);
        }
        l->size[i] = (struct size){ .height = p.height, .width = p.width };
        if (p.height != g->d->height || p.width != g->d->width)
            atomic_store(&g->uneven, true);
        else if (l->pixels)
            memcpy(l->pixels + i * bytes, p.data, bytes);
    }
}

static void run(struct inspecting *g, size_t pieces, struct pool *pool, const struct log *log)
{
    double told = clock_seconds();

    for (g->first = 0; g->first < pieces; g->first += PIECES_A_RUN) {
        const size_t left = pieces - g->first;
        pool_run(pool, left < PIECES_A_RUN ? left : PIECES_A_RUN, look_at_piece, g);
        if (clock_seconds() - told > 1.0 && left > PIECES_A_RUN) {
            told = clock_seconds();
            log_write(log, LOG_PROGRESS, "dataset '%s': inspecting the images of split '%s': %llu of %llu", g->d->name,
                      g->s->name, (unsigned long long)((g->first + PIECES_A_RUN) * PIECE),
                      (unsigned long long)g->look->count);
        }
    }
}

/* The pixels of the images that are fine, one after the other. */
static void close_gaps(const struct dataset *d, struct inspection *l)
{
    const size_t bytes = image_bytes(d);
    uint64_t n = 0;
    for (uint64_t i = 0; i < l->count; i++) {
        if (l->fault[i] != FINE)
            continue;
        if (n != i)
            memmove(l->pixels + n * bytes, l->pixels + i * bytes, bytes);
        n++;
    }
    l->pixel_bytes = n * bytes;
}

bioft_status inspect_all(const struct dataset *d, const struct split *s, bool hold, bool source, struct pool *pool,
                         const struct log *log, struct inspection *l, struct error *err)
{
    const unsigned threads = pool ? pool_threads(pool) : 1;
    const size_t pieces = (size_t)(l->count / PIECE + (l->count % PIECE != 0));
    struct inspecting g = { .d = d, .s = s, .look = l, .source = source };
    bioft_status st = BIOFT_OK;

    g.readers = mem_array(threads, sizeof(struct reader *));
    if (hold)
        l->pixels = mem_array(l->count, image_bytes(d)); /* without them it works too */
    if (!g.readers) {
        st = error_memory(err, "inspecting the images");
        goto done;
    }
    run(&g, pieces, pool, log);
    if (atomic_load(&g.uneven)) {
        free(l->pixels);
        l->pixels = NULL;
    }
    if (l->pixels)
        close_gaps(d, l);
done:
    for (unsigned i = 0; g.readers && i < threads; i++)
        reader_close(g.readers[i]);
    free(g.readers);
    return st;
}
