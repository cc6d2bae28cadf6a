/* Feedback weights: written, declared and exact; what they change in a backward pass and what they must not. */
#include "compare.h"
#include "reference.h"

#include "base/random.h"
#include <stdio.h>
#include <stdlib.h>

/* conv, relu, conv, pool, linear, tanh, linear: feedback has to pass all kinds of layers. */
static const struct op ops[] = {
    { .op = BIOFT_OP_CONV2D, .out = 3, .kernel = { 3, 3 }, .padding = { 1, 0, 1, 1 } },
    { .op = BIOFT_OP_RELU },
    { .op = BIOFT_OP_CONV2D, .out = 4, .kernel = { 3, 2 }, .stride = { 2, 2 } },
    { .op = BIOFT_OP_BATCHNORM },
    { .op = BIOFT_OP_RELU },
    { .op = BIOFT_OP_FLATTEN },
    { .op = BIOFT_OP_LINEAR, .out = 6 },
    { .op = BIOFT_OP_TANH },
    { .op = BIOFT_OP_LINEAR, .out = 3 },
    { 0 },
};
enum { N = 3 };

struct trial {
    struct net net;
    struct rig rig;
    void *program;
    float *x, *d_out, *out, *dx;
};

static int begin(void **state)
{
    struct trial *t = mem_array(1, sizeof *t);

    assert_non_null(t);
    net_make(&t->net, 2, 7, 6, ops);
    rig_open(&t->rig, &t->net, 2);
    t->program = rig_program(&t->rig, BIOFT_TRAIN, 0, 4, NULL);
    t->x = net_random(N * node_count(&t->net.nodes[0]), 1);
    t->d_out = net_random(N * t->net.graph.outputs, 2);
    t->out = net_random(N * t->net.graph.outputs, 3);
    t->dx = net_random(N * node_count(&t->net.nodes[0]), 4);
    *state = t;
    return 0;
}

static int end(void **state)
{
    struct trial *t = *state;

    t->rig.api->program_destroy(t->rig.self, t->program);
    rig_close(&t->rig);
    net_free(&t->net);
    free(t->x);
    free(t->d_out);
    free(t->out);
    free(t->dx);
    free(t);
    return 0;
}

static void call(struct trial *t, bioft_status st)
{
    if (st != BIOFT_OK)
        fail_msg("%s", rig_error(&t->rig, st));
}

static uint32_t weight_of(const struct net *n, uint32_t layer)
{
    for (uint32_t i = 0; i < n->graph.parameter_count; i++)
        if (n->parameters[i].kind == BIOFT_PARAM_WEIGHT && n->parameters[i].layer == layer)
            return i;
    fail_msg("layer %u has no weight", layer);
    return 0;
}

static void run(struct trial *t, uint32_t flags)
{
    call(t, t->rig.api->forward(t->rig.self, t->program, N, t->x, 0, t->out));
    call(t, t->rig.api->backward(t->rig.self, t->program, t->d_out, flags, t->dx, NULL));
}

/* dx by V, dW by the true input, biases, gamma and beta by the error that arrives. */
static void written_feedback(void **state)
{
    struct trial *t = *state;
    struct net *n = &t->net;
    struct reference r;
    double *want;

    for (uint32_t l = 0; l < n->graph.layer_count; l++) {
        n->feedback[l] = net_random(n->layers[l].count, 200 + l);
        call(t, t->rig.api->write(t->rig.self, t->rig.model, BIOFT_FEEDBACK, weight_of(n, l), n->feedback[l],
                                  n->layers[l].count));
    }
    reference_make(&r, n, N, t->x, true, false, 0);
    run(t, 0);
    want = reference_gradient(&r, BIOFT_NONE, t->d_out);
    assert_near("dx", t->dx, want, N * node_count(&n->nodes[0]), 5e-5, 0.1);
    free(want);
    for (uint32_t i = 0; i < n->graph.parameter_count; i++) {
        float *got;
        if (n->parameters[i].kind == BIOFT_PARAM_RUNNING)
            continue;
        got = rig_read(&t->rig, BIOFT_GRADIENT, i);
        want = reference_gradient(&r, i, t->d_out);
        assert_near(n->parameters[i].name, got, want, n->parameters[i].count, 5e-5, 0.1);
        free(got);
        free(want);
    }
    reference_free(&r);
}

