/* How unevenly samples lie over classes. */
#include "eval/class_share.h"

#include "base/memory.h"
#include <stdlib.h>

bioft_status class_share(const struct prediction *p, uint64_t n, double *ret, struct error *err)
{
    int32_t low = 0, high = 0;
    uint64_t most = 0;

    for (uint64_t i = 0; i < n; i++) {
        low = p[i].label < low ? p[i].label : low;
        high = p[i].label > high ? p[i].label : high;
    }
    uint64_t *counts = mem_array((size_t)((int64_t)high - low) + 1, sizeof *counts);
    if (!counts)
        return error_memory(err, "the labels' counts");
    for (uint64_t i = 0; i < n; i++) {
        const uint64_t count = ++counts[(int64_t)p[i].label - low];
        most = count > most ? count : most;
    }
    free(counts);
    *ret = n ? (double)most / (double)n : 0.0;
    return BIOFT_OK;
}
