/* The facts of a layer that only the whole graph shows: first, last, the network's width, the
 * activation after it. */
#include "graph/builder.h"

#include <stdlib.h>

/* What a node's value is: some layer's output, and what has happened to it since. */
struct trace {
    uint32_t layer;      /* BIOFT_NONE: no layer's, or of two tensors */
    uint32_t activation; /* BIOFT_ACT_* so far */
    bool reduced;        /* pooled or dropped out: an activation after that is not the layer's */
    bool weighted;       /* a weighted layer stands at or before this node */
};

static void meet(struct trace *t, uint32_t activation)
{
    t->activation = t->activation == BIOFT_ACT_NONE && !t->reduced ? activation : BIOFT_ACT_OTHER;
}

/* A node's trace from its first input's. */
static struct trace follow(const bioft_node *n, const struct trace *of)
{
    struct trace t = { .layer = BIOFT_NONE, .activation = BIOFT_ACT_OTHER };

    if (n->input_count > 0)
        t = of[n->input[0]];
    if (n->layer != BIOFT_NONE)
        return (struct trace){ .layer = n->layer, .activation = BIOFT_ACT_NONE, .weighted = true };
    switch (n->op) {
    case BIOFT_OP_RELU: meet(&t, BIOFT_ACT_RELU); break;
    case BIOFT_OP_TANH: meet(&t, BIOFT_ACT_TANH); break;
    case BIOFT_OP_MAXPOOL:
    case BIOFT_OP_AVGPOOL:
    case BIOFT_OP_ADAPTIVE_AVGPOOL:
    case BIOFT_OP_DROPOUT: t.reduced = true; break;
    case BIOFT_OP_FLATTEN: break;
    default: t.activation = BIOFT_ACT_OTHER; break;
    }
    if (n->input_count > 1) {
        t.weighted = t.weighted || of[n->input[1]].weighted;
        t.layer = BIOFT_NONE;
    }
    return t;
}

/* A path from a layer ends, in another layer, where two tensors meet, or in the network's output,
 * with this activation on it. All paths of a layer must agree. met: of each layer, whether a path
 * has ended before. */
static void path_ends(struct graph *g, bool *met, struct trace t, bool meets)
{
    const uint32_t activation = meets ? BIOFT_ACT_OTHER : t.activation;

    if (t.layer == BIOFT_NONE)
        return;
    if (met[t.layer] && g->layers[t.layer].activation != activation)
        g->layers[t.layer].activation = BIOFT_ACT_OTHER;
    else
        g->layers[t.layer].activation = activation;
    met[t.layer] = true;
}

bool layers_finish(struct graph *g)
{
    const uint32_t count = g->view.node_count;
    struct trace *of = mem_array(count, sizeof *of);
    bool *met = mem_array(g->view.layer_count, sizeof *met);
    bool done = of && met;

    for (uint32_t i = 0; done && i < count; i++) {
        const bioft_node *n = &g->nodes[i];
        of[i] = follow(n, of);
        if (n->layer == BIOFT_NONE && n->input_count < 2)
            continue;
        for (uint32_t k = 0; k < n->input_count; k++)
            path_ends(g, met, of[n->input[k]], n->input_count > 1);
        if (n->layer != BIOFT_NONE) {
            g->layers[n->layer].outputs = g->view.outputs;
            g->layers[n->layer].flags = of[n->input[0]].weighted ? 0 : BIOFT_LAYER_FIRST;
        }
    }
    if (done) {
        path_ends(g, met, of[count - 1], false);
        g->layers[g->nodes[count - 1].layer].flags |= BIOFT_LAYER_LAST;
    }
    free(of);
    free(met);
    return done;
}
