/* Every operator, forward and backward, against a plain double-precision pass and finite differences of it. */
#include "compare.h"
#include "reference.h"

#include <stdio.h>
#include <stdlib.h>

/* The words of the table below. */
#define CONV .op = BIOFT_OP_CONV2D
#define LINEAR .op = BIOFT_OP_LINEAR
#define NORM .op = BIOFT_OP_BATCHNORM
#define RELU .op = BIOFT_OP_RELU
#define TANH .op = BIOFT_OP_TANH
#define MAX .op = BIOFT_OP_MAXPOOL
#define AVG .op = BIOFT_OP_AVGPOOL
#define ADAPTIVE .op = BIOFT_OP_ADAPTIVE_AVGPOOL
#define DROP .op = BIOFT_OP_DROPOUT
#define ADD .op = BIOFT_OP_ADD
#define FLAT .op = BIOFT_OP_FLATTEN

struct net_case {
    const char *name;
    uint32_t channels, height, width;
    struct op ops[16];
};

static const struct net_case cases[] = {
    { "linear", 5, 1, 1, { { LINEAR, .out = 4 }, { TANH }, { LINEAR, .out = 3, .no_bias = true } } },
    { "conv", 2, 6, 5, { { CONV, .out = 3, .kernel = { 3, 2 } }, { RELU },
        { CONV, .out = 2, .kernel = { 2, 2 } } } },
    { "conv, a stride that does not divide", 3, 8, 7,
      { { CONV, .out = 4, .kernel = { 3, 3 }, .stride = { 3, 2 } }, { TANH },
        { CONV, .out = 2, .kernel = { 1, 2 }, .stride = { 1, 2 } } } },
    { "conv, padding on four sides", 2, 5, 6,
      { { CONV, .out = 3, .kernel = { 4, 3 }, .padding = { 1, 2, 3, 0 } }, { TANH },
        { CONV, .out = 2, .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 2, 0, 1, 1 } } } },
    { "conv, padding beyond the kernel", 1, 3, 3,
      { { CONV, .out = 2, .kernel = { 2, 2 }, .padding = { 3, 3, 3, 3 }, .stride = { 2, 2 } }, { TANH } } },
    { "conv, groups", 6, 5, 5,
      { { CONV, .out = 4, .kernel = { 3, 3 }, .groups = 2, .padding = { 1, 1, 1, 1 } }, { TANH },
        { CONV, .out = 8, .kernel = { 2, 2 }, .groups = 4, .no_bias = true } } },
    { "conv, one group a channel", 4, 5, 5,
      { { CONV, .out = 4, .kernel = { 3, 3 }, .groups = 4 }, { TANH },
        { CONV, .out = 4, .kernel = { 2, 2 }, .groups = 4 } } },
    { "conv, dilation", 2, 9, 8,
      { { CONV, .out = 3, .kernel = { 3, 2 }, .dilation = { 2, 3 }, .padding = { 1, 0, 2, 1 }, .stride = { 1, 2 } },
        { TANH }, { CONV, .out = 2, .kernel = { 2, 2 }, .dilation = { 2, 1 } } } },
    { "conv 1x1", 5, 4, 3, { { CONV, .out = 3, .kernel = { 1, 1 } }, { RELU },
        { CONV, .out = 4, .kernel = { 1, 1 }, .no_bias = true } } },
    { "conv 1x1, groups and stride", 4, 5, 4,
      { { CONV, .out = 6, .kernel = { 1, 1 }, .groups = 2 }, { TANH },
        { CONV, .out = 2, .kernel = { 1, 1 }, .stride = { 2, 2 } } } },
    { "batchnorm", 2, 4, 3,
      { { CONV, .out = 3, .kernel = { 2, 2 }, .no_bias = true }, { NORM }, { RELU },
        { CONV, .out = 2, .kernel = { 2, 2 } }, { NORM }, { TANH } } },
    { "batchnorm of features", 6, 1, 1, { { LINEAR, .out = 5 }, { NORM }, { TANH }, { LINEAR, .out = 3 } } },
    { "batchnorm first", 3, 3, 3, { { NORM, .in = -1 }, { TANH }, { FLAT }, { LINEAR, .out = 2 } } },
    { "tanh after tanh", 4, 1, 1, { { LINEAR, .out = 6 }, { TANH }, { TANH }, { DROP, .dropout = 0.4f },
        { LINEAR, .out = 3 }, { TANH }, { DROP, .dropout = 0.2f } } },
    { "relu after tanh", 4, 1, 1, { { LINEAR, .out = 6 }, { TANH }, { RELU }, { LINEAR, .out = 3 },
        { RELU }, { TANH } } },
    { "maxpool", 2, 6, 7, { { CONV, .out = 2, .kernel = { 1, 1 } }, { MAX, .kernel = { 2, 2 } }, { TANH } } },
    { "maxpool, overlapping and padded", 2, 7, 6,
      { { CONV, .out = 2, .kernel = { 2, 2 } },
        { MAX, .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 1, 1, 1, 1 } } } },
    { "maxpool, ceil_mode", 2, 6, 7,
      { { MAX, .in = -1, .kernel = { 3, 2 }, .stride = { 2, 2 }, .ceil_mode = true },
        { CONV, .out = 2, .kernel = { 2, 2 } } } },
    { "maxpool, ceil_mode with a window that would begin outside", 1, 5, 5,
      { { MAX, .in = -1, .kernel = { 2, 2 }, .stride = { 3, 3 }, .padding = { 1, 1, 1, 1 }, .ceil_mode = true },
        { TANH } } },
    { "maxpool 2x2 on odd sides", 2, 5, 7, { { CONV, .out = 3, .kernel = { 1, 1 } }, { RELU },
        { MAX, .kernel = { 2, 2 } } } },
    { "avgpool", 2, 6, 6, { { CONV, .out = 2, .kernel = { 2, 2 } },
        { AVG, .kernel = { 2, 3 }, .stride = { 1, 2 } } } },
    { "avgpool, padded", 2, 5, 5,
      { { AVG, .in = -1, .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 1, 0, 1, 1 } },
        { CONV, .out = 2, .kernel = { 2, 2 } } } },
    { "avgpool, padding excluded", 2, 5, 5,
      { { TANH, .in = -1 },
        { AVG, .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 1, 1, 1, 1 }, .exclude_padding = true } } },
    { "avgpool, ceil_mode", 1, 6, 6,
      { { TANH, .in = -1 },
        { AVG, .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 0, 1, 0, 1 }, .ceil_mode = true } } },
    { "adaptive_avgpool, fewer", 2, 7, 5, { { CONV, .out = 2, .kernel = { 1, 1 } },
        { ADAPTIVE, .height = 3, .width = 2 } } },
    { "adaptive_avgpool, more", 2, 3, 2, { { TANH, .in = -1 }, { ADAPTIVE, .height = 4, .width = 5 } } },
    { "adaptive_avgpool to one", 3, 4, 4,
      { { CONV, .out = 3, .kernel = { 2, 2 } }, { RELU }, { ADAPTIVE, .height = 1, .width = 1 }, { FLAT },
        { LINEAR, .out = 2 } } },
    { "dropout", 4, 3, 3,
      { { CONV, .out = 4, .kernel = { 2, 2 } }, { DROP, .dropout = 0.3f }, { RELU }, { FLAT },
        { DROP, .dropout = 0.5f }, { LINEAR, .out = 3 } } },
    { "a residual block", 3, 5, 5,
      { { CONV, .out = 4, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 }, .no_bias = true }, { NORM }, { RELU },
        { CONV, .out = 4, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 }, .stride = { 2, 2 }, .no_bias = true },
        { NORM }, { RELU },
        { CONV, .out = 4, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 }, .no_bias = true }, { NORM },
        { CONV, .in = 3, .out = 4, .kernel = { 1, 1 }, .stride = { 2, 2 }, .no_bias = true }, { NORM },
        { ADD, .in = 8, .in2 = 10 }, { RELU }, { ADAPTIVE, .height = 1, .width = 1 }, { FLAT },
        { LINEAR, .out = 3 } } },
    { "a sum with the input and with itself", 3, 3, 3,
      { { CONV, .out = 3, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 } }, { ADD, .in = 1, .in2 = 1 }, { TANH },
        { CONV, .out = 3, .kernel = { 1, 1 } }, { ADD, .in = 4, .in2 = 3 }, { RELU },
        { CONV, .out = 3, .kernel = { 1, 1 } },
        { ADD, .in = 7, .in2 = 1 }, { FLAT }, { LINEAR, .out = 2 } } },
    { "activations beside their inputs", 2, 3, 3,
      { { CONV, .out = 3, .kernel = { 2, 2 } }, { RELU }, { ADD, .in = 2, .in2 = 1 }, { TANH },
        { ADD, .in = 4, .in2 = 3 }, { NORM }, { ADD, .in = 6, .in2 = 5 }, { DROP, .dropout = 0.5f },
        { ADD, .in = 8, .in2 = 7 } } },
    { "flatten with two readers", 2, 2, 2,
      { { CONV, .out = 2, .kernel = { 1, 1 } }, { FLAT }, { LINEAR, .out = 8 },
        { ADD, .in = 3, .in2 = 2 }, { TANH } } },
    { "lenet5", 1, 14, 14,
      { { CONV, .out = 3, .kernel = { 5, 5 }, .padding = { 2, 2, 2, 2 } }, { RELU },
        { MAX, .kernel = { 2, 2 } },
        { CONV, .out = 4, .kernel = { 4, 4 } }, { RELU }, { MAX, .kernel = { 2, 2 } }, { FLAT },
        { LINEAR, .out = 6 }, { RELU },
        { LINEAR, .out = 5 }, { RELU }, { LINEAR, .out = 3 } } },
};