/* All gradients of a pass, one after the other; freed with free(). */
static float *gradients(struct trial *t, size_t *ret_count)
{
    const struct net *n = &t->net;
    size_t inputs = N * node_count(&n->nodes[0]), count = inputs;
    float *all = mem_array(65536, sizeof *all);

    assert_non_null(all);
    memcpy(all, t->dx, inputs * sizeof *all);
    for (uint32_t i = 0; i < n->graph.parameter_count; i++) {
        float *g;
        if (n->parameters[i].kind == BIOFT_PARAM_RUNNING)
            continue;
        g = rig_read(&t->rig, BIOFT_GRADIENT, i);
        memcpy(all + count, g, n->parameters[i].count * sizeof *all);
        count += n->parameters[i].count;
        free(g);
    }
    *ret_count = count;
    return all;
}

/* V = W by default, V := W by the flag, V = W as numbers: one result, bit for bit. */
static void exact_is_feedback_by_weights(void **state)
{
    struct trial *t = *state;
    const struct net *n = &t->net;
    size_t count;
    float *want, *got;

    run(t, 0);
    want = gradients(t, &count);
    for (uint32_t l = 0; l < n->graph.layer_count; l++) {
        float *v = net_random(n->layers[l].count, 300);
        call(t, t->rig.api->write(t->rig.self, t->rig.model, BIOFT_FEEDBACK, weight_of(n, l), v, n->layers[l].count));
        free(v);
    }
    run(t, 0);
    got = gradients(t, &count);
    assert_true(memcmp(got, want, count * sizeof *got) != 0);
    free(got);
    run(t, BIOFT_EXACT);
    got = gradients(t, &count);
    assert_bits("EXACT", got, want, count);
    free(got);
    for (uint32_t l = 0; l < n->graph.layer_count; l++)
        call(t, t->rig.api->write(t->rig.self, t->rig.model, BIOFT_FEEDBACK, weight_of(n, l),
                                  n->values[weight_of(n, l)], n->layers[l].count));
    run(t, 0);
    got = gradients(t, &count);
    assert_bits("V written as W", got, want, count);
    free(got);
    for (uint32_t l = 0; l < n->graph.layer_count; l++)
        call(t, t->rig.api->set_feedback(t->rig.self, t->rig.model, l, NULL, 0));
    run(t, 0);
    got = gradients(t, &count);
    assert_bits("no feedback of its own", got, want, count);
    free(got);
    free(want);
}

