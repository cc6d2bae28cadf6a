/* A network to predict with: opened, described, compiled. */
#include "cli/predict_network.h"

#include <stdlib.h>
#include <string.h>

static bioft_status open_instance(struct predictor *p, struct error *err)
{
    return instance_create(&(struct instance_params){ .plugin = p->network.backbone,
                                                      .values = p->network.values },
                           &p->backbone, err);
}

/* How wide the head is in the file; 0: it has none. */
static uint32_t width_in_file(const struct predictor *p, const struct graph *g)
{
    for (uint32_t i = 0; i < g->view.parameter_count; i++) {
        const bioft_parameter *q = &g->parameters[i];
        const struct tensor_entry *t = weights_find(p->file, q->name);
        if (q->flags & BIOFT_PARAM_HEAD && t && t->dims > 0 && t->shape[0] <= 1 << 24)
            return (uint32_t)t->shape[0];
    }
    return 0;
}

/* A state dict says nothing of its network: the backbone is named, the rest is as published. */
static bioft_status describe_plain(struct predictor *p, struct error *err)
{
    const struct predictor_params *params = p->params;
    struct checkpoint_network *n = &p->network;
    struct graph *g = NULL;

    if (!params->backbone)
        return error_set(err, BIOFT_ERR_INVALID,
                         "%s is no checkpoint of bioft and does not say which network it is "
                         "of: give --backbone NAME",
                         params->weights);
    bioft_status st =
        registry_find(p->registry, BIOFT_KIND_BACKBONE, params->backbone, &n->backbone, err);
    if (st == BIOFT_OK)
        st = options_defaults(n->backbone, p->arena, &n->values, err);
    if (st == BIOFT_OK)
        st = open_instance(p, err);
    if (st == BIOFT_OK)
        st = graph_build(&(struct graph_params){ .backbone = p->backbone }, &g, err);
    if (st != BIOFT_OK)
        return st;
    n->picture = (struct picture){ .channels = g->published_channels,
                                   .height = g->published_height,
                                   .width = g->published_width };
    memcpy(n->picture.mean, g->mean, sizeof n->picture.mean);
    memcpy(n->picture.std, g->std, sizeof n->picture.std);
    n->outputs = params->classes ? params->classes : width_in_file(p, g);
    graph_destroy(g);
    return BIOFT_OK;
}

static bioft_status describe_checkpoint(struct predictor *p, struct error *err)
{
    const struct predictor_params *params = p->params;
    bioft_status st =
        checkpoint_network(p->file, params->weights, p->registry, p->arena, &p->network, err);

    if (st != BIOFT_OK)
        return st;
    const char *name = p->network.backbone->descriptor.name;
    if (params->backbone && strcmp(params->backbone, name) != 0)
        return error_set(err, BIOFT_ERR_INVALID,
                         "%s is a checkpoint of '%s', not of '%s': leave --backbone out",
                         params->weights, name, params->backbone);
    if (params->classes && params->classes != p->network.outputs)
        return error_set(err, BIOFT_ERR_INVALID,
                         "%s has a head of %u outputs, not %u: leave --classes out",
                         params->weights, p->network.outputs, params->classes);
    return open_instance(p, err);
}

bioft_status predictor_open(const struct predictor_params *params, struct predictor *ret,
                            struct error *err)
{
    struct predictor p = { .params = params };
    const struct registry_places places = { .command_line = params->plugin_paths,
                                            .command_line_count = params->plugin_path_count,
                                            .environment = true,
                                            .implicit = true };
    bioft_status st = pool_create(params->threads, &p.pool, err);

    if (st == BIOFT_OK && !(p.arena = arena_create()))
        st = error_memory(err, "a network");
    if (st == BIOFT_OK)
        st = registry_create(&places, params->log, &p.registry, err);
    if (st == BIOFT_OK)
        st = weights_open(params->weights, &(struct torch_params){ .pool = p.pool }, &p.file, err);
    if (st == BIOFT_OK)
        st = checkpoint_is(p.file) ? describe_checkpoint(&p, err) : describe_plain(&p, err);
    if (st != BIOFT_OK) {
        predictor_close(&p);
        return st;
    }
    *ret = p;
    return BIOFT_OK;
}

static bioft_status open_engine(struct predictor *p, struct error *err)
{
    struct engine_params e = { .registry = p->registry, .pool = p->pool, .log = p->params->log };
    struct option_value *values = NULL;
    bioft_status st = BIOFT_OK;

    if (p->params->engine)
        st = registry_find(p->registry, BIOFT_KIND_ENGINE, p->params->engine, &e.plugin, err);
    if (st == BIOFT_OK && e.plugin)
        st = options_defaults(e.plugin, p->arena, &values, err);
    e.values = values;
    return st == BIOFT_OK ? engine_open(&e, &p->engine, err) : st;
}

bioft_status predictor_build(struct predictor *p, uint32_t height, uint32_t width,
                             struct error *err)
{
    const struct predictor_params *params = p->params;
    char *said = NULL;

    bioft_status st = graph_build(&(struct graph_params){ .backbone = p->backbone,
                                                          .channels = p->network.picture.channels,
                                                          .height = height,
                                                          .width = width,
                                                          .head_outputs = p->network.outputs },
                                  &p->graph, err);
    if (st == BIOFT_OK)
        st = open_engine(p, err);
    if (st == BIOFT_OK)
        st = model_create(p->engine, p->graph, &p->model, err);
    if (st == BIOFT_OK)
        st = weights_fill(p->file, params->weights, p->model, NULL, &said, err);
    if (st == BIOFT_OK)
        log_write(params->log, LOG_INFO, "%s", said);
    free(said);
    weights_close(p->file);
    p->file = NULL;
    if (st != BIOFT_OK)
        return st;
    p->network.outputs = p->graph->view.outputs;
    return program_create(p->model,
                          &(bioft_use){ .struct_size = sizeof(bioft_use),
                                        .kind = BIOFT_EVAL,
                                        .precision = params->precision,
                                        .max_batch = params->batch,
                                        .threads = params->threads },
                          NULL, &p->program, err);
}

void predictor_close(struct predictor *p)
{
    program_destroy(p->program);
    model_destroy(p->model);
    graph_destroy(p->graph);
    engine_close(p->engine);
    instance_destroy(p->backbone);
    weights_close(p->file);
    registry_destroy(p->registry);
    arena_destroy(p->arena);
    pool_destroy(p->pool);
    *p = (struct predictor){ .params = NULL };
}
