/* The operators of op(): shapes, parameters, what a rule is told of layers, TensorFlow's padding, and what is refused. */
#include "fake.h"

#include <bioft/backbone_util.h>

static bioft_tensor by_op(const bioft_builder *b, const char *op, const char *name, bioft_tensor x, const char *attr,
                          int64_t value)
{
    const bioft_attr a = { attr, BIOFT_I64, 1, &value };
    return b->op(b, op, name, &x, 1, &a, 1);
}

static bioft_tensor same(const bioft_builder *b, const char *name, bioft_tensor x, uint32_t kernel, uint32_t stride)
{
    bioft_conv2d c = conv_of(4, kernel);
    c.stride[0] = c.stride[1] = stride;
    c.same = 1;
    return conv(b, name, x, c);
}

/* A transformer's block behind mobile layers. */
static bioft_status build(void *self, const bioft_builder *b)
{
    bioft_tensor x = b->input(b, 3, 8, 9), g, q;

    (void)self;
    x = bioft_relu6(b, same(b, "stem", x, 3, 2)); /* 4x5 */
    g = bioft_plain(b, "Sigmoid", b->adaptive_avgpool(b, x, 1, 1));
    x = bioft_multiply(b, g, x);                        /* the gate first: turned round */
    x = bioft_concat(b, x, bioft_slice(b, x, 1, 1, 3)); /* 6 channels */
    x = bioft_positions(b, "pos", bioft_class_token(b, "cls", x, 1e-6), 0.02);
    x = bioft_layernorm(b, "norm", x, 1e-6);
    q = bioft_positions_linear(b, "qkv", x, 8, 0);
    assert_int_equal(b->other_name(b, "qkv", "attention.in"), BIOFT_OK);
    assert_int_equal(b->other_name(b, "cls", "class_token"), BIOFT_OK);
    assert_int_equal(b->note(b, "something to know"), BIOFT_OK);
    x = bioft_attention(b, q, q, q, 2, 0.5);
    x = bioft_slice(b, bioft_scale(b, "gamma", x, 1e-6, 3), 2, 0, 1);
    head(b, "head", b->flatten(b, x), 10);
    return BIOFT_OK;
}

static void check_node(const struct graph *g, uint32_t op, uint32_t channels, uint32_t height, uint32_t width)
{
    for (uint32_t i = 0; i < g->view.node_count; i++)
        if (g->nodes[i].op == op && g->nodes[i].channels == channels && g->nodes[i].height == height &&
            g->nodes[i].width == width)
            return;
    fail_msg("no %s of %ux%ux%u", bioft_operator_name(op), channels, height, width);
}

static void check_parameter(const struct graph *g, const char *name, uint32_t kind, uint32_t dims, uint64_t a,
                            uint64_t b, uint64_t c)
{
    const uint32_t i = graph_parameter(g, name);
    const uint64_t shape[3] = { a, b, c };

    if (i == BIOFT_NONE)
        fail_msg("no parameter '%s'", name);
    assert_int_equal(g->parameters[i].kind, kind);
    assert_int_equal(g->parameters[i].dims, dims);
    for (uint32_t k = 0; k < dims; k++)
        assert_int_equal(g->parameters[i].shape[k], shape[k]);
}

