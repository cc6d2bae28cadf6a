/* What a caller asks of an engine, refused in the same words by all engines. Errors are the host's by then. */
#ifndef COMMON_REQUESTS_H
#define COMMON_REQUESTS_H

#include "network.h"
#include <stdbool.h>

/* An array of a parameter (BIOFT_VALUE to BIOFT_FEEDBACK) with `count` values. */
bioft_status request_access(const bioft_host *host, const struct network *n, uint32_t what, uint32_t parameter,
                            size_t count);
/* A forward pass of n images; statistics: batchnorm by the batch's own. */
bioft_status request_batch(const bioft_host *host, const struct network *net, uint32_t max_batch, bool statistics,
                           uint32_t n);
/* A declared feedback of a layer, in *ret at this ABI's size; NULL: V = W. */
bioft_status request_feedback(const bioft_host *host, const struct network *n, uint32_t layer,
                              const bioft_feedback *feedback, bioft_feedback *ret);
/* Does V change with W? */
static inline bool feedback_follows_weights(const bioft_feedback *d)
{
    return d->g != BIOFT_G_ONE || d->scale == BIOFT_SCALE_MATCH_NORM;
}

#endif
