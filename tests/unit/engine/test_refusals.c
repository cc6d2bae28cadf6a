/* Graphs, uses and calls that the engine must refuse, with a text that says why. */
#include "compare.h"
#include "net.h"

#include <stdlib.h>

static const struct op ops[] = {
    { .op = BIOFT_OP_CONV2D, .out = 4, .kernel = { 3, 3 } },
    { .op = BIOFT_OP_BATCHNORM },
    { .op = BIOFT_OP_MAXPOOL, .kernel = { 2, 2 } },
    { .op = BIOFT_OP_FLATTEN },
    { .op = BIOFT_OP_LINEAR, .out = 6 },
    { .op = BIOFT_OP_BATCHNORM },
    { .op = BIOFT_OP_LINEAR, .out = 3 },
    { 0 },
};

static void break_shape(struct net *n) { n->nodes[1].width++; }
static void break_weight(struct net *n) { n->parameters[0].count--; }
static void break_bias(struct net *n) { n->nodes[1].bias = 99; }
static void break_groups(struct net *n) { n->nodes[1].groups = 3; }
static void break_order(struct net *n) { n->nodes[3].input[0] = 4; }
static void break_inputs(struct net *n) { n->nodes[3].input_count = 2; }
static void break_operator(struct net *n) { n->nodes[3].op = 77; }
static void break_layer(struct net *n) { n->nodes[5].layer = 0; }
static void break_sharing(struct net *n) { n->nodes[6].bias = n->nodes[6].weight; }
static void break_running(struct net *n) { n->nodes[2].running_var = BIOFT_NONE; }
static void break_outputs(struct net *n) { n->graph.outputs = 4; }
static void break_flat(struct net *n) { n->nodes[5].input[0] = 3; }
static void break_padding(struct net *n) { n->nodes[3].padding[0] = 2; }
static void break_second_input(struct net *n) { n->nodes[4].op = BIOFT_OP_INPUT; }
static void break_nothing(struct net *n) { n->graph.node_count = 1; }

static const struct {
    void (*harm)(struct net *n);
    const char *says;
} harms[] = {
    { break_shape, "conv2d 'conv1': a 4x5 output" },
    { break_weight, "conv1.weight" },
    { break_bias, "bias" },
    { break_groups, "groups" },
    { break_order, "before its input" },
    { break_inputs, "2 inputs" },
    { break_operator, "no such operator" },
    { break_layer, "linear 'fc5'" },
    { break_sharing, "twice" },
    { break_running, "running_var" },
    { break_outputs, "output" },
    { break_flat, "flat" },
    { break_padding, "padding" },
    { break_second_input, "inputs" },
    { break_nothing, "nothing" },
};

static void graphs(void **state)
{
    const bioft_use use = { .struct_size = sizeof use, .kind = BIOFT_TRAIN, .precision = BIOFT_F32, .max_batch = 4 };
    struct rig rig;

    (void)state;
    rig_open(&rig, NULL, 1);
    for (size_t i = 0; i < sizeof harms / sizeof *harms; i++) {
        struct net net;
        void *model = NULL;
        char why[300] = "";
        bioft_status st;

        net_make(&net, 2, 6, 6, ops);
        assert_int_equal(rig.api->supports(rig.self, &net.graph, &use, why, sizeof why), 0);
        harms[i].harm(&net);
        assert_int_equal(rig.api->supports(rig.self, &net.graph, &use, why, sizeof why), BIOFT_ERR_UNSUPPORTED);
        if (!strstr(why, harms[i].says))
            fail_msg("'%s' does not say '%s'", why, harms[i].says);
        st = rig.api->model_create(rig.self, &net.graph, &model);
        assert_true(st == BIOFT_ERR_INVALID || st == BIOFT_ERR_UNSUPPORTED);
        assert_null(model);
        assert_non_null(strstr(rig_error(&rig, st), harms[i].says));
        net.graph.node_count = 0;
        net_free(&net);
    }
    rig_close(&rig);
}