/* V as rule.h defines it, in double. */
static void formula(const struct net *n, uint32_t l, const float *w, const bioft_feedback *f, uint64_t draw,
                    double *ret)
{
    const size_t count = n->layers[l].count;
    float *m = mem_array(count, sizeof *m);
    double ww = 0, vv = 0, s = 1;
    char stream[64];

    assert_non_null(m);
    snprintf(stream, sizeof stream, "feedback/%s", n->layers[l].name);
    random_fill(f->m == BIOFT_M_UNIFORM ? BIOFT_UNIFORM : BIOFT_NORMAL, SEED, stream, draw, 0, m, count);
    for (size_t i = 0; i < count; i++) {
        const double low = (double)f->low, high = (double)f->high;
        double magnitude = f->m == BIOFT_M_ONES      ? 1
                           : f->m == BIOFT_M_UNIFORM ? low + (high - low) * (double)m[i]
                                                     : low + high * (double)m[i];
        double g = f->g == BIOFT_G_IDENTITY ? (double)w[i] : f->g == BIOFT_G_SIGN ? (w[i] > 0) - (w[i] < 0) : 1;
        if (f->m == BIOFT_M_ABS_NORMAL)
            magnitude = fabs(magnitude);
        ret[i] = magnitude * g;
        ww += (double)w[i] * (double)w[i];
        vv += ret[i] * ret[i];
    }
    if (f->scale == BIOFT_SCALE_XAVIER)
        s = sqrt(2.0 / (double)(n->layers[l].fan_in + n->layers[l].fan_out));
    if (f->scale == BIOFT_SCALE_KAIMING)
        s = 1 / sqrt(3.0 * (double)n->layers[l].fan_in);
    if (f->scale == BIOFT_SCALE_MATCH_NORM)
        s = sqrt(ww / vv);
    if (f->scale == BIOFT_SCALE_CONSTANT)
        s = (double)f->constant;
    for (size_t i = 0; i < count; i++)
        ret[i] *= s;
    free(m);
}

/* A uniform M is the generator's number for number, whoever makes it: each is rounded after the product and after the sum. */
static void check_bits(struct trial *t, uint32_t l, const bioft_feedback *f, uint64_t draw, const float *got)
{
    const size_t count = t->net.layers[l].count;
    float *want = mem_array(count, sizeof *want);
    char stream[64];

    assert_non_null(want);
    snprintf(stream, sizeof stream, "feedback/%s", t->net.layers[l].name);
    random_fill(BIOFT_UNIFORM, SEED, stream, draw, 0, want, count);
    for (size_t i = 0; i < count; i++) {
        volatile float part = (f->high - f->low) * want[i];
        want[i] = f->low + part;
    }
    assert_bits("a uniform M", got, want, count);
    free(want);
}

static void check_declared(struct trial *t, uint32_t l, const bioft_feedback *f, uint64_t draw, const float *w)
{
    const size_t count = t->net.layers[l].count;
    double *want = mem_array(count, sizeof *want);
    float *got;
    char what[80];

    assert_non_null(want);
    formula(&t->net, l, w, f, draw, want);
    got = rig_read(&t->rig, BIOFT_FEEDBACK, weight_of(&t->net, l));
    snprintf(what, sizeof what, "g %u, m %u, redraw %u, scale %u", f->g, f->m, f->redraw, f->scale);
    assert_near(what, got, want, count, 1e-6, 0);
    if (f->m == BIOFT_M_UNIFORM && f->g == BIOFT_G_ONE && f->scale == BIOFT_SCALE_NONE)
        check_bits(t, l, f, draw, got);
    free(got);
    free(want);
}

/* Every g, M, redraw and scale; again after W has changed; again with another draw. */
static void declared_feedback(void **state)
{
    struct trial *t = *state;
    struct net *n = &t->net;

    for (uint32_t l = 0; l < n->graph.layer_count; l += 2)
        for (uint32_t k = 0; k < 3 * 4 * 2 * 5; k++) {
            const bioft_feedback f = { .struct_size = sizeof f,
                                       .g = k % 3,
                                       .m = k / 3 % 4,
                                       .redraw = k / 12 % 2,
                                       .scale = k / 24,
                                       .constant = 0.7f,
                                       .low = -0.5f,
                                       .high = 1.5f };
            float *w = net_random(n->layers[l].count, 400 + k);
            w[1] = 0; /* sends nothing back by its sign */
            call(t, t->rig.api->set_feedback(t->rig.self, t->rig.model, l, &f, 5));
            call(t, t->rig.api->write(t->rig.self, t->rig.model, BIOFT_VALUE, weight_of(n, l), w, n->layers[l].count));
            check_declared(t, l, &f, 5, w);
            w[0] = -2 * w[0];
            call(t, t->rig.api->write(t->rig.self, t->rig.model, BIOFT_VALUE, weight_of(n, l), w, n->layers[l].count));
            check_declared(t, l, &f, 5, w);
            call(t, t->rig.api->set_feedback(t->rig.self, t->rig.model, l, &f, 6));
            check_declared(t, l, &f, 6, w);
            free(w);
        }
}

