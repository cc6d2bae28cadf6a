/* What a program has to know of each operator of engine.h: its inputs, and what its backward pass reads. */
#ifndef COMMON_TRAITS_H
#define COMMON_TRAITS_H

#include <stdint.h>

enum {
    KEEPS_X = 1,
    KEEPS_OTHER = 2,
    KEEPS_Y = 4,          /* backward reads the first input, the second, the output */
    KEEPS_X_TO_TRAIN = 8, /* only the gradient of its parameters reads the first input */
    HAS_PARAMETERS = 16,
    TWO_INPUTS = 32
};
/* 0 for what is not known. */
uint32_t operator_traits(uint32_t op);

#endif
