/* Stand-ins for derivatives that vanish or are not defined, against their definition in engine.h. */
#include "compare.h"
#include "net.h"

#include <stdlib.h>

enum { IMAGES = 3, CHANNELS = 5, SIDE = 5, VALUES = CHANNELS * SIDE * SIDE };

struct trial {
    struct net net;
    struct rig rig;
    float *x, *d_out, *out, *dx;
    void *program;
};

static void begin(struct trial *t, const struct op *ops, float scale, uint32_t kind)
{
    net_make(&t->net, CHANNELS, SIDE, SIDE, ops);
    rig_open(&t->rig, &t->net, 2);
    t->x = net_random(IMAGES * VALUES, 1);
    for (size_t i = 0; i < IMAGES * VALUES; i++)
        t->x[i] *= scale;
    t->d_out = net_random(IMAGES * t->net.graph.outputs, 2);
    t->out = net_random(IMAGES * t->net.graph.outputs, 3);
    t->dx = net_random(IMAGES * VALUES, 4);
    t->program = rig_program(&t->rig, kind, 0, IMAGES, NULL);
    assert_int_equal(t->rig.api->forward(t->rig.self, t->program, IMAGES, t->x, 0, t->out), BIOFT_OK);
}

static bioft_status back(struct trial *t, uint32_t flags)
{
    return t->rig.api->backward(t->rig.self, t->program, t->d_out, flags, t->dx, NULL);
}

static void end(struct trial *t)
{
    t->rig.api->program_destroy(t->rig.self, t->program);
    rig_close(&t->rig);
    net_free(&t->net);
    free(t->x);
    free(t->d_out);
    free(t->out);
    free(t->dx);
}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static double slope(uint32_t op, double x)
{
    switch (op) {
    case BIOFT_OP_RELU: return x > 0;
    case BIOFT_OP_TANH: return 1 - tanh(x) * tanh(x);
    case BIOFT_OP_CLIP: return x > -0.5 && x < 1;
    case BIOFT_OP_SIGMOID: return sigmoid(x) * (1 - sigmoid(x));
    case BIOFT_OP_HARDSIGMOID: return x > -3 && x < 3 ? 1.0 / 6 : 0;
    case BIOFT_OP_HARDSWISH: return x < -3 ? 0 : x > 3 ? 1 : x / 3 + 0.5;
    case BIOFT_OP_SILU: return sigmoid(x) * (1 + x * (1 - sigmoid(x)));
    default: return 0.5 * erfc(-x / sqrt(2.0)) + x * exp(-x * x / 2) * 0.3989422804014327;
    }
}

static void test_by_value(void **state)
{
    static const struct {
        uint32_t op;
        double least;
    } ops[] = { { BIOFT_OP_RELU, 0.1 },
                { BIOFT_OP_TANH, 0.1 },
                { BIOFT_OP_CLIP, 0.1 },
                { BIOFT_OP_SIGMOID, 0.025 },
                { BIOFT_OP_HARDSIGMOID, 1.0 / 60 },
                { BIOFT_OP_HARDSWISH, 0.1 },
                { BIOFT_OP_SILU, 0.1 },
                { BIOFT_OP_GELU, 0.1 } };
    double want[IMAGES * VALUES];

    (void)state;
    for (size_t k = 0; k < sizeof ops / sizeof *ops; k++) {
        struct trial t;
        begin(&t,
              (const struct op[]){
                  { .op = ops[k].op, .in = -1, .low = -0.5f, .high = 1 }, { .op = BIOFT_OP_FLATTEN }, { 0 } },
              4, BIOFT_ATTACK);
        for (size_t i = 0; i < IMAGES * VALUES; i++)
            want[i] = (double)t.d_out[i] * fmax(slope(ops[k].op, (double)t.x[i]), ops[k].least);
        assert_int_equal(back(&t, BIOFT_EXACT | BIOFT_STRAIGHT_THROUGH), BIOFT_OK);
        assert_near(bioft_operator_name(ops[k].op), t.dx, want, IMAGES * VALUES, 1e-5, 0.1);
        assert_int_equal(back(&t, BIOFT_EXACT), BIOFT_OK);
        for (size_t i = 0; i < IMAGES * VALUES; i++)
            want[i] = (double)t.d_out[i] * slope(ops[k].op, (double)t.x[i]);
        assert_near(bioft_operator_name(ops[k].op), t.dx, want, IMAGES * VALUES, 1e-5, 0.1);
        end(&t);
    }
}

