/* The initial values of a network's parameters. */
#include "network/initialise.h"

#include "base/memory.h"
#include <stdlib.h>

static bioft_status initialise(struct model *m, uint64_t seed, const char *stage, bool only_head, struct error *err)
{
    const struct graph *g = m->graph;
    float *values = mem_array(graph_largest_parameter(g), sizeof *values);
    bioft_status st = values ? BIOFT_OK : error_memory(err, "initial values");

    for (uint32_t p = 0; st == BIOFT_OK && p < g->view.parameter_count; p++) {
        const bool head = g->parameters[p].flags & BIOFT_PARAM_HEAD;
        if (only_head && !head)
            continue;
        st = graph_initialise(g, p, seed, head ? stage : NULL, values);
        if (st != BIOFT_OK)
            error_set(err, st, "%s: has no initial values", g->parameters[p].name);
        else
            st = model_write(m, BIOFT_VALUE, p, values, err);
    }
    free(values);
    return st;
}

bioft_status model_initialise(struct model *m, uint64_t seed, const char *stage, struct error *err)
{
    return initialise(m, seed, stage, false, err);
}

bioft_status model_initialise_head(struct model *m, uint64_t seed, const char *stage, struct error *err)
{
    return initialise(m, seed, stage, true, err);
}
