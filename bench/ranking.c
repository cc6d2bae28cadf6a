/* Time of ranking 148,332 codes of 32 bits for 2,100 queries with label sets of 21 classes,
 * mAP@5000, by kernels and by what is made of ties; and of wider codes. */
#include "base/clock.h"
#include "base/random.h"
#include "eval/map.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { QUERIES = 2100, DATABASE = 148332, K = 5000, CLASSES = 21, REPEATS = 5 };

static bool draw_codes(uint64_t key, uint64_t n, uint32_t bits, struct codes *ret)
{
    struct error err;

    if (codes_create(n, bits, CLASSES, ret, &err) != BIOFT_OK)
        return false;
    random_fill(BIOFT_BITS, 1, "bench", key, 0, ret->codes, (size_t)(n * ret->words) * 2);
    for (uint64_t i = 0; i < n; i++) {
        uint32_t classes[2];
        random_fill(BIOFT_BITS, 1, "bench/labels", key, i * 4, classes, 2);
        ret->labels[i] = UINT64_C(1) << classes[0] % CLASSES | UINT64_C(1) << classes[1] % CLASSES;
        if (bits % 64)
            ret->codes[i * ret->words + ret->words - 1] &= (UINT64_C(1) << bits % 64) - 1;
    }
    return true;
}

static double processor_seconds(void) { return (double)clock() / CLOCKS_PER_SEC; }

/* The best of some runs, in milliseconds: by the clock, and of all processors together, which says
 * the same on a machine that is busy otherwise. */
static double measure(struct map_params p, double *ret_processors, double *ret_map)
{
    double best = 1e30;

    *ret_processors = 1e30;
    for (int i = 0; i < REPEATS; i++) {
        struct map_result r;
        struct error err;
        const double start = clock_seconds(), processors = processor_seconds();
        if (map_compute(&p, &r, &err) != BIOFT_OK)
            return -1.0;
        best = fmin(best, 1e3 * (clock_seconds() - start));
        *ret_processors = fmin(*ret_processors, 1e3 * (processor_seconds() - processors));
        *ret_map = map_mean(&r, p.stable ? TIES_STABLE : TIES_EXPECTED, DIVIDE_BY_HITS, false);
        map_free(&r);
    }
    return best;
}

static int bench(uint32_t bits, struct pool *pool)
{
    const struct hamming *const kernels[] = { hamming_portable(), hamming_avx512() };
    struct codes query = { 0 }, database = { 0 };
    const bool drawn = draw_codes(0, QUERIES, bits, &query) && draw_codes(1, DATABASE, bits, &database);

    for (size_t i = 0; drawn && i < sizeof kernels / sizeof *kernels && kernels[i]; i++)
        for (int stable = 0; stable < 2; stable++) {
            double map = 0.0, processors;
            const double time = measure((struct map_params){ .query = &query,
                                                             .database = &database,
                                                             .k = K,
                                                             .pool = pool,
                                                             .kernels = kernels[i],
                                                             .stable = stable },
                                        &processors, &map);
            printf("%4" PRIu32 " bits  %-8s  %-20s  %7.1f ms  (processors %7.1f ms)  map@%d %.6f\n", bits,
                   kernels[i]->name, stable ? "expected and stable" : "expected", time, processors, K, map);
        }
    codes_free(&query);
    codes_free(&database);
    return drawn ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct pool *pool;
    struct error err;
    const unsigned threads = argc > 1 ? (unsigned)atoi(argv[1]) : threads_available();

    if (threads == 0 || pool_create(threads, &pool, &err) != BIOFT_OK)
        return 1;
    printf("%d queries, %d codes, %u threads, best of %d\n", QUERIES, DATABASE, threads, REPEATS);
    const int status = bench(32, pool) | bench(64, pool) | bench(128, pool) | bench(512, pool);
    pool_destroy(pool);
    return status;
}
