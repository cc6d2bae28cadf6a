/* The pool: threads that work through numbered pieces, handed out by a counter. */
#include "base/threads.h"

#include "base/clock.h"
#include "base/memory.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A run is over when all its pieces are done, not when all threads have seen it: one that wakes
 * late finds another run number in the ticket and takes nothing. */
struct run {
    void (*body)(void *ctx, size_t index, uint32_t thread);
    void *ctx;
    size_t first; /* index of piece 0 */
    uint32_t number, count;
};

struct pool {
    unsigned threads;
    pthread_t *handles;      /* [threads]; 0 stands for the caller and is not used */
    unsigned started;        /* how many of handles[1..] are threads */
    atomic_bool running;     /* the next pool_run is one inside a body */
    _Atomic uint64_t ticket; /* number of the run << 32 | its next piece */
    atomic_uint left;        /* pieces not yet done */
    pthread_mutex_t mutex;   /* of what follows */
    pthread_cond_t wake, done;
    struct run run;
    unsigned begun; /* workers that run */
    unsigned sleeping;
    bool quit;
};

struct worker {
    struct pool *pool;
    uint32_t thread;
};

/* Long enough to bridge two runs of a step, too short to be seen in anybody's load. */
static const double SPIN_SECONDS = 4e-6;

/* Works on r until its pieces are handed out, or another run has begun. */
static void work(struct pool *pool, const struct run *r, uint32_t thread)
{
    uint64_t ticket = atomic_load_explicit(&pool->ticket, memory_order_relaxed);
    uint32_t finished = 0;

    while (ticket >> 32 == r->number && (uint32_t)ticket < r->count) {
        if (!atomic_compare_exchange_weak_explicit(&pool->ticket, &ticket, ticket + 1, memory_order_relaxed,
                                                   memory_order_relaxed))
            continue;
        r->body(r->ctx, r->first + (uint32_t)ticket, thread);
        finished++;
        ticket = atomic_load_explicit(&pool->ticket, memory_order_relaxed);
    }
    if (finished > 0 && atomic_fetch_sub_explicit(&pool->left, finished, memory_order_acq_rel) == finished &&
        thread != 0) {
        pthread_mutex_lock(&pool->mutex);
        pthread_cond_signal(&pool->done);
        pthread_mutex_unlock(&pool->mutex);
    }
}

/* The next run after number `seen`; false: the pool ends. */
static bool next_run(struct pool *pool, uint32_t seen, struct run *ret)
{
    double until = clock_seconds() + SPIN_SECONDS;
    bool go;

    while (atomic_load_explicit(&pool->ticket, memory_order_relaxed) >> 32 == seen && clock_seconds() < until)
        continue;
    pthread_mutex_lock(&pool->mutex);
    while (!pool->quit && pool->run.number == seen) {
        pool->sleeping++;
        pthread_cond_wait(&pool->wake, &pool->mutex);
        pool->sleeping--;
    }
    go = !pool->quit;
    *ret = pool->run;
    pthread_mutex_unlock(&pool->mutex);
    return go;
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct pool *pool = w->pool;
    uint32_t thread = w->thread;
    struct run r = { .number = 0 };

    free(w);
    pthread_mutex_lock(&pool->mutex);
    pool->begun++;
    pthread_cond_signal(&pool->done);
    pthread_mutex_unlock(&pool->mutex);
    while (next_run(pool, r.number, &r))
        work(pool, &r, thread);
    return NULL;
}

/* Signals are the caller's to handle: a worker would have them all blocked. */
static int start_worker(struct pool *pool, uint32_t thread)
{
    struct worker *w = malloc(sizeof *w);
    sigset_t all, before;
    int code;

    if (!w)
        return ENOMEM;
    *w = (struct worker){ .pool = pool, .thread = thread };
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    code = pthread_create(&pool->handles[thread], NULL, worker_main, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0)
        free(w);
    return code;
}

/* A thread that is starting may hold a lock of the allocator, which a forked child would wait for without end; a thread
 * that waits for work holds none. */
