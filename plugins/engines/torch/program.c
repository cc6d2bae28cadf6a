/* Making a program: what each node needs, who reads whom, the memory that its steps share. */
#include "program.h"

#include "../common/memory.h"
#include "../common/traits.h"

#include <stdio.h>
#include <string.h>

bioft_status program_check(struct torch *t, const struct network *n, const bioft_use *use, char *why, size_t size)
{
    size_t floats;

    (void)t;
    if (use->kind < BIOFT_TRAIN || use->kind > BIOFT_ATTACK || (use->flags & ~(uint32_t)BIOFT_FROZEN_BATCHNORM)) {
        snprintf(why, size, "use number %u with flags %u is not known", use->kind, use->flags);
        return BIOFT_ERR_UNSUPPORTED;
    }
    if (use->precision != BIOFT_F32 && use->precision != BIOFT_BF16) {
        snprintf(why, size, "precision number %u is neither f32 nor bf16", use->precision);
        return BIOFT_ERR_UNSUPPORTED;
    }
    if (use->max_batch == 0 || use->max_batch > INT32_MAX) {
        snprintf(why, size, "a batch of %u", use->max_batch);
        return BIOFT_ERR_INVALID;
    }
    for (uint32_t i = 0; i < n->node_count; i++)
        if (!product(node_floats(&n->nodes[i]), use->max_batch, &floats) || floats > SIZE_MAX / 64) {
            snprintf(why, size, "a batch of %u is too large", use->max_batch);
            return BIOFT_ERR_UNSUPPORTED;
        }
    return BIOFT_OK;
}

/* The node whose value this one's is. */
static uint32_t source_of(const struct program *p, uint32_t node)
{
    while (p->nodes[node].identity)
        node = p->nodes[node].def->input[0];
    return node;
}

/* Readers of node's value, those behind nodes that only hand it on among them; *ret_one is the last. */
static uint32_t count_readers(const struct program *p, uint32_t node, uint32_t *ret_one)
{
    uint32_t count = 0;

    for (uint32_t i = 1; i < p->node_count; i++)
        for (uint32_t k = 0; !p->nodes[i].identity && k < p->nodes[i].def->input_count; k++)
            if (source_of(p, p->nodes[i].def->input[k]) == source_of(p, node)) {
                count++;
                *ret_one = i;
            }
    return count + (source_of(p, p->node_count - 1) == source_of(p, node));
}

/* The one node that reads a value; BIOFT_NONE: none, several, or the caller. */
static uint32_t only_reader(const struct program *p, uint32_t node)
{
    uint32_t one = BIOFT_NONE;

    return count_readers(p, node, &one) == 1 ? one : BIOFT_NONE;
}

static bool is_activation(uint32_t op) { return op == BIOFT_OP_RELU || op == BIOFT_OP_TANH; }

/* H of a layer: its output after the activation that follows, across a batchnorm; or its output. */
static uint32_t activated(const struct program *p, uint32_t node)
{
    uint32_t next = only_reader(p, node);

    while (next != BIOFT_NONE && p->nodes[next].def->op == BIOFT_OP_BATCHNORM)
        next = only_reader(p, next);
    return next != BIOFT_NONE && is_activation(p->nodes[next].def->op) ? next : node;
}

/* Also the handles of the nodes that only hand it on. */
static void keep(struct program *p, uint32_t node)
{
    for (; p->nodes[node].identity; node = p->nodes[node].def->input[0])
        p->nodes[node].kept = true;
    p->nodes[node].kept = true;
}

/* Those whose backward function in libtorch takes the input, if only for its size. */
static bool reads_input(uint32_t op)
{
    return op == BIOFT_OP_BATCHNORM || op == BIOFT_OP_MAXPOOL || op == BIOFT_OP_AVGPOOL ||
           op == BIOFT_OP_ADAPTIVE_AVGPOOL || op == BIOFT_OP_HARDSIGMOID;
}

