/* From a network to nodes, tensors and segments. */
#include "compile.h"
#include "node_batchnorm.h"
#include "memory.h"
#include "plain.h"

#include <string.h>

enum { WHOLE_WEIGHTS = 64 * 1024 }; /* of a linear layer: more would be read again for each piece */
enum { LARGE_PIECE = 4 << 20 };     /* floats: no cache keeps as many from node to node */

static bool knows_precision(const struct backend *b, uint32_t precision, char *why, size_t size)
{
    if (precision == BIOFT_BF16 && b->bf16)
        return b->bf16(why, size);
    if (precision == BIOFT_BF16)
        snprintf(why, size, "this engine computes in f32 only");
    else
        snprintf(why, size, "precision number %u is neither f32 nor bf16", precision);
    return precision == BIOFT_F32;
}

bioft_status compile_check(const struct backend *b, const struct network *n, const bioft_use *use, char *why,
                           size_t size)
{
    size_t floats;

    if (use->kind < BIOFT_TRAIN || use->kind > BIOFT_ATTACK || (use->flags & ~(uint32_t)BIOFT_FROZEN_BATCHNORM)) {
        snprintf(why, size, "use number %u with flags %u is not known", use->kind, use->flags);
        return BIOFT_ERR_UNSUPPORTED;
    }
    if (!knows_precision(b, use->precision, why, size))
        return BIOFT_ERR_UNSUPPORTED;
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

/* The operators that all engines have. */
static const struct operator* operator_of(const struct program *p, const bioft_node *d)
{
    switch (d->op) {
    case BIOFT_OP_INPUT: return &operator_input;
    case BIOFT_OP_LINEAR: return &operator_linear;
    case BIOFT_OP_BATCHNORM:
        return batch_statistics(p) ? &operator_batchnorm_batch
               : trains(p)         ? &operator_batchnorm_trained
                                   : &operator_batchnorm_fixed;
    case BIOFT_OP_RELU: return &operator_relu;
    case BIOFT_OP_TANH: return &operator_tanh;
    case BIOFT_OP_MAXPOOL: return &operator_maxpool;
    case BIOFT_OP_AVGPOOL: return &operator_avgpool;
    case BIOFT_OP_ADAPTIVE_AVGPOOL: return &operator_adaptive;
    case BIOFT_OP_DROPOUT: return trains(p) && d->dropout > 0 ? &operator_dropout : NULL;
    case BIOFT_OP_ADD: return &operator_add;
    case BIOFT_OP_CLIP:
    case BIOFT_OP_SIGMOID:
    case BIOFT_OP_HARDSIGMOID: return &operator_activation_over;
    case BIOFT_OP_HARDSWISH:
    case BIOFT_OP_SILU:
    case BIOFT_OP_GELU: return &operator_activation;
    default: return plain_of(d->op) ? &operator_plain : NULL;
    }
}

/* A value costs about as much as eight multiply-adds inside a product. */
static double work_of(const struct node *n, size_t x_floats, size_t y_floats)
{
    if (n->def->op == BIOFT_OP_LINEAR)
        return (double)x_floats * (double)y_floats;
    if (n->def->op == BIOFT_OP_MATMUL && n->def->product == 0)
        return (double)x_floats * n->def->width;
    if (n->def->op == BIOFT_OP_MATMUL) /* of the values of a head, each with each of its channels */
        return (double)x_floats * n->def->channels / n->def->groups;
    return 8.0 * (double)(x_floats > y_floats ? x_floats : y_floats);
}

static size_t saved_of(const struct program *p, const struct node *n)
{
    switch (n->def->op) {
    case BIOFT_OP_BATCHNORM: return SAVED * (size_t)n->def->channels;
    case BIOFT_OP_DROPOUT: return n->op ? p->capacity * node_floats(n->def) : 0;
    case BIOFT_OP_MAXPOOL: return goes_back(p) ? p->capacity * node_floats(n->def) : 0;
    default: return n->op == &operator_plain ? plain_saved(p, n) : 0;
    }
}

static void common_plan(const struct program *p, struct node *n)
{
    const bioft_node *d = n->def;

    n->op = operator_of(p, d);
    n->work = work_of(n, d->input_count ? p->tensors[n->x[0]].floats : 0, node_floats(d));
    n->saved_floats = saved_of(p, n);
    n->work_floats = d->op == BIOFT_OP_MAXPOOL ? d->width : 0;
    n->whole = d->op == BIOFT_OP_LINEAR ? p->model->network.layers[d->layer].count > WHOLE_WEIGHTS
                                        : n->op && !n->op->images;
}

static bioft_status make_node(struct program *p, uint32_t index, uint32_t *tensor_of)
{
    struct node *n = &p->nodes[index];
    const bioft_node *d = &p->model->network.nodes[index];
    uint32_t block = 1;
    bioft_status st;

    n->def = d;
    n->index = index;
    for (uint32_t k = 0; k < d->input_count; k++)
        n->x[k] = tensor_of[d->input[k]];
    common_plan(p, n);
    st = p->engine->backend->plan(p, n, &block);
    if (st != BIOFT_OK)
        return st;
    if (n->op == &operator_plain)
        n->work_floats = plain_work(p, n, block);
    if (n->op) {
        n->y = p->tensor_count++;
        p->tensors[n->y] = (struct tensor){
            .channels = d->channels,
            .block = block,
            .plane = (size_t)d->height * d->width,
            .floats = parts_of(d->channels, block) * block * d->height * d->width,
            .producer = index,
            .slot = BIOFT_NONE,
            .gradient_slot = BIOFT_NONE,
        };
        for (uint32_t k = 0; k < d->input_count; k++)
            p->tensors[n->x[k]].uses++;
    } else {
        n->y = n->x[0];
        n->work = 0;
    }
    tensor_of[index] = n->h = n->out = n->y;
    n->other = BIOFT_NONE;
    return BIOFT_OK;
}

struct node *compile_only_reader(const struct program *p, uint32_t tensor)
{
    if (p->tensors[tensor].uses != 1 || tensor == p->output)
        return NULL;
    for (uint32_t i = p->tensors[tensor].producer + 1; i < p->node_count; i++)
        for (uint32_t k = 0; p->nodes[i].op && k < p->nodes[i].def->input_count; k++)
            if (p->nodes[i].x[k] == tensor)
                return &p->nodes[i];
    return NULL;
}

/* H of a layer: its output after the activation that follows, across a batchnorm; or its output. */
static uint32_t activated(const struct program *p, const struct node *n)
{
    const struct node *next = compile_only_reader(p, n->y);

    while (next && next->def->op == BIOFT_OP_BATCHNORM)
        next = compile_only_reader(p, next->y);
    return next && (next->def->op == BIOFT_OP_RELU || next->def->op == BIOFT_OP_TANH) ? next->y : n->y;
}

static void watch(struct program *p, struct node *n)
{
    n->h = activated(p, n);
    if (n->route.reads & BIOFT_X)
        p->tensors[n->x[0]].watched = true;
    if (n->route.reads & BIOFT_Y)
        p->tensors[n->y].watched = true;
    if (n->route.reads & BIOFT_H)
        p->tensors[n->h].watched = true;
}

static bool reads_input_backward(const struct program *p, const struct node *n, uint32_t k)
{
    const uint32_t traits = operator_traits(n->def->op);

    if (k > 0)
        return goes_back(p) && (traits & KEEPS_OTHER);
    return (goes_back(p) && (traits & KEEPS_X)) || (trains(p) && (traits & KEEPS_X_TO_TRAIN));
}

static bool reads_output_backward(const struct program *p, const struct node *n)
{
    return goes_back(p) && (operator_traits(n->def->op) & KEEPS_Y);
}

bool tensor_is_kept(const struct program *p, uint32_t tensor)
{
    uint32_t left = p->tensors[tensor].uses;

    if (goes_back(p) && p->tensors[tensor].watched)
        return true;
    if (reads_output_backward(p, &p->nodes[p->tensors[tensor].producer]))
        return true;
    for (uint32_t i = p->tensors[tensor].producer + 1; left > 0 && i < p->node_count; i++)
        for (uint32_t k = 0; p->nodes[i].op && k < p->nodes[i].def->input_count; k++) {
            if (p->nodes[i].x[k] != tensor)
                continue;
            if (reads_input_backward(p, &p->nodes[i], k))
                return true;
            left--;
        }
    return false;
}

/* May the node write over its input? Only if nobody else needs that. */
static bool may_write_over(const struct program *p, const struct node *n)
{
    const struct tensor *x = &p->tensors[n->x[0]];

    return n->op->by_value && n->x[0] != 0 && x->uses == 1 && !x->watched && x->block == p->tensors[n->y].block &&
           !reads_output_backward(p, &p->nodes[x->producer]);
}

bioft_status compile_nodes(struct program *p)
{
    const struct network *net = &p->model->network;
    uint32_t *tensor_of = memory_take(net->node_count, sizeof *tensor_of);
    bioft_status st = BIOFT_OK;

    p->node_count = net->node_count;
    p->tensors = memory_take(net->node_count, sizeof *p->tensors);
    if (!tensor_of || !p->tensors)
        st = p->engine->host->fail(p->engine->host, BIOFT_ERR_MEMORY, "out of memory for a program");
    for (uint32_t i = 0; st == BIOFT_OK && i < p->node_count; i++)
        st = make_node(p, i, tensor_of);
    if (st != BIOFT_OK) {
        memory_give(tensor_of);
        return st;
    }
    p->output = tensor_of[p->node_count - 1];
    p->tensors[p->output].uses++;
    memory_give(tensor_of);
    for (uint32_t i = 0; i < net->layer_count; i++)
        watch(p, &p->nodes[net->layer_node[i]]);
    for (uint32_t i = 1; i < p->node_count; i++)
        p->nodes[i].in_place = p->nodes[i].op && may_write_over(p, &p->nodes[i]);
    return p->engine->backend->fuse ? p->engine->backend->fuse(p) : BIOFT_OK;
}

static bool is_routed(const struct node *n) { return n->route.reads || n->route.writes; }

/* Appends the node to the open segment, or opens one. */
static void append(struct segment *list, uint32_t *count, const struct node *n, enum phase phase, bool alone)
{
    struct segment *s = *count > 0 ? &list[*count - 1] : NULL;
    const double work = n->absorbed[phase] ? 0 : n->work;

    if (!s || alone || s->whole) {
        list[(*count)++] = (struct segment){ n->index, n->index, n->whole, work };
        return;
    }
    s->first = s->first < n->index ? s->first : n->index;
    s->last = s->last > n->index ? s->last : n->index;
    s->work += work;
}

/* Between node i - 1 and i nothing stays in the cache, so that a segment's end costs nothing, and memory that a segment
 * holds for all its tensors at once can be used again. */
static bool parts_at(const struct program *p, uint32_t i, enum phase phase)
{
    const struct node *n = &p->nodes[i], *before = &p->nodes[i - 1];

    return !n->absorbed[phase] && (phase == FORWARD || !before->absorbed[phase]) && before->op &&
           p->piece * p->tensors[before->y].floats > LARGE_PIECE;
}

bool compile_segments(struct program *p)
{
    bool alone = false;

    p->forward = memory_take(p->node_count, sizeof *p->forward);
    p->backward = memory_take(p->node_count, sizeof *p->backward);
    if (!p->forward || !p->backward)
        return false;
    for (uint32_t i = 0; i < p->node_count; i++)
        append(p->forward, &p->forward_count, &p->nodes[i], FORWARD,
               p->nodes[i].whole || (i > 0 && parts_at(p, i, FORWARD)));
    for (uint32_t i = p->node_count; goes_back(p) && i-- > 1;) {
        bool next_alone = p->nodes[i].whole || is_routed(&p->nodes[i]);
        append(p->backward, &p->backward_count, &p->nodes[i], BACKWARD,
               next_alone || alone || (i + 1 < p->node_count && parts_at(p, i + 1, BACKWARD)));
        alone = next_alone;
    }
    return true;
}
