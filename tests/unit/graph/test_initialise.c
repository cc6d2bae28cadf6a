/* First values: torch's distributions, the generator's streams, and values that come with a graph.
 */
#include "base/random.h"
#include "fake.h"

#include <math.h>

static const float given_weight[12] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
static const float given_head[4] = { -1, -2, -3, -4 };

static bioft_status build(void *self, const bioft_builder *b)
{
    bioft_conv2d uniform = conv_of(32, 5), kaiming = conv_of(64, 3);
    bioft_linear normal = linear_of(100);
    bioft_linear last = linear_of(4);
    bioft_tensor x = b->input(b, 3, 12, 12);

    (void)self;
    kaiming.groups = 4;
    kaiming.init = BIOFT_INIT_KAIMING_NORMAL_FAN_OUT;
    normal.init = BIOFT_INIT_NORMAL;
    normal.init_std = 0.25f;
    x = b->conv2d(b, "kaiming", b->conv2d(b, "uniform", x, &uniform), &kaiming);
    x = norm(b, "bn", x);
    x = b->linear(b, "normal", b->flatten(b, x), &normal);
    x = b->linear(b, "given", x, &(bioft_linear){ .struct_size = sizeof(bioft_linear), .out = 3 });
    last.init = BIOFT_INIT_NORMAL;
    last.init_std = 0.01f;
    b->head(b, "fc", x, &last);
    b->weights(b, "given.bias", given_weight, 3);
    b->weights(b, "fc.bias", given_head, 4);
    b->weights(b, "fc.weight", given_weight, 12);
    return BIOFT_OK;
}

static const float *values_of(const struct graph *g, const char *name, const char *stage, size_t *ret_count)
{
    static float values[1 << 20];
    uint32_t p = graph_parameter(g, name);

    assert_int_not_equal(p, BIOFT_NONE);
    *ret_count = g->parameters[p].count;
    assert_true(*ret_count <= sizeof values / sizeof *values);
    memset(values, 0xff, sizeof values);
    assert_int_equal(graph_initialise(g, p, 7, stage, values), BIOFT_OK);
    return values;
}

static void moments(const float *v, size_t n, double *mean, double *deviation)
{
    double sum = 0, squares = 0;

    for (size_t i = 0; i < n; i++)
        sum += v[i];
    *mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (v[i] - *mean) * (v[i] - *mean);
    *deviation = sqrt(squares / (double)n);
}

static void all_equal(const struct graph *g, const char *name, float value)
{
    size_t count;
    const float *v = values_of(g, name, NULL, &count);

    for (size_t i = 0; i < count; i++)
        assert_true(v[i] == value);
}

/* 2400 weights, fan_in 75: U(-b, b) with b = 1/sqrt(75) has the deviation b/sqrt(3); five of its
 * own deviations. */
static void uniform_as_torch(void **state)
{
    const double bound = 1 / sqrt(75), expected = bound / sqrt(3);
    struct fake f;
    struct graph *g;
    size_t count;
    const float *v;
    float u[2400];
    double mean, deviation;

    (void)state;
    fake_init(&f, build);
    g = fake_build(&f);
    v = values_of(g, "uniform.weight", NULL, &count);
    assert_int_equal(count, 2400);
    moments(v, count, &mean, &deviation);
    assert_true(fabs(mean) < 5 * expected / sqrt(2400));
    assert_true(fabs(deviation / expected - 1) < 5 / sqrt(2 * 2400));
    assert_int_equal(random_fill(BIOFT_UNIFORM, 7, "init/uniform.weight", 0, 0, u, count), BIOFT_OK);
    for (size_t i = 0; i < count; i++) {
        assert_true(fabs(v[i]) <= bound);
        assert_true(fabs(v[i] - (2 * (double)u[i] - 1) * bound) < 1e-8);
    }
    v = values_of(g, "uniform.bias", NULL, &count);
    assert_int_equal(count, 32);
    assert_int_equal(random_fill(BIOFT_UNIFORM, 7, "init/uniform.bias", 0, 0, u, count), BIOFT_OK);
    for (size_t i = 0; i < count; i++)
        assert_true(fabs(v[i] - (2 * (double)u[i] - 1) * bound) < 1e-8);
    graph_destroy(g);
}

