/* The room: choosing an engine, and models and programs behind checked calls. */
#include "compare.h"
#include "net.h"

#include "engine/engine.h"
#include "base/file.h"
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct registry *registry_of(const char *place)
{
    struct error err = { 0 };
    struct registry *r;

    if (registry_create(&(struct registry_places){ .command_line = &place, .command_line_count = 1 }, NULL, &r, &err) !=
        BIOFT_OK)
        fail_msg("%s", err.text);
    return r;
}

static const char *engine_file(void)
{
    const char *path = getenv("BIOFT_TEST_ENGINE");
    assert_non_null(path);
    return path;
}

/* By score, and by name: the same engine, two reasons. */
static void opening(void **state)
{
    struct registry *r = registry_of(engine_file());
    struct engine_params p = { .registry = r };
    struct error err = { 0 };
    struct engine *e;

    (void)state;
    if (engine_open(&p, &e, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    assert_non_null(strstr(e->why, "the highest of 1 found"));
    assert_true(strncmp(e->identity, "OpenBLAS 0.", 11) == 0);
    assert_false(e->threads_matter);
    p.plugin = e->instance->plugin;
    engine_close(e);
    if (engine_open(&p, &e, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    assert_true(strncmp(e->why, "named; OpenBLAS", 15) == 0);
    engine_close(e);
    engine_close(NULL);
    registry_destroy(r);
}

/* Kernels by what the CPU can do, where the user has not chosen, and the environment as it was. */
static void kernels(void **state)
{
    struct registry *r = registry_of(engine_file());
    struct error err = { 0 };
    struct engine *e;

    (void)state;
    if (engine_open(&(struct engine_params){ .registry = r }, &e, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
#if defined(__x86_64__)
    if (!getenv("OPENBLAS_CORETYPE") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        assert_non_null(strstr(e->identity, "SkylakeX"));
    else if (!getenv("OPENBLAS_CORETYPE") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        assert_non_null(strstr(e->identity, "Haswell"));
#endif
    engine_close(e);
    registry_destroy(r);
}

static void no_engine(void **state)
{
    char folder[] = "/tmp/bioft-test-XXXXXX";
    struct error err = { 0 };
    struct engine *e = NULL;
    struct registry *r;

    (void)state;
    assert_non_null(mkdtemp(folder));
    r = registry_of(folder);
    assert_int_equal(engine_open(&(struct engine_params){ .registry = r }, &e, &err), BIOFT_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "none was found"));
    assert_null(e);
    registry_destroy(r);
    rmdir(folder);
}

/* A file that is no plugin is passed over with its reason. */
static void a_broken_engine(void **state)
{
    char folder[] = "/tmp/bioft-test-XXXXXX", engines[64], path[80];
    struct error err = { 0 };
    struct engine *e = NULL;
    struct registry *r;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(engines, sizeof engines, "%s/engines", folder);
    snprintf(path, sizeof path, "%s/broken.so", engines);
    assert_int_equal(file_make_folder(engines, &err), 0);
    assert_int_equal(file_write(path, "no library", 10, &err), 0);
    r = registry_of(folder);
    assert_int_equal(engine_open(&(struct engine_params){ .registry = r }, &e, &err), BIOFT_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "broken.so"));
    registry_destroy(r);
    unlink(path);
    rmdir(engines);
    rmdir(folder);
}

static const struct op ops[] = {
    { .op = BIOFT_OP_LINEAR, .out = 6, .in = -1 },
    { .op = BIOFT_OP_BATCHNORM },
    { .op = BIOFT_OP_RELU },
    { .op = BIOFT_OP_LINEAR, .out = 3 },
    { 0 },
};

/* A training step through the room, and batches counted where running statistics are updated. */
static void models_and_programs(void **state)
{
    struct registry *r = registry_of(engine_file());
    struct error err = { 0 };
    struct engine *e;
    struct net net;
    struct model *m;
    struct program *train, *frozen, *eval;
    bioft_use use = { .struct_size = sizeof use, .kind = BIOFT_TRAIN, .precision = BIOFT_F32, .max_batch = 4 };
    const double lr[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
    const bioft_update u = { .struct_size = sizeof u, .kind = BIOFT_SGD, .t = 1, .lr = lr, .gradient_scale = 1 };
    float x[20], out[12], before[6], after[6], gradient[6];
    uint32_t bad;

    (void)state;
    net_make(&net, 5, 1, 1, ops);
    {
        const struct graph g = { .view = net.graph,
                                 .nodes = net.nodes,
                                 .parameters = net.parameters,
                                 .layers = net.layers,
                                 .counter_count = 1 };
        for (int i = 0; i < 20; i++)
            x[i] = (float)(i % 7) - 3;
        assert_int_equal(engine_open(&(struct engine_params){ .registry = r }, &e, &err), 0);
        assert_int_equal(model_create(e, &g, &m, &err), 0);
        for (uint32_t i = 0; i < net.graph.parameter_count; i++)
            assert_int_equal(model_write(m, BIOFT_VALUE, i, net.values[i], &err), 0);
        assert_int_equal(program_create(m, &use, NULL, &train, &err), 0);
        use.flags = BIOFT_FROZEN_BATCHNORM;
        assert_int_equal(program_create(m, &use, NULL, &frozen, &err), 0);
        use.flags = 0;
        use.kind = BIOFT_EVAL;
        assert_int_equal(program_create(m, &use, NULL, &eval, &err), 0);
        assert_int_equal(program_forward(train, 4, x, 0, out, &err), 0);
        assert_int_equal(program_backward(train, out, 0, NULL, NULL, &err), 0);
        assert_int_equal(model_read(m, BIOFT_VALUE, 1, before, &err), 0);
        assert_int_equal(model_read(m, BIOFT_GRADIENT, 1, gradient, &err), 0);
        assert_int_equal(model_update(m, &u, NULL, &bad, &err), 0);
        assert_int_equal(bad, BIOFT_NONE);
        assert_int_equal(model_read(m, BIOFT_VALUE, 1, after, &err), 0);
        for (int i = 0; i < 6; i++)
            assert_true(after[i] == before[i] - gradient[i]);
        assert_int_equal(m->counters[0], 1);
        assert_int_equal(program_forward(frozen, 4, x, 0, out, &err), 0);
        assert_int_equal(program_forward(eval, 4, x, 0, out, &err), 0);
        assert_int_equal(m->counters[0], 1);
        assert_int_equal(program_backward(eval, out, 0, NULL, NULL, &err), BIOFT_ERR_INVALID);
        assert_non_null(strstr(err.text, "engine 'openblas': a program for evaluation"));
        assert_int_equal(program_forward(train, 1, x, 0, out, &err), BIOFT_ERR_INVALID);
        assert_int_equal(m->counters[0], 1);
        use.precision = BIOFT_BF16;
        {
            struct program *none = NULL;
            assert_int_equal(program_create(m, &use, NULL, &none, &err), BIOFT_ERR_UNSUPPORTED);
            assert_non_null(strstr(err.text, "f32 only"));
            assert_null(none);
        }
        program_destroy(train);
        program_destroy(frozen);
        program_destroy(eval);
        program_destroy(NULL);
        model_destroy(m);
        model_destroy(NULL);
        engine_close(e);
    }
    net_free(&net);
    registry_destroy(r);
}

/* The profile is an object with a time for each node. */
static void profile(void **state)
{
    struct net net;
    struct rig rig;
    float x[20] = { 0 }, out[12];
    char json[4096], tiny[40];
    void *p;

    (void)state;
    net_make(&net, 5, 1, 1, ops);
    rig_open(&rig, &net, 2);
    p = rig_program(&rig, BIOFT_EVAL, 0, 4, NULL);
    assert_int_equal(rig.api->forward(rig.self, p, 4, x, 0, out), 0);
    assert_int_equal(rig.api->profile(rig.self, p, json, sizeof json), 0);
    assert_non_null(strstr(json, "\"op\": \"batchnorm\", \"layer\": null, \"forward\": 0.0"));
    assert_non_null(strstr(json, "\"op\": \"linear\", \"layer\": \"fc4\""));
    assert_int_equal(rig.api->profile(rig.self, p, tiny, sizeof tiny), BIOFT_ERR_INVALID);
    rig.api->program_destroy(rig.self, p);
    rig_close(&rig);
    net_free(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening),
        cmocka_unit_test(kernels),
        cmocka_unit_test(no_engine),
        cmocka_unit_test(a_broken_engine),
        cmocka_unit_test(models_and_programs),
        cmocka_unit_test(profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