/* What backward and hooks read. */
static void mark_kept(struct program *p)
{
    for (uint32_t i = 1; i < p->node_count; i++) {
        struct node *n = &p->nodes[i];
        const uint32_t op = n->def->op, traits = operator_traits(op);
        n->h = i;
        if (!goes_back(p) || n->identity)
            continue;
        if (traits & KEEPS_Y)
            keep(p, i);
        if ((traits & KEEPS_X) || (trains(p) && (traits & KEEPS_X_TO_TRAIN)) || reads_input(op))
            keep(p, n->def->input[0]);
        if (traits & KEEPS_OTHER)
            keep(p, n->def->input[1]);
        if (op != BIOFT_OP_CONV2D && op != BIOFT_OP_LINEAR)
            continue;
        n->h = activated(p, i);
        if (n->route.reads & BIOFT_X)
            keep(p, n->def->input[0]);
        if (n->route.reads & BIOFT_Y)
            keep(p, i);
        if (n->route.reads & BIOFT_H)
            keep(p, n->h);
    }
    keep(p, p->node_count - 1);
}

/* An activation or dropout whose input nobody else needs, made by a node that does not need it either. */
static bool may_write_over(const struct program *p, const struct node *n)
{
    const struct node *x;

    if ((!is_activation(n->def->op) && n->def->op != BIOFT_OP_DROPOUT) || n->identity)
        return false;
    x = &p->nodes[n->def->input[0]];
    return !x->identity && !x->kept && only_reader(p, x->index) == n->index &&
           (x->def->op == BIOFT_OP_CONV2D || x->def->op == BIOFT_OP_LINEAR || x->def->op == BIOFT_OP_BATCHNORM ||
            x->def->op == BIOFT_OP_ADD);
}

static void mark_readers(struct program *p)
{
    for (uint32_t i = 0; i < p->node_count; i++)
        p->nodes[i].last_reader = i;
    for (uint32_t i = 1; i < p->node_count; i++)
        for (uint32_t k = 0; k < p->nodes[i].def->input_count; k++)
            p->nodes[p->nodes[i].def->input[k]].last_reader = i;
    for (uint32_t i = 1; i < p->node_count; i++)
        p->nodes[i].in_place = may_write_over(p, &p->nodes[i]);
}

/* From the windows' places: what must be added after the input so that the last one is whole. */
static uint32_t after(const bioft_node *d, const bioft_node *x, int axis)
{
    const int64_t side = axis == 0 ? x->height : x->width, count = axis == 0 ? d->height : d->width;
    const int64_t end = (count - 1) * d->stride[axis] + (int64_t)d->dilation[axis] * (d->kernel[axis] - 1) + 1;
    const int64_t needed = end - side - d->padding[axis];

    return needed > 0 ? (uint32_t)needed : 0;
}

static void plan_window(const struct program *p, struct node *n)
{
    const bioft_node *d = n->def, *x = def_of(p, d->input[0]);

    for (int k = 0; k < 2; k++) {
        n->window.padded |= d->padding[k] != d->padding[k + 2] || 2 * d->padding[k] > d->kernel[k];
        n->window.before[k] = d->padding[k];
        n->window.after[k] = after(d, x, k);
    }
    n->window.ceil_mode = d->ceil_mode && !n->window.padded;
}

/* 1 / the values that torch divides a window's sum by: the window without what hangs over the padding, or only what
 * is in the image. */
static bool make_shares(struct program *p, struct node *n)
{
    const bioft_node *d = n->def, *x = def_of(p, d->input[0]);
    const struct shape s = shape_plain(1, 1, d->height, d->width);
    const uint32_t side[2] = { x->height, x->width };
    float *share = memory_take((size_t)d->height * d->width, sizeof *share);
    bool good = share;

    for (uint32_t i = 0; good && i < d->height * d->width; i++) {
        const uint32_t at[2] = { i / d->width, i % d->width };
        int64_t values = 1;
        for (int k = 0; k < 2; k++) {
            int64_t from = (int64_t)at[k] * d->stride[k] - d->padding[k], to = from + d->kernel[k];
            const int64_t end = (int64_t)side[k] + (d->exclude_padding ? 0 : d->padding[k + 2]);
            to = to < end ? to : end;
            from = d->exclude_padding && from < 0 ? 0 : from;
            values *= to - from;
        }
        share[i] = 1.0f / (float)values;
    }
    n->share = good ? tensor_empty(p->t, &s, p->dtype) : NULL;
    good = n->share && tensor_write(p->t, n->share, &s, share);
    memory_give(share);
    return good;
}

