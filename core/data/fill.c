/* Filling a batch: every sample is a pure function of its number and the epoch, so who does it does
 * not matter. */
#include "data/fill.h"

#include "base/memory.h"
#include "data/pixel_store_resize.h"
#include "data/private.h"
#include "data/identity.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* At least so many values a piece, so that handing one out costs little beside filling it. */
enum { PIECE_VALUES = 1 << 15 };

bioft_status filler_init(struct filler *f, const struct batches_params *p, size_t workers, struct error *err)
{
    const struct image_format *pic = &p->image;

    *f = (struct filler){ .dataset = p->dataset, .split = p->split, .batch_size = p->batch_size };
    if (!p->batch_size)
        return error_set(err, BIOFT_ERR_INVALID, "batches of 0 samples");
    if (!pic->channels || pic->channels > 4 || !pic->height || !pic->width)
        return error_set(err, BIOFT_ERR_INVALID, "batches of images of %ux%ux%u", pic->channels, pic->height,
                         pic->width);
    for (uint32_t c = 0; p->normalise && c < pic->channels; c++)
        if (!(pic->std[c] > 0))
            return error_set(err, BIOFT_ERR_INVALID,
                             "normalisation: the standard deviation of channel %u is not above "
                             "0",
                             c);
    transform_init(&f->transform, p);
    f->resized = pixel_store_resized(p->dataset, p->split, &f->transform);
    f->image_size = (size_t)pic->channels * pic->height * pic->width;
    f->piece = f->image_size < PIECE_VALUES ? (uint32_t)(PIECE_VALUES / f->image_size) : 1;
    f->worker_count = workers;
    f->workers = mem_array(workers, sizeof *f->workers);
    if (!f->workers)
        return error_memory(err, "batches");
    return filler_order(f, p->positions, p->count, p->epoch, err);
}

void filler_finish(struct filler *f)
{
    for (size_t i = 0; f->workers && i < f->worker_count; i++) {
        reader_close(f->workers[i].reader);
        canvas_finish(&f->workers[i].canvas);
    }
    free(f->workers);
    free(f->positions);
    *f = (struct filler){ 0 };
}

bioft_status filler_order(struct filler *f, const uint64_t *positions, uint64_t count, uint64_t epoch,
                          struct error *err)
{
    uint64_t *copy = NULL;

    if (positions) {
        copy = mem_array(count, sizeof *copy);
        if (!copy)
            return error_memory(err, "the order of the samples");
        for (uint64_t i = 0; i < count; i++) {
            copy[i] = positions[i];
            if (copy[i] >= f->split->count) {
                free(copy);
                return error_set(err, BIOFT_ERR_INVALID, "sample %llu of split '%s', which has %llu",
                                 (unsigned long long)positions[i], f->split->name, (unsigned long long)f->split->count);
            }
        }
    }
    free(f->positions);
    f->positions = copy;
    f->count = positions ? count : f->split->count;
    f->transform.epoch = epoch;
    return BIOFT_OK;
}

uint64_t filler_batches(const struct filler *f) { return f->count / f->batch_size + (f->count % f->batch_size != 0); }

bioft_status slot_init(const struct filler *f, struct slot *s, struct error *err)
{
    const size_t n = f->batch_size;
    size_t values = 0, labels = 0;
    const bool fits = mem_product(n, f->image_size, &values) && mem_product(n, f->dataset->label_words, &labels);

    *s = (struct slot){ 0 };
    if (fits) {
        s->x = mem_aligned(values, sizeof *s->x);
        s->sample = mem_array(n, sizeof *s->sample);
        s->label = mem_array(n, sizeof *s->label);
        s->labels = mem_array(labels, sizeof *s->labels);
    }
    if (s->x && s->sample && s->label && s->labels)
        return BIOFT_OK;
    slot_finish(s);
    return error_memory(err, "batches");
}

