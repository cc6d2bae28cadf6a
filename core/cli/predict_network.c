/* A network to predict with: opened, described, compiled. */
#include "cli/predict_network.h"

#include <stdlib.h>
#include <string.h>

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
    struct network published = { 0 };

    if (!params->backbone)
        return error_set(err, BIOFT_ERR_INVALID,
                         "%s is not a checkpoint of bioft and does not say which network it is "
                         "of: give --backbone NAME",
                         params->weights);
    bioft_status st = registry_find(p->registry, BIOFT_KIND_BACKBONE, params->backbone, &n->backbone, err);
    if (st == BIOFT_OK)
        st = options_defaults(n->backbone, p->arena, &n->values, err);
    if (st == BIOFT_OK)
        st = network_open(&(struct network_params){ .backbone = n->backbone, .values = n->values }, &published, err);
    if (st != BIOFT_OK)
        return st;
    n->image = published.image;
    n->outputs = params->classes ? params->classes : width_in_file(p, published.graph);
    network_destroy(&published);
    return BIOFT_OK;
}

static bioft_status describe_checkpoint(struct predictor *p, struct error *err)
{
    const struct predictor_params *params = p->params;
    bioft_status st = checkpoint_network(p->file, params->weights, p->registry, p->arena, &p->network, err);

    if (st != BIOFT_OK)
        return st;
    const char *name = p->network.backbone->descriptor.name;
    if (params->backbone && strcmp(params->backbone, name) != 0)
        return error_set(err, BIOFT_ERR_INVALID, "%s is a checkpoint of '%s', not of '%s': leave --backbone out",
                         params->weights, name, params->backbone);
    if (params->classes && params->classes != p->network.outputs)
        return error_set(err, BIOFT_ERR_INVALID, "%s has a head of %u outputs, not %u: leave --classes out",
                         params->weights, p->network.outputs, params->classes);
    return BIOFT_OK;
}

bioft_status predictor_open(const struct predictor_params *params, struct predictor *ret, struct error *err)
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

    if (p->params->engine && strcmp(p->params->engine, "auto") != 0)
        st = registry_find(p->registry, BIOFT_KIND_ENGINE, p->params->engine, &e.plugin, err);
    if (st == BIOFT_OK && e.plugin)
        st = options_defaults(e.plugin, p->arena, &values, err);
    e.values = values;
    return st == BIOFT_OK ? engine_open(&e, &p->engine, err) : st;
}

bioft_status predictor_build(struct predictor *p, uint32_t height, uint32_t width, struct error *err)
{
    const struct predictor_params *params = p->params;
    char *said = NULL;

    bioft_status st = open_engine(p, err);
    if (st == BIOFT_OK)
        st = network_open(&(struct network_params){ .backbone = p->network.backbone,
                                                    .values = p->network.values,
                                                    .engine = p->engine,
                                                    .channels = p->network.image.channels,
                                                    .height = height,
                                                    .width = width,
                                                    .outputs = p->network.outputs },
                          &p->built, err);
    if (st == BIOFT_OK)
        st = weights_fill(p->file, params->weights, p->built.model, NULL, &said, err);
    if (st == BIOFT_OK)
        log_write(params->log, LOG_INFO, "%s", said);
    free(said);
    weights_close(p->file);
    p->file = NULL;
    if (st != BIOFT_OK)
        return st;
    p->network.outputs = p->built.graph->view.outputs;
    const bioft_use use = program_use(BIOFT_EVAL, params->precision, params->batch, p->pool);
    return program_create(p->built.model, &use, NULL, &p->program, err);
}

void predictor_close(struct predictor *p)
{
    program_destroy(p->program);
    network_destroy(&p->built);
    engine_close(p->engine);
    weights_close(p->file);
    registry_destroy(p->registry);
    arena_destroy(p->arena);
    pool_destroy(p->pool);
    *p = (struct predictor){ .params = NULL };
}