static void await_workers(struct pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    while (pool->begun < pool->started)
        pthread_cond_wait(&pool->done, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
}

bioft_status pool_create(unsigned threads, struct pool **ret, struct error *err)
{
    struct pool *pool = mem_array(1, sizeof *pool);

    if (threads == 0)
        threads = 1;
    if (!pool)
        return error_memory(err, "the threads");
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->done, NULL);
    atomic_init(&pool->running, false);
    atomic_init(&pool->ticket, 0);
    atomic_init(&pool->left, 0);
    pool->threads = threads;
    pool->handles = mem_array(threads, sizeof *pool->handles);
    if (!pool->handles) {
        pool_destroy(pool);
        return error_memory(err, "the threads");
    }
    for (unsigned i = 1; i < threads; i++) {
        int code = start_worker(pool, i);
        if (code != 0) {
            pool_destroy(pool);
            return error_set(err, BIOFT_ERR_MEMORY, "cannot start thread %u of %u (error %d): ask for fewer threads",
                             i + 1, threads, code);
        }
        pool->started++;
    }
    await_workers(pool);
    *ret = pool;
    return BIOFT_OK;
}

void pool_destroy(struct pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->mutex);
    pool->quit = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
    for (unsigned i = 1; i <= pool->started; i++)
        pthread_join(pool->handles[i], NULL);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->handles);
    free(pool);
}

unsigned pool_threads(const struct pool *pool) { return pool ? pool->threads : 1; }

/* The number of this thread while it is in a body. */
static uint32_t own_number(const struct pool *pool)
{
    pthread_t self = pthread_self();

    for (uint32_t i = 1; i < pool->threads; i++)
        if (pthread_equal(pool->handles[i], self))
            return i;
    return 0;
}

static void run_inline(size_t count, uint32_t thread, void (*body)(void *ctx, size_t index, uint32_t thread), void *ctx)
{
    for (size_t i = 0; i < count; i++)
        body(ctx, i, thread);
}

/* Publishes the run, works on it, and waits for the pieces that others have taken. */
static void run_together(struct pool *pool, struct run *r)
{
    double until;

    pthread_mutex_lock(&pool->mutex);
    r->number = pool->run.number + 1;
    pool->run = *r;
    atomic_store_explicit(&pool->left, r->count, memory_order_relaxed);
    atomic_store_explicit(&pool->ticket, (uint64_t)r->number << 32, memory_order_release);
    if (pool->sleeping > 0 && r->count - 1 >= pool->sleeping)
        pthread_cond_broadcast(&pool->wake);
    else
        for (uint32_t i = 1; i < r->count && i <= pool->sleeping; i++)
            pthread_cond_signal(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);

    work(pool, r, 0);
    until = clock_seconds() + SPIN_SECONDS;
    while (atomic_load_explicit(&pool->left, memory_order_acquire) > 0 && clock_seconds() < until)
        continue;
    if (atomic_load_explicit(&pool->left, memory_order_acquire) > 0) {
        pthread_mutex_lock(&pool->mutex);
        while (atomic_load_explicit(&pool->left, memory_order_acquire) > 0)
            pthread_cond_wait(&pool->done, &pool->mutex);
        pthread_mutex_unlock(&pool->mutex);
    }
}

void pool_run(struct pool *pool, size_t count, void (*body)(void *ctx, size_t index, uint32_t thread), void *ctx)
{
    if (!pool || pool->threads == 1) {
        run_inline(count, 0, body, ctx);
        return;
    }
    if (atomic_load_explicit(&pool->running, memory_order_relaxed)) {
        run_inline(count, own_number(pool), body, ctx);
        return;
    }
    atomic_store_explicit(&pool->running, true, memory_order_relaxed);
    if (count == 1) {
        body(ctx, 0, 0);
    } else {
        for (size_t first = 0; first < count;) {
            size_t n = count - first < UINT32_MAX ? count - first : UINT32_MAX;
            run_together(pool, &(struct run){ .body = body, .ctx = ctx, .first = first, .count = (uint32_t)n });
            first += n;
        }
    }
    atomic_store_explicit(&pool->running, false, memory_order_relaxed);
}
