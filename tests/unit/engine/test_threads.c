/* One, two and three threads, or two of them three times where the engine says that their number matters: the same
 * bits, in training, evaluation, attacks, updates and single layers. */
#include "compare.h"
#include "net.h"

#include <stdlib.h>

/* Large enough that every kind of division happens: by images, by rows, by channels, by features, by sums. */
static const struct op large[] = {
    { .op = BIOFT_OP_CONV2D, .out = 24, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 }, .no_bias = true },
    { .op = BIOFT_OP_BATCHNORM },
    { .op = BIOFT_OP_RELU },
    { .op = BIOFT_OP_CONV2D, .out = 48, .kernel = { 5, 5 }, .padding = { 2, 2, 2, 2 } },
    { .op = BIOFT_OP_RELU },
    { .op = BIOFT_OP_MAXPOOL, .kernel = { 2, 2 } },
    { .op = BIOFT_OP_CONV2D, .out = 48, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 }, .groups = 2 },
    { .op = BIOFT_OP_ADD, .in = 7, .in2 = 6 },
    { .op = BIOFT_OP_DROPOUT, .dropout = 0.25f },
    { .op = BIOFT_OP_FLATTEN },
    { .op = BIOFT_OP_LINEAR, .out = 130 },
    { .op = BIOFT_OP_TANH },
    { .op = BIOFT_OP_LINEAR, .out = 10 },
    { 0 },
};
static const struct op small[] = {
    { .op = BIOFT_OP_CONV2D, .out = 6, .kernel = { 5, 5 }, .padding = { 2, 2, 2, 2 } },
    { .op = BIOFT_OP_RELU },
    { .op = BIOFT_OP_MAXPOOL, .kernel = { 2, 2 } },
    { .op = BIOFT_OP_CONV2D, .out = 16, .kernel = { 5, 5 } },
    { .op = BIOFT_OP_RELU },
    { .op = BIOFT_OP_MAXPOOL, .kernel = { 2, 2 } },
    { .op = BIOFT_OP_FLATTEN },
    { .op = BIOFT_OP_LINEAR, .out = 120 },
    { .op = BIOFT_OP_RELU },
    { .op = BIOFT_OP_LINEAR, .out = 10 },
    { 0 },
};
static const struct op deep[] = {
    { .op = BIOFT_OP_CONV2D, .out = 16, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 } },
    { .op = BIOFT_OP_RELU },
    { .op = BIOFT_OP_CONV2D, .out = 40, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 } },
    { .op = BIOFT_OP_RELU },
    { .op = BIOFT_OP_CONV2D, .out = 40, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 }, .no_bias = true },
    { .op = BIOFT_OP_ADD, .in = 4, .in2 = 5 },
    { .op = BIOFT_OP_FLATTEN },
    { .op = BIOFT_OP_LINEAR, .out = 10 },
    { 0 },
};
static const struct {
    const char *name;
    const struct op *ops;
    uint32_t channels, side, n;
} cases[] = {
    { "large", large, 3, 32, 5 },
    { "large, one image", large, 3, 32, 1 },
    { "small", small, 1, 28, 37 },
    { "deep", deep, 3, 13, 11 },
};

enum { STEPS = 2, FLOATS = 1 << 23 };

static void call(struct rig *r, bioft_status st)
{
    if (st != BIOFT_OK)
        fail_msg("%s", rig_error(r, st));
}

/* Everything that a run leaves behind, in one array. */
struct trace {
    float *values;
    size_t count;
};
static void put(struct trace *t, const float *values, size_t count)
{
    assert_true(t->count + count <= FLOATS);
    memcpy(t->values + t->count, values, count * sizeof *values);
    t->count += count;
}

static void train(struct rig *r, uint32_t n, const float *x, const float *d_out, struct trace *t)
{
    const struct net *net = r->net;
    const bioft_feedback f = {
        .struct_size = sizeof f, .g = BIOFT_G_SIGN, .m = BIOFT_M_UNIFORM, .high = 1, .scale = BIOFT_SCALE_MATCH_NORM
    };
    float *out = net_random(n * net->graph.outputs, 1), *dx = net_random(n * node_count(&net->nodes[0]), 1);
    double lr[PARAMETERS];
    void *p = rig_program(r, BIOFT_TRAIN, n == 1 ? BIOFT_FROZEN_BATCHNORM : 0, n + 3, NULL);

    for (uint32_t l = 1; l < net->graph.layer_count; l++)
        call(r, r->api->set_feedback(r->self, r->model, l, &f, 0));
    for (uint32_t i = 0; i < net->graph.parameter_count; i++)
        lr[i] = 1e-2;
    for (uint64_t step = 1; step <= STEPS; step++) {
        const bioft_update u = { .struct_size = sizeof u,
                                 .kind = BIOFT_ADAM,
                                 .t = step,
                                 .lr = lr,
                                 .beta1 = 0.9,
                                 .beta2 = 0.999,
                                 .eps = 1e-8,
                                 .weight_decay = 1e-3,
                                 .gradient_scale = 1 };
        uint32_t bad;
        call(r, r->api->forward(r->self, p, n, x, step, out));
        put(t, out, n * net->graph.outputs);
        call(r, r->api->backward(r->self, p, d_out, 0, dx, NULL));
        put(t, dx, n * node_count(&net->nodes[0]));
        call(r, r->api->update(r->self, r->model, &u, NULL, &bad));
    }
    for (uint32_t i = 0; i < net->graph.parameter_count; i++) {
        float *w = rig_read(r, BIOFT_VALUE, i);
        put(t, w, net->parameters[i].count);
        free(w);
    }
    r->api->program_destroy(r->self, p);
    free(out);
    free(dx);
}

