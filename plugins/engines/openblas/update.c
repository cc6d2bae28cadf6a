/* The optimizer: one pass over memory, in pieces, that also looks for what is not finite. */
#include "../common/model.h"

#include <float.h>
#include <math.h>
#include <string.h>

struct job {
    const struct model *model;
    const bioft_update *u;
    bool changes;                                  /* write w_new - w_old */
    /* What all elements of a step share, rounded once. */
    float scale, decay, beta1, rest1, beta2, rest2, eps, root2, momentum;
    double correction1;
    bool first;
};

struct arrays {
    float *w, *m, *v, *change;                     /* change may be NULL */
    const float *g;
    size_t count;
};

/* Not finite, NaN included. Written without a branch. */
static unsigned odd(float x) { return !(fabsf(x) <= FLT_MAX); }

static unsigned adam(const struct job *j, const struct arrays *a, float step)
{
    float *restrict w = a->w, *restrict m = a->m, *restrict v = a->v;
    const float *restrict g = a->g;
    unsigned bad = 0;

    for (size_t i = 0; i < a->count; i++) {
        float gradient = j->scale * g[i] + j->decay * w[i];
        float mean = j->beta1 * m[i] + j->rest1 * gradient;
        float square = j->beta2 * v[i] + j->rest2 * gradient * gradient;
        float next = w[i] - step * (mean / (sqrtf(square) / j->root2 + j->eps));

        m[i] = mean;
        v[i] = square;
        bad |= odd(square) | odd(next);            /* an infinite square is a weight that will never move again */
        w[i] = next;
    }
    return bad;
}

static unsigned sgd(const struct job *j, const struct arrays *a, float step)
{
    const bool keeps = j->momentum != 0.0f;
    float *restrict w = a->w, *restrict b = a->m;
    const float *restrict g = a->g;
    unsigned bad = 0;

    for (size_t i = 0; i < a->count; i++) {
        float gradient = j->scale * g[i] + j->decay * w[i], next;

        if (keeps) {
            gradient = j->first ? gradient : j->momentum * b[i] + gradient;
            b[i] = gradient;
        }
        next = w[i] - step * gradient;
        bad |= odd(next);
        w[i] = next;
    }
    return bad;
}

static void update_chunk(void *ctx, size_t index, uint32_t thread)
{
    const struct job *j = ctx;
    const struct update_chunk *c = &j->model->chunks[index];
    const struct parameter *p = &j->model->parameters[c->parameter];
    const double lr = j->u->lr[c->parameter];
    struct arrays a = { .count = c->count };

    (void)thread;
    j->model->nonfinite[index] = 0;
    if (lr < 0 || !p->gradient)
        return;
    a.w = p->value + c->first;
    a.g = p->gradient + c->first;
    a.m = p->moment1 + c->first;
    a.v = p->moment2 + c->first;
    a.change = j->changes && p->change ? p->change + c->first : NULL;
    if (a.change)
        memcpy(a.change, a.w, a.count * sizeof *a.w);
    j->model->nonfinite[index] =
        (unsigned char)(j->u->kind == BIOFT_ADAM ? adam(j, &a, (float)(lr / j->correction1)) : sgd(j, &a, (float)lr));
    for (size_t i = 0; a.change && i < a.count; i++)
        a.change[i] = a.w[i] - a.change[i];
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

bioft_status model_update(struct model *m, const bioft_update *u, const bioft_hooks *hooks,
                          uint32_t *ret_first_nonfinite)
{
    struct job j = {
        .model = m, .u = u, .changes = hooks && hooks->updated, .scale = (float)u->gradient_scale,
        .decay = (float)u->weight_decay, .beta1 = (float)u->beta1, .rest1 = (float)(1 - u->beta1),
        .beta2 = (float)u->beta2, .rest2 = (float)(1 - u->beta2), .eps = (float)u->eps,
        .momentum = (float)u->momentum, .first = u->t == 1,
    };
    uint32_t first = BIOFT_NONE;
    const unsigned char *found;
    bioft_status st = check(m, u);

    if (st != BIOFT_OK)
        return st;
    j.correction1 = 1 - pow(u->beta1, (double)u->t);
    j.root2 = (float)sqrt(1 - pow(u->beta2, (double)u->t));
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
