/* Which samples of many: class-balanced draws by the keyed generator. */
#ifndef DATA_CHOOSE_H
#define DATA_CHOOSE_H

#include "base/error.h"

/* Draws `wanted` of the positions 0..count-1 into ret, ascending, as a pure function of (seed,
 * stream, labels). label NULL: uniform. Else every class (0..classes-1) gives the same number; one
 * that has fewer gives all it has and the others make up for it, evenly; what does not divide goes
 * to classes in a drawn order. Samples without a single label (-1) come last. A draw of fewer
 * samples is a subset of a draw of more. */
bioft_status choose_balanced(uint64_t seed, const char *stream, const int32_t *label,
                             uint64_t count, uint32_t classes, uint64_t wanted, uint64_t *ret,
                             struct error *err);

#endif
