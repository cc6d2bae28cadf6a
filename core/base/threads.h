/* Threads: how many this process may use, and the pool that works through numbered pieces. */
#ifndef BASE_THREADS_H
#define BASE_THREADS_H

#include "base/error.h"

/* By affinity and the cgroup's quota, at least 1. */
unsigned threads_available(void);
/* The same, or OMP_NUM_THREADS where that is smaller: what a program uses that is told nothing else. */
unsigned threads_default(void);
/* The quota alone, of control groups version 1 and 2, rounded up; 0: none. root: put before the
 * kernel's paths, "" but in tests. */
unsigned threads_quota(const char *root);

struct pool;
/* threads: how many work at once, the caller's included; 1 makes no thread. */
bioft_status pool_create(unsigned threads, struct pool **ret, struct error *err);
void pool_destroy(struct pool *pool); /* NULL is fine */
unsigned pool_threads(const struct pool *pool);
/* body(ctx, index, thread) once for each index below count; returns when all are done. pool NULL:
 * all on the caller's thread. A run inside a body goes on the body's thread alone. One caller at a
 * time. */
void pool_run(struct pool *pool, size_t count, void (*body)(void *ctx, size_t index, uint32_t thread), void *ctx);

#endif
