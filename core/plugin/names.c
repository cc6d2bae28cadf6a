/* A hash table from names to indices: FNV-1a (Fowler, Noll and Vo), linear probing, at most half full. */
#include "plugin/names.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static const char *name_of(const struct names *n, const void *items, size_t index)
{
    const char *name;
    memcpy(&name, (const char *)items + index * n->stride, sizeof name);
    return name;
}

static size_t hash(const char *s)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 0x100000001b3u;
    return (size_t)(h ^ h >> 32);
}

size_t names_find(const struct names *n, const void *items, const char *name)
{
    const size_t start = hash(name);
    for (size_t i = 0; i < n->slot_count; i++) {
        const uint32_t slot = n->slots[(start + i) & (n->slot_count - 1)];
        if (slot == 0)
            break;
        if (strcmp(name_of(n, items, slot - 1), name) == 0)
            return slot - 1;
    }
    return SIZE_MAX;
}

static void put(uint32_t *slots, size_t slot_count, const char *name, size_t index)
{
    size_t at = hash(name) & (slot_count - 1);
    while (slots[at] != 0)
        at = (at + 1) & (slot_count - 1);
    slots[at] = (uint32_t)index + 1;
}

bool names_reserve(struct names *n, const void *items)
{
    if ((n->count + 1) * 2 <= n->slot_count)
        return true;
    if (n->count >= UINT32_MAX / 4)
        return false;
    const size_t slot_count = n->slot_count > 0 ? n->slot_count * 2 : 16;
    uint32_t *slots = mem_array(slot_count, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < n->count; i++)
        put(slots, slot_count, name_of(n, items, i), i);
    free(n->slots);
    n->slots = slots;
    n->slot_count = slot_count;
    return true;
}

void names_add(struct names *n, const void *items)
{
    put(n->slots, n->slot_count, name_of(n, items, n->count), n->count);
    n->count++;
}

void names_free(struct names *n)
{
    free(n->slots);
    *n = (struct names){ 0 };
}
