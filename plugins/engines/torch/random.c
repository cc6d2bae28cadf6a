/* The keyed generator's numbers, made by the host, or on the device. */
#include "philox.h"

#include <stdio.h>

static float kept(const struct draw *d) { return d->drop < 1 ? 1 / (1 - d->drop) : 0; }

static bool draw_on_host(struct torch *t, const struct draw *d, const struct shape *plain, tensor to)
{
    const size_t count = (size_t)shape_count(plain);
    const float keep = kept(d);
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

/* low + factor u, rounded after the product as the host does; u is given away. */
static tensor shifted(struct torch *t, const struct draw *d, tensor u)
{
    tensor product = d->factor != 1 ? tensor_times(t, u, (double)d->factor) : tensor_same(t, u), low, ret;

    tensor_drop(t, &u);
    if (!product || d->low == 0)
        return product;
    low = tensor_number(t, (double)d->low);
    ret = low ? tensor_sum(t, product, low, 1) : NULL;
    tensor_drop(t, &low);
    tensor_drop(t, &product);
    return ret;
}

/* 1 where u is not below drop, times what is kept; u is given away. */
static tensor masked(struct torch *t, const struct draw *d, tensor u)
{
    tensor bound = tensor_number(t, (double)d->drop),
           stays = bound ? call_two(t, "aten::ge", "Tensor", u, bound) : NULL;
    tensor ret = stays ? tensor_times(t, stays, (double)kept(d)) : NULL;

    tensor_drop(t, &u);
    tensor_drop(t, &bound);
    tensor_drop(t, &stays);
    return ret;
}

static bool draw_on_device(struct torch *t, const struct draw *d, const struct shape *plain, tensor to)
{
    tensor u = philox_draw(t, d, shape_count(plain)), made = NULL, view;

    if (u)
        made = d->mask ? masked(t, d, u) : shifted(t, d, u);
    view = made ? tensor_view(t, made, plain, 0) : NULL;
    const bool good = view && tensor_copy(t, to, view);
    tensor_drop(t, &view);
    tensor_drop(t, &made);
    return good;
}

bool random_draw(struct torch *t, const struct draw *d, const struct shape *plain, tensor to)
{
    return t->draws_on_device ? draw_on_device(t, d, plain, to) : draw_on_host(t, d, plain, to);
}
