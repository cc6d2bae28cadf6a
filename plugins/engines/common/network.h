/* The engine's own copy of a graph, checked: shapes that follow from each other, parameters of the right size. */
#ifndef COMMON_NETWORK_H
#define COMMON_NETWORK_H

#include <bioft/engine.h>

struct network {
    uint32_t node_count, parameter_count, layer_count;
    uint32_t channels, height, width, outputs;
    bioft_node *nodes; /* zeros of the geometry made what they mean: stride 1, dilation 1, groups 1 */
    bioft_parameter *parameters;
    bioft_layer *layers;
    uint32_t *layer_node; /* [layer_count] */
};

/* BIOFT_ERR_UNSUPPORTED, BIOFT_ERR_INVALID or BIOFT_ERR_MEMORY with `why`. */
bioft_status network_copy(const bioft_graph *graph, struct network *ret, char *why, size_t size);
void network_free(struct network *n); /* NULL or zero is fine */

/* Floats of one image at a node's output. */
static inline size_t node_floats(const bioft_node *node) { return (size_t)node->channels * node->height * node->width; }
/* "conv2d 'layer1.0.conv1'", "maxpool (node 3)". */
void node_text(const struct network *n, uint32_t node, char *ret, size_t size);
/* From an op's height or width (axis 0, 1) to its output's. */
uint64_t cpu_window_count(const bioft_node *node, uint32_t axis, uint32_t input);

#endif
