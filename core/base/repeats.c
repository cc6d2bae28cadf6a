/* Equal items by sorting their places, so that long lists take no quadratic time. */
#include "base/repeats.h"

#include "base/memory.h"

#include <stdlib.h>

struct list {
    const char *items;
    size_t size;
    int (*compare)(const void *a, const void *b);
};

static const void *item(const struct list *l, size_t index) { return l->items + index * l->size; }

/* Equal ones in their order. */
static int compare_places(const void *a, const void *b, void *ctx)
{
    const struct list *l = ctx;
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;
    const int order = l->compare(item(l, x), item(l, y));

    return order ? order : x < y ? -1 : x > y;
}

bool find_repeats(const void *items, size_t count, size_t size, int (*compare)(const void *a, const void *b), bool *ret,
                  bool *ret_any)
{
    struct list l = { .items = items, .size = size, .compare = compare };
    size_t *places = mem_array(count, sizeof *places);

    if (!places)
        return false;
    *ret_any = false;
    for (size_t i = 0; i < count; i++) {
        places[i] = i;
        if (ret)
            ret[i] = false;
    }
    qsort_r(places, count, sizeof *places, compare_places, &l);
    for (size_t i = 1; i < count; i++) {
        const bool same = compare(item(&l, places[i - 1]), item(&l, places[i])) == 0;
        *ret_any = *ret_any || same;
        if (same && ret)
            ret[places[i]] = true;
    }
    free(places);
    return true;
}
