/* The network of a stage: graph and model, its values carried over from the stage before. */
#include "network/network.h"

#include <stdlib.h>
#include <string.h>

/* The first sample with a label that the head has no output for. */
static bool first_beyond(const struct dataset *data, uint32_t classes, const struct split **ret_split, uint64_t *ret,
                         uint32_t *ret_label)
{
    for (size_t i = 0; i < data->split_count; i++) {
        const struct split *s = &data->splits[i];
        for (uint64_t k = 0; k < s->count; k++)
            for (uint32_t c = classes; c < data->classes; c++)
                if (s->labels[k * data->label_words + c / 64] >> (c % 64) & 1) {
                    *ret_split = s;
                    *ret = k;
                    *ret_label = c;
                    return true;
                }
    }
    return false;
}

static bioft_status wrong_classes(const struct dataset *data, uint32_t classes, struct error *err)
{
    const struct split *s;
    uint64_t position;
    uint32_t label;
    char name[512];

    if (classes > data->classes || !first_beyond(data, classes, &s, &position, &label))
        return error_set(err, BIOFT_ERR_INVALID, "head.classes is %u, but '%s' has %u classes here", classes, data->name,
                         data->classes);
    if (dataset_name(data, s, position, name, sizeof name, NULL) != BIOFT_OK)
        name[0] = '\0';
    return error_set(err, BIOFT_ERR_INVALID, "dataset '%s': label %u at index %llu of split '%s' (%s); classes are 0 to "
                     "%u: head.classes is %u, and the data has %u classes", data->name, label,
                     (unsigned long long)s->index[position], s->name, name, classes - 1, classes, data->classes);
}

/* Outputs that the head has: as the manifest says, checked against the data. */
static bioft_status head_outputs(const struct dataset *data, const struct head_spec *head, uint32_t *ret,
                                 struct error *err)
{
    if (head->bits) {
        *ret = head->bits;
        return BIOFT_OK;
    }
    if (head->classes && head->classes != data->classes)
        return wrong_classes(data, head->classes, err);
    *ret = data->classes;
    return BIOFT_OK;
}

bioft_status network_shape(const struct trial *trial, const struct dataset *data, const struct head_spec *head,
                           struct network *ret, struct error *err)
{
    struct network n = { 0 };
    struct graph *published = NULL;
    uint32_t outputs = 0;

    bioft_status st = head_outputs(data, head, &outputs, err);
    if (st == BIOFT_OK)
        st = instance_create(&(struct instance_params){
            .plugin = trial->backbone.plugin, .values = trial->backbone.values, .seed = trial->seed }, &n.backbone, err);
    if (st == BIOFT_OK)
        st = graph_build(&(struct graph_params){ .backbone = n.backbone }, &published, err);
    if (st == BIOFT_OK)
        st = transform_size(data, &data->spec->transform, published->published_channels, published->published_height,
                            published->published_width, &n.picture, err);
    if (st == BIOFT_OK)
        st = graph_build(&(struct graph_params){
            .backbone = n.backbone, .channels = n.picture.channels, .height = n.picture.height,
            .width = n.picture.width, .head_outputs = outputs }, &n.graph, err);
    if (st == BIOFT_OK) {
        memcpy(n.picture.mean, n.graph->mean, sizeof n.picture.mean);
        memcpy(n.picture.std, n.graph->std, sizeof n.picture.std);
    }
    graph_destroy(published);
    if (st != BIOFT_OK) {
        network_destroy(&n);
        return st;
    }
    *ret = n;
    return BIOFT_OK;
}

bioft_status network_create(struct engine *engine, const struct trial *trial, const struct dataset *data,
                            const struct head_spec *head, struct network *ret, struct error *err)
{
    bioft_status st = network_shape(trial, data, head, ret, err);
    if (st == BIOFT_OK)
        st = model_create(engine, ret->graph, &ret->model, err);
    if (st != BIOFT_OK)
        network_destroy(ret);
    return st;
}

void network_destroy(struct network *n)
{
    model_destroy(n->model);
    graph_destroy(n->graph);
    instance_destroy(n->backbone);
    *n = (struct network){ 0 };
}

/* Room for the largest parameter. */
static float *room(const struct graph *g)
{
    size_t largest = 1;
    for (uint32_t p = 0; p < g->view.parameter_count; p++)
        largest = g->parameters[p].count > largest ? g->parameters[p].count : largest;
    return mem_array(largest, sizeof(float));
}

static bioft_status initialise(struct network *n, uint64_t seed, const char *stage, bool only_head, struct error *err)
{
    const struct graph *g = n->graph;
    float *values = room(g);
    bioft_status st = values ? BIOFT_OK : error_memory(err, "first values");

    for (uint32_t p = 0; st == BIOFT_OK && p < g->view.parameter_count; p++) {
        const bool head = g->parameters[p].flags & BIOFT_PARAM_HEAD;
        if (only_head && !head)
            continue;
        st = graph_initialise(g, p, seed, head ? stage : NULL, values);
        if (st != BIOFT_OK)
            error_set(err, st, "%s: no first values", g->parameters[p].name);
        else
            st = model_write(n->model, BIOFT_VALUE, p, values, err);
    }
    free(values);
    return st;
}

bioft_status network_initialise(struct network *n, uint64_t seed, const char *stage, struct error *err)
{
    return initialise(n, seed, stage, false, err);
}

bioft_status network_initialise_head(struct network *n, uint64_t seed, const char *stage, struct error *err)
{
    return initialise(n, seed, stage, true, err);
}

bioft_status network_carry(struct network *n, const struct network *before, bool with_head, struct error *err)
{
    const struct graph *g = n->graph, *old = before->graph;
    float *values = room(g);
    bioft_status st = values ? BIOFT_OK : error_memory(err, "carried values");

    for (uint32_t p = 0; st == BIOFT_OK && p < g->view.parameter_count; p++) {
        const bioft_parameter *q = &g->parameters[p];
        const uint32_t from = graph_parameter(old, q->name);
        if (q->flags & BIOFT_PARAM_HEAD && !with_head)
            continue;
        if (from == BIOFT_NONE || old->parameters[from].count != q->count)
            st = error_set(err, BIOFT_ERR_INVALID, "%s: %zu values here, %zu in the stage before; give the stage a "
                           "`head` of its own, or the same classes", q->name, q->count,
                           from == BIOFT_NONE ? 0 : old->parameters[from].count);
        if (st == BIOFT_OK)
            st = model_read(before->model, BIOFT_VALUE, from, values, err);
        if (st == BIOFT_OK)
            st = model_write(n->model, BIOFT_VALUE, p, values, err);
    }
    for (size_t c = 0; st == BIOFT_OK && c < g->counter_count && c < old->counter_count; c++)
        n->model->counters[c] = before->model->counters[c];
    free(values);
    return st;
}
