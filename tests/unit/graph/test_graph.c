/* A graph as engines see it: nodes, shapes, parameters and layers of networks worked out by hand.
 */
#include "fake.h"

/* Conv 3x3 of 8 in 2 groups, stride 2, padding 1, no bias; batchnorm; relu; a 1x1 shortcut; sum;
 * pool; two heads worth of linear layers. */
static bioft_status small(void *self, const bioft_builder *b)
{
    bioft_conv2d c = conv_of(8, 3), s = conv_of(8, 1);
    const bioft_norm n = { .struct_size = sizeof n, .eps = 1e-3f, .momentum = 0.5f };
    const bioft_pool p = pool_of(2, 0);
    const float mean[] = { 0.25f, 0.5f }, std[] = { 0.125f, 2 };
    bioft_tensor x = b->input(b, 2, 9, 12), y;

    (void)self;
    b->normalise(b, mean, std, 2);
    c.stride[0] = c.stride[1] = s.stride[0] = s.stride[1] = 2;
    c.padding[0] = c.padding[1] = c.padding[2] = c.padding[3] = 1;
    c.groups = 2;
    c.no_bias = 1;
    y = b->relu(b, b->batchnorm(b, "stem.bn", b->conv2d(b, "stem.conv", x, &c), &n));
    x = b->add(b, y, b->conv2d(b, "shortcut", x, &s));
    x = b->dropout(b, b->flatten(b, b->maxpool(b, x, &p)), 0.25);
    x = b->tanh_(b, linear(b, "fc1", x, 5));
    head(b, "fc2", x, 10);
    return BIOFT_OK;
}

static void nodes_and_shapes(void **state)
{
    static const struct {
        uint32_t op, input[2], input_count, shape[3];
    } want[] = {
        { BIOFT_OP_INPUT, { 0 }, 0, { 2, 9, 12 } },    { BIOFT_OP_CONV2D, { 0 }, 1, { 8, 5, 6 } },
        { BIOFT_OP_BATCHNORM, { 1 }, 1, { 8, 5, 6 } }, { BIOFT_OP_RELU, { 2 }, 1, { 8, 5, 6 } },
        { BIOFT_OP_CONV2D, { 0 }, 1, { 8, 5, 6 } },    { BIOFT_OP_ADD, { 3, 4 }, 2, { 8, 5, 6 } },
        { BIOFT_OP_MAXPOOL, { 5 }, 1, { 8, 2, 3 } },   { BIOFT_OP_FLATTEN, { 6 }, 1, { 48, 1, 1 } },
        { BIOFT_OP_DROPOUT, { 7 }, 1, { 48, 1, 1 } },  { BIOFT_OP_LINEAR, { 8 }, 1, { 5, 1, 1 } },
        { BIOFT_OP_TANH, { 9 }, 1, { 5, 1, 1 } },      { BIOFT_OP_LINEAR, { 10 }, 1, { 10, 1, 1 } },
    };
    struct fake f;
    struct graph *g;

    (void)state;
    fake_init(&f, small);
    g = fake_build(&f);
    assert_int_equal(g->view.node_count, sizeof want / sizeof *want);
    for (uint32_t i = 0; i < g->view.node_count; i++) {
        const bioft_node *n = &g->view.nodes[i];
        assert_int_equal(n->struct_size, sizeof *n);
        assert_int_equal(n->op, want[i].op);
        assert_int_equal(n->input_count, want[i].input_count);
        for (uint32_t k = 0; k < n->input_count; k++)
            assert_int_equal(n->input[k], want[i].input[k]);
        assert_int_equal(n->channels, want[i].shape[0]);
        assert_int_equal(n->height, want[i].shape[1]);
        assert_int_equal(n->width, want[i].shape[2]);
        assert_true((n->weight == BIOFT_NONE) ==
                    (n->op != BIOFT_OP_CONV2D && n->op != BIOFT_OP_LINEAR && n->op != BIOFT_OP_BATCHNORM));
    }
    assert_int_equal(g->nodes[1].groups, 2);
    assert_int_equal(g->nodes[1].stride[1], 2);
    assert_int_equal(g->nodes[1].padding[3], 1);
    assert_int_equal(g->nodes[1].dilation[0], 1);
    assert_int_equal(g->nodes[1].bias, BIOFT_NONE);
    assert_true(g->nodes[2].eps == 1e-3f && g->nodes[2].momentum == 0.5f);
    assert_int_equal(g->nodes[6].kernel[0], 2);
    assert_int_equal(g->nodes[6].stride[0], 2);
    assert_true(g->nodes[8].dropout == 0.25f);
    graph_destroy(g);
}

