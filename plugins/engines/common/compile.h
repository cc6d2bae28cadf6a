/* Compiling a program: the steps that its parts share. */
#ifndef COMMON_COMPILE_H
#define COMMON_COMPILE_H

#include "program.h"
#include "slots.h"

/* Nodes with their tensors and operators; which tensors share memory; what backward needs of forward. */
bioft_status compile_nodes(struct program *p);     /* what goes wrong has been reported */
bool compile_segments(struct program *p);          /* false: out of memory */
/* Slots, then everything else that a step writes to. BIOFT_ERR_MEMORY has been reported. */
bioft_status compile_memory(struct program *p);

/* Is the tensor's value read in the backward pass, or by a hook? */
bool tensor_is_kept(const struct program *p, uint32_t tensor);

#endif
