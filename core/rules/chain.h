/* A network as a chain of blocks, each with one weighted layer and a model of its own, for rules
 * that run the training step themselves ("bioft.step/0"). */
#ifndef RULES_CHAIN_H
#define RULES_CHAIN_H

#include "engine/engine.h"

struct block {
    struct graph graph;   /* an input, the layer, what follows */
    uint32_t *parameters; /* its parameters' indices in the network */
    struct model *model;
    struct program *program;
    double *lr;                 /* [graph.view.parameter_count] */
    uint32_t n;                 /* images of its last forward in this step */
    bool has_gradient, updated; /* in this step */
};
struct chain {
    struct model *whole;
    struct block *blocks; /* one a layer */
    uint32_t count;
    float *room; /* for the largest parameter */
};
/* Can the network be cut into blocks? Where not, the error says what stands in the way. */
bioft_status chain_check(const struct graph *g, struct error *err);
/* Blocks of a network that passed the check, with its values and, as an optimizer of this kind
 * keeps them, its moments. */
bioft_status chain_create(struct model *whole, const bioft_use *use, uint32_t moments, struct chain **ret,
                          struct error *err);
void chain_destroy(struct chain *c); /* NULL is fine */
/* How many moments an optimizer keeps for each parameter. */
uint32_t chain_moments(uint32_t optimizer, double momentum);
/* The blocks' values and moments, back into the network. */
bioft_status chain_write_back(struct chain *c, uint32_t moments, struct error *err);

/* Begins a step. */
void chain_begin(struct chain *c);
bioft_status chain_forward(struct chain *c, uint32_t index, uint32_t n, const float *x, uint64_t dropout_key,
                           float *ret_h, struct error *err);
bioft_status chain_backward(struct chain *c, uint32_t index, uint32_t n, const float *dh, float *ret_dx,
                            struct error *err);
/* u->lr: of the network's parameters. *ret_bad: one of them that is not finite, or BIOFT_NONE. */
bioft_status chain_update(struct chain *c, uint32_t index, const bioft_update *u, uint32_t *ret_bad, struct error *err);

#endif
