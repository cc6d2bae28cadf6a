/* Models: a graph's arrays on an engine, each call checked. */
#include "engine/engine.h"

#include <stdlib.h>

/* A failed call's text, or nothing. */
static bioft_status checked(struct model *m, bioft_status st, struct error *err)
{
    return st == BIOFT_OK ? st : instance_error(m->engine->instance, st, err);
}

bioft_status model_create(struct engine *e, const struct graph *g, struct model **ret, struct error *err)
{
    struct model *m = mem_array(1, sizeof *m);

    if (!m)
        return error_memory(err, "a model");
    m->engine = e;
    m->graph = g;
    m->counters = mem_array(g->counter_count, sizeof *m->counters);
    if (!m->counters) {
        model_destroy(m);
        return error_memory(err, "a model");
    }
    bioft_status st = checked(m, e->api->model_create(e->instance->self, &g->view, &m->self), err);
    if (st != BIOFT_OK) {
        m->self = NULL;
        model_destroy(m);
        return st;
    }
    *ret = m;
    return BIOFT_OK;
}

void model_destroy(struct model *m)
{
    if (!m)
        return;
    if (m->self)
        m->engine->api->model_destroy(m->engine->instance->self, m->self);
    free(m->counters);
    free(m);
}

bioft_status model_read(struct model *m, uint32_t what, uint32_t parameter, float *ret, struct error *err)
{
    return checked(m,
                   m->engine->api->read(m->engine->instance->self, m->self, what, parameter, ret,
                                        m->graph->parameters[parameter].count),
                   err);
}

bioft_status model_write(struct model *m, uint32_t what, uint32_t parameter, const float *values, struct error *err)
{
    return checked(m,
                   m->engine->api->write(m->engine->instance->self, m->self, what, parameter, values,
                                         m->graph->parameters[parameter].count),
                   err);
}

bioft_status model_feedback(struct model *m, uint32_t layer, const bioft_feedback *feedback, uint64_t draw,
                            struct error *err)
{
    return checked(m, m->engine->api->set_feedback(m->engine->instance->self, m->self, layer, feedback, draw), err);
}

bioft_status model_update(struct model *m, const bioft_update *u, const bioft_hooks *hooks,
                          uint32_t *ret_first_nonfinite, struct error *err)
{
    const bioft_status st = m->engine->api->update(m->engine->instance->self, m->self, u, hooks, ret_first_nonfinite);
    const uint32_t first = *ret_first_nonfinite;

    if (st == BIOFT_OK && first != BIOFT_NONE && first >= m->graph->view.parameter_count)
        return error_set(err, BIOFT_ERR_INVALID,
                         "engine '%s': update reports that parameter %u is not finite, of %u: a fault of "
                         "the plugin",
                         m->engine->instance->plugin->descriptor.name, first, m->graph->view.parameter_count);
    return checked(m, st, err);
}
