/* Seconds by the host's clock: on a GPU, those until a piece of work has been handed over, not those it takes. */
#ifndef TORCH_CLOCK_H
#define TORCH_CLOCK_H

#include <time.h>

static inline double clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif
