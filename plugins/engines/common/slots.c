/* The largest first, each at the lowest place that is free during its life. */
#include "slots.h"

#include "memory.h"

enum { ALIGN = 16 };

static bool meet(const struct slot *a, const struct slot *b)
{
    return a->first <= b->last && b->first <= a->last && a->offset < b->offset + b->floats &&
           b->offset < a->offset + a->floats;
}

/* Insertion: stable, so that the places follow from the sizes alone. */
static void sort_by_size(const struct slot *slots, uint32_t *order, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t k = i;
        for (; k > 0 && slots[order[k - 1]].floats < slots[i].floats; k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
}

/* From place to place: whatever stands in the way covers all places up to its own end. */
static bool place(struct slot *slots, const uint32_t *order, uint32_t placed, struct slot *s)
{
    bool moved = true;

    s->offset = 0;
    while (moved) {
        moved = false;
        for (uint32_t i = 0; i < placed; i++) {
            const struct slot *other = &slots[order[i]];
            if (!meet(s, other))
                continue;
            s->offset = other->offset + other->floats;
            moved = true;
        }
    }
    return s->offset <= SIZE_MAX / sizeof(float) - s->floats;
}

bool slots_place(struct slot *slots, uint32_t count, size_t *ret_floats)
{
    uint32_t *order = memory_take((size_t)count + 1, sizeof *order);
    size_t end = 0;
    bool good = order != NULL;

    for (uint32_t i = 0; good && i < count; i++) {
        good = slots[i].floats <= SIZE_MAX / sizeof(float) / 2;
        slots[i].floats = (slots[i].floats + ALIGN - 1) / ALIGN * ALIGN;
    }
    if (good)
        sort_by_size(slots, order, count);
    for (uint32_t i = 0; good && i < count; i++) {
        struct slot *s = &slots[order[i]];
        good = place(slots, order, i, s);
        if (s->offset + s->floats > end)
            end = s->offset + s->floats;
    }
    memory_give(order);
    if (good)
        *ret_floats = end;
    return good;
}