enum { LARGEST = 5, KEY = 17 };

struct trial {
    struct net net;
    struct rig rig;
    struct reference reference;
    float *x, *d_out, *out, *dx;
    uint32_t n;
};

static void begin(struct trial *t, const struct net_case *c, uint32_t n, bool batch_statistics, bool dropout)
{
    net_make(&t->net, c->channels, c->height, c->width, c->ops);
    rig_open(&t->rig, &t->net, 2);
    t->n = n;
    t->x = net_random(n * node_count(&t->net.nodes[0]), 1);
    t->d_out = net_random(n * t->net.graph.outputs, 2);
    t->out = net_random(n * t->net.graph.outputs, 3);
    t->dx = net_random(n * node_count(&t->net.nodes[0]), 4);
    reference_make(&t->reference, &t->net, n, t->x, batch_statistics, dropout, KEY);
}

static void end(struct trial *t)
{
    reference_free(&t->reference);
    rig_close(&t->rig);
    net_free(&t->net);
    free(t->x);
    free(t->d_out);
    free(t->out);
    free(t->dx);
}

static void check_output(struct trial *t, const char *name)
{
    assert_near(name, t->out, reference_output(&t->reference), t->n * t->net.graph.outputs, 3e-6, 1e-3);
}

static void check_gradient(struct trial *t, const char *name, uint32_t parameter, const float *got, double factor)
{
    const size_t count = parameter == BIOFT_NONE ? t->n * node_count(&t->net.nodes[0])
                                                 : t->net.parameters[parameter].count;
    double *want = reference_gradient(&t->reference, parameter, t->d_out);
    char text[160];

    for (size_t i = 0; i < count; i++)
        want[i] *= factor;
    snprintf(text, sizeof text, "%s: gradient of %s", name,
             parameter == BIOFT_NONE ? "the input" : t->net.parameters[parameter].name);
    assert_near(text, got, want, count, 3e-5, 0.1);
    free(want);
}

