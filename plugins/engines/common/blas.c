/* Opening OpenBLAS with the right kernels, and finding out whether they compute. */
#include "blas.h"

#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const char library[] = "libopenblas.so.0";
static const char core_variable[] = "OPENBLAS_CORETYPE", threads_variable[] = "OPENBLAS_NUM_THREADS";

/* OpenBLAS chooses by the CPU's model number and falls back to SSE3 kernels for one it does not know; what counts
 * is what the CPU can do. NULL: leave it the choice. */
static const char *wanted_kernels(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd"))
        return "SkylakeX";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return "Haswell";
#endif
    return NULL;
}

/* Its constructor reads the environment, so that is where the choice goes, and out again. */
static void *open_library(void)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
    const char *kernels = wanted_kernels();
    bool set_kernels = kernels && !getenv(core_variable), set_threads = !getenv(threads_variable);

    if (handle)
        return handle;
    if (set_kernels)
        setenv(core_variable, kernels, 0);
    if (set_threads)
        setenv(threads_variable, "1", 0);
    handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (set_kernels)
        unsetenv(core_variable);
    if (set_threads)
        unsetenv(threads_variable);
    return handle;
}

/* A function by name: ISO C has no cast from an object's pointer. */
static bool find(void *handle, const char *name, void *function)
{
    void *symbol = dlsym(handle, name);

    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

bioft_status blas_open(struct blas *ret, char *why, size_t size)
{
    static const char *const builds[] = { "serial", "pthread", "OpenMP" };
    char *(*core_name)(void), *(*config)(void);
    int (*parallel)(void);
    void (*set_threads)(int);
    struct blas blas = { .build = "unknown" };
    void *handle = open_library();
    unsigned kind;

    if (!handle) {
        snprintf(why, size, "%s cannot be opened (%s): install OpenBLAS (Debian: libopenblas0)", library, dlerror());
        return BIOFT_ERR_UNSUPPORTED;
    }
    if (!find(handle, "cblas_sgemm", &blas.sgemm) || !find(handle, "openblas_get_corename", &core_name) ||
        !find(handle, "openblas_get_config", &config) || !find(handle, "openblas_get_parallel", &parallel) ||
        !find(handle, "openblas_set_num_threads", &set_threads)) {
        snprintf(why, size, "%s lacks OpenBLAS's own functions: it is another library of that name", library);
        dlclose(handle);
        return BIOFT_ERR_UNSUPPORTED;
    }
    if (!find(handle, "blas_memory_alloc", &blas.take_buffer) || !find(handle, "blas_memory_free", &blas.give_buffer))
        blas.take_buffer = NULL;
    set_threads(1);
    kind = (unsigned)parallel();
    if (kind < sizeof builds / sizeof *builds)
        blas.build = builds[kind];
    if (sscanf(config(), "OpenBLAS %31s", blas.kernels) == 1)
        snprintf(blas.version, sizeof blas.version, "OpenBLAS %s", blas.kernels);
    else
        snprintf(blas.version, sizeof blas.version, "OpenBLAS");
    snprintf(blas.kernels, sizeof blas.kernels, "%s", core_name());
    blas.slow = wanted_kernels() && strcmp(blas.kernels, "Prescott") == 0;
    snprintf(why, size, "%s, %s kernels, %s build%s", blas.version, blas.kernels, blas.build,
             blas.slow ? "; these kernels are for much older CPUs and slow: set OPENBLAS_CORETYPE=Haswell" : "");
    *ret = blas;
    return BIOFT_OK;
}

/* The largest of its builds for x86-64; those for other CPUs take less. */
enum { BUFFER_MIB = 128 };
static const size_t buffer_bytes = (size_t)BUFFER_MIB << 20;

/* A buffer of OpenBLAS's, or where it does not hand them out the same space. NULL: there is no space for one. */
static void *take_buffer(const struct blas *blas)
{
    void *map = mmap(NULL, buffer_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (map == MAP_FAILED)
        return NULL;
    if (!blas->take_buffer)
        return map;
    munmap(map, buffer_bytes);
    return blas->take_buffer(0);
}

static void give_buffer(const struct blas *blas, void *buffer)
{
    if (blas->take_buffer)
        blas->give_buffer(buffer);
    else
        munmap(buffer, buffer_bytes);
}

bioft_status blas_reserve(const struct blas *blas, uint32_t threads, char *why, size_t size)
{
    void **buffers = calloc(threads, sizeof *buffers);
    uint32_t count = 0;

    while (buffers && count < threads && (buffers[count] = take_buffer(blas)))
        count++;
    for (uint32_t i = 0; i < count; i++)
        give_buffer(blas, buffers[i]);
    free(buffers);
    if (count == threads)
        return BIOFT_OK;
    snprintf(why, size,
             "out of memory: OpenBLAS takes %d MiB of address space per thread, %llu MiB for %u; raise the "
             "limit ('ulimit -v', or the batch system's) or set fewer threads",
             BUFFER_MIB, (unsigned long long)BUFFER_MIB * threads, threads);
    return BIOFT_ERR_MEMORY;
}

struct product {
    uint16_t m, n, k;
    bool transpose_a, transpose_b, add;
};

/* Numbers in [-1, 1) that repeat after 2^16: enough for a check. */
static void fill(float *ret, size_t count, uint32_t state)
{
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        ret[i] = (float)(int16_t)(state >> 16) * 0x1p-15f;
    }
}

static bool right(const struct blas *blas, const struct product *s, float *a, float *b, float *c)
{
    size_t lda = s->transpose_a ? s->m : s->k, ldb = s->transpose_b ? s->k : s->n;

    fill(a, (size_t)s->m * s->k, 1);
    fill(b, (size_t)s->n * s->k, 2);
    for (size_t i = 0; i < (size_t)s->m * s->n; i++)
        c[i] = s->add ? 1.0f : NAN; /* beta = 0 must not read c */
    gemm(blas, s->transpose_a ? YES : NO, s->transpose_b ? YES : NO, s->m, s->n, s->k, a, lda, b, ldb, s->add, c, s->n);
    for (size_t i = 0; i < s->m; i++)
        for (size_t j = 0; j < s->n; j++) {
            double sum = s->add, size = 1;
            for (size_t k = 0; k < s->k; k++) {
                double x = (double)(s->transpose_a ? a[k * lda + i] : a[i * lda + k]) *
                           (double)(s->transpose_b ? b[j * ldb + k] : b[k * ldb + j]);
                sum += x;
                size += fabs(x);
            }
            if (!(fabs(sum - (double)c[i * s->n + j]) <= 1e-6 * size))
                return false;
        }
    return true;
}

bioft_status blas_check(const struct blas *blas, char *why, size_t size)
{
    static const struct product products[] = {
        { 6, 196, 25, false, false, true }, { 6, 25, 196, false, true, true },  { 16, 100, 54, false, false, false },
        { 37, 53, 16, true, false, false }, { 8, 40, 131, false, true, true },  { 1, 33, 65, false, true, false },
        { 65, 129, 17, true, false, true }, { 64, 96, 70, false, false, true },
    };
    enum { LARGEST = 65 * 196 };
    float *memory = malloc(3 * sizeof *memory * LARGEST);

    if (!memory) {
        snprintf(why, size, "out of memory for checking OpenBLAS");
        return BIOFT_ERR_MEMORY;
    }
    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        if (!right(blas, &products[i], memory, memory + LARGEST, memory + 2 * LARGEST)) {
            snprintf(why, size,
                     "%s with %s kernels multiplies wrongly on this CPU (%ux%ux%u): set OPENBLAS_CORETYPE "
                     "to another kernel set, or use another build of it",
                     blas->version, blas->kernels, products[i].m, products[i].n, products[i].k);
            free(memory);
            return BIOFT_ERR_UNSUPPORTED;
        }
    free(memory);
    return BIOFT_OK;
}
