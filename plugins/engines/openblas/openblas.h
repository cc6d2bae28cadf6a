/* The engine's instance, and its threads. */
#ifndef OPENBLAS_OPENBLAS_H
#define OPENBLAS_OPENBLAS_H

#include "blas.h"

#include <bioft/engine.h>
#include <bioft/util.h>
#include <stdbool.h>

struct engine {
    const bioft_host *host;
    const bioft_parallel *parallel; /* NULL: everything runs on the caller's thread */
    struct blas blas;
    float *layer_work;              /* of layer(): grows with the layers that it is asked for */
    size_t layer_work_floats;
};

static inline uint32_t engine_threads(const struct engine *e)
{
    return e->parallel && e->parallel->threads > 0 ? e->parallel->threads : 1;
}

/* Pieces of a fixed size, whatever the number of threads: the same additions in the same order. */
static inline void engine_run(const struct engine *e, size_t count,
                              void (*body)(void *ctx, size_t index, uint32_t thread), void *ctx)
{
    if (e->parallel && count > 1)
        e->parallel->run(e->host, count, body, ctx);
    else
        for (size_t i = 0; i < count; i++)
            body(ctx, i, 0);
}

/* Where part i of `total` things begins when they are dealt out evenly to `parts`. */
static inline size_t part(size_t total, size_t parts, size_t i)
{
    return total / parts * i + total % parts * i / parts;
}

static inline size_t parts_of(size_t total, size_t size)
{
    return total / size + (total % size != 0);
}

#endif
