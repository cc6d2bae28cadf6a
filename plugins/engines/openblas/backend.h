/* The part of a program that is this engine's own. */
#ifndef OPENBLAS_BACKEND_H
#define OPENBLAS_BACKEND_H

#include "../common/program.h"

extern const struct backend openblas_backend;

#endif
