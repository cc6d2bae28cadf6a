/* What the rules are called with inside the engine's passes, and the layer operations that they may
 * ask for. */
#include "rules/feedback_private.h"

#include <string.h>

const bioft_route *feedback_routes(struct feedback *f, bool observe)
{
    if (observe)
        return f->observed;
    for (uint32_t i = 0; i < f->layer_count; i++)
        if (f->routes[i].reads | f->routes[i].writes)
            return f->routes;
    return NULL;
}

/* Keeps the first failure for feedback_error. */
static bioft_status failed(struct feedback *f, const struct layer_rule *l, bioft_status status)
{
    if (f->error.status == BIOFT_OK) {
        layer_error(f, l, status, &f->error);
        f->error.status = status;
    }
    return status;
}

static bioft_status on_local(void *ctx, uint32_t index, const bioft_local *io)
{
    struct feedback *f = ctx;
    const struct layer_rule *l = &f->layers[index];
    const bioft_layer *layer = &l->layer;
    const uint32_t reads = l->route.reads, both = l->route.reads | l->route.writes;
    if (f->observer && io->dy)
        f->observer(f->observer_ctx, index, io->dy, (size_t)io->n * layer->out_channels * layer->out_h * layer->out_w);
    if (both == 0)
        return BIOFT_OK;
    bioft_local own = *io; /* without what only the observer asked for */
    own.batch = f->batch;
    own.x = reads & BIOFT_X ? io->x : NULL;
    own.y = reads & BIOFT_Y ? io->y : NULL;
    own.h = reads & BIOFT_H ? io->h : NULL;
    own.w = reads & BIOFT_W ? io->w : NULL;
    own.b = reads & BIOFT_W ? io->b : NULL;
    own.e = reads & BIOFT_E ? f->d_out : NULL;
    own.dy = both & BIOFT_DY ? io->dy : NULL;
    own.dx = both & BIOFT_DX ? io->dx : NULL;
    own.dw = both & BIOFT_DW ? io->dw : NULL;
    own.db = both & BIOFT_DW ? io->db : NULL;
    bioft_status st = rule_of(f, l)->local(self_of(f, l), layer, &own);
    return st == BIOFT_OK ? st : failed(f, l, st);
}

static bioft_status on_updated(void *ctx, uint32_t index, float *w, const float *dw, int32_t *ret_changed)
{
    struct feedback *f = ctx;
    const struct layer_rule *l = &f->layers[index];
    const bioft_rule *rule = rule_of(f, l);
    int32_t changed = 0;
    bioft_status st = BIOFT_OK;
    if (rule->after_update)
        st = rule->after_update(self_of(f, l), &l->layer, f->step, w, dw, &changed);
    if (st != BIOFT_OK)
        return failed(f, l, st);
    *ret_changed = changed;
    return BIOFT_OK;
}

const bioft_hooks *feedback_hooks(struct feedback *f, const bioft_batch *batch, const float *d_out,
                                  feedback_observer *observer, void *ctx, uint64_t step)
{
    f->batch = batch;
    f->d_out = d_out;
    f->observer = observer;
    f->observer_ctx = ctx;
    f->step = step;
    f->error.status = BIOFT_OK;
    f->hooks = (bioft_hooks){ .struct_size = sizeof(f->hooks), .ctx = f };
    if (observer || feedback_routes(f, false))
        f->hooks.local = on_local;
    for (size_t i = 0; i < f->count; i++)
        if (f->instances[i]->plugin->api.rule.after_update)
            f->hooks.updated = on_updated;
    return &f->hooks;
}

bioft_status feedback_error(struct feedback *f, bioft_status status, struct error *err)
{
    if (status != BIOFT_OK && f->error.status != BIOFT_OK && err)
        *err = f->error;
    return status;
}

/* One layer alone, by the engine. Its own word, where it fails, becomes the rule's. */
static bioft_status layer_run(const bioft_host *host, const bioft_layer *layer, uint32_t phase, uint32_t n,
                              const float *a, const float *b, float *ret)
{
    struct engine *e = instance_extension_ctx(host, "bioft.layer/1");
    bioft_status st = e->api->layer(e->instance->self, layer, phase, n, a, b, ret);
    if (st != BIOFT_OK) {
        struct error err = { 0 };
        instance_error(e->instance, st, &err);
        host->fail(host, st, err.text);
    }
    return st;
}

static bioft_status layer_forward(const bioft_host *host, const bioft_layer *layer, uint32_t n, const float *w,
                                  const float *x, float *ret_y)
{
    return layer_run(host, layer, 0, n, w, x, ret_y);
}

static bioft_status layer_input_error(const bioft_host *host, const bioft_layer *layer, uint32_t n, const float *v,
                                      const float *dy, float *ret_dx)
{
    return layer_run(host, layer, 1, n, v, dy, ret_dx);
}

static bioft_status layer_weight_gradient(const bioft_host *host, const bioft_layer *layer, uint32_t n, const float *x,
                                          const float *dy, float *ret_dw)
{
    return layer_run(host, layer, 2, n, x, dy, ret_dw);
}

const bioft_layer_ops layer_operations = {
    .struct_size = sizeof(layer_operations),
    .forward = layer_forward,
    .input_error = layer_input_error,
    .weight_gradient = layer_weight_gradient,
};
