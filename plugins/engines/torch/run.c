/* Running a program: forward and backward, node by node. */
#include "clock.h"
#include "program.h"
#include "../common/requests.h"
#include "../common/traits.h"

#include <string.h>

static void drop_saved(struct program *p, struct node *n)
{
    tensor_drop(p->t, &n->y);
    tensor_drop(p->t, &n->dy);
    for (int k = 0; k < SAVED; k++)
        tensor_drop(p->t, &n->saved[k]);
}

/* The first part of an array that is made for a largest batch. */
static tensor part(struct program *p, tensor x, const struct shape *s) { return tensor_view(p->t, x, s, 0); }

/* The caller's images, on the device in the values' layout and type. */
static bool take_input(struct program *p, const float *x)
{
    const struct shape image = value_shape(p, 0), plain = plain_shape(p, 0);
    tensor staging = NULL, pinned = NULL, host = NULL;
    bool good;

    p->nodes[0].y = part(p, p->input, &image);
    if (!p->nodes[0].y)
        return false;
    if (p->t->on_host) {
        host = tensor_of_host(p->t, x, &plain, p->t->float32);
        good = host && tensor_copy(p->t, p->nodes[0].y, host);
        tensor_drop(p->t, &host);
        return good;
    }
    memcpy(tensor_memory(p->t, p->pinned), x, (size_t)shape_count(&plain) * sizeof *x);
    pinned = part(p, p->pinned, &plain);
    staging = pinned ? part(p, p->staging, &plain) : NULL;
    good = staging && p->t->f.aoti_torch_copy_(staging, pinned, 1) == 0 && tensor_copy(p->t, p->nodes[0].y, staging);
    tensor_drop(p->t, &pinned);
    tensor_drop(p->t, &staging);
    return good;
}

/* Values that have had their last reader, and that nothing keeps. */
static void let_go(struct program *p, uint32_t now)
{
    const struct node *n = &p->nodes[now];

    for (uint32_t k = 0; k < n->def->input_count; k++) {
        struct node *x = &p->nodes[n->def->input[k]];
        if (!x->kept && x->last_reader == now)
            tensor_drop(p->t, &x->y);
    }
}

static bool forward(struct program *p, const float *x, float *ret_out)
{
    const uint32_t last = p->node_count - 1;
    const struct shape plain = plain_shape(p, last);

    if (!take_input(p, x))
        return false;
    for (uint32_t i = 1; i < p->node_count; i++) {
        const double start = clock_now();
        if (!node_forward(p, &p->nodes[i]))
            return false;
        let_go(p, i);
        p->nodes[i].seconds[FORWARD] += clock_now() - start;
    }
    return tensor_read(p->t, p->nodes[last].y, &plain, ret_out);
}

bioft_status program_forward(struct program *p, uint32_t n, const float *x, uint64_t dropout_key, float *ret_out)
{
    bioft_status st = request_batch(p->t->host, &p->model->network, p->use.max_batch, batch_statistics(p), n);

    if (st != BIOFT_OK)
        return st;
    for (uint32_t i = 0; i < p->node_count; i++)
        drop_saved(p, &p->nodes[i]);
    p->n = n;
    p->dropout_key = dropout_key;
    if (forward(p, x, ret_out))
        return BIOFT_OK;
    p->n = 0;
    return torch_failed(p->t, "the forward pass");
}

bool node_receive(struct program *p, uint32_t i, tensor g, bool shared)
{
    struct node *n = &p->nodes[i];
    tensor before = n->dy;

    if (!g || !before) {
        n->dy = g;
        n->dy_shared = shared;
        return g != NULL;
    }
    n->dy = tensor_sum(p->t, before, g, 1);
    n->dy_shared = false;
    tensor_drop(p->t, &before);
    tensor_drop(p->t, &g);
    return n->dy != NULL;
}

/* Taken over where it is laid out like the parameter, which the optimizer relies on; copied where not. */
bool parameter_receive(struct program *p, uint32_t parameter, tensor g)
{
    struct parameter *q = &p->model->parameters[parameter];
    struct torch *t = p->t;
    int32_t dtype = 0;
    tensor made = g, sum;

    if (!g)
        return false;
    if (!tensor_is_laid_out(t, g, &q->shape) || t->f.aoti_torch_get_dtype(g, &dtype) != 0 || dtype != t->float32) {
        made = tensor_empty(t, &q->shape, t->float32);
        if (made && !tensor_copy(t, made, g))
            tensor_drop(t, &made);
        tensor_drop(t, &g);
    }
    if (!made)
        return false;
    if (p->flags & BIOFT_ACCUMULATE) {
        sum = tensor_sum(t, q->gradient, made, 1);
        tensor_drop(t, &made);
        if (!sum)
            return false;
        made = sum;
    }
    tensor_drop(t, &q->gradient);
    q->gradient = made;
    return true;
}

static bool has_parameters(const struct node *n) { return operator_traits(n->def->op) & HAS_PARAMETERS; }

/* What of the backward pass somebody needs. A rule that writes dy, dx or dw itself saves the engine their making. */
static void plan_pass(struct program *p, bool input_wanted)
{
    const bool parameters = trains(p) && !(p->flags & BIOFT_NO_PARAMETERS), exact = p->flags & BIOFT_EXACT;

    p->nodes[0].needed = input_wanted;
    for (uint32_t i = 0; i < p->node_count; i++)
        tensor_drop(p->t, &p->nodes[i].dy);
    for (uint32_t i = 1; i < p->node_count; i++) {
        struct node *n = &p->nodes[i];
        const uint32_t writes = exact ? 0 : n->route.writes;
        bool active;

        n->trains = parameters && has_parameters(n) && !(writes & BIOFT_DW);
        n->wants[0] = p->nodes[n->def->input[0]].needed && !(writes & BIOFT_DX);
        n->wants[1] = n->def->input_count > 1 && p->nodes[n->def->input[1]].needed;
        active = n->trains || n->wants[0] || n->wants[1];
        n->needed = (n->route.reads & BIOFT_DY) || (active && !(writes & BIOFT_DY));
    }
}

