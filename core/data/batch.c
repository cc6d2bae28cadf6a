/* Batches in order: filled in the call that asks for them, or ahead of it by loader threads into a
 * ring of slots. */
#include "data/batch.h"

#include "base/clock.h"
#include "base/memory.h"
#include "data/fill.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct place { /* of the ring: batch number b lies at b modulo its length */
    struct slot slot;
    bool ready;         /* filled, or failed */
    struct error error; /* status BIOFT_OK: none */
};

struct batches {
    struct filler filler;
    struct pool *pool;
    uint64_t epoch, next; /* next: the batch that the caller gets next */
    bool lent;            /* the caller has the one before it */
    double waited;
    struct place *ring;
    size_t ring_count;

    pthread_t *threads; /* the loaders; below is what they share, under the mutex */
    size_t thread_count;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uint64_t next_load, limit; /* to be filled: next_load, ..., limit - 1 */
    size_t busy;
    bool quit;
};

struct loader {
    struct batches *b;
    size_t worker;
};

/* Fills the next batch there is room for, until told to quit. */
static void *load(void *arg)
{
    const struct loader l = *(struct loader *)arg;
    struct batches *b = l.b;

    free(arg);
    pthread_mutex_lock(&b->mutex);
    while (!b->quit) {
        if (b->next_load >= b->limit) {
            pthread_cond_wait(&b->changed, &b->mutex);
            continue;
        }
        const uint64_t batch = b->next_load++;
        struct place *place = &b->ring[batch % b->ring_count];
        b->busy++;
        pthread_mutex_unlock(&b->mutex);
        place->error.status = BIOFT_OK;
        fill_alone(&b->filler, l.worker, batch, &place->slot, &place->error);
        pthread_mutex_lock(&b->mutex);
        place->ready = true;
        b->busy--;
        pthread_cond_broadcast(&b->changed);
    }
    pthread_mutex_unlock(&b->mutex);
    return NULL;
}

/* Signals are the caller's to handle. */
static bioft_status start_loader(struct batches *b, struct error *err)
{
    struct loader *l = mem_array(1, sizeof *l);
    sigset_t all, before;
    int code;

    if (!l)
        return error_memory(err, "a loader thread");
    *l = (struct loader){ .b = b, .worker = b->thread_count };
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    code = pthread_create(&b->threads[b->thread_count], NULL, load, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0) {
        free(l);
        return error_set(err, BIOFT_ERR_MEMORY, "a loader thread cannot be started: %s", strerror(code));
    }
    b->thread_count++;
    return BIOFT_OK;
}

/* As far as the ring reaches from the next batch on. */
static uint64_t load_limit(const struct batches *b)
{
    const uint64_t all = filler_batches(&b->filler), reach = b->next + b->ring_count;
    return reach < all ? reach : all;
}

bioft_status batches_create(const struct batches_params *p, struct batches **ret, struct error *err)
{
    /* With loaders: one batch is the caller's, each of them fills one, and one more waits. */
    const size_t ring = p->ahead ? p->ahead + (size_t)2 : 1;
    struct batches *b = mem_array(1, sizeof *b);
    bioft_status st;

    if (!b)
        return error_memory(err, "batches");
    b->pool = p->pool;
    b->epoch = p->epoch;
    pthread_mutex_init(&b->mutex, NULL);
    pthread_cond_init(&b->changed, NULL);
    st = filler_init(&b->filler, p, p->ahead ? p->ahead : p->pool ? pool_threads(p->pool) : 1, err);
    b->ring = mem_array(ring, sizeof *b->ring);
    b->threads = mem_array(p->ahead, sizeof *b->threads);
    if (st == BIOFT_OK && (!b->ring || !b->threads))
        st = error_memory(err, "batches");
    for (size_t i = 0; st == BIOFT_OK && i < ring; i++) {
        st = slot_init(&b->filler, &b->ring[i].slot, err);
        b->ring_count++;
    }
    b->limit = st == BIOFT_OK ? load_limit(b) : 0;
    for (uint32_t i = 0; st == BIOFT_OK && i < p->ahead; i++)
        st = start_loader(b, err);
    if (st != BIOFT_OK) {
        batches_destroy(b);
        return st;
    }
    *ret = b;
    return BIOFT_OK;
}

void batches_destroy(struct batches *b)
{
    if (!b)
        return;
    pthread_mutex_lock(&b->mutex);
    b->quit = true;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->mutex);
    for (size_t i = 0; i < b->thread_count; i++)
        pthread_join(b->threads[i], NULL);
    for (size_t i = 0; i < b->ring_count; i++)
        slot_finish(&b->ring[i].slot);
    filler_finish(&b->filler);
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->mutex);
    free(b->threads);
    free(b->ring);
    free(b);
}

bioft_status batches_restart(struct batches *b, const uint64_t *positions, uint64_t count, uint64_t epoch,
                             uint64_t first, struct error *err)
{
    bioft_status st;

    pthread_mutex_lock(&b->mutex);
    b->limit = 0;
    while (b->busy)
        pthread_cond_wait(&b->changed, &b->mutex);
    st = filler_order(&b->filler, positions, count, epoch, err);
    if (st == BIOFT_OK) {
        for (size_t i = 0; i < b->ring_count; i++)
            b->ring[i].ready = false;
        b->lent = false;
        b->epoch = epoch;
        b->next = b->next_load = first;
        b->limit = load_limit(b);
        pthread_cond_broadcast(&b->changed);
    }
    pthread_mutex_unlock(&b->mutex);
    return st;
}

/* The place of the next batch once it is there; the batch before it goes back to the loaders. */
static bioft_status take(struct batches *b, struct place **ret, struct error *err)
{
    struct place *place = &b->ring[b->next % b->ring_count];

    pthread_mutex_lock(&b->mutex);
    if (b->lent)
        b->ring[(b->next - 1) % b->ring_count].ready = false;
    b->lent = false;
    b->limit = load_limit(b);
    pthread_cond_broadcast(&b->changed);
    while (!place->ready)
        pthread_cond_wait(&b->changed, &b->mutex);
    pthread_mutex_unlock(&b->mutex);
    *ret = place;
    return place->error.status == BIOFT_OK ? BIOFT_OK : error_set(err, place->error.status, "%s", place->error.text);
}

bioft_status batches_next(struct batches *b, bioft_batch *ret, struct error *err)
{
    const struct dataset *d = b->filler.dataset;
    const double began = clock_seconds();
    struct place *place = &b->ring[0];
    bioft_batch batch = {
        .struct_size = sizeof batch, .classes = d->classes, .label_words = d->label_words, .epoch = b->epoch
    };
    bioft_status st = BIOFT_OK;

    if (b->next < filler_batches(&b->filler)) {
        st = b->thread_count ? take(b, &place, err) : fill_with_pool(&b->filler, b->pool, b->next, &place->slot, err);
        b->waited += clock_seconds() - began;
        if (st != BIOFT_OK)
            return st;
        b->next++;
        b->lent = true;
        batch.n = place->slot.n;
        batch.x = place->slot.x;
        batch.sample = place->slot.sample;
        batch.label = place->slot.label;
        batch.labels = place->slot.labels;
    }
    *ret = batch;
    return BIOFT_OK;
}

double batches_waited(const struct batches *b) { return b->waited; }
