/* Time of FGSM over seven epsilons with both gradients, or of 15 plain forward passes of a batch:
 * attack WHAT BACKBONE THREADS FOLDER SIZE [ENGINE]. WHAT is `attack` or `forward`; FOLDER has
 * test_images.npy and test_labels.npy, four batches. Prints one JSON object. */
#include "base/clock.h"
#include "base/random.h"
#include "data/choose.h"
#include "eval/evaluate.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EPSILONS = 7, GRADIENTS = 2, FORWARDS = 15, BATCHES = 4 };
static const char rule_name[] = "usf";

struct bench {
    struct registry *registry;
    struct arena *arena;
    struct pool *pool;
    struct engine *engine;
    struct instance *backbone;
    struct graph *graph;
    struct model *model;
    struct feedback *feedback;
    struct dataset *dataset;
    struct dataset_spec data;
    struct image_format image;
    uint32_t batch;
};

static bioft_status find(struct bench *b, uint32_t kind, const char *name, struct choice *ret, struct error *err)
{
    bioft_status st = registry_find(b->registry, kind, name, &ret->plugin, err);
    return st == BIOFT_OK ? options_defaults(ret->plugin, b->arena, &ret->values, err) : st;
}

static bioft_status open_engine(struct bench *b, const char *name, struct error *err)
{
    struct choice c = { 0 };
    bioft_status st = name ? find(b, BIOFT_KIND_ENGINE, name, &c, err) : BIOFT_OK;

    return st != BIOFT_OK
               ? st
               : engine_open(
                     &(struct engine_params){
                         .registry = b->registry, .plugin = c.plugin, .values = c.values, .pool = b->pool, .seed = 1 },
                     &b->engine, err);
}

static bioft_status open_data(struct bench *b, const char *folder, struct error *err)
{
    b->data = (struct dataset_spec){ .root = folder, .transform.kind = TRANSFORM_NONE, .cache = "off" };
    bioft_status st = find(b, BIOFT_KIND_DATASET, "npy", &b->data.choice, err);

    if (st == BIOFT_OK)
        st = dataset_open(&b->data, b->pool, NULL, &b->dataset, err);
    if (st == BIOFT_OK)
        b->batch = (uint32_t)(dataset_split(b->dataset, "test")->count / BATCHES);
    if (st == BIOFT_OK && b->batch == 0)
        st = error_set(err, BIOFT_ERR_INVALID, "%s: fewer than %d images", folder, BATCHES);
    return st;
}

static bioft_status initialise(struct bench *b, struct error *err)
{
    bioft_status st = BIOFT_OK;

    for (uint32_t i = 0; st == BIOFT_OK && i < b->graph->view.parameter_count; i++) {
        float *values = mem_array(b->graph->parameters[i].count, sizeof *values);
        if (!values)
            return error_memory(err, "first values");
        st = graph_initialise(b->graph, i, 1, NULL, values);
        if (st == BIOFT_OK)
            st = model_write(b->model, BIOFT_VALUE, i, values, err);
        free(values);
    }
    return st;
}

static bioft_status build(struct bench *b, const char *name, uint32_t size, struct error *err)
{
    struct rule_spec rule = { .layers = "*" };
    struct choice c;
    bioft_status st = find(b, BIOFT_KIND_BACKBONE, name, &c, err);

    if (st == BIOFT_OK)
        st = instance_create(&(struct instance_params){ .plugin = c.plugin, .values = c.values }, &b->backbone, err);
    if (st == BIOFT_OK)
        st = graph_build(
            &(struct graph_params){
                .backbone = b->backbone, .height = size, .width = size, .head_outputs = b->dataset->classes },
            &b->graph, err);
    if (st == BIOFT_OK)
        st = model_create(b->engine, b->graph, &b->model, err);
    if (st == BIOFT_OK)
        st = initialise(b, err);
    if (st == BIOFT_OK)
        st = find(b, BIOFT_KIND_RULE, rule_name, &rule.choice, err);
    if (st != BIOFT_OK)
        return st;
    b->image = (struct image_format){ b->graph->view.channels, size, size, { 0 }, { 0 } };
    memcpy(b->image.mean, b->graph->mean, sizeof b->image.mean);
    memcpy(b->image.std, b->graph->std, sizeof b->image.std);
    return feedback_create(b->model, &rule, 1, 1, b->pool, b->batch, &b->feedback, err);
}

/* All that a run does for this attack's figures, the programs' making, the data's batches and all
 * checks in it; seconds a batch. */
