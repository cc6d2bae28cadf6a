/* A file with the names of libtorch that the engine `torch` needs; those that are called are in fake_torch_functions.c. */
#include "abi.h"

#define NAME(result, name, parameters) \
    __attribute__((visibility("default"), weak)) extern const int fake_##name __asm__(#name); \
    const int fake_##name = 0;
TORCH_FUNCTIONS(NAME)