static void shapes_and_parameters(void **state)
{
    struct fake f;
    struct graph *g;
    const bioft_layer *l;
    float value[8];
    char other[64];

    (void)state;
    fake_init(&f, build);
    g = fake_build(&f);
    check_node(g, BIOFT_OP_CLIP, 4, 4, 5);
    check_node(g, BIOFT_OP_MULTIPLY, 4, 4, 5);
    check_node(g, BIOFT_OP_CONCAT, 6, 4, 5);
    check_node(g, BIOFT_OP_TOKENS, 6, 21, 1);
    check_node(g, BIOFT_OP_SOFTMAX, 2, 21, 21);
    check_node(g, BIOFT_OP_MATMUL, 8, 21, 1);
    check_node(g, BIOFT_OP_SLICE, 8, 1, 1);
    check_parameter(g, "cls", BIOFT_PARAM_TABLE, 3, 1, 1, 6);
    check_parameter(g, "pos", BIOFT_PARAM_TABLE, 3, 1, 21, 6);
    check_parameter(g, "norm.weight", BIOFT_PARAM_GAMMA, 1, 6, 0, 0);
    check_parameter(g, "norm.bias", BIOFT_PARAM_BETA, 1, 6, 0, 0);
    check_parameter(g, "qkv.weight", BIOFT_PARAM_WEIGHT, 2, 8, 6, 0);
    check_parameter(g, "gamma", BIOFT_PARAM_GAMMA, 3, 8, 1, 1);
    l = &g->layers[graph_layer(g, "qkv")];
    assert_true(l->kind == BIOFT_LAYER_CONV2D && l->kernel[0] == 1 && l->kernel[1] == 1);
    assert_true(l->in_h == 21 && l->in_w == 1 && l->out_h == 21 && l->count == 48);
    assert_int_equal(l->activation, BIOFT_ACT_OTHER);
    assert_int_equal(graph_initialise(g, graph_parameter(g, "gamma"), 1, NULL, value), BIOFT_OK);
    assert_true(value[0] == 1e-6f && value[7] == 1e-6f);
    assert_int_equal(graph_initialise(g, graph_parameter(g, "norm.weight"), 1, NULL, value), BIOFT_OK);
    assert_true(value[0] == 1 && value[5] == 1);
    assert_int_equal(graph_initialise(g, graph_parameter(g, "cls"), 1, NULL, value), BIOFT_OK);
    assert_true(value[0] != 0 && value[0] < 1e-5f && value[0] > -1e-5f);
    assert_string_equal(graph_other_name(g, "qkv.weight", other, sizeof other), "attention.in.weight");
    assert_string_equal(graph_other_name(g, "cls", other, sizeof other), "class_token");
    assert_null(graph_other_name(g, "norm.weight", other, sizeof other));
    assert_int_equal(g->note_count, 1);
    assert_string_equal(g->notes[0], "something to know");
    graph_destroy(g);
}

