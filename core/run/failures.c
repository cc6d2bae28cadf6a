/* The trials that failed, and why. */
#include "run/failures.h"

#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

void failures_add(struct failures *f, const char *id, const char *why)
{
    char *copy = strdup(why);

    f->failed++;
    if (copy && mem_grow(&f->items, &f->room, f->count + 1, sizeof *f->items))
        f->items[f->count++] = (struct failure){ id, copy };
    else
        free(copy);
}

void failures_free(struct failures *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->items[i].why);
    free(f->items);
    *f = (struct failures){ 0 };
}
