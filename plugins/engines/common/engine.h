/* The engine's instance. */
#ifndef COMMON_ENGINE_H
#define COMMON_ENGINE_H

#include "blas.h"
#include "parallel.h"

#include <bioft/engine.h>
#include <bioft/util.h>
#include <stdbool.h>

struct backend;
struct engine {
    const bioft_host *host;
    const struct backend *backend; /* what this engine does its own way: program.h */
    void *own;                     /* the backend's */
    struct parallel parallel;
    struct blas blas;
    float *layer_work; /* of layer(): grows with the layers that it is asked for */
    size_t layer_work_floats;
};

#endif