void slot_finish(struct slot *s)
{
    free(s->x);
    free(s->sample);
    free(s->label);
    free(s->labels);
    *s = (struct slot){ 0 };
}

static bioft_status fill_image(struct filler *f, struct worker *w, uint64_t position, float *ret, struct error *err)
{
    const struct dataset *d = f->dataset;
    struct pixels pixels;
    char name[512];
    bioft_status st = BIOFT_OK;

    if (f->resized) {
        pixels = pixel_store_pixels(f->resized, position, d->channels);
    } else {
        if (!w->reader)
            st = reader_open(d, &w->reader, err);
        if (st == BIOFT_OK)
            st = reader_pixels(w->reader, f->split, position, &pixels, err);
    }
    if (st != BIOFT_OK)
        return st;
    st = transform_apply(&f->transform, &pixels, position, &w->canvas, ret, err);
    if (st == BIOFT_OK)
        return st;
    if (dataset_name(d, f->split, position, name, sizeof name, NULL) != BIOFT_OK)
        snprintf(name, sizeof name, "sample %llu", (unsigned long long)position);
    error_prefix(err, "dataset '%s': %s", d->name, name);
    return st;
}

/* Samples begin..end-1 of a batch. */
static bioft_status fill_range(struct filler *f, struct worker *w, uint64_t batch, uint32_t begin, uint32_t end,
                               struct slot *s, struct error *err)
{
    const size_t words = f->dataset->label_words;
    bioft_status st = BIOFT_OK;

    for (uint32_t i = begin; st == BIOFT_OK && i < end; i++) {
        const uint64_t at = batch * f->batch_size + i, position = f->positions ? f->positions[at] : at;
        s->sample[i] = position;
        s->label[i] = f->split->label[position];
        memcpy(s->labels + i * words, f->split->labels + position * words, words * sizeof *s->labels);
        st = fill_image(f, w, position, s->x + i * f->image_size, err);
    }
    return st;
}

static uint32_t batch_length(const struct filler *f, uint64_t batch)
{
    const uint64_t left = f->count - batch * f->batch_size;
    return (uint32_t)(left < f->batch_size ? left : f->batch_size);
}

bioft_status fill_alone(struct filler *f, size_t worker, uint64_t batch, struct slot *s, struct error *err)
{
    s->n = batch_length(f, batch);
    return dataset_check(f->dataset, fill_range(f, &f->workers[worker], batch, 0, s->n, s, err), err);
}

struct filling { /* a batch in pieces */
    struct filler *filler;
    struct slot *slot;
    uint64_t batch;
    pthread_mutex_t mutex; /* of the fault: that of the first piece which has one */
    size_t fault;
    struct error error;
};

static void fill_piece(void *ctx, size_t index, uint32_t thread)
{
    struct filling *g = ctx;
    struct filler *f = g->filler;
    const uint32_t begin = (uint32_t)index * f->piece, left = g->slot->n - begin;
    struct error e;
    const bioft_status st = fill_range(f, &f->workers[thread], g->batch, begin,
                                       begin + (left < f->piece ? left : f->piece), g->slot, &e);
    if (st == BIOFT_OK)
        return;
    pthread_mutex_lock(&g->mutex);
    if (index < g->fault) {
        g->fault = index;
        g->error = e;
    }
    pthread_mutex_unlock(&g->mutex);
}

bioft_status fill_with_pool(struct filler *f, struct pool *pool, uint64_t batch, struct slot *s, struct error *err)
{
    struct filling g = { .filler = f, .slot = s, .batch = batch, .fault = SIZE_MAX };

    s->n = batch_length(f, batch);
    pthread_mutex_init(&g.mutex, NULL);
    pool_run(pool, s->n / f->piece + (s->n % f->piece != 0), fill_piece, &g);
    pthread_mutex_destroy(&g.mutex);
    const bioft_status st = g.fault == SIZE_MAX ? BIOFT_OK : error_set(err, g.error.status, "%s", g.error.text);
    return dataset_check(f->dataset, st, err);
}
