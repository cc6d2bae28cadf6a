/* The pool: every piece once, on threads with numbers of their own, at the same time, nested, and
 * idle at no cost. */
#include "test.h"

#include "base/clock.h"
#include "base/threads.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

enum { MOST = 16, PIECES = 5000 };

struct tally {
    atomic_int times[PIECES]; /* how often each index came */
    atomic_int busy[MOST];    /* bodies now on each thread number: never two */
    atomic_int faults;
    unsigned threads;
    int plain[PIECES]; /* what bodies write is there when the run returns */
};

static void count_body(void *ctx, size_t index, uint32_t thread)
{
    struct tally *t = ctx;

    if (thread >= t->threads || index >= PIECES) {
        atomic_fetch_add(&t->faults, 1);
        return;
    }
    if (atomic_fetch_add(&t->busy[thread], 1) != 0)
        atomic_fetch_add(&t->faults, 1);
    atomic_fetch_add(&t->times[index], 1);
    t->plain[index]++;
    atomic_fetch_sub(&t->busy[thread], 1);
}

static void check_run(struct pool *pool, size_t count)
{
    struct tally *t = calloc(1, sizeof *t);

    assert_non_null(t);
    t->threads = pool_threads(pool);
    pool_run(pool, count, count_body, t);
    assert_int_equal(atomic_load(&t->faults), 0);
    for (size_t i = 0; i < PIECES; i++) {
        assert_int_equal(atomic_load(&t->times[i]), i < count);
        assert_int_equal(t->plain[i], i < count);
    }
    free(t);
}

static void every_piece_once(void **state)
{
    static const unsigned threads[] = { 1, 2, 3, 8, MOST };
    static const size_t counts[] = { 0, 1, 2, 3, 7, 64, PIECES };
    struct error err = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(threads); i++) {
        struct pool *pool = NULL;
        assert_int_equal(pool_create(threads[i], &pool, &err), BIOFT_OK);
        assert_int_equal(pool_threads(pool), threads[i]);
        for (int again = 0; again < 20; again++)
            for (size_t k = 0; k < COUNT(counts); k++)
                check_run(pool, counts[k]);
        pool_destroy(pool);
    }
    for (size_t k = 0; k < COUNT(counts); k++)
        check_run(NULL, counts[k]);
    assert_int_equal(pool_threads(NULL), 1);
    pool_destroy(NULL);
}

static void add_body(void *ctx, size_t index, uint32_t thread)
{
    (void)thread;
    atomic_fetch_add((atomic_ulong *)ctx, (unsigned long)index + 1);
}

/* Short runs in quick succession: a thread of the run before wakes in the middle of the next. */
static void many_short_runs(void **state)
{
    struct error err = { 0 };
    struct pool *pool = NULL;
    struct timespec pause = { .tv_nsec = 20000 };

    (void)state;
    assert_int_equal(pool_create(4, &pool, &err), BIOFT_OK);
    for (unsigned i = 0; i < 30000; i++) {
        atomic_ulong sum = 0;
        unsigned long n = i % 9;
        pool_run(pool, n, add_body, &sum);
        assert_int_equal(atomic_load(&sum), n * (n + 1) / 2);
        if (i % 500 == 0)
            nanosleep(&pause, NULL); /* long enough that they sleep */
    }
    pool_destroy(pool);
}

static void created_and_ended(void **state)
{
    struct error err = { 0 };

    (void)state;
    for (int i = 0; i < 200; i++) {
        struct pool *pool = NULL;
        atomic_ulong sum = 0;
        assert_int_equal(pool_create(3, &pool, &err), BIOFT_OK);
        if (i % 2)
            pool_run(pool, 5, add_body, &sum);
        pool_destroy(pool);
        assert_int_equal(atomic_load(&sum), i % 2 ? 15 : 0);
    }
}

/* Waits until as many as `all` have come, so that each is on a thread of its own. */
static void meet(atomic_int *here, int all)
{
    double until = clock_seconds() + 20;

    atomic_fetch_add(here, 1);
    while (atomic_load(here) < all && clock_seconds() < until)
        sched_yield();
    if (atomic_load(here) < all)
        atomic_store(here, -1000);
}

static void meet_body(void *ctx, size_t index, uint32_t thread)
{
    (void)index;
    (void)thread;
    meet(ctx, 3);
}

/* Three bodies that wait for each other: they come together only where all three run at once. */
static void runs_at_once(void **state)
{
    struct error err = { 0 };
    struct pool *pool = NULL;

    (void)state;
    assert_int_equal(pool_create(3, &pool, &err), BIOFT_OK);
    for (int i = 0; i < 50; i++) {
        atomic_int here = 0;
        pool_run(pool, 3, meet_body, &here);
        assert_int_equal(atomic_load(&here), 3);
    }
    pool_destroy(pool);
}