static bioft_status take_routes(struct program *p, const bioft_route *routes)
{
    const uint32_t reads = BIOFT_X | BIOFT_Y | BIOFT_H | BIOFT_DY | BIOFT_E | BIOFT_W;
    const uint32_t writes = BIOFT_DY | BIOFT_DX | BIOFT_DW;
    const struct network *net = &p->model->network;

    for (uint32_t i = 0; routes && goes_back(p) && i < net->layer_count; i++) {
        struct node *n = &p->nodes[net->layer_node[i]];
        n->route.reads = routes[i].reads;
        n->route.writes = routes[i].writes;
        if ((n->route.reads & ~reads) || (n->route.writes & ~writes))
            return bioft_failf(p->t->host, BIOFT_ERR_UNSUPPORTED,
                               "layer '%s': a rule reads x, y, h, dy, e or w, and writes dy, dx or dw",
                               net->layers[i].name);
    }
    return BIOFT_OK;
}

/* An estimate: values that are kept, what batchnorm, pools and dropout save, and the gradients at the widest place. */
static uint64_t estimate(const struct program *p)
{
    const uint64_t size = p->dtype == p->t->bfloat16 ? 2 : 4;
    uint64_t bytes = 0, widest = 0;

    for (uint32_t i = 0; i < p->node_count; i++) {
        const uint64_t values = (uint64_t)node_floats(p->nodes[i].def) * p->use.max_batch;
        widest = values > widest ? values : widest;
        if (i == 0 || (p->nodes[i].kept && !p->nodes[i].in_place))
            bytes += values * size;
        if (goes_back(p) && p->nodes[i].def->op == BIOFT_OP_MAXPOOL)
            bytes += values * 8;
        if (trains(p) && p->nodes[i].def->op == BIOFT_OP_DROPOUT)
            bytes += values * size;
    }
    return bytes + (goes_back(p) ? 3 : 2) * widest * size;
}

/* The host's memory: hooks' copies and dropout's masks, one layer at a time. */
static size_t copies_floats(const struct program *p)
{
    size_t most = 1;

    for (uint32_t i = 1; i < p->node_count; i++) {
        const struct node *n = &p->nodes[i];
        const size_t floats = n->def->op == BIOFT_OP_DROPOUT && !n->identity ? node_floats(n->def) * p->use.max_batch
                                                                             : route_floats(p, n);
        most = floats > most ? floats : most;
    }
    return most;
}

static bioft_status too_much(const struct program *p)
{
    return bioft_failf(p->t->host, BIOFT_ERR_MEMORY,
                       "a batch of %u needs %llu MiB, %llu are allowed: use smaller "
                       "batches",
                       p->use.max_batch, (unsigned long long)(p->bytes >> 20),
                       (unsigned long long)(p->use.memory_limit >> 20));
}

