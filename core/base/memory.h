/* Memory: allocation that checks its products, growing arrays, and arenas freed as a whole. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed; NULL where count * size overflows or memory is out. Freed with free(). count 0 gives a
 * valid pointer. */
void *mem_array(size_t count, size_t size);
/* As mem_array, 64-byte aligned. Freed with free(). */
void *mem_aligned(size_t count, size_t size);
/* Makes room for `wanted` items in an array of `*capacity`; new ones are zeroed. false: out of
 * memory, unchanged. */
bool mem_grow(void *items_pointer, size_t *capacity, size_t wanted, size_t size);
/* count * size into *ret; false on overflow. */
bool mem_product(size_t a, size_t b, size_t *ret);

/* An arena hands out zeroed, 16-byte aligned memory that is freed all at once. */
struct arena;
struct arena *arena_create(void);        /* NULL: out of memory */
void arena_destroy(struct arena *arena); /* NULL is fine */
void *arena_array(struct arena *arena, size_t count, size_t size);
char *arena_text(struct arena *arena, const char *text);
char *arena_text_n(struct arena *arena, const char *text, size_t length);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