static void uses(void **state)
{
    static const struct {
        bioft_use use;
        const char *says;
    } bad[] = {
        { { .kind = 9, .precision = BIOFT_F32, .max_batch = 1 }, "use number 9" },
        { { .kind = BIOFT_EVAL, .precision = 3, .max_batch = 1 }, "f32" },
        { { .kind = BIOFT_EVAL, .precision = BIOFT_BF16, .max_batch = 1 }, "f32" },
        { { .kind = BIOFT_EVAL, .precision = BIOFT_F32, .max_batch = 0 }, "batch of 0" },
        { { .kind = BIOFT_EVAL, .precision = BIOFT_F32, .max_batch = 1, .flags = 8 }, "flags 8" },
    };
    struct net net;
    struct rig rig;

    (void)state;
    net_make(&net, 2, 6, 6, ops);
    rig_open(&rig, &net, 1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bioft_use use = bad[i].use;
        char why[200] = "";
        void *p = NULL;
        bioft_status st;
        use.struct_size = sizeof use;
        st = rig.api->supports(rig.self, &net.graph, &use, why, sizeof why);
        if (use.precision == BIOFT_BF16 && st == BIOFT_OK)
            continue; /* this engine, on this CPU, does */
        assert_int_equal(st, BIOFT_ERR_UNSUPPORTED);
        assert_non_null(strstr(why, bad[i].says));
        st = rig.api->program_create(rig.self, rig.model, &use, NULL, &p);
        assert_true(st < 0);
        assert_non_null(strstr(rig_error(&rig, st), bad[i].says));
    }
    rig_close(&rig);
    net_free(&net);
}

static void calls(void **state)
{
    struct net net;
    struct rig rig;
    float x[5 * 72] = { 0 }, out[15], dx[5 * 72];
    void *train, *eval;

    (void)state;
    net_make(&net, 2, 6, 6, ops);
    rig_open(&rig, &net, 1);
    train = rig_program(&rig, BIOFT_TRAIN, 0, 4, NULL);
    eval = rig_program(&rig, BIOFT_EVAL, 0, 4, NULL);
    assert_int_equal(rig.api->backward(rig.self, train, out, 0, dx, NULL), BIOFT_ERR_INVALID);
    assert_non_null(strstr(rig_error(&rig, BIOFT_ERR_INVALID), "after forward"));
    assert_int_equal(rig.api->forward(rig.self, train, 5, x, 0, out), BIOFT_ERR_INVALID);
    assert_non_null(strstr(rig_error(&rig, BIOFT_ERR_INVALID), "1 to 4"));
    assert_int_equal(rig.api->forward(rig.self, train, 0, x, 0, out), BIOFT_ERR_INVALID);
    assert_int_equal(rig.api->forward(rig.self, train, 1, x, 0, out), BIOFT_ERR_INVALID);
    assert_non_null(strstr(rig_error(&rig, BIOFT_ERR_INVALID), "batchnorm 'bn6': a batch of 1"));
    assert_int_equal(rig.api->forward(rig.self, train, 2, x, 0, out), 0);
    assert_int_equal(rig.api->backward(rig.self, train, out, 64, dx, NULL), BIOFT_ERR_UNSUPPORTED);
    assert_int_equal(rig.api->forward(rig.self, eval, 1, x, 0, out), 0);
    assert_int_equal(rig.api->backward(rig.self, eval, out, 0, dx, NULL), BIOFT_ERR_INVALID);
    assert_non_null(strstr(rig_error(&rig, BIOFT_ERR_INVALID), "no backward pass"));
    assert_int_equal(rig.api->read(rig.self, rig.model, BIOFT_VALUE, 99, out, 3), BIOFT_ERR_INVALID);
    assert_int_equal(rig.api->read(rig.self, rig.model, BIOFT_VALUE, 0, out, 3), BIOFT_ERR_INVALID);
    assert_int_equal(rig.api->read(rig.self, rig.model, 12, 1, out, 4), BIOFT_ERR_INVALID);
    assert_int_equal(rig.api->read(rig.self, rig.model, BIOFT_GRADIENT, 4, out, 4), BIOFT_ERR_INVALID);
    assert_non_null(strstr(rig_error(&rig, BIOFT_ERR_INVALID), "never trained"));
    rig.api->program_destroy(rig.self, train);
    rig.api->program_destroy(rig.self, eval);
    rig_close(&rig);
    net_free(&net);
}

