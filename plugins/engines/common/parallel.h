/* Pieces of work on the host's threads, each thread on its own part of them as long as there is any.
 *
 * Where two cores do not share a cache it costs more to fetch an image's values from the other one than to work on
 * them. So the pieces are dealt out evenly in their order, the same way in every run: a thread that made the values
 * of some images meets them again. Only a thread with nothing left takes from another's end. */
#ifndef COMMON_PARALLEL_H
#define COMMON_PARALLEL_H

#include <bioft/plugin.h>
#include <stdatomic.h>
#include <stdbool.h>

struct lane { /* one thread's pieces: first << 32 | end, both moving */
    _Alignas(64) _Atomic uint64_t pieces;
};
struct parallel {
    const bioft_host *host;
    const bioft_parallel *threads; /* NULL: everything runs on the caller's thread */
    struct lane *lanes;
};

bool parallel_init(struct parallel *p, const bioft_host *host); /* false: out of memory */
void parallel_finish(struct parallel *p);
/* body(ctx, index, thread) once for each index below count. */
void parallel_run(struct parallel *p, size_t count, void (*body)(void *ctx, size_t index, uint32_t thread), void *ctx);

static inline uint32_t parallel_threads(const struct parallel *p) { return p->threads ? p->threads->threads : 1; }

/* Where part i of `total` things begins when they are dealt out evenly to `parts`. */
static inline size_t part(size_t total, size_t parts, size_t i)
{
    return total / parts * i + total % parts * i / parts;
}

static inline size_t parts_of(size_t total, size_t size) { return total / size + (total % size != 0); }

#endif
