/* The backbones' options: what they change, and which of them do not go together. Arguments: places
 * of plugins. */
#include "graph/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct variant {
    struct registry *registry;
    struct arena *arena;
    const struct plugin *plugin;
    struct option_value *values;
    struct instance *instance;
};

static void choose(struct variant *v, const char *backbone)
{
    struct error err = { 0 };

    if (registry_find(v->registry, BIOFT_KIND_BACKBONE, backbone, &v->plugin, &err) != BIOFT_OK ||
        options_defaults(v->plugin, v->arena, &v->values, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
}

/* An option's value as a manifest writes it; items of a list separated by blanks. */
static void set(struct variant *v, const char *option, bool is_list, const char *text)
{
    const char *items[8];
    char *copy = arena_text(v->arena, text);
    size_t index, count = 0;
    const bioft_option *o = options_find(v->plugin, option, &index);
    struct error err = { 0 };

    assert_non_null(o);
    for (char *item = strtok(copy, " "); item; item = strtok(NULL, " "))
        items[count++] = item;
    if (option_parse(o, items, count, is_list, NULL, v->arena, &v->values[index], &err) != BIOFT_OK)
        fail_msg("%s: %s", option, err.text);
}

static struct graph *build(struct variant *v, uint32_t channels)
{
    const struct instance_params p = { .plugin = v->plugin, .values = v->values };
    struct error err = { 0 };
    struct graph *g;

    if (instance_create(&p, &v->instance, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    if (graph_build(&(struct graph_params){ .backbone = v->instance, .channels = channels }, &g, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    instance_destroy(v->instance);
    return g;
}

static void refused(struct variant *v, const char *text)
{
    const struct instance_params p = { .plugin = v->plugin, .values = v->values };
    struct error err = { 0 };

    assert_int_equal(instance_create(&p, &v->instance, &err), BIOFT_ERR_INVALID);
    assert_string_equal(err.text, text);
}

/* The operators in order, a letter each. */
static const char *letters(const struct graph *g)
{
    static char text[128];
    static const char of[] = {
        [BIOFT_OP_INPUT] = 'i',     [BIOFT_OP_CONV2D] = 'c',  [BIOFT_OP_LINEAR] = 'l',
        [BIOFT_OP_BATCHNORM] = 'b', [BIOFT_OP_RELU] = 'r',    [BIOFT_OP_TANH] = 't',
        [BIOFT_OP_MAXPOOL] = 'm',   [BIOFT_OP_AVGPOOL] = 'a', [BIOFT_OP_ADAPTIVE_AVGPOOL] = 'A',
        [BIOFT_OP_DROPOUT] = 'd',   [BIOFT_OP_ADD] = '+',     [BIOFT_OP_FLATTEN] = 'f',
    };

    assert_true(g->view.node_count < sizeof text);
    for (uint32_t i = 0; i < g->view.node_count; i++)
        text[i] = of[g->nodes[i].op];
    text[g->view.node_count] = '\0';
    return text;
}

static void lenet5(void **state)
{
    struct variant *v = *state;
    struct graph *g;

    choose(v, "lenet5");
    g = build(v, 1);
    assert_string_equal(letters(g), "icrmcrmflrlrl");
    assert_true(g->mean[0] == 0.2860f && g->std[0] == 0.3530f);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(g->layers[i].activation, BIOFT_ACT_RELU);
    graph_destroy(g);

    set(v, "activation", false, "tanh");
    set(v, "pool", false, "avg");
    set(v, "channels", false, "3");
    set(v, "mean", true, "0.4 0.5 0.6");
    g = build(v, 3);
    assert_string_equal(letters(g), "ictactafltltl");
    assert_true(g->mean[0] == 0.4f && g->mean[2] == 0.6f && g->std[2] == 0.3530f);
    assert_int_equal(g->parameters[0].shape[1], 3);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(g->layers[i].activation, BIOFT_ACT_TANH);
    graph_destroy(g);

    set(v, "mean", true, "0.4 0.5");
    refused(v, "backbone 'lenet5': mean and std have one value, or one a channel");
    set(v, "mean", true, "0.4");
    set(v, "std", true, "0.1 0 0.1");
    refused(v, "backbone 'lenet5': std is above 0");
}

static void mlp(void **state)
{
    struct variant *v = *state;
    struct graph *g;

    choose(v, "mlp");
    g = build(v, 1);
    assert_string_equal(letters(g), "iflrlrl");
    graph_destroy(g);

    set(v, "hidden", true, "7 1000 3");
    set(v, "activation", false, "tanh");
    set(v, "dropout", false, "0.2");
    g = build(v, 0);
    assert_string_equal(letters(g), "ifltdltdltdl");
    assert_int_equal(g->layers[1].out_channels, 1000);
    assert_string_equal(g->head, "fc4");
    assert_true(g->nodes[4].dropout == 0.2f);
    graph_destroy(g);

    set(v, "hidden", true, "");
    g = build(v, 0);
    assert_string_equal(letters(g), "ifl");
    assert_string_equal(g->head, "fc1");
    graph_destroy(g);
}

static void dropout_of_the_large_ones(void **state)
{
    struct variant *v = *state;
    struct graph *g;

    choose(v, "alexnet");
    g = build(v, 3);
    assert_string_equal(letters(g), "icrmcrmcrcrcrmAfdlrdlrl");
    assert_true(g->nodes[16].dropout == 0.5f);
    graph_destroy(g);
    set(v, "dropout", false, "0");
    g = build(v, 3);
    assert_string_equal(letters(g), "icrmcrmcrcrcrmAfdlrdlrl");
    assert_true(g->nodes[16].dropout == 0);
    graph_destroy(g);

    choose(v, "vgg11_bn");
    g = build(v, 3);
    assert_string_equal(letters(g), "icbrmcbrmcbrcbrmcbrcbrmcbrcbrmAflrdlrdl");
    assert_true(g->nodes[34].dropout == 0.5f);
    graph_destroy(g);
}

/* Convs with batchnorm, then the sum, then relu; three times a shortcut with its own. */
static void residual_blocks(void **state)
{
    struct variant *v = *state;
    struct graph *g;

    choose(v, "resnet18");
    g = build(v, 3);
    assert_string_equal(letters(g), "icbrm"
                                    "cbrcb+rcbrcb+r"
                                    "cbrcbcb+rcbrcb+r"
                                    "cbrcbcb+rcbrcb+r"
                                    "cbrcbcb+rcbrcb+r"
                                    "Afl");
    assert_true(g->nodes[10].input[0] == 9 && g->nodes[10].input[1] == 4);
    for (uint32_t i = 0; i + 1 < g->view.layer_count; i++)
        assert_int_equal(g->layers[i].activation, BIOFT_ACT_OTHER);
    graph_destroy(g);
}

int main(int argc, char **argv)
{
    struct variant v = { 0 };
    struct error err = { 0 };
    const struct registry_places places = {
        .command_line = (const char *const *)argv + 1,
        .command_line_count = (size_t)(argc > 0 ? argc - 1 : 0),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(lenet5, &v),
        cmocka_unit_test_prestate(mlp, &v),
        cmocka_unit_test_prestate(residual_blocks, &v),
        cmocka_unit_test_prestate(dropout_of_the_large_ones, &v),
    };
    int failed;

    v.arena = arena_create();
    if (!v.arena || registry_create(&places, NULL, &v.registry, &err) != BIOFT_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    registry_destroy(v.registry);
    arena_destroy(v.arena);
    return failed;
}
