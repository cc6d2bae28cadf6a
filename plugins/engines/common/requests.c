/* What a caller asks of an engine, refused in the same words by all engines. */
#include "requests.h"

#include <bioft/util.h>
#include <math.h>
#include <string.h>

bioft_status request_access(const bioft_host *host, const struct network *n, uint32_t what, uint32_t parameter,
                            size_t count)
{
    if (parameter >= n->parameter_count)
        return bioft_failf(host, BIOFT_ERR_INVALID, "the model has no parameter %u", parameter);
    const bioft_parameter *p = &n->parameters[parameter];
    if (count != p->count)
        return bioft_failf(host, BIOFT_ERR_INVALID, "'%s' has %zu values, not %zu", p->name, (size_t)p->count, count);
    if (what < BIOFT_VALUE || what > BIOFT_FEEDBACK)
        return bioft_failf(host, BIOFT_ERR_INVALID, "'%s' has no array number %u", p->name, what);
    if ((what == BIOFT_FEEDBACK && p->kind != BIOFT_PARAM_WEIGHT) ||
        (what != BIOFT_VALUE && p->kind == BIOFT_PARAM_RUNNING))
        return bioft_failf(host, BIOFT_ERR_INVALID, "'%s' has a value only: %s", p->name,
                           what == BIOFT_FEEDBACK ? "it is not a layer's weight" : "it is never trained");
    return BIOFT_OK;
}

bioft_status request_batch(const bioft_host *host, const struct network *net, uint32_t max_batch, bool statistics,
                           uint32_t n)
{
    char name[160];

    if (n == 0 || n > max_batch)
        return bioft_failf(host, BIOFT_ERR_INVALID, "a batch of %u; this program takes 1 to %u", n, max_batch);
    for (uint32_t i = 0; statistics && i < net->node_count; i++) {
        const bioft_node *d = &net->nodes[i];
        if (d->op != BIOFT_OP_BATCHNORM || n > 1 || d->height > 1 || d->width > 1)
            continue;
        node_text(net, i, name, sizeof name);
        return bioft_failf(host, BIOFT_ERR_INVALID,
                           "%s: a batch of 1 leaves one value a channel, which has no "
                           "variance: use larger batches or frozen batchnorm",
                           name);
    }
    return BIOFT_OK;
}

bioft_status request_feedback(const bioft_host *host, const struct network *n, uint32_t layer,
                              const bioft_feedback *feedback, bioft_feedback *ret)
{
    bioft_feedback d = { .struct_size = sizeof d };

    if (layer >= n->layer_count)
        return bioft_failf(host, BIOFT_ERR_INVALID, "the model has no layer %u", layer);
    const char *name = n->layers[layer].name;
    if (feedback) {
        memcpy(&d, feedback, feedback->struct_size < sizeof d ? feedback->struct_size : sizeof d);
        d.struct_size = sizeof d;
    }
    if (d.g > BIOFT_G_ONE || d.m > BIOFT_M_ABS_NORMAL || d.redraw > BIOFT_REDRAW_EACH_UPDATE ||
        d.scale > BIOFT_SCALE_CONSTANT)
        return bioft_failf(host, BIOFT_ERR_UNSUPPORTED, "layer '%s': this engine does not know such a feedback", name);
    if ((d.scale == BIOFT_SCALE_CONSTANT && !isfinite(d.constant)) ||
        (d.m != BIOFT_M_ONES && (!isfinite(d.low) || !isfinite(d.high))))
        return bioft_failf(host, BIOFT_ERR_INVALID, "layer '%s': the feedback's numbers must be finite", name);
    *ret = d;
    return BIOFT_OK;
}