/* NaN reaches the output through relu and maxpool: nothing hides it. */
static void nan_is_not_hidden(void **state)
{
    static const struct op hiding[] = {
        { .op = BIOFT_OP_RELU, .in = -1 },
        { .op = BIOFT_OP_MAXPOOL, .kernel = { 2, 2 } },
        { .op = BIOFT_OP_MAXPOOL, .kernel = { 3, 3 }, .stride = { 1, 1 } },
        { 0 },
    };
    struct net net;
    struct rig rig;
    float x[64] = { 0 }, out[4], dx[64];
    void *p;

    (void)state;
    net_make(&net, 1, 8, 8, hiding);
    rig_open(&rig, &net, 1);
    p = rig_program(&rig, BIOFT_ATTACK, 0, 1, NULL);
    x[8 * 3 + 3] = NAN;
    assert_int_equal(rig.api->forward(rig.self, p, 1, x, 0, out), 0);
    for (int i = 0; i < 4; i++)
        assert_true(isnan(out[i]));
    for (int i = 0; i < 4; i++)
        out[i] = 1;
    assert_int_equal(rig.api->backward(rig.self, p, out, 0, dx, NULL), 0);
    assert_true(dx[8 * 3 + 3] == 4);
    rig.api->program_destroy(rig.self, p);
    rig_close(&rig);
    net_free(&net);
}

/* NaN in a layer's weight or bias is seen behind batchnorm and relu, fused or not. */
static void nan_of_a_layer_is_not_hidden(void **state)
{
    static const struct op layer[] = {
        { .op = BIOFT_OP_CONV2D, .out = 16, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 } },
        { .op = BIOFT_OP_BATCHNORM },
        { .op = BIOFT_OP_RELU },
        { 0 },
    };
    enum { SIDE = 6, OUT = 16 * SIDE * SIDE };

    (void)state;
    for (uint32_t kind = BIOFT_EVAL; kind <= BIOFT_ATTACK; kind++)
        for (uint32_t parameter = 0; parameter < 4; parameter++) {
            struct net net;
            struct rig rig;
            float *x, out[OUT];
            void *p;
            bool seen = false;

            net_make(&net, 3, SIDE, SIDE, layer);
            net.values[parameter][0] = NAN;
            rig_open(&rig, &net, 1);
            x = net_random(3 * SIDE * SIDE, 1);
            p = rig_program(&rig, kind, 0, 1, NULL);
            assert_int_equal(rig.api->forward(rig.self, p, 1, x, 0, out), 0);
            for (int i = 0; i < OUT; i++)
                seen = seen || isnan(out[i]);
            assert_true(seen);
            rig.api->program_destroy(rig.self, p);
            rig_close(&rig);
            net_free(&net);
            free(x);
        }
}

/* A relu's network whose `harmed` parameters, as bits, have values of that size: sums that overflow are seen in its
 * outputs, of every image, and are gone when the values are put back. */
struct overflow {
    uint32_t harmed;
    float size;
    struct op ops[8];
};

static void harm(struct rig *r, const struct overflow *o, bool large)
{
    for (uint32_t i = 0; i < r->net->graph.parameter_count; i++) {
        const size_t count = r->net->parameters[i].count;
        float *values = net_random(count, i);

        for (size_t k = 0; k < count; k++)
            values[k] = large ? k % 2 ? o->size : -o->size : r->net->values[i][k];
        if (o->harmed >> i & 1)
            assert_int_equal(r->api->write(r->self, r->model, BIOFT_VALUE, i, values, count), 0);
        free(values);
    }
}

