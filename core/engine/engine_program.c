/* Programs: one use of a model, each call checked. */
#include "engine/engine.h"

#include <stdlib.h>

static bioft_status checked(struct model *m, bioft_status st, struct error *err)
{
    return st == BIOFT_OK ? st : instance_error(m->engine->instance, st, err);
}

bioft_use program_use(uint32_t kind, uint32_t precision, uint32_t max_batch, const struct pool *pool)
{
    return (bioft_use){ .struct_size = sizeof(bioft_use),
                        .kind = kind,
                        .precision = precision,
                        .max_batch = max_batch,
                        .threads = pool ? pool_threads(pool) : 1 };
}

bioft_status program_create(struct model *m, const bioft_use *use, const bioft_route *routes, struct program **ret,
                            struct error *err)
{
    const bioft_engine *api = m->engine->api;
    void *self = m->engine->instance->self;
    char why[512] = "";

    if (api->supports && api->supports(self, &m->graph->view, use, why, sizeof why) != BIOFT_OK)
        return error_set(err, BIOFT_ERR_UNSUPPORTED, "engine '%s' cannot run this network: %s",
                         m->engine->instance->plugin->descriptor.name, why);
    struct program *p = mem_array(1, sizeof *p);
    if (!p)
        return error_memory(err, "a program");
    p->model = m;
    p->use = *use;
    bioft_status st = checked(m, api->program_create(self, m->self, use, routes, &p->self), err);
    if (st != BIOFT_OK) {
        free(p);
        return st;
    }
    *ret = p;
    return BIOFT_OK;
}

void program_destroy(struct program *p)
{
    if (!p)
        return;
    p->model->engine->api->program_destroy(p->model->engine->instance->self, p->self);
    free(p);
}

/* Torch counts the batches that its running statistics have seen. */
static void count_batches(struct program *p)
{
    if (p->use.kind == BIOFT_TRAIN && !(p->use.flags & BIOFT_FROZEN_BATCHNORM))
        for (size_t i = 0; i < p->model->graph->counter_count; i++)
            p->model->counters[i]++;
}

bioft_status program_forward(struct program *p, uint32_t n, const float *x, uint64_t dropout_key, float *ret_out,
                             struct error *err)
{
    const struct engine *e = p->model->engine;
    bioft_status st = checked(p->model, e->api->forward(e->instance->self, p->self, n, x, dropout_key, ret_out), err);

    if (st == BIOFT_OK)
        count_batches(p);
    return st;
}

bioft_status program_backward(struct program *p, const float *d_out, uint32_t flags, float *ret_dx,
                              const bioft_hooks *hooks, struct error *err)
{
    const struct engine *e = p->model->engine;

    return checked(p->model, e->api->backward(e->instance->self, p->self, d_out, flags, ret_dx, hooks), err);
}