struct nest {
    struct pool *pool;
    atomic_int inner, faults, here;
};

struct inside {
    struct nest *nest;
    pthread_t self;
    uint32_t thread;
    size_t next;
};

static void inner_body(void *ctx, size_t index, uint32_t thread)
{
    struct inside *in = ctx;

    if (!pthread_equal(in->self, pthread_self()) || thread != in->thread || index != in->next++)
        atomic_fetch_add(&in->nest->faults, 1);
    atomic_fetch_add(&in->nest->inner, 1);
}

static void outer_body(void *ctx, size_t index, uint32_t thread)
{
    struct nest *nest = ctx;
    struct inside in = { .nest = nest, .self = pthread_self(), .thread = thread };

    if (index < pool_threads(nest->pool))
        meet(&nest->here, (int)pool_threads(nest->pool));
    pool_run(nest->pool, index % 3 + 1, inner_body, &in);
}

static void nested(void **state)
{
    static const unsigned threads[] = { 1, 2, 5 };
    struct error err = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(threads); i++) {
        struct nest nest = { 0 };
        assert_int_equal(pool_create(threads[i], &nest.pool, &err), BIOFT_OK);
        pool_run(nest.pool, 300, outer_body, &nest);
        assert_int_equal(atomic_load(&nest.faults), 0);
        assert_int_equal(atomic_load(&nest.inner), 600);
        assert_int_equal(atomic_load(&nest.here), threads[i]);
        pool_run(nest.pool, 1, outer_body, &nest); /* a single piece is a body too */
        assert_int_equal(atomic_load(&nest.inner), 601);
        assert_int_equal(atomic_load(&nest.faults), 0);
        pool_destroy(nest.pool);
    }
}

/* Pools of two threads' own, as two trials have them. */
static void *own_pool(void *arg)
{
    struct error err = { 0 };
    struct pool *pool = NULL;
    atomic_ulong sum = 0;

    if (pool_create(3, &pool, &err) != BIOFT_OK)
        return arg;
    for (int i = 0; i < 2000; i++)
        pool_run(pool, 10, add_body, &sum);
    pool_destroy(pool);
    return atomic_load(&sum) == 2000 * 55 ? NULL : arg;
}

static void several_pools(void **state)
{
    pthread_t threads[2];
    int dummy;

    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, own_pool, &dummy), 0);
    for (int i = 0; i < 2; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
}

/* Idle threads sleep: half a second costs the process next to no time. */
static void idle_costs_nothing(void **state)
{
    struct timespec pause = { .tv_nsec = 500000000 };
    struct error err = { 0 };
    struct pool *pool = NULL;
    atomic_ulong sum = 0;
    clock_t before;

    (void)state;
    assert_int_equal(pool_create(4, &pool, &err), BIOFT_OK);
    pool_run(pool, 100, add_body, &sum);
    before = clock();
    nanosleep(&pause, NULL);
    assert_true((double)(clock() - before) / CLOCKS_PER_SEC < 0.1);
    pool_destroy(pool);
}

static void signals_body(void *ctx, size_t index, uint32_t thread)
{
    sigset_t set;

    (void)index;
    meet(ctx, 4);
    pthread_sigmask(SIG_SETMASK, NULL, &set);
    if (thread != 0 && !sigismember(&set, SIGINT))
        atomic_store((atomic_int *)ctx, -1000);
}

static void workers_leave_signals_to_the_caller(void **state)
{
    struct error err = { 0 };
    struct pool *pool = NULL;
    atomic_int here = 0;
    sigset_t set;

    (void)state;
    assert_int_equal(pool_create(4, &pool, &err), BIOFT_OK);
    pool_run(pool, 4, signals_body, &here);
    assert_int_equal(atomic_load(&here), 4);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &set), 0);
    assert_false(sigismember(&set, SIGINT));
    pool_destroy(pool);
}

static void zero_threads_are_one(void **state)
{
    struct error err = { 0 };
    struct pool *pool = NULL;

    (void)state;
    assert_int_equal(pool_create(0, &pool, &err), BIOFT_OK);
    assert_int_equal(pool_threads(pool), 1);
    check_run(pool, 10);
    pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_once),
        cmocka_unit_test(many_short_runs),
        cmocka_unit_test(created_and_ended),
        cmocka_unit_test(runs_at_once),
        cmocka_unit_test(nested),
        cmocka_unit_test(several_pools),
        cmocka_unit_test(idle_costs_nothing),
        cmocka_unit_test(workers_leave_signals_to_the_caller),
        cmocka_unit_test(zero_threads_are_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
