/* A plain double-precision forward pass, and gradients by finite differences of it.
 *
 * Where a layer has feedback weights V of its own, the pass around a point x0 is y = f(x0; W) + f(x - x0; V): its value
 * at x0 and its derivative by W are the true ones, its derivative by x is V's. So differences of it give what a
 * backward pass with V has to compute, and no backward pass is written here. */
#ifndef TEST_ENGINE_REFERENCE_H
#define TEST_ENGINE_REFERENCE_H

#include "net.h"

struct reference {
    const struct net *net;
    uint32_t n; /* images */
    bool batch_statistics, dropout;
    uint64_t dropout_key;
    double *values[PARAMETERS];
    double *x;           /* [n][input] */
    double *base[NODES]; /* every node's output at the point */
};
/* values: of the net. */
void reference_make(struct reference *r, const struct net *net, uint32_t n, const float *x, bool batch_statistics,
                    bool dropout, uint64_t dropout_key);
void reference_free(struct reference *r);
static inline const double *reference_output(const struct reference *r)
{
    return r->base[r->net->graph.node_count - 1];
}
/* d<d_out, output>/d parameter, or by the input for BIOFT_NONE; freed with free(). */
double *reference_gradient(struct reference *r, uint32_t parameter, const float *d_out);
/* The operators from clip on; y: written. */
void reference_other(const struct reference *r, const bioft_node *d, const double *x, const double *other, double *y);
/* Mean and biased variance of one channel of a batchnorm's input, over the batch. */
void reference_statistics(const struct reference *r, uint32_t node, uint32_t channel, double *ret_mean,
                          double *ret_variance);

#endif
