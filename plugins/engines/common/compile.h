/* Compiling a program: the steps that its parts share. */
#ifndef COMMON_COMPILE_H
#define COMMON_COMPILE_H

#include "program.h"
#include "slots.h"

/* Nodes with their tensors and operators; which tensors share memory; what backward needs of forward. */
bioft_status compile_nodes(struct program *p); /* what goes wrong has been reported */
bool compile_segments(struct program *p);      /* false: out of memory */
/* The use and the routes, before anything is made of them. */
bioft_status compile_check(const struct backend *b, const struct network *n, const bioft_use *use, char *why,
                           size_t size);
/* The one node that reads a tensor; NULL: none, several, or the caller. */
struct node *compile_only_reader(const struct program *p, uint32_t tensor);
/* Is the tensor's value read in the backward pass, or by a hook? */
bool tensor_is_kept(const struct program *p, uint32_t tensor);

#endif
