/* The builder that a backbone calls: nodes with their shapes, parameters and layers, failing at
 * the first mistake. */
#ifndef GRAPH_BUILDER_H
#define GRAPH_BUILDER_H

#include "graph/graph.h"
#include "graph/shapes.h"
#include "plugin/names.h"

struct builder {
    bioft_builder api; /* ctx: this struct */
    const struct graph_params *params;
    uint32_t height, width; /* of the input; 0: as published */
    bool shapes_only;       /* a trial of another size: no values are kept */
    struct graph *graph;    /* being filled; belongs to the builder's owner */
    size_t node_capacity, parameter_capacity, initial_capacity, layer_capacity, counter_capacity;
    size_t other_name_capacity, note_capacity;
    const char **anchors; /* [node_count] the nearest name upstream, for messages */
    size_t anchor_capacity;
    struct taken_name {
        const char *name;
    } *taken; /* of parameters, and of what they belong to */
    size_t taken_capacity;
    struct names taken_names;
    bool has_head;
    uint32_t normalised; /* channels given to normalise(); 0: never called */
    struct error error;  /* the first failure; status BIOFT_OK while there is none */
    bool too_small;      /* it is an image too small for a window */
    bool plugin_failed;  /* it is build()'s own, and names the backbone */
};

/* p and g must outlive the builder; g is empty but for its arena. */
void builder_init(struct builder *b, const struct graph_params *p, struct graph *g);
/* After build() came back: one head, last; every tensor used; a normalisation that fits. Sets an
 * error otherwise. */
void builder_check(struct builder *b);
/* Frees what is the builder's own; the graph stays. */
void builder_end(struct builder *b);

/* The rest is for the files that make up the builder. */

/* Keeps the first failure; returns 0, the handle of nothing. */
bioft_tensor builder_fail(struct builder *b, bioft_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One call of an operator. */
enum { BUILDER_NODES = 10000, BUILDER_NAME = 255, BUILDER_LABEL = BUILDER_NAME + 64 };
struct call {
    struct builder *b;
    uint32_t input;            /* node */
    struct shape in;           /* its shape */
    const char *name;          /* NULL: this operator has none */
    char label[BUILDER_LABEL]; /* "conv1", or "relu after conv1" */
};
/* word: the operator's, for messages. False after a failure, an earlier one or one found here: no
 * tensor, a call after the head, a name that is none or taken. */
bool call_begin(struct call *c, const bioft_builder *api, const char *word, bioft_tensor x);
bool call_begin_named(struct call *c, const bioft_builder *api, const char *word, const char *name, bioft_tensor x);
/* A plugin's struct into ours, of `ours` bytes; false after a failure. */
bool call_adopt(struct call *c, void *ret, size_t ours, const void *theirs);
/* A node of this call: its operator and shape, no parameters, one input. */
bioft_node call_node(const struct call *c, uint32_t op, struct shape out);
/* Appends it; its handle. */
bioft_tensor call_append(struct call *c, const bioft_node *n);

/* No layer, norm or array is called so from now on; a parameter's name, with what stands before its last dot. False:
 * out of memory. */
bool builder_take(struct builder *b, const char *parameter);

/* Each file sets its callbacks. */
void operators_set(bioft_builder *api);
void other_operators_set(bioft_builder *api);
void head_set(bioft_builder *api);
void params_set(bioft_builder *api);

/* First values of a layer's weights, as in bioft_conv2d. */
struct first_values {
    uint32_t init;
    float std;
};
/* Is init known, and std given exactly where it is needed? */
bool params_check_first(struct call *c, struct first_values first);
/* Appends the layer of a conv2d or linear node, l's kind and groups set, with its weight, of 2 or 4
 * dimensions, and its bias, and points the node to them. flags: of the parameters. False after a
 * failure. */
bool params_add_layer(struct call *c, bioft_node *n, bioft_layer *l, uint32_t dims, bool has_bias,
                      struct first_values first, uint32_t flags);
/* Appends a parameter called "<name>.<last>", or as the call's name where `last` is NULL; kind,
 * layer, flags, dims and shape are p's. Its index, or BIOFT_NONE after a failure. */
uint32_t params_add(struct call *c, const char *last, const bioft_parameter *p, const struct initial *initial);
bool params_add_norm(struct call *c, bioft_node *n);

/* Fills in what only the whole graph shows of its layers. false: out of memory. */
bool layers_finish(struct graph *g);

#endif
