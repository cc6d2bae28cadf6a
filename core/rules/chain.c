/* A network as a chain of blocks: cutting the graph, models of its parts, and running them. */
#include "rules/chain.h"

#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

static bool is_layer(const bioft_node *n) { return n->op == BIOFT_OP_CONV2D || n->op == BIOFT_OP_LINEAR; }

/* The name of the last layer up to a node. */
static const char *layer_before(const struct graph *g, uint32_t node)
{
    while (node > 0 && !is_layer(&g->nodes[node]))
        node--;
    return node > 0 ? g->layers[g->nodes[node].layer].name : "the input";
}

bioft_status chain_check(const struct graph *g, struct error *err)
{
    for (uint32_t i = 1; i < g->view.node_count; i++)
        if (g->nodes[i].input_count != 1 || g->nodes[i].input[0] != i - 1)
            return error_set(err, BIOFT_ERR_UNSUPPORTED,
                             "backbone '%s' is not a chain of layers: paths part or meet after '%s'", g->backbone,
                             layer_before(g, i));
    for (uint32_t i = 1; i < g->view.node_count; i++)
        if (g->nodes[i].op == BIOFT_OP_BATCHNORM)
            return error_set(err, BIOFT_ERR_UNSUPPORTED,
                             "backbone '%s' has batchnorm after '%s', whose statistics are not "
                             "those of a block that runs several times a step",
                             g->backbone, layer_before(g, i));
    for (uint32_t i = 1; i < g->view.node_count; i++)
        if (!is_layer(&g->nodes[i]) && (g->nodes[i].weight != BIOFT_NONE || g->nodes[i].bias != BIOFT_NONE))
            return error_set(err, BIOFT_ERR_UNSUPPORTED,
                             "backbone '%s' has %s after '%s', which trains arrays of no layer's", g->backbone,
                             bioft_operator_name(g->nodes[i].op), layer_before(g, i));
    return BIOFT_OK;
}

/* The first node of block `index`, or the end of the last block. */
static uint32_t first_node(const struct graph *g, uint32_t index)
{
    uint32_t layers = 0;
    if (index == 0)
        return 1;
    for (uint32_t i = 1; i < g->view.node_count; i++)
        if (is_layer(&g->nodes[i]) && layers++ == index)
            return i;
    return g->view.node_count;
}

/* The block's number of the network's parameter. */
static uint32_t take_parameter(struct block *b, const struct graph *g, uint32_t parameter)
{
    if (parameter == BIOFT_NONE)
        return BIOFT_NONE;
    const uint32_t own = b->graph.view.parameter_count++;
    b->parameters[own] = parameter;
    b->graph.parameters[own] = g->parameters[parameter];
    b->graph.parameters[own].layer = 0;
    return own;
}

static bioft_status cut(struct block *b, const struct graph *g, uint32_t index, struct error *err)
{
    enum { PARAMETERS = 2 }; /* weight and bias */
    const uint32_t first = first_node(g, index), end = first_node(g, index + 1);
    b->graph = (struct graph){ .backbone = g->backbone };
    b->graph.nodes = mem_array(end - first + 1, sizeof(*b->graph.nodes));
    b->graph.parameters = mem_array(PARAMETERS, sizeof(*b->graph.parameters));
    b->graph.layers = mem_array(1, sizeof(*b->graph.layers));
    b->parameters = mem_array(PARAMETERS, sizeof(*b->parameters));
    b->lr = mem_array(PARAMETERS, sizeof(*b->lr));
    if (!b->graph.nodes || !b->graph.parameters || !b->graph.layers || !b->parameters || !b->lr)
        return error_memory(err, "a block");
    const bioft_node *in = &g->nodes[first - 1];
    bioft_graph *v = &b->graph.view;
    *v = g->view;
    v->parameter_count = 0;
    b->graph.nodes[0] = g->nodes[0];
    b->graph.nodes[0].channels = v->channels = in->channels;
    b->graph.nodes[0].height = v->height = in->height;
    b->graph.nodes[0].width = v->width = in->width;
    for (uint32_t i = first; i < end; i++) {
        bioft_node *n = &b->graph.nodes[i - first + 1];
        *n = g->nodes[i];
        n->input[0] = i - first;
        n->weight = take_parameter(b, g, n->weight);
        n->bias = take_parameter(b, g, n->bias);
        if (!is_layer(n))
            continue;
        b->graph.layers[0] = g->layers[n->layer];
        b->graph.layers[0].index = n->layer = 0;
    }
    const bioft_node *last = &g->nodes[end - 1];
    v->node_count = end - first + 1;
    v->layer_count = 1;
    v->outputs = last->channels * last->height * last->width;
    v->nodes = b->graph.nodes;
    v->parameters = b->graph.parameters;
    v->layers = b->graph.layers;
    return BIOFT_OK;
}

uint32_t chain_moments(uint32_t optimizer, double momentum)
{
    return optimizer == BIOFT_ADAM ? 2 : momentum != 0.0 ? 1 : 0;
}