static void check_gradients(struct trial *t, const char *name, double factor)
{
    for (uint32_t i = 0; i < t->net.graph.parameter_count; i++) {
        float *got;
        if (t->net.parameters[i].kind == BIOFT_PARAM_RUNNING)
            continue;
        got = rig_read(&t->rig, BIOFT_GRADIENT, i);
        check_gradient(t, name, i, got, factor);
        free(got);
    }
}

static void call(struct trial *t, bioft_status st)
{
    if (st != BIOFT_OK)
        fail_msg("%s", rig_error(&t->rig, st));
}

/* Running statistics after one batch: 0.9 old + 0.1 new, the variance unbiased. */
static void check_running(struct trial *t, const char *name)
{
    for (uint32_t i = 1; i < t->net.graph.node_count; i++) {
        const bioft_node *d = &t->net.nodes[i];
        float *mean, *variance;
        if (d->op != BIOFT_OP_BATCHNORM)
            continue;
        mean = rig_read(&t->rig, BIOFT_VALUE, d->running_mean);
        variance = rig_read(&t->rig, BIOFT_VALUE, d->running_var);
        for (uint32_t c = 0; c < d->channels; c++) {
            const double count = (double)t->n * d->height * d->width;
            double m, v, want;
            reference_statistics(&t->reference, i, c, &m, &v);
            want = 0.9 * (double)t->net.values[d->running_mean][c] + 0.1 * m;
            assert_near(name, &mean[c], &want, 1, 1e-5, 0.1);
            want = 0.9 * (double)t->net.values[d->running_var][c] + 0.1 * v * count / (count - 1);
            assert_near(name, &variance[c], &want, 1, 1e-5, 0.1);
        }
        free(mean);
        free(variance);
    }
}

