/* Memory: allocation that checks its products, growing arrays, and arenas freed as a whole. */
#include "base/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64, ARENA_ALIGN = 16, ARENA_FIRST = 4096, ARENA_LARGEST = 1 << 20 };

/* The payload follows the header, which is a multiple of ARENA_ALIGN long. */
struct block {
    struct block *next;
    size_t size, used;
    size_t padding;
};

struct arena {
    struct block *blocks; /* the first is the one being filled */
    size_t next_size;
};

_Static_assert(sizeof(struct block) % ARENA_ALIGN == 0, "an arena's payload is aligned");

/* No object is larger than a difference of pointers can say: such a request is refused without
 * asking for it. */
static bool size_of(size_t count, size_t size, size_t *ret)
{
    return mem_product(count, size, ret) && *ret <= PTRDIFF_MAX - ALIGN;
}

bool mem_product(size_t a, size_t b, size_t *ret)
{
    size_t product;

    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *ret = product;
    return true;
}

void *mem_array(size_t count, size_t size)
{
    size_t bytes;

    if (!size_of(count, size, &bytes))
        return NULL;
    return calloc(1, bytes ? bytes : 1);
}

void *mem_aligned(size_t count, size_t size)
{
    size_t bytes;
    void *p;

    if (!size_of(count, size, &bytes))
        return NULL;
    bytes = bytes ? (bytes + ALIGN - 1) / ALIGN * ALIGN : ALIGN;
    p = aligned_alloc(ALIGN, bytes);
    if (p)
        memset(p, 0, bytes);
    return p;
}

bool mem_grow(void *items_pointer, size_t *capacity, size_t wanted, size_t size)
{
    size_t count = *capacity, bytes;
    void *items, *grown;

    if (wanted <= count)
        return true;
    count = count > SIZE_MAX / 2 ? wanted : count * 2;
    if (count < 8)
        count = 8;
    if (count < wanted)
        count = wanted;
    if (!size_of(count, size, &bytes)) {
        count = wanted;
        if (!size_of(count, size, &bytes))
            return false;
    }
    memcpy(&items, items_pointer, sizeof items);
    grown = realloc(items, bytes ? bytes : 1);
    if (!grown)
        return false;
    memset((char *)grown + *capacity * size, 0, (count - *capacity) * size);
    memcpy(items_pointer, &grown, sizeof grown);
    *capacity = count;
    return true;
}

struct arena *arena_create(void)
{
    struct arena *arena = calloc(1, sizeof *arena);

    if (arena)
        arena->next_size = ARENA_FIRST;
    return arena;
}

void arena_destroy(struct arena *arena)
{
    struct block *block, *next;

    if (!arena)
        return;
    for (block = arena->blocks; block; block = next) {
        next = block->next;
        free(block);
    }
    free(arena);
}

/* A block for at least `bytes`. A large request has one of its own, behind the one being filled. */
static struct block *add_block(struct arena *arena, size_t bytes)
{
    bool own = bytes > arena->next_size / 4 && arena->blocks;
    size_t size = own || bytes > arena->next_size ? bytes : arena->next_size;
    struct block *block = calloc(1, sizeof *block + size);

    if (!block)
        return NULL;
    block->size = size;
    if (own) {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    } else {
        block->next = arena->blocks;
        arena->blocks = block;
        if (arena->next_size < ARENA_LARGEST)
            arena->next_size *= 2;
    }
    return block;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    struct block *block = arena->blocks;
    size_t bytes;
    void *p;

    if (!size_of(count, size, &bytes))
        return NULL;
    bytes = bytes ? (bytes + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN : ARENA_ALIGN;
    if (!block || block->size - block->used < bytes) {
        block = add_block(arena, bytes);
        if (!block)
            return NULL;
    }
    p = (char *)(block + 1) + block->used;
    block->used += bytes;
    return p;
}

char *arena_text_n(struct arena *arena, const char *text, size_t length)
{
    char *copy = length == SIZE_MAX ? NULL : arena_array(arena, length + 1, 1);

    if (copy && length)
        memcpy(copy, text, length);
    return copy;
}

char *arena_text(struct arena *arena, const char *text) { return arena_text_n(arena, text, strlen(text)); }

char *arena_printf(struct arena *arena, const char *format, ...)
{
    char *text = NULL;
    va_list args, again;
    int n;

    va_start(args, format);
    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, args);
    if (n >= 0)
        text = arena_array(arena, (size_t)n + 1, 1);
    if (text)
        vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}
