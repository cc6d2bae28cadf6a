/* How this engine computes what program.h leaves to each: convolutions over columns, or some by minimal filtering. */
#include "backend.h"

#include "../common/columns.h"
#include "../common/memory.h"

static bioft_status plan(struct program *p, struct node *n, uint32_t *ret_block)
{
    const struct openblas *engine = (const struct openblas *)(const void *)p->engine;
    const struct winograd_kernels *k = engine->winograd ? winograd_kernels_for(0) : NULL;

    (void)ret_block;
    if (n->def->op != BIOFT_OP_CONV2D)
        return BIOFT_OK;
    if (k && winograd_pays(n->def, p->model->network.nodes[n->def->input[0]].channels))
        return winograd_plan(p, n, k);
    return columns_plan(p, n);
}

static bool is_winograd(const struct node *n) { return n->op == &operator_winograd; }

static bioft_status finish(struct program *p)
{
    bioft_status st = BIOFT_OK;

    for (uint32_t i = 0; st == BIOFT_OK && i < p->node_count; i++)
        if (is_winograd(&p->nodes[i]))
            st = winograd_finish(p, &p->nodes[i]);
    return st;
}

static bioft_status refresh(struct program *p, enum phase phase)
{
    for (uint32_t i = 0; i < p->node_count; i++)
        if (is_winograd(&p->nodes[i]) && (phase == FORWARD || p->nodes[i].wants[0]))
            winograd_refresh(p, &p->nodes[i], phase);
    return BIOFT_OK;
}

static void release(struct program *p)
{
    for (uint32_t i = 0; i < p->node_count; i++) {
        if (is_winograd(&p->nodes[i]))
            winograd_release(&p->nodes[i]);
        memory_give(p->nodes[i].own);
    }
}

const struct backend openblas_backend = { .plan = plan, .finish = finish, .release = release, .refresh = refresh };
