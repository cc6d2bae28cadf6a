/* The network of a stage: graph and model, its values carried over from the stage before. */
#include "network/network.h"

#include "base/memory.h"
#include "data/identity.h"
#include "data/input.h"
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
        return error_set(err, BIOFT_ERR_INVALID, "head.classes is %u, but '%s' has %u classes here", classes,
                         data->name, data->classes);
    if (dataset_name(data, s, position, name, sizeof name, NULL) != BIOFT_OK)
        name[0] = '\0';
    return error_set(err, BIOFT_ERR_INVALID,
                     "dataset '%s': label %u at index %llu of split '%s' (%s); classes are 0 to "
                     "%u: head.classes is %u, and the data has %u classes",
                     data->name, label, (unsigned long long)s->index[position], s->name, name, classes - 1, classes,
                     data->classes);
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

bioft_status network_open(const struct network_params *p, struct network *ret, struct error *err)
{
    struct network n = { 0 };
    bioft_status st = instance_create(
        &(struct instance_params){ .plugin = p->backbone, .values = p->values, .seed = p->seed }, &n.backbone, err);
    if (st == BIOFT_OK)
        st = graph_build(&(struct graph_params){ .backbone = n.backbone,
                                                 .channels = p->channels,
                                                 .height = p->height,
                                                 .width = p->width,
                                                 .head_outputs = p->outputs },
                         &n.graph, err);
    if (st == BIOFT_OK && p->engine)
        st = model_create(p->engine, n.graph, &n.model, err);
    if (st != BIOFT_OK) {
        network_destroy(&n);
        return st;
    }
    n.image = (struct image_format){ .channels = n.graph->view.channels,
                                     .height = n.graph->view.height,
                                     .width = n.graph->view.width };
    memcpy(n.image.mean, n.graph->mean, sizeof n.image.mean);
    memcpy(n.image.std, n.graph->std, sizeof n.image.std);
    *ret = n;
    return BIOFT_OK;
}

bioft_status network_create(struct engine *engine, const struct trial *trial, const struct dataset *data,
                            const struct head_spec *head, struct network *ret, struct error *err)
{
    struct network_params p = { .backbone = trial->backbone.plugin,
                                .values = trial->backbone.values,
                                .seed = trial->seed };
    struct network published = { 0 };
    struct image_format image;

    bioft_status st = head_outputs(data, head, &p.outputs, err);
    if (st == BIOFT_OK)
        st = network_open(&(struct network_params){ p.backbone, p.values, p.seed, NULL, 0, 0, 0, 0 }, &published, err);
    if (st == BIOFT_OK)
        st = input_size(data, &data->spec->transform, published.graph->published_channels,
                        published.graph->published_height, published.graph->published_width, &image, err);
    network_destroy(&published);
    if (st != BIOFT_OK)
        return st;
    p.engine = engine;
    p.channels = image.channels;
    p.height = image.height;
    p.width = image.width;
    return network_open(&p, ret, err);
}

void network_destroy(struct network *n)
{
    model_destroy(n->model);
    graph_destroy(n->graph);
    instance_destroy(n->backbone);
    *n = (struct network){ 0 };
}

bioft_status network_carry(struct network *n, const struct network *before, bool with_head, struct error *err)
{
    const struct graph *g = n->graph, *old = before->graph;
    float *values = mem_array(graph_largest_parameter(g), sizeof *values);
    bioft_status st = values ? BIOFT_OK : error_memory(err, "carried values");

    for (uint32_t p = 0; st == BIOFT_OK && p < g->view.parameter_count; p++) {
        const bioft_parameter *q = &g->parameters[p];
        const uint32_t from = graph_parameter(old, q->name);
        if (q->flags & BIOFT_PARAM_HEAD && !with_head)
            continue;
        if (from == BIOFT_NONE || old->parameters[from].count != q->count)
            st = error_set(err, BIOFT_ERR_INVALID,
                           "%s: %zu values here, %zu in the stage before; give the stage a "
                           "`head` of its own, or the same classes",
                           q->name, q->count, from == BIOFT_NONE ? 0 : old->parameters[from].count);
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
