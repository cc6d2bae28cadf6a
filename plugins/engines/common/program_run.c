/* Running a program: forward and backward, segment by segment. */
#include "program.h"
#include "requests.h"

#include <string.h>

/* A gradient that nobody has written, but somebody reads, is zero. */
static void settle(struct program *p, uint32_t tensor)
{
    struct tensor *t = &p->tensors[tensor];

    if (t->needed && !t->filled)
        memset(t->gradient, 0, p->n * t->floats * sizeof *t->gradient);
    t->filled = true;
}

bioft_status cpu_program_forward(struct program *p, uint32_t n, const float *x, uint64_t dropout_key, float *ret_out)
{
    bioft_status st = request_batch(p->engine->host, &p->model->network, p->use.max_batch, batch_statistics(p), n);
    const struct backend *backend = p->engine->backend;
    const struct tensor *out = &p->tensors[p->output];
    struct tensor *in = &p->tensors[0];

    if (st != BIOFT_OK)
        return st;
    p->n = n;
    p->input = x;
    p->dropout_key = dropout_key;
    atomic_store(&p->failed, BIOFT_OK);
    /* Read only where it is the caller's: no node writes over the input. */
    in->value = in->slot != BIOFT_NONE && (p->keeps_input || n % p->piece != 0) ? p->own_input : (float *)(uintptr_t)x;
    if (backend->refresh && (st = backend->refresh(p, FORWARD)) != BIOFT_OK)
        return st;
    for (uint32_t i = 0; i < p->node_count; i++)
        if (p->nodes[i].op && p->nodes[i].op->begin)
            p->nodes[i].op->begin(p, &p->nodes[i]);
    for (uint32_t s = 0; s < p->forward_count; s++)
        segment_run(p, &p->forward[s], FORWARD);
    p->input = NULL;
    st = atomic_load(&p->failed);
    if (st != BIOFT_OK) {
        p->n = 0;
        return bioft_failf(p->engine->host, st,
                           st == BIOFT_ERR_UNSUPPORTED ? "a kernel of the engine's library failed"
                                                       : "the host has no random numbers for dropout");
    }
    tensor_export(out, out->value, n, ret_out);
    return BIOFT_OK;
}

static bool has_parameters(const struct node *n) { return operator_traits(n->def->op) & HAS_PARAMETERS; }

/* What of the backward pass somebody needs. A rule that writes dy, dx or dw itself saves the engine their making. */
static void plan_pass(struct program *p, bool input_wanted)
{
    const bool parameters = trains(p) && !(p->flags & BIOFT_NO_PARAMETERS), exact = p->flags & BIOFT_EXACT;

    p->tensors[0].needed = input_wanted;
    for (uint32_t i = 0; i < p->tensor_count; i++)
        p->tensors[i].filled = false;
    for (uint32_t i = 1; i < p->node_count; i++) {
        struct node *n = &p->nodes[i];
        const uint32_t writes = exact ? 0 : n->route.writes;
        bool active;

        if (!n->op)
            continue;
        n->trains = parameters && has_parameters(n) && !(writes & BIOFT_DW);
        n->wants[0] = p->tensors[n->x[0]].needed && !(writes & BIOFT_DX);
        n->wants[1] = n->def->input_count > 1 && p->tensors[n->x[1]].needed;
        active = n->trains || n->wants[0] || n->wants[1];
        p->tensors[n->y].needed = (n->route.reads & BIOFT_DY) || (active && !(writes & BIOFT_DY));
    }
}

static bioft_status take_feedback(struct program *p)
{
    for (uint32_t i = 1; i < p->node_count; i++) {
        struct node *n = &p->nodes[i];
        if (n->def->layer == BIOFT_NONE || !n->wants[0])
            continue;
        n->v = p->flags & BIOFT_EXACT ? parameter_value(p, n->def->weight) : feedback_get(p->model, n->def->layer);
        if (!n->v)
            return bioft_failf(p->engine->host, BIOFT_ERR_INVALID,
                               "the host has no random numbers for the feedback "
                               "of layer '%s'",
                               p->model->network.layers[n->def->layer].name);
    }
    return BIOFT_OK;
}