static void parameters_in_torchs_order(void **state)
{
    static const struct {
        const char *name;
        uint32_t kind, layer, flags, dims;
        uint64_t shape[4];
        size_t count;
    } want[] = {
        { "stem.conv.weight", BIOFT_PARAM_WEIGHT, 0, 0, 4, { 8, 1, 3, 3 }, 72 },
        { "stem.bn.weight", BIOFT_PARAM_GAMMA, BIOFT_NONE, 0, 1, { 8 }, 8 },
        { "stem.bn.bias", BIOFT_PARAM_BETA, BIOFT_NONE, 0, 1, { 8 }, 8 },
        { "stem.bn.running_mean", BIOFT_PARAM_RUNNING, BIOFT_NONE, 0, 1, { 8 }, 8 },
        { "stem.bn.running_var", BIOFT_PARAM_RUNNING, BIOFT_NONE, 0, 1, { 8 }, 8 },
        { "shortcut.weight", BIOFT_PARAM_WEIGHT, 1, 0, 4, { 8, 2, 1, 1 }, 16 },
        { "shortcut.bias", BIOFT_PARAM_BIAS, 1, 0, 1, { 8 }, 8 },
        { "fc1.weight", BIOFT_PARAM_WEIGHT, 2, 0, 2, { 5, 48 }, 240 },
        { "fc1.bias", BIOFT_PARAM_BIAS, 2, 0, 1, { 5 }, 5 },
        { "fc2.weight", BIOFT_PARAM_WEIGHT, 3, BIOFT_PARAM_HEAD, 2, { 10, 5 }, 50 },
        { "fc2.bias", BIOFT_PARAM_BIAS, 3, BIOFT_PARAM_HEAD, 1, { 10 }, 10 },
    };
    struct fake f;
    struct graph *g;

    (void)state;
    fake_init(&f, small);
    g = fake_build(&f);
    assert_int_equal(g->view.parameter_count, sizeof want / sizeof *want);
    for (uint32_t i = 0; i < g->view.parameter_count; i++) {
        const bioft_parameter *p = &g->view.parameters[i];
        assert_string_equal(p->name, want[i].name);
        assert_int_equal(p->kind, want[i].kind);
        assert_int_equal(p->layer, want[i].layer);
        assert_int_equal(p->flags, want[i].flags);
        assert_int_equal(p->dims, want[i].dims);
        assert_memory_equal(p->shape, want[i].shape, sizeof p->shape);
        assert_int_equal(p->count, want[i].count);
        assert_int_equal(graph_parameter(g, p->name), i);
    }
    assert_int_equal(graph_parameter(g, "fc2"), BIOFT_NONE);
    assert_int_equal(g->counter_count, 1);
    assert_string_equal(g->counters[0], "stem.bn.num_batches_tracked");
    assert_int_equal(g->nodes[2].running_mean, 3);
    assert_int_equal(g->nodes[2].running_var, 4);
    assert_int_equal(g->nodes[11].bias, 10);
    assert_int_equal(graph_parameter_total(g), 72 + 8 + 8 + 16 + 8 + 240 + 5 + 50 + 10);
    /* 8 outputs of 5x6 by a 3x3 window of one channel, and of a 1x1 window of two; then the linear
     * layers. */
    assert_int_equal(graph_work(g), 8 * 30 * 9 + 8 * 30 * 2 + 48 * 5 + 5 * 10);
    graph_destroy(g);
}