static void attack(struct rig *r, uint32_t n, const float *x, const float *d_out, struct trace *t)
{
    const struct net *net = r->net;
    float *out = net_random(n * net->graph.outputs, 1), *dx = net_random(n * node_count(&net->nodes[0]), 1);
    void *eval = rig_program(r, BIOFT_EVAL, 0, n, NULL), *p = rig_program(r, BIOFT_ATTACK, 0, n, NULL);

    call(r, r->api->forward(r->self, eval, n, x, 0, out));
    put(t, out, n * net->graph.outputs);
    call(r, r->api->forward(r->self, p, n, x, 0, out));
    put(t, out, n * net->graph.outputs);
    call(r, r->api->backward(r->self, p, d_out, BIOFT_EXACT, dx, NULL));
    put(t, dx, n * node_count(&net->nodes[0]));
    r->api->program_destroy(r->self, eval);
    r->api->program_destroy(r->self, p);
    free(out);
    free(dx);
}

static void layers_alone(struct rig *r, uint32_t n, struct trace *t)
{
    for (uint32_t l = 0; l < r->net->graph.layer_count; l++) {
        const bioft_layer *d = &r->net->layers[l];
        const size_t in = (size_t)n * d->in_channels * d->in_h * d->in_w;
        const size_t out = (size_t)n * d->out_channels * d->out_h * d->out_w;
        float *x = net_random(in, l), *y = net_random(out, l), *w = net_random(d->count, l);
        float *ret = net_random(in + out + d->count, l);

        call(r, r->api->layer(r->self, d, 0, n, w, x, ret));
        put(t, ret, out);
        call(r, r->api->layer(r->self, d, 1, n, w, y, ret));
        put(t, ret, in);
        call(r, r->api->layer(r->self, d, 2, n, x, y, ret));
        put(t, ret, d->count);
        free(x);
        free(y);
        free(w);
        free(ret);
    }
}

/* Of run 1, 2 and 3. */
static unsigned threads_of(unsigned run)
{
    char text[256];
    int32_t matter = 0;
    struct rig rig;

    rig_open(&rig, NULL, 1);
    assert_int_equal(rig.api->identity(rig.self, text, sizeof text, &matter), 0);
    rig_close(&rig);
    return matter ? 2 : run;
}

static void bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct net net;
        struct trace traces[3];
        const uint32_t n = cases[i].n;
        float *x, *d_out;

        net_make(&net, cases[i].channels, cases[i].side, cases[i].side, cases[i].ops);
        x = net_random(n * node_count(&net.nodes[0]), 1);
        d_out = net_random(n * net.graph.outputs, 2);
        for (unsigned threads = 1; threads <= 3; threads++) {
            struct rig rig;
            struct trace *t = &traces[threads - 1];
            *t = (struct trace){ .values = mem_array(FLOATS, sizeof(float)) };
            assert_non_null(t->values);
            rig_open(&rig, &net, threads_of(threads));
            train(&rig, n, x, d_out, t);
            attack(&rig, n, x, d_out, t);
            rig_close(&rig);
        }
        for (int k = 1; k < 3; k++) {
            assert_int_equal(traces[k].count, traces[0].count);
            assert_bits(cases[i].name, traces[k].values, traces[0].values, traces[0].count);
        }
        for (int k = 0; k < 3; k++)
            free(traces[k].values);
        net_free(&net);
        free(x);
        free(d_out);
    }
}

static void bits_of_layers_alone(void **state)
{
    struct net net;
    struct trace traces[3];

    (void)state;
    net_make(&net, 3, 32, 32, large);
    for (unsigned threads = 1; threads <= 3; threads++) {
        struct rig rig;
        traces[threads - 1] = (struct trace){ .values = mem_array(FLOATS, sizeof(float)) };
        rig_open(&rig, &net, threads_of(threads));
        layers_alone(&rig, 3, &traces[threads - 1]);
        rig_close(&rig);
    }
    for (int k = 1; k < 3; k++)
        assert_bits("layers alone", traces[k].values, traces[0].values, traces[0].count);
    for (int k = 0; k < 3; k++)
        free(traces[k].values);
    net_free(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(bits), cmocka_unit_test(bits_of_layers_alone) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
