/* Every operator, forward and backward, against a plain double-precision pass and finite differences of it. */
#include "trials.h"

/* The words of the table below. */
#define CONV .op = BIOFT_OP_CONV2D
#define LINEAR .op = BIOFT_OP_LINEAR
#define NORM .op = BIOFT_OP_BATCHNORM
#define RELU .op = BIOFT_OP_RELU
#define TANH .op = BIOFT_OP_TANH
#define MAX .op = BIOFT_OP_MAXPOOL
#define AVG .op = BIOFT_OP_AVGPOOL
#define ADAPTIVE .op = BIOFT_OP_ADAPTIVE_AVGPOOL
#define DROP .op = BIOFT_OP_DROPOUT
#define ADD .op = BIOFT_OP_ADD
#define FLAT .op = BIOFT_OP_FLATTEN

static const struct net_case cases[] = {
    { "linear", 5, 1, 1, { { LINEAR, .out = 4 }, { TANH }, { LINEAR, .out = 3, .no_bias = true } } },
    { "conv", 2, 6, 5, { { CONV, .out = 3, .kernel = { 3, 2 } }, { RELU },
        { CONV, .out = 2, .kernel = { 2, 2 } } } },
    { "conv, a stride that does not divide", 3, 8, 7,
      { { CONV, .out = 4, .kernel = { 3, 3 }, .stride = { 3, 2 } }, { TANH },
        { CONV, .out = 2, .kernel = { 1, 2 }, .stride = { 1, 2 } } } },
    { "conv, padding on four sides", 2, 5, 6,
      { { CONV, .out = 3, .kernel = { 4, 3 }, .padding = { 1, 2, 3, 0 } }, { TANH },
        { CONV, .out = 2, .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 2, 0, 1, 1 } } } },
    { "conv, padding beyond the kernel", 1, 3, 3,
      { { CONV, .out = 2, .kernel = { 2, 2 }, .padding = { 3, 3, 3, 3 }, .stride = { 2, 2 } }, { TANH } } },
    { "conv, groups", 6, 5, 5,
      { { CONV, .out = 4, .kernel = { 3, 3 }, .groups = 2, .padding = { 1, 1, 1, 1 } }, { TANH },
        { CONV, .out = 8, .kernel = { 2, 2 }, .groups = 4, .no_bias = true } } },
    { "conv, one group a channel", 4, 5, 5,
      { { CONV, .out = 4, .kernel = { 3, 3 }, .groups = 4 }, { TANH },
        { CONV, .out = 4, .kernel = { 2, 2 }, .groups = 4 } } },
    { "conv, dilation", 2, 9, 8,
      { { CONV, .out = 3, .kernel = { 3, 2 }, .dilation = { 2, 3 }, .padding = { 1, 0, 2, 1 }, .stride = { 1, 2 } },
        { TANH }, { CONV, .out = 2, .kernel = { 2, 2 }, .dilation = { 2, 1 } } } },
    { "conv 1x1", 5, 4, 3, { { CONV, .out = 3, .kernel = { 1, 1 } }, { RELU },
        { CONV, .out = 4, .kernel = { 1, 1 }, .no_bias = true } } },
    { "conv 1x1, groups and stride", 4, 5, 4,
      { { CONV, .out = 6, .kernel = { 1, 1 }, .groups = 2 }, { TANH },
        { CONV, .out = 2, .kernel = { 1, 1 }, .stride = { 2, 2 } } } },
    { "batchnorm", 2, 4, 3,
      { { CONV, .out = 3, .kernel = { 2, 2 }, .no_bias = true }, { NORM }, { RELU },
        { CONV, .out = 2, .kernel = { 2, 2 } }, { NORM }, { TANH } } },
    { "batchnorm of features", 6, 1, 1, { { LINEAR, .out = 5 }, { NORM }, { TANH }, { LINEAR, .out = 3 } } },
    { "batchnorm first", 3, 3, 3, { { NORM, .in = -1 }, { TANH }, { FLAT }, { LINEAR, .out = 2 } } },
    { "tanh after tanh", 4, 1, 1, { { LINEAR, .out = 6 }, { TANH }, { TANH }, { DROP, .dropout = 0.4f },
        { LINEAR, .out = 3 }, { TANH }, { DROP, .dropout = 0.2f } } },
    { "relu after tanh", 4, 1, 1, { { LINEAR, .out = 6 }, { TANH }, { RELU }, { LINEAR, .out = 3 },
        { RELU }, { TANH } } },
    { "maxpool", 2, 6, 7, { { CONV, .out = 2, .kernel = { 1, 1 } }, { MAX, .kernel = { 2, 2 } }, { TANH } } },
    { "maxpool, overlapping and padded", 2, 7, 6,
      { { CONV, .out = 2, .kernel = { 2, 2 } },
        { MAX, .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 1, 1, 1, 1 } } } },
    { "maxpool, ceil_mode", 2, 6, 7,
      { { MAX, .in = -1, .kernel = { 3, 2 }, .stride = { 2, 2 }, .ceil_mode = true },
        { CONV, .out = 2, .kernel = { 2, 2 } } } },
    { "maxpool, ceil_mode with a window that would begin outside", 1, 5, 5,
      { { MAX, .in = -1, .kernel = { 2, 2 }, .stride = { 3, 3 }, .padding = { 1, 1, 1, 1 }, .ceil_mode = true },
        { TANH } } },
    { "maxpool 2x2 on odd sides", 2, 5, 7, { { CONV, .out = 3, .kernel = { 1, 1 } }, { RELU },
        { MAX, .kernel = { 2, 2 } } } },
    { "avgpool", 2, 6, 6, { { CONV, .out = 2, .kernel = { 2, 2 } },
        { AVG, .kernel = { 2, 3 }, .stride = { 1, 2 } } } },
    { "avgpool, padded", 2, 5, 5,
      { { AVG, .in = -1, .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 1, 0, 1, 1 } },
        { CONV, .out = 2, .kernel = { 2, 2 } } } },
    { "avgpool, padding excluded", 2, 5, 5,
      { { TANH, .in = -1 },
        { AVG, .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 1, 1, 1, 1 }, .exclude_padding = true } } },
    { "avgpool, ceil_mode", 1, 6, 6,
      { { TANH, .in = -1 },
        { AVG, .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 0, 1, 0, 1 }, .ceil_mode = true } } },
    { "adaptive_avgpool, fewer", 2, 7, 5, { { CONV, .out = 2, .kernel = { 1, 1 } },
        { ADAPTIVE, .height = 3, .width = 2 } } },
    { "adaptive_avgpool, more", 2, 3, 2, { { TANH, .in = -1 }, { ADAPTIVE, .height = 4, .width = 5 } } },
    { "adaptive_avgpool to one", 3, 4, 4,
      { { CONV, .out = 3, .kernel = { 2, 2 } }, { RELU }, { ADAPTIVE, .height = 1, .width = 1 }, { FLAT },
        { LINEAR, .out = 2 } } },
    { "dropout", 4, 3, 3,
      { { CONV, .out = 4, .kernel = { 2, 2 } }, { DROP, .dropout = 0.3f }, { RELU }, { FLAT },
        { DROP, .dropout = 0.5f }, { LINEAR, .out = 3 } } },
    { "a residual block", 3, 5, 5,
      { { CONV, .out = 4, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 }, .no_bias = true }, { NORM }, { RELU },
        { CONV, .out = 4, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 }, .stride = { 2, 2 }, .no_bias = true },
        { NORM }, { RELU },
        { CONV, .out = 4, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 }, .no_bias = true }, { NORM },
        { CONV, .in = 3, .out = 4, .kernel = { 1, 1 }, .stride = { 2, 2 }, .no_bias = true }, { NORM },
        { ADD, .in = 8, .in2 = 10 }, { RELU }, { ADAPTIVE, .height = 1, .width = 1 }, { FLAT },
        { LINEAR, .out = 3 } } },
    { "a sum with the input and with itself", 3, 3, 3,
      { { CONV, .out = 3, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 } }, { ADD, .in = 1, .in2 = 1 }, { TANH },
        { CONV, .out = 3, .kernel = { 1, 1 } }, { ADD, .in = 4, .in2 = 3 }, { RELU },
        { CONV, .out = 3, .kernel = { 1, 1 } },
        { ADD, .in = 7, .in2 = 1 }, { FLAT }, { LINEAR, .out = 2 } } },
    { "activations beside their inputs", 2, 3, 3,
      { { CONV, .out = 3, .kernel = { 2, 2 } }, { RELU }, { ADD, .in = 2, .in2 = 1 }, { TANH },
        { ADD, .in = 4, .in2 = 3 }, { NORM }, { ADD, .in = 6, .in2 = 5 }, { DROP, .dropout = 0.5f },
        { ADD, .in = 8, .in2 = 7 } } },
    { "flatten with two readers", 2, 2, 2,
      { { CONV, .out = 2, .kernel = { 1, 1 } }, { FLAT }, { LINEAR, .out = 8 },
        { ADD, .in = 3, .in2 = 2 }, { TANH } } },
    { "lenet5", 1, 14, 14,
      { { CONV, .out = 3, .kernel = { 5, 5 }, .padding = { 2, 2, 2, 2 } }, { RELU },
        { MAX, .kernel = { 2, 2 } },
        { CONV, .out = 4, .kernel = { 4, 4 } }, { RELU }, { MAX, .kernel = { 2, 2 } }, { FLAT },
        { LINEAR, .out = 6 }, { RELU },
        { LINEAR, .out = 5 }, { RELU }, { LINEAR, .out = 3 } } },
};

int main(void)
{
    return trials_run(cases, sizeof cases / sizeof *cases);
}