/* Windows that overlap and hang over the edge; the constant x has nothing but ties. */
static void test_maxpool(void **state)
{
    enum { OUT = 3 };

    (void)state;
    for (int constant = 0; constant < 2; constant++) {
        struct trial t;
        double want[IMAGES * VALUES] = { 0 };
        begin(
            &t,
            (const struct op[]){
                { .op = BIOFT_OP_MAXPOOL, .in = -1, .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 1, 1, 1, 1 } },
                { .op = BIOFT_OP_FLATTEN },
                { 0 } },
            constant ? 0 : 1, BIOFT_ATTACK);
        for (size_t plane = 0; plane < IMAGES * CHANNELS; plane++)
            for (int o = 0; o < OUT * OUT; o++) {
                const double d = (double)t.d_out[plane * OUT * OUT + (size_t)o];
                const int top = o / OUT * 2 - 1, left = o % OUT * 2 - 1;
                size_t places[9], count = 0, best = 0;
                for (int i = 0; i < 9; i++) {
                    const int y = top + i / 3, x = left + i % 3;
                    if (y >= 0 && x >= 0 && y < SIDE && x < SIDE)
                        places[count++] = plane * SIDE * SIDE + (size_t)(y * SIDE + x);
                }
                for (size_t i = 0; i < count; i++) {
                    best = t.x[places[i]] > t.x[places[best]] ? i : best;
                    want[places[i]] += 0.1 * d / (double)count;
                }
                want[places[best]] += 0.9 * d;
            }
        assert_int_equal(back(&t, BIOFT_EXACT | BIOFT_STRAIGHT_THROUGH), BIOFT_OK);
        assert_near("maxpool", t.dx, want, IMAGES * VALUES, 1e-5, 0.1);
        end(&t);
    }
}

/* In blocks of channels, in place behind a convolution and a norm: relu alone is between two linear maps, so that a network
 * whose every value is dead has a tenth of the gradient that one whose every value is alive has. */
static void test_behind_convolutions(void **state)
{
    static const struct op ops[] = {
        { .op = BIOFT_OP_CONV2D, .out = 16, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 } },
        { .op = BIOFT_OP_BATCHNORM },
        { .op = BIOFT_OP_RELU },
        { .op = BIOFT_OP_CONV2D, .out = 2, .kernel = { 1, 1 } },
        { .op = BIOFT_OP_FLATTEN },
        { 0 }
    };
    float *alive = NULL;
    double want[IMAGES * VALUES];

    (void)state;
    for (int dead = 0; dead < 2; dead++) {
        struct trial t;
        begin(&t, ops, 1, BIOFT_ATTACK);
        const bioft_node *norm = &t.net.nodes[2];
        float beta[16];
        for (size_t c = 0; c < 16; c++)
            beta[c] = dead ? -100.0f : 100.0f;
        assert_int_equal(t.rig.api->write(t.rig.self, t.rig.model, BIOFT_VALUE, norm->bias, beta, 16), BIOFT_OK);
        assert_int_equal(t.rig.api->forward(t.rig.self, t.program, IMAGES, t.x, 0, t.out), BIOFT_OK);
        assert_int_equal(back(&t, BIOFT_EXACT | BIOFT_STRAIGHT_THROUGH), BIOFT_OK);
        if (dead) {
            for (size_t i = 0; i < IMAGES * VALUES; i++)
                want[i] = 0.1 * (double)alive[i];
            assert_near("a dead network", t.dx, want, IMAGES * VALUES, 1e-5, 0.01);
            assert_int_equal(back(&t, BIOFT_EXACT), BIOFT_OK);
            for (size_t i = 0; i < IMAGES * VALUES; i++)
                assert_true(t.dx[i] == 0.0f);
        } else {
            alive = t.dx;
            t.dx = NULL;
        }
        end(&t);
    }
    free(alive);
}

static void test_for_attacks(void **state)
{
    struct trial t;

    (void)state;
    begin(&t, (const struct op[]){ { .op = BIOFT_OP_FLATTEN, .in = -1 }, { .op = BIOFT_OP_LINEAR, .out = 2 }, { 0 } },
          1, BIOFT_TRAIN);
    assert_int_not_equal(back(&t, BIOFT_EXACT | BIOFT_STRAIGHT_THROUGH), BIOFT_OK);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_value),
        cmocka_unit_test(test_maxpool),
        cmocka_unit_test(test_behind_convolutions),
        cmocka_unit_test(test_for_attacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
