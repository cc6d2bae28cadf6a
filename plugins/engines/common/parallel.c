/* Dealing pieces out. */
#include "parallel.h"

#include "memory.h"

struct run {
    struct parallel *p;
    void (*body)(void *ctx, size_t index, uint32_t thread);
    void *ctx;
};

bool parallel_init(struct parallel *p, const bioft_host *host)
{
    *p = (struct parallel){ .host = host, .threads = host->get_extension(host, "bioft.parallel/1") };
    if (p->threads && p->threads->threads < 2)
        p->threads = NULL;
    p->lanes = memory_take(parallel_threads(p), sizeof *p->lanes);
    return p->lanes != NULL;
}

void parallel_finish(struct parallel *p)
{
    memory_give(p->lanes);
    p->lanes = NULL;
}

/* The lane's first piece, or for others its last. */
static bool take(struct lane *lane, bool own, size_t *ret)
{
    uint64_t pieces = atomic_load_explicit(&lane->pieces, memory_order_relaxed), next;
    uint32_t first, end;

    do {
        first = (uint32_t)(pieces >> 32);
        end = (uint32_t)pieces;
        if (first == end)
            return false;
        next = own ? pieces + ((uint64_t)1 << 32) : pieces - 1;
    } while (!atomic_compare_exchange_weak_explicit(&lane->pieces, &pieces, next, memory_order_relaxed,
                                                    memory_order_relaxed));
    *ret = own ? first : end - 1;
    return true;
}

/* Called as often as there are pieces, and each call takes one: there is always one left. */
static void one(void *ctx, size_t index, uint32_t thread)
{
    const struct run *r = ctx;
    const uint32_t threads = parallel_threads(r->p);

    for (uint32_t k = 0; k < threads; k++)
        if (take(&r->p->lanes[(thread + k) % threads], k == 0, &index))
            break;
    r->body(r->ctx, index, thread);
}

void parallel_run(struct parallel *p, size_t count, void (*body)(void *ctx, size_t index, uint32_t thread), void *ctx)
{
    const uint32_t threads = parallel_threads(p);
    struct run r = { .p = p, .body = body, .ctx = ctx };

    if (threads == 1 || count < 2) {
        for (size_t i = 0; i < count; i++)
            body(ctx, i, 0);
    } else if (count > UINT32_MAX) {
        p->threads->run(p->host, count, body, ctx);
    } else {
        for (uint32_t t = 0; t < threads; t++)
            atomic_store_explicit(&p->lanes[t].pieces,
                                  (uint64_t)part(count, threads, t) << 32 | part(count, threads, t + 1),
                                  memory_order_relaxed);
        p->threads->run(p->host, count, one, &r);
    }
}