/* Values and moments of every parameter, into the blocks or back. */
static bioft_status copy(struct chain *c, bool back, uint32_t moments, struct error *err)
{
    static const uint32_t what[] = { BIOFT_VALUE, BIOFT_MOMENT1, BIOFT_MOMENT2 };
    bioft_status st = BIOFT_OK;
    for (uint32_t i = 0; i < c->count; i++) {
        struct block *b = &c->blocks[i];
        for (uint32_t p = 0; p < b->graph.view.parameter_count; p++)
            for (uint32_t k = 0; st == BIOFT_OK && k <= moments; k++) {
                st = back ? model_read(b->model, what[k], p, c->room, err)
                          : model_read(c->whole, what[k], b->parameters[p], c->room, err);
                if (st == BIOFT_OK)
                    st = back ? model_write(c->whole, what[k], b->parameters[p], c->room, err)
                              : model_write(b->model, what[k], p, c->room, err);
            }
    }
    return st;
}

bioft_status chain_write_back(struct chain *c, uint32_t moments, struct error *err)
{
    return copy(c, true, moments, err);
}

bioft_status chain_create(struct model *whole, const bioft_use *use, uint32_t moments, struct chain **ret,
                          struct error *err)
{
    const struct graph *g = whole->graph;
    size_t largest = 0;
    struct chain *c = mem_array(1, sizeof(*c));
    if (!c)
        return error_memory(err, "the chain");
    c->whole = whole;
    for (uint32_t p = 0; p < g->view.parameter_count; p++)
        largest = g->parameters[p].count > largest ? g->parameters[p].count : largest;
    c->room = mem_aligned(largest, sizeof(*c->room));
    c->blocks = mem_array(g->view.layer_count, sizeof(*c->blocks));
    bioft_status st = c->room && c->blocks ? BIOFT_OK : error_memory(err, "the chain");
    for (uint32_t i = 0; st == BIOFT_OK && i < g->view.layer_count; i++) {
        struct block *b = &c->blocks[c->count++];
        st = cut(b, g, i, err);
        if (st == BIOFT_OK)
            st = model_create(whole->engine, &b->graph, &b->model, err);
        if (st == BIOFT_OK)
            st = program_create(b->model, use, NULL, &b->program, err);
    }
    if (st == BIOFT_OK)
        st = copy(c, false, moments, err);
    if (st != BIOFT_OK) {
        chain_destroy(c);
        return st;
    }
    *ret = c;
    return BIOFT_OK;
}

void chain_destroy(struct chain *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; i < c->count; i++) {
        struct block *b = &c->blocks[i];
        program_destroy(b->program);
        model_destroy(b->model);
        free(b->graph.nodes);
        free(b->graph.parameters);
        free(b->graph.layers);
        free(b->parameters);
        free(b->lr);
    }
    free(c->blocks);
    free(c->room);
    free(c);
}

void chain_begin(struct chain *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        c->blocks[i].n = 0;
        c->blocks[i].has_gradient = c->blocks[i].updated = false;
    }
}

/* NULL, with the error, where a rule asks for a block that there is not. */
static struct block *block_of(struct chain *c, uint32_t index, struct error *err)
{
    if (index < c->count)
        return &c->blocks[index];
    error_set(err, BIOFT_ERR_INVALID, "block %u was asked for, and there are %u", index, c->count);
    return NULL;
}

bioft_status chain_forward(struct chain *c, uint32_t index, uint32_t n, const float *x, uint64_t dropout_key,
                           float *ret_h, struct error *err)
{
    struct block *b = block_of(c, index, err);
    if (!b)
        return err->status;
    /* A block's dropout must have other masks than the next one's. */
    bioft_status st = program_forward(b->program, n, x, dropout_key | (uint64_t)(index + 1) << 52, ret_h, err);
    b->n = st == BIOFT_OK ? n : 0;
    return st;
}

bioft_status chain_backward(struct chain *c, uint32_t index, uint32_t n, const float *dh, float *ret_dx,
                            struct error *err)
{
    struct block *b = block_of(c, index, err);
    if (!b)
        return err->status;
    if (n == 0 || n != b->n)
        return error_set(err, BIOFT_ERR_INVALID, "layer '%s': block_backward of %u images after block_forward of %u",
                         b->graph.layers[0].name, n, b->n);
    if (b->updated)
        return error_set(err, BIOFT_ERR_INVALID, "layer '%s': block_backward after update", b->graph.layers[0].name);
    bioft_status st = program_backward(b->program, dh, b->has_gradient ? BIOFT_ACCUMULATE : 0, ret_dx, NULL, err);
    b->has_gradient = b->has_gradient || st == BIOFT_OK;
    return st;
}

bioft_status chain_update(struct chain *c, uint32_t index, const bioft_update *u, uint32_t *ret_bad, struct error *err)
{
    struct block *b = block_of(c, index, err);
    if (!b)
        return err->status;
    if (!b->has_gradient || b->updated)
        return error_set(err, BIOFT_ERR_INVALID, "layer '%s': update %s", b->graph.layers[0].name,
                         b->updated ? "twice in one step" : "before any block_backward");
    bioft_update own = *u;
    own.lr = b->lr;
    for (uint32_t p = 0; p < b->graph.view.parameter_count; p++)
        b->lr[p] = u->lr[b->parameters[p]];
    uint32_t bad = BIOFT_NONE;
    bioft_status st = model_update(b->model, &own, NULL, &bad, err);
    b->updated = true;
    if (st == BIOFT_OK)
        *ret_bad = bad == BIOFT_NONE ? BIOFT_NONE : b->parameters[bad];
    return st;
}
