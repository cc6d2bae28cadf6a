/* The operators that an engine may lack, forward and backward, against a plain double-precision pass and finite
 * differences of it. */
#include "trials.h"

/* The words of the table below. */
#define CONV .op = BIOFT_OP_CONV2D
#define LINEAR .op = BIOFT_OP_LINEAR
#define NORM .op = BIOFT_OP_BATCHNORM
#define RELU .op = BIOFT_OP_RELU
#define TANH .op = BIOFT_OP_TANH
#define ADD .op = BIOFT_OP_ADD
#define FLAT .op = BIOFT_OP_FLATTEN
#define DROP .op = BIOFT_OP_DROPOUT
#define POOLED .op = BIOFT_OP_ADAPTIVE_AVGPOOL, .height = 1, .width = 1
#define CLIP .op = BIOFT_OP_CLIP
#define SIGMOID .op = BIOFT_OP_SIGMOID
#define HARDSIGMOID .op = BIOFT_OP_HARDSIGMOID
#define HARDSWISH .op = BIOFT_OP_HARDSWISH
#define SILU .op = BIOFT_OP_SILU
#define GELU .op = BIOFT_OP_GELU
#define MULTIPLY .op = BIOFT_OP_MULTIPLY
#define CONCAT .op = BIOFT_OP_CONCAT
#define SLICE .op = BIOFT_OP_SLICE
#define SCALE .op = BIOFT_OP_SCALE
#define LAYERNORM .op = BIOFT_OP_LAYERNORM
#define SOFTMAX .op = BIOFT_OP_SOFTMAX
#define MATMUL .op = BIOFT_OP_MATMUL
#define TOKENS .op = BIOFT_OP_TOKENS
#define BARE .no_bias = true
#define PIXELS(n) CONV, .out = n, .kernel = { 1, 1 }
#define PADDED(n, g) CONV, .out = n, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 }, .groups = g