static void layers(void **state)
{
    struct fake f;
    struct graph *g;
    const bioft_layer *l;

    (void)state;
    fake_init(&f, small);
    f.params.head_outputs = 32;
    g = fake_build(&f);
    assert_int_equal(g->view.layer_count, 4);
    l = &g->view.layers[0];
    assert_string_equal(l->name, "stem.conv");
    assert_null(l->key);
    assert_int_equal(l->index, 0);
    assert_int_equal(l->kind, BIOFT_LAYER_CONV2D);
    assert_int_equal(l->out_channels, 8);
    assert_int_equal(l->in_channels, 2);
    assert_int_equal(l->groups, 2);
    assert_int_equal(l->outputs, 32);
    assert_true(l->in_h == 9 && l->in_w == 12 && l->out_h == 5 && l->out_w == 6);
    assert_int_equal(l->count, 72);
    assert_int_equal(l->fan_in, 1 * 9);  /* torch: input channels of a group times the window */
    assert_int_equal(l->fan_out, 8 * 9); /* torch: all output channels times the window */
    l = &g->view.layers[3];
    assert_int_equal(l->kind, BIOFT_LAYER_LINEAR);
    assert_true(l->fan_in == 5 && l->fan_out == 32 && l->count == 160 && l->groups == 1);
    assert_true(l->kernel[0] == 1 && l->stride[1] == 1 && l->dilation[0] == 1 && l->padding[0] == 0);
    assert_int_equal(graph_layer(g, "fc1"), 2);
    assert_int_equal(graph_layer(g, "stem.bn"), BIOFT_NONE);
    graph_destroy(g);
}

static void what_the_graph_says_of_itself(void **state)
{
    struct fake f;
    struct graph *g;

    (void)state;
    fake_init(&f, small);
    g = fake_build(&f);
    assert_string_equal(g->backbone, "fake");
    assert_string_equal(g->head, "fc2");
    assert_int_equal(g->head_published, 10);
    assert_int_equal(g->view.outputs, 10);
    assert_true(g->view.channels == 2 && g->view.height == 9 && g->view.width == 12);
    assert_true(g->mean[0] == 0.25f && g->mean[1] == 0.5f && g->std[0] == 0.125f && g->std[1] == 2);
    assert_int_equal(g->view.struct_size, sizeof(bioft_graph));
    assert_int_equal(g->view.node_size, sizeof(bioft_node));
    assert_int_equal(g->view.parameter_size, sizeof(bioft_parameter));
    assert_int_equal(g->view.layer_size, sizeof(bioft_layer));
    graph_destroy(g);
    graph_destroy(NULL);
}

static void another_size_and_head(void **state)
{
    struct fake f;
    struct graph *g;

    (void)state;
    fake_init(&f, small);
    f.params = (struct graph_params){ .backbone = &f.instance, .channels = 2, .height = 15, .head_outputs = 3 };
    g = fake_build(&f);
    assert_true(g->view.height == 15 && g->view.width == 12 && g->view.outputs == 3);
    assert_true(g->published_channels == 2 && g->published_height == 9 && g->published_width == 12);
    assert_int_equal(g->head_published, 10);
    assert_int_equal(g->parameters[graph_parameter(g, "fc1.weight")].shape[1], 8 * 4 * 3);
    assert_int_equal(g->parameters[graph_parameter(g, "fc2.weight")].shape[0], 3);
    graph_destroy(g);
}

static bioft_status linear_only(void *self, const bioft_builder *b)
{
    (void)self;
    head(b, "fc", b->flatten(b, b->flatten(b, b->input(b, 1, 2, 3))), 4);
    return BIOFT_OK;
}

static void the_smallest_network(void **state)
{
    struct fake f;
    struct graph *g;

    (void)state;
    fake_init(&f, linear_only);
    g = fake_build(&f);
    assert_int_equal(g->view.layer_count, 1);
    assert_int_equal(g->layers[0].flags, BIOFT_LAYER_FIRST | BIOFT_LAYER_LAST);
    assert_true(g->mean[0] == 0 && g->std[0] == 1);
    graph_destroy(g);
}

/* A plugin of an older minor version: its structs end earlier. */
static bioft_status older(void *self, const bioft_builder *b)
{
    bioft_conv2d c = conv_of(4, 3);

    (void)self;
    c.struct_size = offsetof(bioft_conv2d, dilation);
    c.groups = 3; /* beyond its end: not read */
    head(b, "fc", b->flatten(b, b->conv2d(b, "conv", b->input(b, 1, 5, 5), &c)), 4);
    return BIOFT_OK;
}

static void structs_of_an_older_plugin(void **state)
{
    struct fake f;
    struct graph *g;

    (void)state;
    fake_init(&f, older);
    g = fake_build(&f);
    assert_int_equal(g->nodes[1].groups, 1);
    graph_destroy(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_and_shapes),
        cmocka_unit_test(parameters_in_torchs_order),
        cmocka_unit_test(layers),
        cmocka_unit_test(what_the_graph_says_of_itself),
        cmocka_unit_test(another_size_and_head),
        cmocka_unit_test(the_smallest_network),
        cmocka_unit_test(structs_of_an_older_plugin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
