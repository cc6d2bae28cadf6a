/* The graph: a backbone's layers with their shapes and torchvision's names, and the task's head in
 * its place. */
#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H

#include "plugin/instance.h"

struct initial { /* how a parameter begins */
    bool drawn;  /* by init, std, fans; else all is `constant` */
    float constant;
    uint32_t init; /* BIOFT_INIT_* of its layer */
    float std;
    size_t fan_in, fan_out;
    const float *given; /* values that came with the graph, or NULL */
};

struct graph {
    bioft_graph view; /* what engines see, of the arrays below */
    bioft_node *nodes;
    bioft_parameter *parameters;
    bioft_layer *layers;     /* key is NULL: it is a rule's instance's */
    struct initial *initial; /* [parameter_count] */
    const char **counters;   /* int64 num_batches_tracked, one a batchnorm */
    size_t counter_count;
    const char **other_names; /* [2 other_name_count] a name, its other one */
    size_t other_name_count;
    const char **notes; /* sentences of the backbone about this network */
    size_t note_count;
    char *backbone;          /* plugin's name */
    char *head;              /* name of the head's layer */
    uint32_t head_published; /* its width in the published weights */
    bool head_brought;       /* the backbone brought values for it, of that width */
    uint32_t published_channels, published_height, published_width;
    float mean[4], std[4]; /* by channel; 0 and 1 where none is said */
    struct arena *arena;
};

struct graph_params {
    struct instance *backbone;
    uint32_t channels, height, width; /* the input; 0: as published */
    uint32_t head_outputs;            /* 0: as published */
};
/* Calls the backbone's build(), again for other sizes where the image is too small. Errors name
 * the layer: "backbone 'NAME': layer2.0.conv1: 3x3 image is too small for a 5x5 kernel; the
 * smallest input is 23x23". bioft_layer.activation says what stands between a layer and the next
 * ones with weights: RELU or TANH, where it is one of these and after it only pooling, dropout and
 * flatten; NONE where there is no activation, norm or sum; else OTHER. */
bioft_status graph_build(const struct graph_params *p, struct graph **ret, struct error *err);
void graph_destroy(struct graph *g); /* NULL is fine */

uint32_t graph_parameter(const struct graph *g, const char *name); /* BIOFT_NONE: none */
uint32_t graph_layer(const struct graph *g, const char *name);
bool graph_is_variance(const struct graph *g, uint32_t parameter); /* a batchnorm's running variance */
/* A parameter's or counter's name in weights of other libraries, into ret of `size` bytes; NULL: it
 * has none. */
const char *graph_other_name(const struct graph *g, const char *name, char *ret, size_t size);
uint64_t graph_parameter_total(const struct graph *g); /* trained values */
size_t graph_largest_parameter(const struct graph *g); /* values of it; at least 1 */
/* Multiply-adds of one image's forward pass, for estimates. */
uint64_t graph_work(const struct graph *g);
/* First values of one parameter, by the keyed generator; ret has its count. stage NULL: those that
 * came with the graph, else as the backbone says, stream "init/<name>". With a stage, which is for
 * parameters of the head only: a new head, as torch's nn.Linear begins, "head/<stage>/<name>". */
bioft_status graph_initialise(const struct graph *g, uint32_t parameter, uint64_t seed, const char *stage, float *ret);

#endif
