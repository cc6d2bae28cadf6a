/* Small networks for the engine's tests: a list of operators becomes a bioft_graph, values are drawn, the engine under
 * test is opened. */
#ifndef TEST_ENGINE_NET_H
#define TEST_ENGINE_NET_H

#include "plugin/instance.h"
#include "plugin/load.h"

enum { NODES = 24, PARAMETERS = 64, LAYERS = 16 };

/* One operator; zero means the usual. in: the operator before; or one of the list, counted from 1; or -1, the network's
 * input. in2: of those with two inputs, counted from 1; or -1. */
struct op {
    uint32_t op;
    int in, in2;
    uint32_t out; /* channels of conv2d and linear; length of slice */
    uint32_t kernel[2], stride[2], padding[4], dilation[2], groups;
    bool no_bias, ceil_mode, exclude_padding;
    float dropout;
    uint32_t height, width;       /* of adaptive_avgpool */
    uint32_t axis, from, product; /* as in bioft_node; heads of matmul: groups */
    float low, high, scale;
    bool class_token; /* tokens: that, else positions */
};

struct net {
    bioft_graph graph;
    bioft_node nodes[NODES];
    bioft_parameter parameters[PARAMETERS];
    bioft_layer layers[LAYERS];
    char names[PARAMETERS][32], layer_names[LAYERS][32];
    float *values[PARAMETERS];
    float *feedback[LAYERS]; /* V of the reference; NULL: W */
};

/* Ends at an op of 0. Values: weights of variance 1/fan_in, others small; running variances near 1. */
void net_make(struct net *n, uint32_t channels, uint32_t height, uint32_t width, const struct op *ops);
void net_free(struct net *n);
size_t node_count(const bioft_node *d);        /* values of one image */
float *net_random(size_t count, uint64_t key); /* N(0, 1); freed with free() */

/* The engine in the file that the environment names, with so many threads. */
struct rig {
    struct arena *arena; /* of the options */
    struct pool *pool;
    struct plugin **plugins;
    size_t plugin_count;
    struct instance *instance;
    const bioft_engine *api;
    void *self;
    void *model; /* of the net, with its values */
    struct net *net;
};
enum { SEED = 3 }; /* of the instance's random numbers */
void rig_open(struct rig *r, struct net *n, unsigned threads);
void rig_close(struct rig *r);
void *rig_program(struct rig *r, uint32_t kind, uint32_t flags, uint32_t max_batch, const bioft_route *routes);
/* A parameter's array; freed with free(). */
float *rig_read(struct rig *r, uint32_t what, uint32_t parameter);
/* The text that the last failed call gave. */
const char *rig_error(struct rig *r, bioft_status status);

#endif
