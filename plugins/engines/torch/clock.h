/* Seconds of a piece of work, by the device's clock. */
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
