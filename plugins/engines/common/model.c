/* Making a model, reading and writing its arrays by parameter. */
#include "model.h"

#include "memory.h"
#include "requests.h"

#include <string.h>

static bioft_status no_memory(const struct model *m)
{
    return m->engine->host->fail(m->engine->host, BIOFT_ERR_MEMORY, "out of memory for the model's parameters");
}

static bool trained(const struct model *m, uint32_t parameter)
{
    return m->network.parameters[parameter].kind != BIOFT_PARAM_RUNNING;
}

static bool is_layer_weight(const struct model *m, uint32_t parameter)
{
    return m->network.parameters[parameter].kind == BIOFT_PARAM_WEIGHT;
}

/* The list of pieces that the optimizer works through. */
static bool list_chunks(struct model *m)
{
    const struct network *n = &m->network;
    size_t total = 0, largest = 1;

    for (uint32_t i = 0; i < n->parameter_count; i++)
        total += parts_of(n->parameters[i].count, UPDATE_CHUNK);
    for (uint32_t i = 0; i < n->layer_count; i++)
        if (parts_of(n->layers[i].count, FEEDBACK_CHUNK) > largest)
            largest = parts_of(n->layers[i].count, FEEDBACK_CHUNK);
    m->chunks = memory_take(total, sizeof *m->chunks);
    m->nonfinite = memory_take(total, 1);
    m->norms = memory_take(largest, 2 * sizeof *m->norms);
    if (!m->chunks || !m->nonfinite || !m->norms)
        return false;
    for (uint32_t i = 0; i < n->parameter_count; i++) {
        size_t count = n->parameters[i].count, parts = parts_of(count, UPDATE_CHUNK);
        for (size_t k = 0; k < parts; k++) {
            size_t first = k * UPDATE_CHUNK, left = count - first;
            m->chunks[m->chunk_count++] = (struct update_chunk){ i, first, left < UPDATE_CHUNK ? left : UPDATE_CHUNK };
        }
    }
    return true;
}

bioft_status cpu_model_create(struct engine *e, const bioft_graph *graph, struct model **ret)
{
    struct model *m = memory_take(1, sizeof *m);
    char why[512] = "out of memory for the model";
    bioft_status st = BIOFT_ERR_MEMORY;

    if (m)
        st = network_copy(graph, &m->network, why, sizeof why);
    if (st != BIOFT_OK) {
        memory_give(m);
        return e->host->fail(e->host, st, why);
    }
    m->engine = e;
    m->parameters = memory_take(m->network.parameter_count, sizeof *m->parameters);
    m->feedback = memory_take(m->network.layer_count, sizeof *m->feedback);
    if (!m->parameters || !m->feedback || !list_chunks(m))
        goto fail;
    for (uint32_t i = 0; i < m->network.parameter_count; i++) {
        struct parameter *p = &m->parameters[i];
        p->count = m->network.parameters[i].count;
        p->value = memory_take(p->count, sizeof *p->value);
        if (!p->value)
            goto fail;
    }
    *ret = m;
    return BIOFT_OK;

fail:
    st = no_memory(m);
    cpu_model_destroy(m);
    return st;
}

void cpu_model_destroy(struct model *m)
{
    if (!m)
        return;
    for (uint32_t i = 0; m->parameters && i < m->network.parameter_count; i++) {
        memory_give(m->parameters[i].value);
        memory_give(m->parameters[i].gradient);
        memory_give(m->parameters[i].moment1);
        memory_give(m->parameters[i].moment2);
        memory_give(m->parameters[i].change);
    }
    for (uint32_t i = 0; m->feedback && i < m->network.layer_count; i++)
        feedback_free(&m->feedback[i]);
    memory_give(m->parameters);
    memory_give(m->feedback);
    memory_give(m->chunks);
    memory_give(m->nonfinite);
    memory_give(m->norms);
    network_free(&m->network);
    memory_give(m);
}

static bool take_once(float **array, size_t count)
{
    if (!*array)
        *array = memory_take(count, sizeof **array);
    return *array != NULL;
}

bioft_status model_trainable(struct model *m)
{
    for (uint32_t i = 0; i < m->network.parameter_count; i++) {
        struct parameter *p = &m->parameters[i];
        if (!trained(m, i))
            continue;
        if (!take_once(&p->gradient, p->count) || !take_once(&p->moment1, p->count) ||
            !take_once(&p->moment2, p->count) || (is_layer_weight(m, i) && !take_once(&p->change, p->count)))
            return no_memory(m);
    }
    return BIOFT_OK;
}

static float **array_of(struct parameter *p, uint32_t what)
{
    switch (what) {
    case BIOFT_GRADIENT: return &p->gradient;
    case BIOFT_MOMENT1: return &p->moment1;
    case BIOFT_MOMENT2: return &p->moment2;
    default: return &p->value;
    }
}

bioft_status cpu_model_read(struct model *m, uint32_t what, uint32_t parameter, float *ret, size_t count)
{
    bioft_status st = request_access(m->engine->host, &m->network, what, parameter, count);
    const float *array;

    if (st != BIOFT_OK)
        return st;
    if (what == BIOFT_FEEDBACK) {
        array = feedback_get(m, m->network.parameters[parameter].layer);
        if (!array)
            return BIOFT_ERR_INVALID;
    } else {
        array = *array_of(&m->parameters[parameter], what);
    }
    if (array)
        memcpy(ret, array, count * sizeof *ret);
    else
        memset(ret, 0, count * sizeof *ret); /* nothing was trained yet */
    return BIOFT_OK;
}

bioft_status cpu_model_write(struct model *m, uint32_t what, uint32_t parameter, const float *values, size_t count)
{
    bioft_status st = request_access(m->engine->host, &m->network, what, parameter, count);
    struct parameter *p;

    if (st != BIOFT_OK)
        return st;
    if (what == BIOFT_FEEDBACK)
        return feedback_write(m, m->network.parameters[parameter].layer, values);
    p = &m->parameters[parameter];
    if (!take_once(array_of(p, what), p->count))
        return no_memory(m);
    memcpy(*array_of(p, what), values, count * sizeof *values);
    if (what == BIOFT_VALUE)
        p->version++;
    return BIOFT_OK;
}
