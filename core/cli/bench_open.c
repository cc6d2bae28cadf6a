/* A benchmark's network: a backbone with a head of its own on an engine, with initial values and
 * random images. */
#include "cli/bench.h"

#include "base/random.h"
#include "network/initialise.h"
#include <stdlib.h>
#include <string.h>

static bioft_status find(struct bench *b, uint32_t kind, const char *name, const struct plugin **ret,
                         struct option_value **ret_values, struct error *err)
{
    bioft_status st = registry_find(b->registry, kind, name, ret, err);
    return st == BIOFT_OK ? options_defaults(*ret, b->arena, ret_values, err) : st;
}

static bioft_status open_engine(struct bench *b, struct error *err)
{
    struct engine_params p = { .registry = b->registry, .seed = 1, .log = &b->console.log };
    struct option_value *values = NULL;
    bioft_status st = pool_create(b->threads, &b->pool, err);

    if (st == BIOFT_OK && b->engine && strcmp(b->engine, "auto") != 0)
        st = find(b, BIOFT_KIND_ENGINE, b->engine, &p.plugin, &values, err);
    p.pool = b->pool;
    p.values = values;
    return st == BIOFT_OK ? engine_open(&p, &b->opened, err) : st;
}

static bioft_status build(struct bench *b, struct error *err)
{
    struct network_params p = {
        .seed = 1, .engine = b->opened, .height = b->size, .width = b->size, .outputs = BENCH_CLASSES
    };
    struct option_value *values;
    bioft_status st = find(b, BIOFT_KIND_BACKBONE, b->backbone, &p.backbone, &values, err);

    p.values = values;
    return st == BIOFT_OK ? network_open(&p, &b->network, err) : st;
}

static bioft_status attach_rule(struct bench *b, struct error *err)
{
    struct rule_spec spec = { .layers = "*" };
    bioft_status st;

    if (!b->train || !b->rule)
        return BIOFT_OK;
    st = find(b, BIOFT_KIND_RULE, b->rule, &spec.choice.plugin, &spec.choice.values, err);
    if (st != BIOFT_OK)
        return st;
    st = feedback_create(b->network.model, &spec, 1, 1, b->pool, b->batch, &b->feedback, err);
    if (st != BIOFT_OK)
        return st;
    if (feedback_own(b->feedback))
        return error_set(err, BIOFT_ERR_UNSUPPORTED,
                         "rule '%s' runs the training step itself, which bench does not measure", b->rule);
    return BIOFT_OK;
}

/* Random images and labels, the same in every run. */
static bioft_status make_batch(struct bench *b, struct error *err)
{
    const bioft_graph *g = &b->network.graph->view;
    size_t pixels, outputs;

    if (!mem_product((size_t)g->channels * g->height, (size_t)g->width * b->batch, &pixels) ||
        !mem_product(g->outputs, b->batch, &outputs))
        return error_set(err, BIOFT_ERR_INVALID, "a batch of %u is too large", b->batch);
    b->x = mem_aligned(pixels, sizeof *b->x);
    b->out = mem_aligned(outputs, sizeof *b->out);
    b->d_out = mem_aligned(outputs, sizeof *b->d_out);
    b->label = mem_array(b->batch, sizeof *b->label);
    b->labels = mem_array(b->batch, sizeof *b->labels);
    b->lr = mem_array(g->parameter_count, sizeof *b->lr);
    if (!b->x || !b->out || !b->d_out || !b->label || !b->labels || !b->lr)
        return error_memory(err, "a batch");
    random_fill(BIOFT_NORMAL, 1, "bench", 0, 0, b->x, pixels);
    for (uint32_t i = 0; i < b->batch; i++) {
        b->label[i] = (int32_t)(i % BENCH_CLASSES);
        b->labels[i] = (uint64_t)1 << b->label[i];
    }
    for (uint32_t i = 0; i < g->parameter_count; i++)
        b->lr[i] = 1e-3;
    return BIOFT_OK;
}

bioft_status bench_open(struct bench *b, struct error *err)
{
    const struct registry_places places = { .command_line = b->plugin_paths.items,
                                            .command_line_count = b->plugin_paths.count,
                                            .environment = true,
                                            .implicit = true };
    bioft_use use;
    bioft_status st = registry_create(&places, &b->console.log, &b->registry, err);

    if (st == BIOFT_OK && !(b->arena = arena_create()))
        st = error_memory(err, "the benchmark");
    if (st == BIOFT_OK)
        st = open_engine(b, err);
    if (st == BIOFT_OK)
        st = build(b, err);
    if (st == BIOFT_OK)
        st = model_initialise(b->network.model, 1, NULL, err);
    if (st == BIOFT_OK)
        st = attach_rule(b, err);
    if (st == BIOFT_OK)
        st = make_batch(b, err);
    use = program_use(b->train ? BIOFT_TRAIN : BIOFT_EVAL, b->precision, b->batch, b->pool);
    if (st != BIOFT_OK)
        return st;
    return program_create(b->network.model, &use, b->feedback ? feedback_routes(b->feedback, false) : NULL, &b->program,
                          err);
}

void bench_close(struct bench *b)
{
    program_destroy(b->program);
    feedback_destroy(b->feedback);
    network_destroy(&b->network);
    engine_close(b->opened);
    pool_destroy(b->pool);
    registry_destroy(b->registry);
    arena_destroy(b->arena);
    free(b->x);
    free(b->out);
    free(b->d_out);
    free(b->label);
    free(b->labels);
    free(b->lr);
}