static bioft_status announce(struct program *p, const struct node *n)
{
    const uint32_t parameters[] = { n->def->weight, n->def->bias };

    if (!p->hooks || !p->hooks->gradient || !has_parameters(n))
        return BIOFT_OK;
    for (int k = 0; k < 2; k++) {
        const uint32_t i = parameters[k];
        bioft_status st;
        if (i == BIOFT_NONE)
            continue;
        st = p->hooks->gradient(p->hooks->ctx, i, p->model->parameters[i].gradient, p->model->parameters[i].count);
        if (st != BIOFT_OK)
            return bioft_failf(p->engine->host, st, "the gradient of '%s' was not taken",
                               p->model->network.parameters[i].name);
    }
    return BIOFT_OK;
}

static bioft_status backward_segment(struct program *p, const struct segment *s)
{
    const bool parameters = trains(p) && !(p->flags & BIOFT_NO_PARAMETERS);
    bioft_status st = BIOFT_OK;

    for (uint32_t i = s->last + 1; i-- > s->first;) {
        struct node *n = &p->nodes[i];
        if (!n->op)
            continue;
        settle(p, n->y);
        st = route_run(p, n);
        if (st != BIOFT_OK)
            return st;
        for (int k = 0; k < 2; k++) {
            if (!n->wants[k])
                continue;
            n->adds[k] = p->tensors[n->x[k]].filled;
            p->tensors[n->x[k]].filled = true;
        }
    }
    segment_run(p, s, BACKWARD);
    if (parameters) {
        segment_run(p, s, GRADIENT);
        segment_run(p, s, REDUCE);
    }
    for (uint32_t i = s->last + 1; parameters && st == BIOFT_OK && i-- > s->first;)
        st = announce(p, &p->nodes[i]);
    return st;
}

static bioft_status check_backward(const struct program *p, uint32_t flags, const bioft_hooks *hooks)
{
    const bioft_host *host = p->engine->host;

    if (!goes_back(p))
        return host->fail(host, BIOFT_ERR_INVALID, "a program for evaluation has no backward pass");
    if (flags & ~(uint32_t)(BIOFT_EXACT | BIOFT_ACCUMULATE | BIOFT_NO_PARAMETERS | BIOFT_STRAIGHT_THROUGH))
        return bioft_failf(host, BIOFT_ERR_UNSUPPORTED, "backward flags %u are not known", flags);
    if (flags & BIOFT_STRAIGHT_THROUGH && p->use.kind != BIOFT_ATTACK)
        return host->fail(host, BIOFT_ERR_INVALID, "stand-ins for derivatives are for attacks");
    if (p->n == 0)
        return host->fail(host, BIOFT_ERR_INVALID, "backward comes after forward");
    for (uint32_t i = 1; i < p->node_count; i++)
        if (p->nodes[i].route.writes && !(flags & BIOFT_EXACT) && !(hooks && hooks->local))
            return bioft_failf(host, BIOFT_ERR_INVALID, "layer '%s' is the rule's to compute, and has no hook",
                               p->model->network.layers[p->nodes[i].def->layer].name);
    return BIOFT_OK;
}

bioft_status cpu_program_backward(struct program *p, const float *d_out, uint32_t flags, float *ret_dx,
                                  const bioft_hooks *hooks)
{
    bioft_status st = check_backward(p, flags, hooks);
    const struct backend *backend = p->engine->backend;
    struct tensor *out = &p->tensors[p->output], *in = &p->tensors[0];

    if (st != BIOFT_OK)
        return st;
    p->flags = flags;
    p->hooks = hooks;
    in->gradient = ret_dx && p->n % p->piece != 0 ? p->own_dx : ret_dx;
    plan_pass(p, ret_dx != NULL);
    st = take_feedback(p);
    if (st == BIOFT_OK && backend->refresh)
        st = backend->refresh(p, BACKWARD);
    if (st != BIOFT_OK)
        return st;
    if (out->needed && out->gradient) {
        tensor_import(out, d_out, p->n, false, out->gradient);
        out->filled = true;
    }
    for (uint32_t s = 0; st == BIOFT_OK && s < p->backward_count; s++)
        st = backward_segment(p, &p->backward[s]);
    if (st == BIOFT_OK)
        settle(p, 0);
    if (st == BIOFT_OK && in->gradient != ret_dx)
        memcpy(ret_dx, in->gradient, p->n * in->floats * sizeof *ret_dx);
    p->hooks = NULL;
    if (st != BIOFT_OK)
        return st;
    if (atomic_load(&p->failed) != BIOFT_OK)
        return p->engine->host->fail(p->engine->host, BIOFT_ERR_UNSUPPORTED, "a kernel of the engine's library failed");
    return BIOFT_OK;
}