static bioft_status take_memory(struct program *p)
{
    const bioft_node *d = p->nodes[0].def;
    const struct shape in = shape_image(p->use.max_batch, d->channels, d->height, d->width);
    const struct shape plain = shape_plain(p->use.max_batch, d->channels, d->height, d->width);

    p->bytes = estimate(p);
    if (p->use.memory_limit != 0 && p->bytes > p->use.memory_limit)
        return too_much(p);
    p->copies = memory_take(copies_floats(p), sizeof *p->copies);
    if (!p->copies)
        return p->t->host->fail(p->t->host, BIOFT_ERR_MEMORY, "out of memory for a program");
    p->input = tensor_empty(p->t, &in, p->dtype);
    if (p->input && !p->t->on_host) {
        p->staging = tensor_empty(p->t, &plain, p->t->float32);
        p->pinned = p->staging ? tensor_pinned(p->t, &plain, p->t->float32) : NULL;
    }
    if (!p->input || (!p->t->on_host && !p->pinned))
        return torch_failed(p->t, "memory for a batch");
    for (uint32_t i = 1; i < p->node_count; i++) {
        struct node *n = &p->nodes[i];
        if (n->def->op == BIOFT_OP_CLIP && (!(n->bounds[0] = tensor_number(p->t, (double)n->def->low)) ||
                                            !(n->bounds[1] = tensor_number(p->t, (double)n->def->high))))
            return torch_failed(p->t, "an activation");
    }
    for (uint32_t i = 1; i < p->node_count; i++)
        if (p->nodes[i].def->op == BIOFT_OP_AVGPOOL && p->nodes[i].window.padded && !make_shares(p, &p->nodes[i]))
            return torch_failed(p->t, "a pool");
    return BIOFT_OK;
}

static bioft_status compile(struct program *p, const bioft_route *routes)
{
    const struct network *net = &p->model->network;
    char why[256];
    bioft_status st = program_check(p->t, net, &p->use, why, sizeof why);

    if (st != BIOFT_OK)
        return p->t->host->fail(p->t->host, st, why);
    if (p->t->options.precision == PRECISION_BF16)
        p->use.precision = BIOFT_BF16;
    p->dtype = p->use.precision == BIOFT_BF16 ? p->t->bfloat16 : p->t->float32;
    p->node_count = net->node_count;
    p->nodes = memory_take(p->node_count, sizeof *p->nodes);
    if (!p->nodes)
        return p->t->host->fail(p->t->host, BIOFT_ERR_MEMORY, "out of memory for a program");
    for (uint32_t i = 0; i < p->node_count; i++) {
        struct node *n = &p->nodes[i];
        n->def = &net->nodes[i];
        n->index = i;
        n->identity = n->def->op == BIOFT_OP_DROPOUT && !(trains(p) && n->def->dropout > 0);
        if (n->def->op == BIOFT_OP_MAXPOOL || n->def->op == BIOFT_OP_AVGPOOL)
            plan_window(p, n);
    }
    st = take_routes(p, routes);
    if (st != BIOFT_OK)
        return st;
    mark_kept(p);
    mark_readers(p);
    st = take_memory(p);
    return st == BIOFT_OK && trains(p) ? model_trainable(p->model) : st;
}

bioft_status program_create(struct model *m, const bioft_use *use, const bioft_route *routes, struct program **ret)
{
    struct program *p = memory_take(1, sizeof *p);
    bioft_status st;

    if (!p)
        return m->t->host->fail(m->t->host, BIOFT_ERR_MEMORY, "out of memory for a program");
    p->t = m->t;
    p->model = m;
    memcpy(&p->use, use, use->struct_size < sizeof p->use ? use->struct_size : sizeof p->use);
    st = compile(p, routes);
    if (st == BIOFT_OK)
        *ret = p;
    else
        program_destroy(p);
    return st;
}

void program_destroy(struct program *p)
{
    if (!p)
        return;
    for (uint32_t i = 0; p->nodes && i < p->node_count; i++) {
        struct node *n = &p->nodes[i];
        tensor_drop(p->t, &n->y);
        tensor_drop(p->t, &n->dy);
        for (int k = 0; k < SAVED; k++)
            tensor_drop(p->t, &n->saved[k]);
        tensor_drop(p->t, &n->share);
        tensor_drop(p->t, &n->bounds[0]);
        tensor_drop(p->t, &n->bounds[1]);
    }
    tensor_drop(p->t, &p->input);
    tensor_drop(p->t, &p->staging);
    tensor_drop(p->t, &p->pinned);
    tensor_drop(p->t, &p->scratch);
    memory_give(p->nodes);
    memory_give(p->copies);
    memory_give(p);
}
