/* A hash table from names to indices, for look-ups inside a step. */
#ifndef PLUGIN_NAMES_H
#define PLUGIN_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Open addressing over items that somebody else owns: an array of structs whose first member is `char *name`. */
struct names {
    uint32_t *slots;      /* index + 1; 0 is empty */
    size_t slot_count;    /* a power of two, at least twice the names; or 0 */
    size_t count, stride; /* stride: bytes from item to item */
};

/* The index of a name, or SIZE_MAX. */
size_t names_find(const struct names *n, const void *items, const char *name);
/* Makes room for one more; false: out of memory. After it names_add cannot fail. */
bool names_reserve(struct names *n, const void *items);
/* The item of index n->count, whose name is set, can be found from now on. */
void names_add(struct names *n, const void *items);
void names_free(struct names *n);

#endif
