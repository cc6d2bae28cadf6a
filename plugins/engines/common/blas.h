/* OpenBLAS, opened and not linked: its kernels chosen before it starts, its answers checked. */
#ifndef COMMON_BLAS_H
#define COMMON_BLAS_H

#include <bioft/plugin.h>
#include <stdbool.h>

typedef void sgemm_fn(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a,
                      int lda, const float *b, int ldb, float beta, float *c, int ldc);

struct blas {
    sgemm_fn *sgemm;
    void *(*take_buffer)(int any); /* its own allocator of working memory, with give_buffer; NULL: not exported */
    void (*give_buffer)(void *buffer);
    char version[64];  /* "OpenBLAS 0.3.21" */
    char kernels[32];  /* "SkylakeX" */
    const char *build; /* "serial", "pthread", "OpenMP" */
    bool slow;         /* kernels for older CPUs than this one */
};

/* Opens libopenblas.so.0 at the first call of the process, which must come before its threads could exist; later
 * calls find it open. why: what is wrong, or what was found. */
bioft_status blas_open(struct blas *ret, char *why, size_t size);
/* Products of a handful of shapes against a plain loop. */
bioft_status blas_check(const struct blas *blas, char *why, size_t size);
/* Has it map the buffers that `threads` concurrent products take; it keeps them while the process lives. Left to itself
 * it retries a mapping that fails without end, so the space for each is tried first. Before the first product. */
bioft_status blas_reserve(const struct blas *blas, uint32_t threads, char *why, size_t size);

enum { NO = 111, YES = 112 }; /* transposed, as CBLAS counts */

/* c [m][n] = a b (+ c): a [m][k], or [k][m] where transposed; b likewise. ld*: floats from row to row. */
static inline void gemm(const struct blas *blas, int transpose_a, int transpose_b, size_t m, size_t n, size_t k,
                        const float *a, size_t lda, const float *b, size_t ldb, bool add, float *c, size_t ldc)
{
    enum { ROW_MAJOR = 101 };
    blas->sgemm(ROW_MAJOR, transpose_a, transpose_b, (int)m, (int)n, (int)k, 1.0f, a, (int)lda, b, (int)ldb,
                add ? 1.0f : 0.0f, c, (int)ldc);
}

#endif
