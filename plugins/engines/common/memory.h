/* Memory of the engine: zeroed, 64-byte aligned, not touched before it is used. */
#ifndef COMMON_MEMORY_H
#define COMMON_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* a * b into *ret; false on overflow. */
static inline bool product(size_t a, size_t b, size_t *ret)
{
    if (b != 0 && a > SIZE_MAX / b)
        return false;
    *ret = a * b;
    return true;
}

/* calloc, so that large arrays which a run never needs (moments in evaluation) never become resident; the block's
 * own address stands before the aligned one. NULL: out of memory. */
static inline void *memory_take(size_t count, size_t size)
{
    enum { ALIGNMENT = 64 };
    size_t bytes;
    char *block, *aligned;

    if (!product(count, size, &bytes) || bytes > SIZE_MAX - 2 * ALIGNMENT)
        return NULL;
    block = calloc(1, bytes + 2 * ALIGNMENT);
    if (!block)
        return NULL;
    aligned = block + (2 * ALIGNMENT - (uintptr_t)block % ALIGNMENT);
    ((void **)(void *)aligned)[-1] = block;
    return aligned;
}

static inline void memory_give(void *memory) /* NULL is fine */
{
    if (memory)
        free(((void **)memory)[-1]);
}

#endif