static void check_overflow(const struct overflow *o, size_t index, uint32_t kind)
{
    enum { SIDE = 8, N = 5, OUT = 4 };
    float *x = net_random((size_t)N * 3 * SIDE * SIDE, 1), out[N * OUT];
    struct net net;
    struct rig rig;
    void *p;

    net_make(&net, 3, SIDE, SIDE, o->ops);
    rig_open(&rig, &net, 2);
    p = rig_program(&rig, kind, 0, N, NULL);
    for (int turn = 0; turn < 3; turn++) {
        harm(&rig, o, turn == 1);
        assert_int_equal(rig.api->forward(rig.self, p, N, x, 0, out), 0);
        for (int i = 0; i < N; i++) {
            bool finite = true;
            for (int k = 0; k < OUT; k++)
                finite = finite && isfinite(out[i * OUT + k]);
            if (finite != (turn != 1))
                fail_msg("network %zu, use %u, turn %d: image %d is %s", index, kind, turn, i,
                         finite ? "finite" : "not finite");
        }
    }
    rig.api->program_destroy(rig.self, p);
    rig_close(&rig);
    net_free(&net);
    free(x);
}

#define CONV(...) \
    { \
        .op = BIOFT_OP_CONV2D, .out = 16, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 }, __VA_ARGS__ \
    }
static void overflow_is_not_hidden(void **state)
{
    static const struct op relu = { .op = BIOFT_OP_RELU }, flat = { .op = BIOFT_OP_FLATTEN };
    static const struct op last = { .op = BIOFT_OP_LINEAR, .out = 4 }, norm = { .op = BIOFT_OP_BATCHNORM };
    const struct overflow cases[] = {
        { 1, 3e38f, { CONV(.in = -1), relu, CONV(.stride = { 2, 2 }), relu, flat, last } },
        { 1 << 2, 3e38f, { CONV(.in = -1), relu, CONV(.stride = { 2, 2 }), relu, flat, last } },
        { 1 << 2, 3e38f, { CONV(.in = -1), relu, CONV(.in = 0), relu, flat, last } },
        { 1 | 1 << 2, 1e25f, { CONV(.in = -1), relu, CONV(.stride = { 2, 2 }), relu, flat, last } },
        { 1, 3e38f, { CONV(.in = -1), norm, relu, flat, last } },
        { 1 << 2, 1e38f, { CONV(.in = -1), norm, relu, flat, last } },
        { 1 << 2, 3e38f, { CONV(.in = -1), relu, CONV(.in = 0), { .op = BIOFT_OP_ADD, .in2 = 2 }, relu, flat, last } },
        { 1 << 2, 3e38f, { CONV(.in = -1), relu, flat, last } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (uint32_t kind = BIOFT_EVAL; kind <= BIOFT_ATTACK; kind++)
            check_overflow(&cases[i], i, kind);
}

/* Of equal values the first in scan order gets the error. */
static void ties(void **state)
{
    static const struct op pool[] = { { .op = BIOFT_OP_MAXPOOL, .in = -1, .kernel = { 2, 2 } }, { 0 } };
    static const struct op window[] = {
        { .op = BIOFT_OP_MAXPOOL, .in = -1, .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 1, 1, 1, 1 } },
        { 0 },
    };
    const float want[2][16] = {
        { 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0 },
        { 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    };

    (void)state;
    for (int k = 0; k < 2; k++) {
        struct net net;
        struct rig rig;
        float x[16] = { 0 }, out[4], dx[16], ones[4] = { 1, 1, 1, 1 };
        void *p;
        net_make(&net, 1, 4, 4, k ? window : pool);
        rig_open(&rig, &net, 1);
        p = rig_program(&rig, BIOFT_ATTACK, 0, 1, NULL);
        assert_int_equal(rig.api->forward(rig.self, p, 1, x, 0, out), 0);
        assert_int_equal(rig.api->backward(rig.self, p, ones, 0, dx, NULL), 0);
        assert_bits("dx", dx, want[k], 16);
        rig.api->program_destroy(rig.self, p);
        rig_close(&rig);
        net_free(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(graphs),
        cmocka_unit_test(uses),
        cmocka_unit_test(calls),
        cmocka_unit_test(nan_is_not_hidden),
        cmocka_unit_test(nan_of_a_layer_is_not_hidden),
        cmocka_unit_test(overflow_is_not_hidden),
        cmocka_unit_test(ties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