/* A batch smaller than compiled, with and without the input's gradient, then twice into the same gradients. */
static void training(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trial t;
        void *p;

        begin(&t, &cases[i], 3, true, true);
        p = rig_program(&t.rig, BIOFT_TRAIN, 0, LARGEST, NULL);
        call(&t, t.rig.api->forward(t.rig.self, p, t.n, t.x, KEY, t.out));
        check_output(&t, cases[i].name);
        call(&t, t.rig.api->backward(t.rig.self, p, t.d_out, 0, t.dx, NULL));
        check_gradient(&t, cases[i].name, BIOFT_NONE, t.dx, 1);
        check_gradients(&t, cases[i].name, 1);
        call(&t, t.rig.api->backward(t.rig.self, p, t.d_out, 0, NULL, NULL));
        check_gradients(&t, cases[i].name, 1);
        call(&t, t.rig.api->backward(t.rig.self, p, t.d_out, BIOFT_ACCUMULATE, t.dx, NULL));
        check_gradients(&t, cases[i].name, 2);
        check_gradient(&t, cases[i].name, BIOFT_NONE, t.dx, 1);
        call(&t, t.rig.api->backward(t.rig.self, p, t.d_out, BIOFT_NO_PARAMETERS, t.dx, NULL));
        check_gradients(&t, cases[i].name, 2);
        check_gradient(&t, cases[i].name, BIOFT_NONE, t.dx, 1);
        check_running(&t, cases[i].name);
        t.rig.api->program_destroy(t.rig.self, p);
        end(&t);
    }
}

static void training_with_frozen_batchnorm(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trial t;
        void *p;
        float *before, *after;

        begin(&t, &cases[i], 2, false, true);
        p = rig_program(&t.rig, BIOFT_TRAIN, BIOFT_FROZEN_BATCHNORM, LARGEST, NULL);
        call(&t, t.rig.api->forward(t.rig.self, p, t.n, t.x, KEY, t.out));
        check_output(&t, cases[i].name);
        call(&t, t.rig.api->backward(t.rig.self, p, t.d_out, 0, t.dx, NULL));
        check_gradient(&t, cases[i].name, BIOFT_NONE, t.dx, 1);
        check_gradients(&t, cases[i].name, 1);
        for (uint32_t k = 0; k < t.net.graph.parameter_count; k++) {
            before = t.net.values[k];
            after = rig_read(&t.rig, BIOFT_VALUE, k);
            assert_bits("a value that nothing updates", after, before, t.net.parameters[k].count);
            free(after);
        }
        t.rig.api->program_destroy(t.rig.self, p);
        end(&t);
    }
}

/* Evaluation and attack, and the two after each other in batches of several sizes. */
static void running(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (uint32_t n = 1; n <= LARGEST; n += 2) {
            struct trial t;
            void *eval, *attack;

            begin(&t, &cases[i], n, false, false);
            eval = rig_program(&t.rig, BIOFT_EVAL, 0, LARGEST, NULL);
            attack = rig_program(&t.rig, BIOFT_ATTACK, 0, LARGEST, NULL);
            call(&t, t.rig.api->forward(t.rig.self, eval, t.n, t.x, KEY, t.out));
            check_output(&t, cases[i].name);
            memset(t.out, 0, t.n * t.net.graph.outputs * sizeof *t.out);
            call(&t, t.rig.api->forward(t.rig.self, attack, t.n, t.x, KEY, t.out));
            check_output(&t, cases[i].name);
            for (int twice = 0; twice < 2; twice++) {
                memset(t.dx, 0, t.n * node_count(&t.net.nodes[0]) * sizeof *t.dx);
                call(&t, t.rig.api->backward(t.rig.self, attack, t.d_out, 0, t.dx, NULL));
                check_gradient(&t, cases[i].name, BIOFT_NONE, t.dx, 1);
            }
            t.rig.api->program_destroy(t.rig.self, eval);
            t.rig.api->program_destroy(t.rig.self, attack);
            end(&t);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training),
        cmocka_unit_test(training_with_frozen_batchnorm),
        cmocka_unit_test(running),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
