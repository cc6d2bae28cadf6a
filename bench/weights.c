/* Time of filling a network from a file of weights: weights BACKBONE THREADS FILE... prints the
 * best of five, opened anew each time, with the processor's time beside it. */
#include "base/clock.h"
#include "train/checkpoint.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { REPEATS = 5 };

static int fail(const struct error *err)
{
    fprintf(stderr, "%s\n", err->text);
    return 1;
}

/* Into a new model each time: its memory is part of what loading takes. */
static bioft_status load(struct engine *engine, const struct graph *graph, const char *path, struct error *err)
{
    double best = 0, used = 0;
    bioft_status st = BIOFT_OK;

    for (int i = 0; i < REPEATS && st == BIOFT_OK; i++) {
        struct model *model = NULL;
        char *said = NULL;
        st = model_create(engine, graph, &model, err);
        const double start = clock_seconds();
        const clock_t cpu = clock();
        if (st == BIOFT_OK)
            st = weights_load(&(struct weights_spec){ .file = path }, model, NULL, &said, err);
        const double seconds = clock_seconds() - start;
        if (st == BIOFT_OK && (i == 0 || seconds < best)) {
            best = seconds;
            used = (double)(clock() - cpu) / CLOCKS_PER_SEC;
        }
        if (st == BIOFT_OK && i + 1 == REPEATS)
            printf("%.3f s (%.3f s of processors)  %s\n", best, used, said);
        free(said);
        model_destroy(model);
    }
    return st;
}

int main(int argc, char **argv)
{
    const struct registry_places places = { .environment = true, .implicit = true };
    struct error err = { .text = "" };
    struct arena *arena = arena_create();
    struct registry *registry = NULL;
    struct pool *pool = NULL;
    struct engine *engine = NULL;
    struct instance *backbone = NULL;
    struct graph *graph = NULL;
    const struct plugin *plugin;
    struct option_value *values;

    if (argc < 4 || !arena) {
        fprintf(stderr, "usage: weights BACKBONE THREADS FILE...\n");
        return 2;
    }
    bioft_status st = pool_create((unsigned)strtoul(argv[2], NULL, 10), &pool, &err);
    if (st == BIOFT_OK)
        st = registry_create(&places, NULL, &registry, &err);
    if (st == BIOFT_OK)
        st = registry_find(registry, BIOFT_KIND_BACKBONE, argv[1], &plugin, &err);
    if (st == BIOFT_OK)
        st = options_defaults(plugin, arena, &values, &err);
    if (st == BIOFT_OK)
        st = instance_create(&(struct instance_params){ .plugin = plugin, .values = values }, &backbone, &err);
    if (st == BIOFT_OK)
        st = graph_build(&(struct graph_params){ .backbone = backbone }, &graph, &err);
    if (st == BIOFT_OK)
        st = engine_open(&(struct engine_params){ .registry = registry, .pool = pool }, &engine, &err);
    for (int i = 3; i < argc && st == BIOFT_OK; i++)
        st = load(engine, graph, argv[i], &err);
    engine_close(engine);
    graph_destroy(graph);
    instance_destroy(backbone);
    registry_destroy(registry);
    pool_destroy(pool);
    arena_destroy(arena);
    return st == BIOFT_OK ? 0 : fail(&err);
}
