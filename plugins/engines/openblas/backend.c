/* How this engine computes what program.h leaves to each: convolutions over columns. */
#include "backend.h"

#include "../common/columns.h"
#include "../common/memory.h"

static bioft_status plan(struct program *p, struct node *n, uint32_t *ret_block)
{
    (void)ret_block;
    return n->def->op == BIOFT_OP_CONV2D ? columns_plan(p, n) : BIOFT_OK;
}

static void release(struct program *p)
{
    for (uint32_t i = 0; i < p->node_count; i++)
        memory_give(p->nodes[i].own);
}

const struct backend openblas_backend = { .plan = plan, .release = release };