static bioft_status attack(struct bench *b, double *ret_seconds, struct error *err)
{
    static const double epsilon[EPSILONS] = { 0, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5 };
    struct attack_spec spec = { .name = "fgsm",
                                .options = "",
                                .epsilon = epsilon,
                                .epsilon_count = EPSILONS,
                                .batch_size = b->batch,
                                .gradients = { GRADIENT_RULE, GRADIENT_EXACT },
                                .gradient_count = GRADIENTS,
                                .split = "test" };
    const struct trained target = { .model = b->model,
                                    .feedback = b->feedback,
                                    .precision = BIOFT_F32,
                                    .dataset = b->dataset,
                                    .split = dataset_split(b->dataset, "test"),
                                    .image = b->image,
                                    .pool = b->pool,
                                    .seed = 1 };
    const uint64_t images = target.split->count;
    struct prediction *room = mem_array(images, sizeof *room * EPSILONS * GRADIENTS);
    struct prediction *ret[EPSILONS * GRADIENTS];
    uint64_t *positions = NULL, count;
    bool redrawn;
    bioft_status st = room ? find(b, BIOFT_KIND_ATTACK, "fgsm", &spec.choice, err) : error_memory(err, "figures");

    for (size_t i = 0; room && i < EPSILONS * GRADIENTS; i++)
        ret[i] = room + i * images;
    if (st == BIOFT_OK)
        st = dataset_choose(b->dataset, target.split, 0, &positions, &count, err);
    const double start = clock_seconds();
    if (st == BIOFT_OK)
        st = evaluate_attack(
            &(struct evaluate_params){ .target = &target, .spec = &spec, .positions = positions, .count = count }, ret,
            &redrawn, err);
    *ret_seconds = (clock_seconds() - start) / BATCHES;
    free(positions);
    free(room);
    return st;
}

/* Program and first pass are not counted here, though they are in the attack. */
static bioft_status forward(struct bench *b, double *ret_seconds, struct error *err)
{
    const size_t pixels = (size_t)b->batch * b->image.channels * b->image.height * b->image.width;
    const bioft_use use = { .struct_size = sizeof use,
                            .kind = BIOFT_EVAL,
                            .precision = BIOFT_F32,
                            .max_batch = b->batch,
                            .threads = pool_threads(b->pool) };
    float *x = mem_aligned(pixels, sizeof *x),
          *out = mem_aligned((size_t)b->batch * b->graph->view.outputs, sizeof *out);
    struct program *p = NULL;
    double start = 0;
    bioft_status st = x && out ? program_create(b->model, &use, NULL, &p, err) : error_memory(err, "a batch");

    if (st == BIOFT_OK)
        random_fill(BIOFT_NORMAL, 1, "bench", 0, 0, x, pixels);
    for (int i = 0; st == BIOFT_OK && i <= FORWARDS; i++) {
        if (i == 1)
            start = clock_seconds();
        st = program_forward(p, b->batch, x, 0, out, err);
    }
    *ret_seconds = clock_seconds() - start;
    program_destroy(p);
    free(x);
    free(out);
    return st;
}

int main(int argc, char **argv)
{
    const struct registry_places places = { .environment = true, .implicit = true };
    const char *usage = "usage: attack attack|forward BACKBONE THREADS FOLDER SIZE [ENGINE]";
    struct error err = { .text = "" };
    struct bench b = { .arena = arena_create() };
    double seconds = 0;

    if (argc < 6 || (strcmp(argv[1], "attack") != 0 && strcmp(argv[1], "forward") != 0) || !b.arena) {
        fprintf(stderr, "%s\n", usage);
        return 2;
    }
    bioft_status st = pool_create((unsigned)strtoul(argv[3], NULL, 10), &b.pool, &err);
    if (st == BIOFT_OK)
        st = registry_create(&places, NULL, &b.registry, &err);
    if (st == BIOFT_OK)
        st = open_engine(&b, argc > 6 ? argv[6] : NULL, &err);
    if (st == BIOFT_OK)
        st = open_data(&b, argv[4], &err);
    if (st == BIOFT_OK)
        st = build(&b, argv[2], (uint32_t)strtoul(argv[5], NULL, 10), &err);
    if (st == BIOFT_OK)
        st = (strcmp(argv[1], "attack") == 0 ? attack : forward)(&b, &seconds, &err);
    if (st == BIOFT_OK)
        printf("{\"images_per_s\": %.6g, \"seconds\": %.6g, \"identity\": \"%s\"}\n", b.batch / seconds, seconds,
               b.engine->identity);
    else
        fprintf(stderr, "%s\n", err.text);
    feedback_destroy(b.feedback);
    model_destroy(b.model);
    graph_destroy(b.graph);
    instance_destroy(b.backbone);
    dataset_close(b.dataset);
    engine_close(b.engine);
    registry_destroy(b.registry);
    pool_destroy(b.pool);
    arena_destroy(b.arena);
    return st == BIOFT_OK ? 0 : 1;
}
