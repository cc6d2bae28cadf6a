/* Calls into plugins tried in a child process first: one that crashes, ends the process or hangs is told of, and takes
 * nothing down. */
#ifndef PLUGIN_GUARD_H
#define PLUGIN_GUARD_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>

struct guard {
    size_t count;
    /* Call number `item`, made in the child. Its error is told too. */
    bioft_status (*call)(void *ctx, size_t item, struct error *err);
    /* In this process, of each call that failed. returned: why is the error's text, with its status; else it is "died of
     * SIGILL", "ended the process with status 0" or "did not return within 10 s". */
    void (*failed)(void *ctx, size_t item, bool returned, bioft_status status, const char *why);
    /* That a call may take; NULL: 10 each. */
    int (*seconds)(void *ctx, size_t item);
    void *ctx;
};
/* All calls in their order, in one child where none takes it down. The child is a copy of this process with one thread,
 * whose output goes nowhere. BIOFT_ERR_IO: no process could be made, and nothing was tried. */
bioft_status guard_run(const struct guard *g, struct error *err);

#endif
