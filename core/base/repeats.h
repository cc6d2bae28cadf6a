/* What stands in a list twice. */
#ifndef BASE_REPEATS_H
#define BASE_REPEATS_H

#include <stdbool.h>
#include <stddef.h>

/* ret[i] (NULL: not wanted): items[i] is equal to one before it. compare: as for qsort(); 0 where equal. *ret_any: there
 * is one. false: out of memory. */
bool find_repeats(const void *items, size_t count, size_t size, int (*compare)(const void *a, const void *b), bool *ret,
                  bool *ret_any);

#endif
