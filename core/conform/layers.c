/* Layers to try plugins on, and what they compute, as plain loops. */
#include "conform/layers.h"

#include "conform/private.h"
#include <stdlib.h>

#define CONV(number, called, o, i, g, kh, kw, sh, sw, dil, ih, iw, oh, ow, t, l, b, r, act, flag) \
    { \
        .struct_size = sizeof(bioft_layer), .index = number, .kind = BIOFT_LAYER_CONV2D, .flags = flag, \
        .name = called, .key = called "@conform", .out_channels = o, .in_channels = i, .groups = g, .outputs = 4, \
        .in_h = ih, .in_w = iw, .out_h = oh, .out_w = ow, .kernel = { kh, kw }, .stride = { sh, sw }, \
        .dilation = { dil, dil }, .padding = { t, l, b, r }, .activation = act, .max_batch = 8, \
        .count = (size_t)(o) * (i) / (g) * (kh) * (kw), .fan_in = (size_t)(i) / (g) * (kh) * (kw), \
        .fan_out = (size_t)(o) * (kh) * (kw) \
    }
#define LINEAR(number, called, o, i, act, flag) \
    { \
        .struct_size = sizeof(bioft_layer), .index = number, .kind = BIOFT_LAYER_LINEAR, .flags = flag, \
        .name = called, .key = called "@conform", .out_channels = o, .in_channels = i, .groups = 1, .outputs = 4, \
        .in_h = 1, .in_w = 1, .out_h = 1, .out_w = 1, .kernel = { 1, 1 }, .stride = { 1, 1 }, .dilation = { 1, 1 }, \
        .activation = act, .max_batch = 8, .count = (size_t)(o) * (i), .fan_in = i, .fan_out = o \
    }

static const bioft_layer layers[CONFORM_LAYERS] = {
    CONV(0, "block.conv", 6, 3, 1, 3, 3, 1, 1, 1, 9, 8, 9, 8, 1, 1, 1, 1, BIOFT_ACT_TANH, BIOFT_LAYER_FIRST),
    CONV(1, "block.strided", 4, 6, 2, 3, 1, 2, 1, 1, 9, 8, 5, 8, 1, 0, 1, 0, BIOFT_ACT_TANH, 0),
    CONV(2, "block.dilated", 4, 4, 4, 2, 2, 1, 2, 2, 5, 8, 4, 4, 1, 1, 0, 0, BIOFT_ACT_OTHER, 0),
    LINEAR(3, "wide", 7, 64, BIOFT_ACT_NONE, 0),
    LINEAR(4, "narrow", 5, 7, BIOFT_ACT_TANH, 0),
    LINEAR(5, "head", 4, 5, BIOFT_ACT_NONE, BIOFT_LAYER_LAST),
};

const bioft_layer *conform_layer(uint32_t index) { return &layers[index]; }

size_t layer_in(const bioft_layer *l) { return (size_t)l->in_channels * l->in_h * l->in_w; }

size_t layer_out(const bioft_layer *l) { return (size_t)l->out_channels * l->out_h * l->out_w; }

/* Every product of one image: which weight, which input, which output. */
typedef void product(void *ctx, size_t w, size_t x, size_t y);

static void each_in_window(const bioft_layer *l, uint32_t o, uint32_t r, uint32_t s, product *body, void *ctx)
{
    const uint32_t group = l->in_channels / l->groups, first = o / (l->out_channels / l->groups) * group;
    const size_t y = ((size_t)o * l->out_h + r) * l->out_w + s;
    for (uint32_t i = 0; i < group; i++)
        for (uint32_t a = 0; a < l->kernel[0]; a++)
            for (uint32_t b = 0; b < l->kernel[1]; b++) {
                const int64_t row = (int64_t)r * l->stride[0] + (int64_t)a * l->dilation[0] - l->padding[0];
                const int64_t column = (int64_t)s * l->stride[1] + (int64_t)b * l->dilation[1] - l->padding[1];
                if (row >= 0 && row < l->in_h && column >= 0 && column < l->in_w)
                    body(ctx, (((size_t)o * group + i) * l->kernel[0] + a) * l->kernel[1] + b,
                         ((size_t)(first + i) * l->in_h + (size_t)row) * l->in_w + (size_t)column, y);
            }
}

static void each_product(const bioft_layer *l, product *body, void *ctx)
{
    for (uint32_t o = 0; o < l->out_channels; o++)
        for (uint32_t r = 0; r < l->out_h; r++)
            for (uint32_t s = 0; s < l->out_w; s++)
                each_in_window(l, o, r, s, body, ctx);
}

struct sums {
    const float *w, *x, *y;
    float *sum;
};

static void add_forward(void *ctx, size_t w, size_t x, size_t y)
{
    struct sums *s = ctx;
    s->sum[y] += s->w[w] * s->x[x];
}

static void add_input(void *ctx, size_t w, size_t x, size_t y)
{
    struct sums *s = ctx;
    s->sum[x] += s->w[w] * s->y[y];
}

static void add_weight(void *ctx, size_t w, size_t x, size_t y)
{
    struct sums *s = ctx;
    s->sum[w] += s->x[x] * s->y[y];
}

static void zero(float *v, size_t count)
{
    for (size_t i = 0; i < count; i++)
        v[i] = 0.0f;
}

void layer_forward(const bioft_layer *l, uint32_t n, const float *w, const float *x, float *y)
{
    zero(y, n * layer_out(l));
    for (uint32_t i = 0; i < n; i++)
        each_product(l, add_forward, &(struct sums){ w, x + i * layer_in(l), NULL, y + i * layer_out(l) });
}

void layer_input_error(const bioft_layer *l, uint32_t n, const float *v, const float *dy, float *dx)
{
    zero(dx, n * layer_in(l));
    for (uint32_t i = 0; i < n; i++)
        each_product(l, add_input, &(struct sums){ v, NULL, dy + i * layer_out(l), dx + i * layer_in(l) });
}

void layer_weight_gradient(const bioft_layer *l, uint32_t n, const float *x, const float *dy, float *dw)
{
    zero(dw, l->count);
    for (uint32_t i = 0; i < n; i++)
        each_product(l, add_weight, &(struct sums){ NULL, x + i * layer_in(l), dy + i * layer_out(l), dw });
}

static bioft_status ops_forward(const bioft_host *host, const bioft_layer *l, uint32_t n, const float *w,
                                const float *x, float *ret)
{
    (void)host;
    layer_forward(l, n, w, x, ret);
    return BIOFT_OK;
}

static bioft_status ops_input_error(const bioft_host *host, const bioft_layer *l, uint32_t n, const float *v,
                                    const float *dy, float *ret)
{
    (void)host;
    layer_input_error(l, n, v, dy, ret);
    return BIOFT_OK;
}

static bioft_status ops_weight_gradient(const bioft_host *host, const bioft_layer *l, uint32_t n, const float *x,
                                        const float *dy, float *ret)
{
    (void)host;
    layer_weight_gradient(l, n, x, dy, ret);
    return BIOFT_OK;
}

const bioft_layer_ops *conform_layer_ops(void)
{
    static const bioft_layer_ops ops = {
        .struct_size = sizeof(ops),
        .forward = ops_forward,
        .input_error = ops_input_error,
        .weight_gradient = ops_weight_gradient,
    };
    return &ops;
}
