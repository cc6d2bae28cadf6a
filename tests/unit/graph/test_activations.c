/* What a layer is told of the graph around it: its activation, and whether it is the first or the
 * last. */
#include "fake.h"

/* Each case makes something of a conv "a" and ends in a conv "b" before the head. */
typedef bioft_tensor between(const bioft_builder *b, bioft_tensor x);

static bioft_tensor nothing(const bioft_builder *b, bioft_tensor x)
{
    (void)b;
    return x;
}
static bioft_tensor relu(const bioft_builder *b, bioft_tensor x) { return b->relu(b, x); }
static bioft_tensor tanh_(const bioft_builder *b, bioft_tensor x) { return b->tanh_(b, x); }
static bioft_tensor pool(const bioft_builder *b, bioft_tensor x)
{
    const bioft_pool p = pool_of(2, 1);
    return b->avgpool(b, x, &p);
}
static bioft_tensor relu_pool_dropout(const bioft_builder *b, bioft_tensor x)
{
    return b->dropout(b, b->adaptive_avgpool(b, pool(b, b->relu(b, x)), 4, 4), 0);
}
static bioft_tensor flatten_tanh(const bioft_builder *b, bioft_tensor x) { return b->tanh_(b, b->flatten(b, x)); }
static bioft_tensor pool_relu(const bioft_builder *b, bioft_tensor x) { return b->relu(b, pool(b, x)); }
static bioft_tensor dropout_relu(const bioft_builder *b, bioft_tensor x) { return b->relu(b, b->dropout(b, x, 0.5)); }
static bioft_tensor relu_twice(const bioft_builder *b, bioft_tensor x) { return b->relu(b, b->relu(b, x)); }
static bioft_tensor norm_relu(const bioft_builder *b, bioft_tensor x) { return b->relu(b, norm(b, "bn", x)); }
static bioft_tensor relu_norm(const bioft_builder *b, bioft_tensor x) { return norm(b, "bn", b->relu(b, x)); }
static bioft_tensor relu_sum(const bioft_builder *b, bioft_tensor x)
{
    x = b->relu(b, x);
    return b->add(b, x, x);
}
static bioft_tensor relu_or_not(const bioft_builder *b, bioft_tensor x)
{
    const bioft_conv2d c = conv_of(4, 1);
    return b->add(b, b->conv2d(b, "c", x, &c), b->conv2d(b, "d", b->relu(b, x), &c));
}
static bioft_tensor relu_two_ways(const bioft_builder *b, bioft_tensor x)
{
    const bioft_conv2d c = conv_of(4, 1);
    x = b->relu(b, x);
    return b->add(b, b->conv2d(b, "c", x, &c), b->conv2d(b, "d", b->dropout(b, x, 0.5), &c));
}

static const struct {
    const char *what;
    between *make;
    uint32_t activation;
} cases[] = {
    { "nothing", nothing, BIOFT_ACT_NONE },
    { "relu", relu, BIOFT_ACT_RELU },
    { "tanh", tanh_, BIOFT_ACT_TANH },
    { "pooling alone", pool, BIOFT_ACT_NONE },
    { "relu, then pooling and dropout", relu_pool_dropout, BIOFT_ACT_RELU },
    { "flatten and tanh", flatten_tanh, BIOFT_ACT_TANH },
    { "pooling before relu", pool_relu, BIOFT_ACT_OTHER },
    { "dropout before relu", dropout_relu, BIOFT_ACT_OTHER },
    { "two relus", relu_twice, BIOFT_ACT_OTHER },
    { "batchnorm before relu", norm_relu, BIOFT_ACT_OTHER },
    { "batchnorm after relu", relu_norm, BIOFT_ACT_OTHER },
    { "a sum", relu_sum, BIOFT_ACT_OTHER },
    { "relu on one path only", relu_or_not, BIOFT_ACT_OTHER },
    { "relu on two paths", relu_two_ways, BIOFT_ACT_RELU },
};

static bioft_status build_case(void *self, const bioft_builder *b)
{
    const bioft_conv2d c = conv_of(4, 1);
    bioft_tensor x = b->conv2d(b, "a", b->input(b, 3, 6, 6), &c);

    x = cases[*(size_t *)self].make(b, x);
    head(b, "head", b->flatten(b, b->conv2d(b, "b", x, &c)), 2);
    return BIOFT_OK;
}

static void activations(void **state)
{
    struct fake f;
    size_t index;

    (void)state;
    fake_init(&f, build_case);
    f.instance.self = &index;
    for (index = 0; index < sizeof cases / sizeof *cases; index++) {
        struct graph *g = fake_build(&f);
        if (g->layers[0].activation != cases[index].activation)
            fail_msg("%s: %u", cases[index].what, g->layers[0].activation);
        assert_int_equal(g->layers[g->view.layer_count - 1].activation, BIOFT_ACT_NONE);
        assert_int_equal(g->layers[g->view.layer_count - 1].flags, BIOFT_LAYER_LAST);
        for (uint32_t i = 0; i + 1 < g->view.layer_count; i++)
            assert_int_equal(g->layers[i].flags, i == 0 ? BIOFT_LAYER_FIRST : 0);
        graph_destroy(g);
    }
}

/* Two convs on the image: nothing before either has a weight. */
static bioft_status two_first(void *self, const bioft_builder *b)
{
    const bioft_conv2d c = conv_of(4, 1);
    bioft_tensor x = b->input(b, 3, 6, 6);

    (void)self;
    x = b->add(b, b->conv2d(b, "a", norm(b, "bn", x), &c), b->conv2d(b, "b", x, &c));
    head(b, "head", b->flatten(b, x), 2);
    return BIOFT_OK;
}

static void two_layers_on_the_image(void **state)
{
    struct fake f;
    struct graph *g;

    (void)state;
    fake_init(&f, two_first);
    g = fake_build(&f);
    assert_int_equal(g->layers[0].flags, BIOFT_LAYER_FIRST);
    assert_int_equal(g->layers[1].flags, BIOFT_LAYER_FIRST);
    assert_int_equal(g->layers[2].flags, BIOFT_LAYER_LAST);
    assert_int_equal(g->layers[0].activation, BIOFT_ACT_OTHER);
    graph_destroy(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations),
        cmocka_unit_test(two_layers_on_the_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