static void normal_as_torch(void **state)
{
    struct fake f;
    struct graph *g;
    size_t count;
    const float *v;
    static float u[64 * 36 * 100];
    double mean, deviation;

    (void)state;
    fake_init(&f, build);
    g = fake_build(&f);
    /* 64 outputs of a 3x3 window, groups or not: N(0, 2/576). */
    v = values_of(g, "kaiming.weight", NULL, &count);
    assert_int_equal(count, 64 * 8 * 9);
    moments(v, count, &mean, &deviation);
    assert_true(fabs(deviation / sqrt(2.0 / 576) - 1) < 5 / sqrt(2.0 * (double)count));
    assert_true(fabs(mean) < 5 * deviation / sqrt((double)count));
    all_equal(g, "kaiming.bias", 0);

    v = values_of(g, "normal.weight", NULL, &count);
    assert_int_equal(count, sizeof u / sizeof *u);
    assert_int_equal(random_fill(BIOFT_NORMAL, 7, "init/normal.weight", 0, 0, u, count), BIOFT_OK);
    for (size_t i = 0; i < count; i++)
        assert_true(v[i] == 0.25f * u[i]);
    all_equal(g, "normal.bias", 0);
    graph_destroy(g);
}

static void batchnorm_begins_as_the_identity(void **state)
{
    struct fake f;
    struct graph *g;

    (void)state;
    fake_init(&f, build);
    g = fake_build(&f);
    all_equal(g, "bn.weight", 1);
    all_equal(g, "bn.bias", 0);
    all_equal(g, "bn.running_mean", 0);
    all_equal(g, "bn.running_var", 1);
    graph_destroy(g);
}

static void values_that_come_with_the_graph(void **state)
{
    struct fake f;
    struct graph *g;
    size_t count;
    const float *v;

    (void)state;
    fake_init(&f, build);
    g = fake_build(&f);
    v = values_of(g, "given.bias", NULL, &count);
    assert_memory_equal(v, given_weight, 3 * sizeof *v);
    v = values_of(g, "fc.weight", NULL, &count);
    assert_memory_equal(v, given_weight, sizeof given_weight);
    v = values_of(g, "fc.bias", NULL, &count);
    assert_memory_equal(v, given_head, sizeof given_head);
    graph_destroy(g);

    f.params.head_outputs = 2; /* the published head's values belong to another width */
    g = fake_build(&f);
    assert_null(g->initial[graph_parameter(g, "fc.bias")].given);
    assert_null(g->initial[graph_parameter(g, "fc.weight")].given);
    assert_non_null(g->initial[graph_parameter(g, "given.bias")].given);
    graph_destroy(g);
}

/* A new head is drawn from its stage's stream and as torch draws linear layers, whatever came with
 * the graph and however the backbone draws its own. */
static void a_stages_new_head(void **state)
{
    static const char *const parameters[] = { "fc.weight", "fc.bias" };
    const double bound = 1 / sqrt(3);
    struct fake f;
    struct graph *g;

    (void)state;
    fake_init(&f, build);
    f.params.head_outputs = 5;
    g = fake_build(&f);
    for (int k = 0; k < 2; k++) {
        size_t count;
        const float *v = values_of(g, parameters[k], "fine-tune", &count);
        char stream[64];
        float u[15];

        assert_int_equal(count, k == 0 ? 15 : 5);
        snprintf(stream, sizeof stream, "head/fine-tune/%s", parameters[k]);
        assert_int_equal(random_fill(BIOFT_UNIFORM, 7, stream, 0, 0, u, count), BIOFT_OK);
        for (size_t i = 0; i < count; i++)
            assert_true(fabs(v[i] - (2 * (double)u[i] - 1) * bound) < 1e-7);
    }
    graph_destroy(g);
}

static void no_such_values(void **state)
{
    struct fake f;
    struct graph *g;
    float v[1];

    (void)state;
    fake_init(&f, build);
    g = fake_build(&f);
    assert_int_equal(graph_initialise(g, g->view.parameter_count, 7, NULL, v), BIOFT_ERR_INVALID);
    assert_int_equal(graph_initialise(g, 0, 7, "fine-tune", v), BIOFT_ERR_INVALID);
    graph_destroy(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uniform_as_torch),
        cmocka_unit_test(normal_as_torch),
        cmocka_unit_test(batchnorm_begins_as_the_identity),
        cmocka_unit_test(values_that_come_with_the_graph),
        cmocka_unit_test(a_stages_new_head),
        cmocka_unit_test(no_such_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