/* A pass uses the same V that is read: declared, then written as numbers, bit for bit. */
static void declared_feedback_is_what_backward_uses(void **state)
{
    struct trial *t = *state;
    const struct net *n = &t->net;
    const bioft_feedback f = {
        .struct_size = sizeof f, .g = BIOFT_G_SIGN, .m = BIOFT_M_UNIFORM, .high = 1, .scale = BIOFT_SCALE_XAVIER
    };
    size_t count;
    float *want, *got;

    for (uint32_t l = 0; l < n->graph.layer_count; l++)
        call(t, t->rig.api->set_feedback(t->rig.self, t->rig.model, l, &f, 0));
    run(t, 0);
    want = gradients(t, &count);
    for (uint32_t l = 0; l < n->graph.layer_count; l++) {
        float *v = rig_read(&t->rig, BIOFT_FEEDBACK, weight_of(n, l));
        call(t, t->rig.api->write(t->rig.self, t->rig.model, BIOFT_FEEDBACK, weight_of(n, l), v, n->layers[l].count));
        free(v);
    }
    run(t, 0);
    got = gradients(t, &count);
    assert_bits("V written", got, want, count);
    free(got);
    free(want);
}

/* V of the last layer, and of the first, do not enter that layer's own dW. */
static void the_first_layers_feedback_moves_only_the_input(void **state)
{
    struct trial *t = *state;
    const struct net *n = &t->net;
    const size_t inputs = N * node_count(&n->nodes[0]);
    float *v = net_random(n->layers[0].count, 9), *want, *got;
    size_t count;

    run(t, 0);
    want = gradients(t, &count);
    call(t, t->rig.api->write(t->rig.self, t->rig.model, BIOFT_FEEDBACK, weight_of(n, 0), v, n->layers[0].count));
    run(t, 0);
    got = gradients(t, &count);
    assert_true(memcmp(got, want, inputs * sizeof *got) != 0);
    assert_bits("parameters", got + inputs, want + inputs, count - inputs);
    free(v);
    free(got);
    free(want);
}

static void refusals(void **state)
{
    struct trial *t = *state;
    bioft_feedback f = { .struct_size = sizeof f, .g = 3 };
    float v[3] = { 0 };

    assert_int_equal(t->rig.api->set_feedback(t->rig.self, t->rig.model, 0, &f, 0), BIOFT_ERR_UNSUPPORTED);
    f = (bioft_feedback){ .struct_size = sizeof f, .m = BIOFT_M_NORMAL, .high = INFINITY };
    assert_int_equal(t->rig.api->set_feedback(t->rig.self, t->rig.model, 0, &f, 0), BIOFT_ERR_INVALID);
    assert_int_equal(t->rig.api->set_feedback(t->rig.self, t->rig.model, 99, NULL, 0), BIOFT_ERR_INVALID);
    assert_int_equal(t->rig.api->write(t->rig.self, t->rig.model, BIOFT_FEEDBACK, 1, v, 3), BIOFT_ERR_INVALID);
    assert_non_null(strstr(rig_error(&t->rig, BIOFT_ERR_INVALID), "conv1.bias"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(written_feedback, begin, end),
        cmocka_unit_test_setup_teardown(exact_is_feedback_by_weights, begin, end),
        cmocka_unit_test_setup_teardown(declared_feedback, begin, end),
        cmocka_unit_test_setup_teardown(declared_feedback_is_what_backward_uses, begin, end),
        cmocka_unit_test_setup_teardown(the_first_layers_feedback_moves_only_the_input, begin, end),
        cmocka_unit_test_setup_teardown(refusals, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
