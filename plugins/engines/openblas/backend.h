/* The part of a program that is this engine's own. */
#ifndef OPENBLAS_BACKEND_H
#define OPENBLAS_BACKEND_H

#include "../common/program.h"
#include "../common/winograd.h"

struct openblas {
    struct engine engine; /* first: the common calls see this */
    int32_t winograd;     /* option */
};
extern const struct backend openblas_backend;

/* A convolution by minimal filtering as a node, for a conv that winograd_pays(). */
extern const struct operator operator_winograd;
bioft_status winograd_plan(struct program *p, struct node *n, const struct winograd_kernels *k);
bioft_status winograd_finish(struct program *p, struct node *n);
void winograd_refresh(struct program *p, struct node *n, enum phase phase);
void winograd_release(struct node *n); /* what finish took */

#endif