static const struct net_case cases[] = {
    { "clip", 3, 4, 4, { { PADDED(4, 1) }, { CLIP, .low = -0.3f, .high = 0.5f }, { PIXELS(2) } } },
    { "clip of the input", 3, 4, 4, { { CLIP, .in = -1, .low = -0.3f, .high = 0.5f }, { PIXELS(2) } } },
    { "clip between norms", 3, 4, 4, { { PADDED(16, 1), BARE }, { NORM }, { CLIP, .high = 1 },
        { PADDED(16, 16), BARE }, { NORM }, { CLIP, .high = 1 }, { PIXELS(3), BARE }, { NORM } } },
    { "sigmoid", 3, 4, 4, { { PADDED(5, 1) }, { SIGMOID }, { PIXELS(2) } } },
    { "sigmoid of many channels", 3, 3, 3, { { PADDED(20, 1) }, { SIGMOID }, { PIXELS(17) }, { SIGMOID } } },
    { "hardsigmoid", 3, 4, 4, { { PADDED(5, 1) }, { HARDSIGMOID }, { SCALE }, { HARDSIGMOID } } },
    { "hardswish", 3, 4, 4, { { PADDED(5, 1) }, { HARDSWISH }, { PIXELS(2) }, { HARDSWISH, .in = -1 },
        { PIXELS(2) }, { ADD, .in = 3, .in2 = 5 } } },
    { "silu", 3, 4, 4, { { PADDED(5, 1) }, { SILU }, { PIXELS(16), BARE }, { NORM }, { SILU }, { PIXELS(2) } } },
    { "gelu", 3, 4, 4, { { PADDED(5, 1) }, { GELU }, { PIXELS(16), BARE }, { NORM }, { GELU }, { PIXELS(2) } } },
    { "activations one after another", 4, 1, 1, { { LINEAR, .out = 6 }, { SIGMOID }, { GELU }, { SILU }, { TANH },
        { HARDSIGMOID }, { RELU }, { CLIP, .low = 0.52f, .high = 0.6f }, { HARDSWISH }, { LINEAR, .out = 3 } } },
    { "an activation beside its input", 3, 3, 3, { { PADDED(4, 1) }, { SILU }, { ADD, .in = 2, .in2 = 1 },
        { SIGMOID }, { MULTIPLY, .in = 4, .in2 = 3 } } },
    { "a gate", 3, 4, 4, { { PADDED(16, 1), BARE }, { NORM }, { SILU }, { POOLED }, { PIXELS(4) }, { SILU },
        { PIXELS(16) }, { SIGMOID }, { MULTIPLY, .in = 3, .in2 = 8 }, { PIXELS(3) } } },
    { "a gate of few channels, before what it gates", 3, 4, 4, { { PADDED(5, 1) }, { POOLED }, { SIGMOID },
        { MULTIPLY, .in = 1, .in2 = 3 } } },
    { "a product of one shape, and with itself", 3, 3, 3, { { PADDED(4, 1) }, { TANH }, { PIXELS(4) },
        { MULTIPLY, .in = 2, .in2 = 3 }, { MULTIPLY, .in = 4, .in2 = 4 }, { MULTIPLY, .in = -1, .in2 = -1 },
        { PIXELS(4) }, { MULTIPLY, .in = 5, .in2 = 7 } } },
    { "a product with one channel, one row, one column", 3, 4, 4, { { PADDED(4, 1) },
        { SLICE, .axis = 0, .from = 2, .out = 1 }, { MULTIPLY, .in = 1, .in2 = 2 },
        { SLICE, .in = 1, .axis = 1, .from = 1, .out = 1 }, { MULTIPLY, .in = 3, .in2 = 4 },
        { SLICE, .in = 1, .axis = 2, .from = 3, .out = 1 }, { MULTIPLY, .in = 5, .in2 = 6 } } },
    { "concat of channels", 3, 4, 4, { { PADDED(4, 1) }, { PIXELS(3) }, { CONCAT, .in = 2, .in2 = 1 }, { NORM },
        { RELU }, { PIXELS(5) }, { CONCAT, .in = 6, .in2 = 3 }, { CONCAT, .in = 7, .in2 = 7 },
        { CONCAT, .in = -1, .in2 = 8 }, { PIXELS(2) } } },
    { "concat of whole blocks of channels", 3, 3, 3, { { PIXELS(16), BARE }, { NORM }, { RELU }, { PIXELS(32) },
        { CONCAT, .in = 1, .in2 = 4 }, { NORM }, { RELU }, { PIXELS(16) }, { CONCAT, .in = 5, .in2 = 8 },
        { POOLED }, { FLAT }, { LINEAR, .out = 3 } } },
    { "concat along height and width", 3, 4, 3, { { PADDED(4, 1) }, { CONCAT, .in = 1, .in2 = 1, .axis = 1 },
        { PIXELS(4) }, { TANH }, { CONCAT, .in = 4, .in2 = 2, .axis = 2 }, { PIXELS(2) } } },
    { "slices", 3, 4, 5, { { PADDED(8, 1) }, { SLICE, .axis = 0, .from = 3, .out = 4 },
        { SLICE, .axis = 1, .from = 1, .out = 2 }, { SLICE, .axis = 2, .from = 2, .out = 3 }, { TANH } } },
    { "slices of whole blocks of channels", 3, 3, 3, { { PIXELS(48) }, { SLICE, .axis = 0, .from = 16, .out = 32 },
        { SLICE, .in = 1, .axis = 0, .out = 32 }, { ADD, .in = 2, .in2 = 3 }, { PIXELS(2) } } },
    { "scale", 3, 4, 4, { { SCALE, .in = -1 }, { PADDED(5, 1) }, { SCALE }, { TANH }, { SCALE } } },
    { "layernorm", 3, 4, 4, { { PADDED(5, 1) }, { LAYERNORM }, { GELU }, { PIXELS(18) }, { LAYERNORM },
        { PIXELS(2) } } },
    { "layernorm first and of features", 3, 2, 2, { { LAYERNORM, .in = -1 }, { PIXELS(6) }, { POOLED },
        { LAYERNORM }, { FLAT }, { LINEAR, .out = 3 } } },
    { "softmax", 3, 4, 5, { { PADDED(4, 1) }, { SOFTMAX }, { PIXELS(2) } } },
    { "softmax of the input", 3, 4, 5, { { SOFTMAX, .in = -1 }, { PIXELS(2) } } },
    { "products", 4, 3, 2, { { PADDED(4, 1) }, { PIXELS(4) }, { MATMUL, .in = 1, .in2 = 2, .groups = 2, .scale = 0.5f },
        { SOFTMAX }, { PIXELS(6) }, { SLICE, .in = 5, .axis = 0, .out = 4 }, { MATMUL, .in = 6, .in2 = 1, .product = 1,
        .scale = 1.5f }, { PIXELS(2) } } },
    { "a product of a tensor with itself", 4, 3, 2, { { PADDED(4, 1) }, { MATMUL, .in = 1, .in2 = 1, .groups = 2,
        .scale = 1 }, { MATMUL, .in = 2, .in2 = 1, .product = 1, .scale = 1 } } },
    { "a block of a vision transformer", 3, 8, 8, { { CONV, .out = 16, .kernel = { 4, 4 }, .stride = { 4, 4 } },
        { TOKENS, .class_token = true }, { TOKENS }, { LAYERNORM }, { PIXELS(48) },
        { SLICE, .axis = 0, .out = 16 }, { SLICE, .in = 5, .axis = 0, .from = 16, .out = 16 },
        { SLICE, .in = 5, .axis = 0, .from = 32, .out = 16 },
        { MATMUL, .in = 6, .in2 = 7, .groups = 2, .scale = 0.35f }, { SOFTMAX },
        { MATMUL, .in = 10, .in2 = 8, .product = 1, .scale = 1 }, { PIXELS(16) }, { ADD, .in = 3, .in2 = 12 },
        { SLICE, .axis = 1, .out = 1 }, { FLAT }, { LINEAR, .out = 3 } } },
    { "tokens of few channels", 3, 2, 2, { { PIXELS(5) }, { TOKENS, .class_token = true }, { TOKENS },
        { PIXELS(4) }, { GELU }, { POOLED }, { FLAT }, { LINEAR, .out = 2 } } },
    { "an inverted residual", 3, 4, 4, { { PADDED(16, 1), BARE }, { NORM }, { CLIP, .high = 6 },
        { PIXELS(32), BARE }, { NORM }, { CLIP, .high = 6 }, { PADDED(32, 32), BARE }, { NORM }, { CLIP, .high = 6 },
        { PIXELS(16), BARE }, { NORM }, { ADD, .in = 3, .in2 = 11 }, { POOLED }, { FLAT }, { LINEAR, .out = 3 } } },
    { "depthwise 5x5 of stride 2, padded as TensorFlow does", 3, 5, 6, { { PADDED(16, 1) },
        { CONV, .out = 16, .kernel = { 5, 5 }, .stride = { 2, 2 }, .groups = 16, .padding = { 2, 1, 2, 2 } },
        { SILU }, { PIXELS(2) } } },
    { "depthwise of channels beside the blocks, two a group", 3, 5, 4, { { PADDED(24, 1) }, { PADDED(24, 24) },
        { RELU }, { PADDED(48, 24) }, { TANH }, { PIXELS(2) } } },
};

int main(void)
{
    return trials_run(cases, sizeof cases / sizeof *cases);
}
