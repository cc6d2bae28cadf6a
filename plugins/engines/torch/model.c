/* Making a model, reading and writing its arrays by parameter. */
#include "model.h"

#include "../common/memory.h"
#include "../common/requests.h"

#include <string.h>

static bioft_status no_memory(const struct torch *t)
{
    return t->host->fail(t->host, BIOFT_ERR_MEMORY, "out of memory for the model");
}

/* Convolutions' weights with their input channels last. */
static void set_shapes(const struct network *n, uint32_t index, struct parameter *p)
{
    const bioft_parameter *d = &n->parameters[index];

    p->count = d->count;
    p->shape = p->plain = shape_vector((int64_t)d->count);
    if (d->kind != BIOFT_PARAM_WEIGHT)
        return;
    const bioft_layer *l = &n->layers[d->layer];
    const bioft_node *node = &n->nodes[n->layer_node[d->layer]];
    if (node->op == BIOFT_OP_CONV2D) {
        const int64_t in = n->nodes[node->input[0]].channels / node->groups;
        p->shape = shape_image(node->channels, in, node->kernel[0], node->kernel[1]);
        p->plain = shape_plain(node->channels, in, node->kernel[0], node->kernel[1]);
    } else {
        p->shape = p->plain = shape_matrix(node->channels, (int64_t)(l->count / node->channels));
    }
}

static bool take_arrays(struct model *m)
{
    const struct network *n = &m->network;
    size_t largest = 1;

    for (uint32_t i = 0; i < n->layer_count; i++)
        largest = n->layers[i].count > largest ? n->layers[i].count : largest;
    m->parameters = memory_take(n->parameter_count, sizeof *m->parameters);
    m->feedback = memory_take(n->layer_count, sizeof *m->feedback);
    m->done = memory_take(n->parameter_count, 1);
    m->sums = memory_take(n->parameter_count, 2 * sizeof *m->sums);
    for (int k = 0; k < 4; k++)
        if (!(m->list[k] = memory_take((size_t)n->parameter_count + 1, 2 * sizeof *m->list[k])))
            return false;
    for (int k = 0; k < 2; k++)
        if (!(m->host[k] = memory_take(largest, sizeof *m->host[k])))
            return false;
    return m->parameters && m->feedback && m->done && m->sums;
}

bioft_status model_create(struct torch *t, const bioft_graph *graph, struct model **ret)
{
    struct model *m = memory_take(1, sizeof *m);
    char why[512] = "out of memory for the model";
    bioft_status st = BIOFT_ERR_MEMORY;
    bool good;

    if (m)
        st = network_copy(graph, &m->network, why, sizeof why);
    if (st != BIOFT_OK) {
        memory_give(m);
        return t->host->fail(t->host, st, why);
    }
    m->t = t;
    if (!take_arrays(m)) {
        model_destroy(m);
        return no_memory(t);
    }
    m->steps = tensor_number(t, 0);
    good = m->steps;
    for (uint32_t i = 0; good && i < m->network.parameter_count; i++) {
        struct parameter *p = &m->parameters[i];
        set_shapes(&m->network, i, p);
        p->value = tensor_zeros(t, &p->shape, t->float32);
        good = p->value;
    }
    if (!good) {
        model_destroy(m);
        return torch_failed(t, "the parameters");
    }
    *ret = m;
    return BIOFT_OK;
}

void model_destroy(struct model *m)
{
    if (!m)
        return;
    for (uint32_t i = 0; m->parameters && i < m->network.parameter_count; i++) {
        struct parameter *p = &m->parameters[i];
        tensor *const all[] = { &p->value, &p->gradient, &p->moment1, &p->moment2, &p->change, &p->narrow };
        for (size_t k = 0; k < sizeof all / sizeof *all; k++)
            tensor_drop(m->t, all[k]);
    }
    for (uint32_t i = 0; m->feedback && i < m->network.layer_count; i++)
        feedback_free(m, &m->feedback[i]);
    if (m->steps)
        tensor_drop(m->t, &m->steps);
    for (int k = 0; k < 4; k++)
        memory_give(m->list[k]);
    for (int k = 0; k < 2; k++)
        memory_give(m->host[k]);
    memory_give(m->parameters);
    memory_give(m->feedback);
    memory_give(m->done);
    memory_give(m->sums);
    network_free(&m->network);
    memory_give(m);
}

static bool take_once(struct model *m, tensor *array, const struct parameter *p)
{
    if (!*array)
        *array = tensor_zeros(m->t, &p->shape, m->t->float32);
    return *array != NULL;
}

bioft_status model_trainable(struct model *m)
{
    for (uint32_t i = 0; i < m->network.parameter_count; i++) {
        struct parameter *p = &m->parameters[i];
        if (parameter_trains(m, i) &&
            (!take_once(m, &p->gradient, p) || !take_once(m, &p->moment1, p) || !take_once(m, &p->moment2, p)))
            return torch_failed(m->t, "gradients and moments");
    }
    return BIOFT_OK;
}

static tensor *array_of(struct parameter *p, uint32_t what)
{
    switch (what) {
    case BIOFT_GRADIENT: return &p->gradient;
    case BIOFT_MOMENT1: return &p->moment1;
    case BIOFT_MOMENT2: return &p->moment2;
    default: return &p->value;
    }
}

bioft_status model_read(struct model *m, uint32_t what, uint32_t parameter, float *ret, size_t count)
{
    bioft_status st = request_access(m->t->host, &m->network, what, parameter, count);
    struct parameter *p;
    tensor array;

    if (st != BIOFT_OK)
        return st;
    p = &m->parameters[parameter];
    if (what == BIOFT_FEEDBACK) {
        array = feedback_get(m, m->network.parameters[parameter].layer, BIOFT_F32);
        if (!array)
            return torch_failed(m->t, "feedback weights");
    } else {
        array = *array_of(p, what);
    }
    if (!array)
        memset(ret, 0, count * sizeof *ret); /* nothing was trained yet */
    else if (!tensor_read(m->t, array, &p->plain, ret))
        return torch_failed(m->t, "reading a parameter");
    return BIOFT_OK;
}

bioft_status model_write(struct model *m, uint32_t what, uint32_t parameter, const float *values, size_t count)
{
    bioft_status st = request_access(m->t->host, &m->network, what, parameter, count);
    struct parameter *p;
    bool good;

    if (st != BIOFT_OK)
        return st;
    p = &m->parameters[parameter];
    if (what == BIOFT_FEEDBACK)
        good = feedback_write(m, m->network.parameters[parameter].layer, values);
    else
        good = take_once(m, array_of(p, what), p) && tensor_write(m->t, *array_of(p, what), &p->plain, values);
    if (!good)
        return torch_failed(m->t, "writing a parameter");
    if (what == BIOFT_VALUE)
        p->version++;
    return BIOFT_OK;
}

tensor model_value(struct model *m, uint32_t parameter, uint32_t precision)
{
    struct parameter *p;

    if (parameter == BIOFT_NONE)
        return NULL;
    p = &m->parameters[parameter];
    if (precision != BIOFT_BF16)
        return p->value;
    if (p->narrow && p->narrow_version == p->version)
        return p->narrow;
    if (!p->narrow)
        p->narrow = tensor_empty(m->t, &p->shape, m->t->bfloat16);
    if (!p->narrow || !tensor_copy(m->t, p->narrow, p->value))
        return NULL;
    p->narrow_version = p->version;
    return p->narrow;
}
