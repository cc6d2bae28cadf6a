/* Which samples of many: class-balanced draws by the keyed generator. */
#ifndef DATA_CHOOSE_H
#define DATA_CHOOSE_H

#include "data/dataset.h"

/* Draws `wanted` of the positions 0..count-1 into ret, ascending, as a pure function of (seed,
 * stream, labels). label NULL: uniform. Else every class (0..classes-1) gives the same number; one
 * that has fewer gives all it has and the others make up for it, evenly; what does not divide goes
 * to classes in a drawn order. Samples without a single label (-1) come last. A draw of fewer
 * samples is a subset of a draw of more. */
bioft_status choose_balanced(uint64_t seed, const char *stream, const int32_t *label, uint64_t count, uint32_t classes,
                             uint64_t wanted, uint64_t *ret, struct error *err);

/* `samples` positions of a split (0 or more than there are: all), class-balanced for single labels (uniform for
 * multi-label), drawn by split_seed, stream "choose/<split>", ascending: the same for every rule, backbone and attack.
 * A class short of samples gives all it has, the others make up for it evenly. *ret: free(). */
bioft_status dataset_choose(const struct dataset *d, const struct split *s, uint64_t samples, uint64_t **ret,
                            uint64_t *ret_count, struct error *err);

#endif
