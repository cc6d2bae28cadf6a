/* Layers to try plugins on, and what they compute, as plain loops. */
#ifndef CONFORM_LAYERS_H
#define CONFORM_LAYERS_H

#include <bioft/rule.h>

/* Convolutions with a stride, groups, dilation and uneven padding, and linear layers; in the order of a network. */
enum { CONFORM_LAYERS = 6 };
const bioft_layer *conform_layer(uint32_t index);

/* Elements of one image's input and output. */
size_t layer_in(const bioft_layer *l);
size_t layer_out(const bioft_layer *l);

/* y = x W; dx = dy V; dw = dy^T x, all overwritten. */
void layer_forward(const bioft_layer *l, uint32_t n, const float *w, const float *x, float *y);
void layer_input_error(const bioft_layer *l, uint32_t n, const float *v, const float *dy, float *dx);
void layer_weight_gradient(const bioft_layer *l, uint32_t n, const float *x, const float *dy, float *dw);

#endif