/* Of TensorFlow: as many outputs as ceil(side/stride), the odd row of padding behind. */
static void same_padding(void **state)
{
    static const struct {
        uint32_t height, width, out_height, out_width, padding[4];
    } cases[] = {
        { 8, 9, 4, 5, { 0, 1, 1, 1 } },
        { 7, 10, 4, 5, { 1, 0, 1, 1 } },
        { 1, 2, 1, 1, { 1, 0, 1, 1 } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fake f;
        struct graph *g;
        fake_init(&f, build);
        f.params.height = cases[i].height;
        f.params.width = cases[i].width;
        g = fake_build(&f);
        assert_int_equal(g->nodes[1].height, cases[i].out_height);
        assert_int_equal(g->nodes[1].width, cases[i].out_width);
        for (int k = 0; k < 4; k++)
            assert_int_equal(g->nodes[1].padding[k], cases[i].padding[k]);
        graph_destroy(g);
    }
}

/* Concat of any number: two at a time, in order. */
static bioft_status build_three(void *self, const bioft_builder *b)
{
    const bioft_tensor x = b->input(b, 3, 4, 4);
    const bioft_tensor parts[3] = { conv(b, "a", x, conv_of(2, 1)), conv(b, "b", x, conv_of(3, 1)), x };

    (void)self;
    head(b, "head", b->flatten(b, b->op(b, "Concat", NULL, parts, 3, NULL, 0)), 2);
    return BIOFT_OK;
}

static void concat_of_three(void **state)
{
    struct fake f;
    struct graph *g;

    (void)state;
    fake_init(&f, build_three);
    g = fake_build(&f);
    check_node(g, BIOFT_OP_CONCAT, 5, 4, 4);
    check_node(g, BIOFT_OP_CONCAT, 8, 4, 4);
    assert_true(g->layers[0].flags & BIOFT_LAYER_FIRST && g->layers[1].flags & BIOFT_LAYER_FIRST);
    assert_int_equal(g->layers[0].activation, BIOFT_ACT_OTHER);
    graph_destroy(g);
}

static bioft_tensor clip_upside_down(const bioft_builder *b, bioft_tensor x)
{
    const double low = 1, high = 1;
    const bioft_attr attrs[2] = { { "min", BIOFT_F64, 1, &low }, { "max", BIOFT_F64, 1, &high } };
    return b->op(b, "Clip", NULL, &x, 1, attrs, 2);
}
static bioft_tensor unknown_attribute(const bioft_builder *b, bioft_tensor x)
{
    return by_op(b, "Sigmoid", "s", x, "alpha", 1);
}
static bioft_tensor onnx_hardsigmoid(const bioft_builder *b, bioft_tensor x)
{
    return bioft_plain(b, "HardSigmoid", x);
}
static bioft_tensor slice_beyond(const bioft_builder *b, bioft_tensor x) { return bioft_slice(b, x, 1, 1, 4); }
static bioft_tensor slice_of_nothing(const bioft_builder *b, bioft_tensor x) { return bioft_slice(b, x, 2, 3, 3); }
static bioft_tensor slice_of_images(const bioft_builder *b, bioft_tensor x) { return bioft_slice(b, x, 0, 0, 1); }
static bioft_tensor nameless(const bioft_builder *b, bioft_tensor x) { return bioft_layernorm(b, NULL, x, 1e-5); }
static bioft_tensor no_epsilon(const bioft_builder *b, bioft_tensor x) { return bioft_layernorm(b, "n", x, 0); }
static bioft_tensor no_width(const bioft_builder *b, bioft_tensor x) { return bioft_positions_linear(b, "l", x, 0, 0); }
static bioft_tensor odd_heads(const bioft_builder *b, bioft_tensor x) { return bioft_attention(b, x, x, x, 2, 1); }
static bioft_tensor taken_name(const bioft_builder *b, bioft_tensor x)
{
    return bioft_layernorm(b, "n", bioft_layernorm(b, "n", x, 1e-5), 1e-5);
}
static bioft_tensor unlike(const bioft_builder *b, bioft_tensor x)
{
    return bioft_multiply(b, x, conv(b, "c", x, conv_of(2, 1)));
}
static bioft_tensor unlike_sides(const bioft_builder *b, bioft_tensor x)
{
    return bioft_concat(b, x, b->adaptive_avgpool(b, x, 2, 2));
}
static bioft_tensor one_too_many(const bioft_builder *b, bioft_tensor x)
{
    const bioft_tensor three[3] = { x, x, x };
    return b->op(b, "Mul", NULL, three, 3, NULL, 0);
}
static bioft_tensor name_of_nothing(const bioft_builder *b, bioft_tensor x)
{
    b->other_name(b, "fc", "classifier");
    return x;
}
static bioft_tensor note_of_two_lines(const bioft_builder *b, bioft_tensor x)
{
    b->note(b, "one\ntwo");
    return x;
}
static bioft_tensor both_paddings(const bioft_builder *b, bioft_tensor x)
{
    bioft_conv2d c = conv_of(4, 3);
    c.same = c.padding[0] = 1;
    return conv(b, "c", x, c);
}

static const struct {
    bioft_tensor (*make)(const bioft_builder *b, bioft_tensor x);
    bioft_status status;
    const char *part;
} mistakes[] = {
    { clip_upside_down, BIOFT_ERR_INVALID, "min 1 is not below max 1" },
    { unknown_attribute, BIOFT_ERR_UNSUPPORTED, "s: Sigmoid has no attribute 'alpha'" },
    { onnx_hardsigmoid, BIOFT_ERR_UNSUPPORTED, "alpha 0.2, beta 0.5: engines have alpha 1/6" },
    { slice_beyond, BIOFT_ERR_INVALID, "start 1, end 4 of 3" },
    { slice_of_nothing, BIOFT_ERR_INVALID, "start 3, end 3 of 8" },
    { slice_of_images, BIOFT_ERR_INVALID, "axis 0: a whole number from 1 on" },
    { nameless, BIOFT_ERR_INVALID, "is not a name" },
    { no_epsilon, BIOFT_ERR_INVALID, "n: epsilon 0 is not above 0" },
    { no_width, BIOFT_ERR_INVALID, "l: out 0: a whole number from 1 on" },
    { odd_heads, BIOFT_ERR_INVALID, "3x8x8 and 3x8x8 cannot be multiplied in this number of heads" },
    { taken_name, BIOFT_ERR_INVALID, "n: two layers have this name" },
    { unlike, BIOFT_ERR_INVALID, "3x8x8 and 2x8x8 cannot be multiplied" },
    { unlike_sides, BIOFT_ERR_INVALID, "3x8x8 and 3x2x2 cannot be joined" },
    { one_too_many, BIOFT_ERR_INVALID, "Mul of 3 inputs" },
    { name_of_nothing, BIOFT_ERR_INVALID, "other_name: of a layer or array that is there" },
    { note_of_two_lines, BIOFT_ERR_INVALID, "note: at most 100, of 1 to 1000 printable characters" },
    { both_paddings, BIOFT_ERR_INVALID, "c: same is 0, or 1 and its padding 0" },
};

static bioft_status build_mistake(void *self, const bioft_builder *b)
{
    head(b, "head", b->flatten(b, mistakes[*(size_t *)self].make(b, b->input(b, 3, 8, 8))), 2);
    return BIOFT_OK;
}

static void each_mistake_has_its_words(void **state)
{
    struct fake f;
    size_t i;

    (void)state;
    fake_init(&f, build_mistake);
    f.instance.self = &i;
    for (i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
        fake_fail(&f, mistakes[i].status, mistakes[i].part);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_and_parameters),
        cmocka_unit_test(same_padding),
        cmocka_unit_test(concat_of_three),
        cmocka_unit_test(each_mistake_has_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
