/* A request to stop, seen by long loops between steps. Set by the command line's signal handler. */
#ifndef BASE_STOP_H
#define BASE_STOP_H

#include <signal.h>

struct stop {
    volatile sig_atomic_t signal; /* 0: go on */
};
/* stop may be NULL. */
static inline int stop_asked(const struct stop *stop) { return stop ? (int)stop->signal : 0; }

#endif
