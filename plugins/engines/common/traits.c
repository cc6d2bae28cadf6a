/* The table of traits.h. */
#include "traits.h"

#include <bioft/engine.h>

static const uint8_t traits[] = {
    [BIOFT_OP_INPUT] = 0,
    [BIOFT_OP_CONV2D] = KEEPS_X_TO_TRAIN | HAS_PARAMETERS,
    [BIOFT_OP_LINEAR] = KEEPS_X_TO_TRAIN | HAS_PARAMETERS,
    [BIOFT_OP_BATCHNORM] = KEEPS_X_TO_TRAIN | HAS_PARAMETERS,
    [BIOFT_OP_RELU] = KEEPS_Y,
    [BIOFT_OP_TANH] = KEEPS_Y,
    [BIOFT_OP_ADD] = TWO_INPUTS,
    [BIOFT_OP_CLIP] = KEEPS_Y,
    [BIOFT_OP_SIGMOID] = KEEPS_Y,
    [BIOFT_OP_HARDSIGMOID] = KEEPS_Y,
    [BIOFT_OP_HARDSWISH] = KEEPS_X,
    [BIOFT_OP_SILU] = KEEPS_X,
    [BIOFT_OP_GELU] = KEEPS_X,
    [BIOFT_OP_MULTIPLY] = KEEPS_X | KEEPS_OTHER | TWO_INPUTS,
    [BIOFT_OP_CONCAT] = TWO_INPUTS,
    [BIOFT_OP_SCALE] = KEEPS_X_TO_TRAIN | HAS_PARAMETERS,
    [BIOFT_OP_LAYERNORM] = KEEPS_X | HAS_PARAMETERS,
    [BIOFT_OP_SOFTMAX] = KEEPS_Y,
    [BIOFT_OP_MATMUL] = KEEPS_X | KEEPS_OTHER | TWO_INPUTS,
    [BIOFT_OP_TOKENS] = HAS_PARAMETERS,
};

uint32_t operator_traits(uint32_t op) { return op < sizeof traits / sizeof *traits ? traits[op] : 0; }