static bool take_feedback(struct program *p)
{
    for (uint32_t i = 1; i < p->node_count; i++) {
        struct node *n = &p->nodes[i];
        n->v = NULL;
        if ((n->def->op != BIOFT_OP_CONV2D && n->def->op != BIOFT_OP_LINEAR) || !n->wants[0])
            continue;
        n->v = p->flags & BIOFT_EXACT ? model_value(p->model, n->def->weight, p->use.precision)
                                      : feedback_get(p->model, n->def->layer, p->use.precision);
        if (!n->v)
            return false;
    }
    return true;
}

/* The hook for a final gradient, which may change it. */
static bioft_status announce(struct program *p, const struct node *n)
{
    const uint32_t parameters[] = { n->def->weight, n->def->bias };

    for (int k = 0; k < 2; k++) {
        const uint32_t i = parameters[k];
        struct parameter *q;
        bioft_status st;
        if (i == BIOFT_NONE)
            continue;
        q = &p->model->parameters[i];
        if (!tensor_read(p->t, q->gradient, &q->plain, p->copies))
            return torch_failed(p->t, "a gradient");
        st = p->hooks->gradient(p->hooks->ctx, i, p->copies, q->count);
        if (st != BIOFT_OK)
            return bioft_failf(p->t->host, st, "the gradient of '%s' was not taken",
                               p->model->network.parameters[i].name);
        if (!tensor_write(p->t, q->gradient, &q->plain, p->copies))
            return torch_failed(p->t, "a gradient");
    }
    return BIOFT_OK;
}

/* A gradient that nobody has written, but somebody reads, is zero. */
static bool settle(struct program *p, struct node *n)
{
    const struct shape s = value_shape(p, n->index);

    if (!n->needed || n->dy)
        return true;
    n->dy = tensor_zeros(p->t, &s, p->dtype);
    n->dy_shared = false;
    return n->dy != NULL;
}

static bioft_status backward_node(struct program *p, struct node *n)
{
    const bool parameters = trains(p) && !(p->flags & BIOFT_NO_PARAMETERS);
    const double start = clock_now();
    bioft_status st;

    if (!settle(p, n))
        return torch_failed(p->t, "the backward pass");
    st = route_run(p, n);
    if (st != BIOFT_OK)
        return st;
    if (!node_backward(p, n))
        return torch_failed(p->t, "the backward pass");
    tensor_drop(p->t, &n->dy);
    n->seconds[BACKWARD] += clock_now() - start;
    return parameters && has_parameters(n) && p->hooks && p->hooks->gradient ? announce(p, n) : BIOFT_OK;
}

static bioft_status check_backward(const struct program *p, uint32_t flags, const bioft_hooks *hooks)
{
    const bioft_host *host = p->t->host;

    if (!goes_back(p))
        return host->fail(host, BIOFT_ERR_INVALID, "a program for evaluation has no backward pass");
    if (flags & ~(uint32_t)(BIOFT_EXACT | BIOFT_ACCUMULATE | BIOFT_NO_PARAMETERS))
        return bioft_failf(host, BIOFT_ERR_UNSUPPORTED, "backward flags %u are not known", flags);
    if (p->n == 0)
        return host->fail(host, BIOFT_ERR_INVALID, "backward comes after forward");
    for (uint32_t i = 1; i < p->node_count; i++)
        if (p->nodes[i].route.writes && !(flags & BIOFT_EXACT) && !(hooks && hooks->local))
            return bioft_failf(host, BIOFT_ERR_INVALID, "layer '%s' is the rule's to compute, and has no hook",
                               p->model->network.layers[p->nodes[i].def->layer].name);
    return BIOFT_OK;
}

static bioft_status run_backward(struct program *p, const float *d_out, float *ret_dx)
{
    struct node *last = &p->nodes[p->node_count - 1], *in = &p->nodes[0];
    const struct shape out = value_shape(p, last->index), plain = plain_shape(p, last->index);
    const struct shape pixels = plain_shape(p, 0);
    bioft_status st = BIOFT_OK;

    if (!take_feedback(p))
        return torch_failed(p->t, "feedback weights");
    if (last->needed) {
        last->dy = tensor_empty(p->t, &out, p->dtype);
        last->dy_shared = false;
        if (!last->dy || !tensor_write(p->t, last->dy, &plain, d_out))
            return torch_failed(p->t, "the output's gradient");
    }
    for (uint32_t i = p->node_count; st == BIOFT_OK && i-- > 1;)
        st = backward_node(p, &p->nodes[i]);
    if (st != BIOFT_OK || !ret_dx)
        return st;
    if (!settle(p, in) || !tensor_read(p->t, in->dy, &pixels, ret_dx))
        st = torch_failed(p->t, "the pixels' gradient");
    return st;
}

bioft_status program_backward(struct program *p, const float *d_out, uint32_t flags, float *ret_dx,
                              const bioft_hooks *hooks)
{
    bioft_status st = check_backward(p, flags, hooks);

    if (st != BIOFT_OK)
        return st;
    p->flags = flags;
    p->hooks = hooks;
    plan_pass(p, ret_dx != NULL);
    st = run_backward(p, d_out, ret_dx);
    for (uint32_t i = 0; i < p->node_count; i++)
        tensor_drop(p->t, &p->nodes[i].dy);
    p->hooks = NULL;
    return st;
}
