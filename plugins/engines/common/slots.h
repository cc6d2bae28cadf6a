/* Places in one block of memory for arrays that do not all live at the same time. */
#ifndef COMMON_SLOTS_H
#define COMMON_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slot {
    size_t floats;
    uint32_t first, last; /* moments of its life, both included */
    size_t offset;        /* in floats, a multiple of 16 */
};

/* Sets every offset so that no two slots meet in time and place; *ret_floats: of the whole block. false: the sizes
 * overflow, or memory is out. */
bool slots_place(struct slot *slots, uint32_t count, size_t *ret_floats);

#endif
