/* The keyed generator's numbers, made by the host. */
#include "random.h"

#include <stdio.h>

static bool draw_on_host(struct torch *t, const struct draw *d, const struct shape *plain, tensor to)
{
    const size_t count = (size_t)shape_count(plain);
    const float keep = d->drop < 1 ? 1 / (1 - d->drop) : 0;
    const bioft_status st = t->host->random(t->host, d->kind, d->stream, d->key, 0, d->host, count);

    if (st != BIOFT_OK) {
        snprintf(t->error, sizeof t->error, "the host has no random numbers for '%.200s'", d->stream);
        t->status = st;
        return false;
    }
    for (size_t i = 0; i < count; i++)
        d->host[i] = !d->mask ? d->low + d->factor * d->host[i] : d->host[i] < d->drop ? 0 : keep;
    return tensor_write(t, to, plain, d->host);
}

bool random_draw(struct torch *t, const struct draw *d, const struct shape *plain, tensor to)
{
    return draw_on_host(t, d, plain, to);
}
