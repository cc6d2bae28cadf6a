/* The optimizer: one pass over memory, in pieces, that also looks for what is not finite. */
#include "model.h"
#include "update.h"

#include <string.h>

struct job {
    const struct model *model;
    const bioft_update *u;
    bool changes; /* write w_new - w_old */
    struct update_numbers numbers;
    double correction1;
    update_fn *adam, *sgd;
};

static unsigned adam(const struct update_numbers *u, const struct update_arrays *a, float step)
{
    return adam_step(u, a, step);
}

static unsigned sgd(const struct update_numbers *u, const struct update_arrays *a, float step)
{
    return sgd_step(u, a, step);
}

/* The widest vectors of this CPU. */
static void choose_loops(struct job *j)
{
    j->adam = adam;
    j->sgd = sgd;
#ifdef ENGINE_AVX2
    if (__builtin_cpu_supports("avx2")) {
        j->adam = update_adam_avx2;
        j->sgd = update_sgd_avx2;
    }
#endif
}

static void update_chunk(void *ctx, size_t index, uint32_t thread)
{
    const struct job *j = ctx;
    const struct update_chunk *c = &j->model->chunks[index];
    const struct parameter *p = &j->model->parameters[c->parameter];
    const double lr = j->u->lr[c->parameter];
    struct update_arrays a = { .count = c->count };
    float *change = j->changes && p->change ? p->change + c->first : NULL;

    (void)thread;
    j->model->nonfinite[index] = 0;
    if (lr < 0 || !p->gradient)
        return;
    a.w = p->value + c->first;
    a.g = p->gradient + c->first;
    a.m = p->moment1 + c->first;
    a.v = p->moment2 + c->first;
    if (change)
        memcpy(change, a.w, a.count * sizeof *a.w);
    j->model->nonfinite[index] = (unsigned char)(j->u->kind == BIOFT_ADAM
                                                     ? j->adam(&j->numbers, &a, (float)(lr / j->correction1))
                                                     : j->sgd(&j->numbers, &a, (float)lr));
    for (size_t i = 0; change && i < a.count; i++)
        change[i] = a.w[i] - change[i];
}

static bioft_status check(const struct model *m, const bioft_update *u)
{
    const bioft_host *host = m->engine->host;

    if (u->kind != BIOFT_SGD && u->kind != BIOFT_ADAM)
        return bioft_failf(host, BIOFT_ERR_UNSUPPORTED, "optimizer number %u", u->kind);
    if (u->t == 0 || !u->lr)
        return bioft_failf(host, BIOFT_ERR_INVALID, "an update counts from 1 and has a rate for each parameter");
    for (uint32_t i = 0; i < m->network.parameter_count; i++)
        if (m->network.parameters[i].kind != BIOFT_PARAM_RUNNING && !m->parameters[i].gradient)
            return bioft_failf(host, BIOFT_ERR_INVALID, "'%s' has no gradient: no program of this model trains",
                               m->network.parameters[i].name);
    return BIOFT_OK;
}

/* Hooks, layer by layer; what one changes is a new W. */
static bioft_status tell(struct model *m, const bioft_update *u, const bioft_hooks *hooks)
{
    for (uint32_t i = 0; i < m->network.layer_count; i++) {
        uint32_t weight = m->network.nodes[m->network.layer_node[i]].weight;
        int32_t changed = 0;
        bioft_status st;

        if (u->lr[weight] < 0)
            continue;
        st = hooks->updated(hooks->ctx, i, m->parameters[weight].value, m->parameters[weight].change, &changed);
        if (st != BIOFT_OK)
            return bioft_failf(m->engine->host, st, "after the update of layer '%s'", m->network.layers[i].name);
        if (changed)
            m->parameters[weight].version++;
    }
    return BIOFT_OK;
}

bioft_status cpu_model_update(struct model *m, const bioft_update *u, const bioft_hooks *hooks,
                              uint32_t *ret_first_nonfinite)
{
    struct job j = {
        .model = m,
        .u = u,
        .changes = hooks && hooks->updated,
        .numbers = { .scale = (float)u->gradient_scale,
                     .decay = (float)u->weight_decay,
                     .beta1 = (float)u->beta1,
                     .rest1 = (float)(1 - u->beta1),
                     .beta2 = (float)u->beta2,
                     .rest2 = (float)(1 - u->beta2),
                     .eps = (float)u->eps,
                     .momentum = (float)u->momentum,
                     .first = u->t == 1 },
    };
    uint32_t first = BIOFT_NONE;
    const unsigned char *found;
    bioft_status st = check(m, u);

    if (st != BIOFT_OK)
        return st;
    j.correction1 = 1 - pow(u->beta1, (double)u->t);
    j.numbers.root2 = (float)sqrt(1 - pow(u->beta2, (double)u->t));
    choose_loops(&j);
    parallel_run(&m->engine->parallel, m->chunk_count, update_chunk, &j);
    for (uint32_t i = 0; i < m->network.parameter_count; i++)
        if (u->lr[i] >= 0)
            m->parameters[i].version++;
    found = memchr(m->nonfinite, 1, m->chunk_count);
    if (found)
        first = m->chunks[found - m->nonfinite].parameter;
    if (j.changes && !found)
        st = tell(m, u, hooks);
    if (st == BIOFT_OK)
        *ret_first_nonfinite = first;
    return st;
}
