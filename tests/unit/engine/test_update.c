/* The optimizer's step against its formula in double, step by step. */
#include "compare.h"
#include "net.h"

#include <stdlib.h>

static const struct op ops[] = {
    { .op = BIOFT_OP_CONV2D, .out = 5, .kernel = { 3, 3 } },
    { .op = BIOFT_OP_BATCHNORM },
    { .op = BIOFT_OP_RELU },
    { .op = BIOFT_OP_FLATTEN },
    { .op = BIOFT_OP_LINEAR, .out = 200 },
    { .op = BIOFT_OP_RELU },
    { .op = BIOFT_OP_LINEAR, .out = 3 },
    { 0 },
};
enum { STEPS = 5 };

struct trial {
    struct net net;
    struct rig rig;
    void *program;
    double lr[PARAMETERS];
    double *w[PARAMETERS], *m[PARAMETERS], *v[PARAMETERS]; /* the formula's own */
};

static int begin(void **state)
{
    struct trial *t = mem_array(1, sizeof *t);

    assert_non_null(t);
    net_make(&t->net, 3, 12, 12, ops);
    rig_open(&t->rig, &t->net, 2);
    t->program = rig_program(&t->rig, BIOFT_TRAIN, 0, 2, NULL);
    for (uint32_t i = 0; i < t->net.graph.parameter_count; i++) {
        const size_t count = t->net.parameters[i].count;
        t->lr[i] = i == 3 ? 0 : 1e-2 / (i + 1);
        t->w[i] = mem_array(count, sizeof(double));
        t->m[i] = mem_array(count, sizeof(double));
        t->v[i] = mem_array(count, sizeof(double));
        for (size_t k = 0; k < count; k++)
            t->w[i][k] = (double)t->net.values[i][k];
    }
    *state = t;
    return 0;
}

static int end(void **state)
{
    struct trial *t = *state;

    t->rig.api->program_destroy(t->rig.self, t->program);
    for (uint32_t i = 0; i < t->net.graph.parameter_count; i++) {
        free(t->w[i]);
        free(t->m[i]);
        free(t->v[i]);
    }
    rig_close(&t->rig);
    net_free(&t->net);
    free(t);
    return 0;
}

static bool trained(const struct trial *t, uint32_t i)
{
    return t->net.parameters[i].kind != BIOFT_PARAM_RUNNING && t->lr[i] >= 0;
}

/* As bioft/engine.h writes it. */
static void formula(struct trial *t, uint32_t i, const bioft_update *u, const float *gradient)
{
    for (size_t k = 0; k < t->net.parameters[i].count; k++) {
        double *w = &t->w[i][k], *m = &t->m[i][k], *v = &t->v[i][k];
        double g = u->gradient_scale * (double)gradient[k] + u->weight_decay * *w;
        if (u->kind == BIOFT_ADAM) {
            *m = u->beta1 * *m + (1 - u->beta1) * g;
            *v = u->beta2 * *v + (1 - u->beta2) * g * g;
            *w -= t->lr[i] / (1 - pow(u->beta1, (double)u->t)) * *m /
                  (sqrt(*v) / sqrt(1 - pow(u->beta2, (double)u->t)) + u->eps);
        } else {
            *m = u->t == 1 ? g : u->momentum * *m + g;
            *w -= t->lr[i] * *m;
        }
    }
}

static void write_gradient(struct trial *t, uint32_t i, const float *g)
{
    assert_int_equal(t->rig.api->write(t->rig.self, t->rig.model, BIOFT_GRADIENT, i, g, t->net.parameters[i].count), 0);
}

static void step(struct trial *t, const bioft_update *u)
{
    uint32_t bad = 0;

    for (uint32_t i = 0; i < t->net.graph.parameter_count; i++) {
        float *g;
        if (t->net.parameters[i].kind == BIOFT_PARAM_RUNNING)
            continue;
        g = net_random(t->net.parameters[i].count, 1000 * u->t + i);
        write_gradient(t, i, g);
        if (trained(t, i))
            formula(t, i, u, g);
        free(g);
    }
    if (t->rig.api->update(t->rig.self, t->rig.model, u, NULL, &bad) != BIOFT_OK)
        fail_msg("%s", rig_error(&t->rig, BIOFT_ERR_INVALID));
    assert_int_equal(bad, BIOFT_NONE);
}

static void compare(struct trial *t, bool moment2)
{
    for (uint32_t i = 0; i < t->net.graph.parameter_count; i++) {
        const size_t count = t->net.parameters[i].count;
        float *w = rig_read(&t->rig, BIOFT_VALUE, i), *m, *v;
        assert_near(t->net.parameters[i].name, w, t->w[i], count, 2e-6, 0);
        free(w);
        if (!trained(t, i))
            continue;
        m = rig_read(&t->rig, BIOFT_MOMENT1, i);
        v = rig_read(&t->rig, BIOFT_MOMENT2, i);
        assert_near("moment 1", m, t->m[i], count, 2e-6, 0);
        if (moment2)
            assert_near("moment 2", v, t->v[i], count, 2e-6, 0);
        free(m);
        free(v);
    }
}

static void adam(void **state)
{
    struct trial *t = *state;

    for (uint64_t i = 1; i <= STEPS; i++) {
        step(t, &(bioft_update){ .struct_size = sizeof(bioft_update),
                                 .kind = BIOFT_ADAM,
                                 .t = i,
                                 .lr = t->lr,
                                 .beta1 = 0.9,
                                 .beta2 = 0.999,
                                 .eps = 1e-8,
                                 .weight_decay = 0.05,
                                 .gradient_scale = 0.5 });
        compare(t, true);
    }
}

/* From nothing every value moves by lr g / (|g| + eps). */
static void adam_begins_by_the_sign(void **state)
{
    struct trial *t = *state;
    float *g = net_random(t->net.parameters[0].count, 1000), *w;

    step(t, &(bioft_update){ .struct_size = sizeof(bioft_update),
                             .kind = BIOFT_ADAM,
                             .t = 1,
                             .lr = t->lr,
                             .beta1 = 0.9,
                             .beta2 = 0.999,
                             .eps = 1e-8,
                             .gradient_scale = 1 });
    w = rig_read(&t->rig, BIOFT_VALUE, 0);
    for (size_t k = 0; k < t->net.parameters[0].count; k++)
        assert_true(fabs((double)w[k] - ((double)t->net.values[0][k] - t->lr[0] * (g[k] > 0 ? 1 : -1))) < 1e-6);
    free(g);
    free(w);
}

static void sgd(void **state)
{
    struct trial *t = *state;

    for (uint64_t i = 1; i <= STEPS; i++) {
        step(t, &(bioft_update){ .struct_size = sizeof(bioft_update),
                                 .kind = BIOFT_SGD,
                                 .t = i,
                                 .lr = t->lr,
                                 .momentum = 0.9,
                                 .weight_decay = 0.01,
                                 .gradient_scale = 1 });
        compare(t, false);
    }
}

/* The first update begins anew, whatever a stage before has left in the buffer. */
static void sgd_begins_anew(void **state)
{
    struct trial *t = *state;
    float *stale = net_random(t->net.parameters[0].count, 5);

    assert_int_equal(t->rig.api->write(t->rig.self, t->rig.model, BIOFT_MOMENT1, 0, stale, t->net.parameters[0].count),
                     0);
    step(t, &(bioft_update){ .struct_size = sizeof(bioft_update),
                             .kind = BIOFT_SGD,
                             .t = 1,
                             .lr = t->lr,
                             .momentum = 0.9,
                             .gradient_scale = 1 });
    compare(t, false);
    free(stale);
}

/* Its buffer is not kept: the first moment stays zero. */
static void sgd_without_momentum(void **state)
{
    struct trial *t = *state;
    float *m;

    for (uint64_t i = 1; i <= 2; i++)
        step(t, &(bioft_update){
                    .struct_size = sizeof(bioft_update), .kind = BIOFT_SGD, .t = i, .lr = t->lr, .gradient_scale = 1 });
    m = rig_read(&t->rig, BIOFT_MOMENT1, 0);
    for (size_t k = 0; k < t->net.parameters[0].count; k++)
        assert_true(m[k] == 0);
    free(m);
    for (uint32_t i = 0; i < t->net.graph.parameter_count; i++) {
        float *w = rig_read(&t->rig, BIOFT_VALUE, i);
        assert_near(t->net.parameters[i].name, w, t->w[i], t->net.parameters[i].count, 2e-6, 0);
        free(w);
    }
}

/* A negative rate: neither value nor moments, whatever the gradient, even one that is not finite. */
static void frozen(void **state)
{
    struct trial *t = *state;
    float bad[200];

    t->lr[1] = t->lr[8] = -1;
    for (uint64_t i = 1; i <= 2; i++)
        step(t, &(bioft_update){ .struct_size = sizeof(bioft_update),
                                 .kind = BIOFT_ADAM,
                                 .t = i,
                                 .lr = t->lr,
                                 .beta1 = 0.9,
                                 .beta2 = 0.999,
                                 .eps = 1e-8,
                                 .weight_decay = 0.05,
                                 .gradient_scale = 1 });
    compare(t, true);
    for (size_t i = 0; i < 200; i++)
        bad[i] = NAN;
    write_gradient(t, 1, bad);
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t found = 0;
        const bioft_update u = { .struct_size = sizeof u,
                                 .kind = i ? BIOFT_SGD : BIOFT_ADAM,
                                 .t = 3,
                                 .lr = t->lr,
                                 .beta1 = 0.9,
                                 .beta2 = 0.999,
                                 .eps = 1e-8,
                                 .gradient_scale = 1 };
        assert_int_equal(t->rig.api->update(t->rig.self, t->rig.model, &u, NULL, &found), 0);
        assert_int_equal(found, BIOFT_NONE);
    }
}

/* A gradient whose square is not finite stops Adam's weight for ever: it is reported like one that is not finite. */
static void square_overflows(void **state)
{
    struct trial *t = *state;
    const bioft_update u = { .struct_size = sizeof u,
                             .kind = BIOFT_ADAM,
                             .t = 1,
                             .lr = t->lr,
                             .beta1 = 0.9,
                             .beta2 = 0.999,
                             .eps = 1e-8,
                             .gradient_scale = 1 };
    float *g = net_random(t->net.parameters[6].count, 5);
    uint32_t found = BIOFT_NONE;

    g[99999] = 1e25f;
    write_gradient(t, 6, g);
    assert_int_equal(t->rig.api->update(t->rig.self, t->rig.model, &u, NULL, &found), 0);
    assert_int_equal(found, 6);
    free(g);
}

/* The first parameter whose gradient or value is not finite, wherever in it. */
static void nonfinite(void **state)
{
    static const float odd[] = { NAN, INFINITY, -INFINITY };
    struct trial *t = *state;

    for (uint32_t k = 0; k < 6; k++) {
        const uint32_t which = 6 + k % 2; /* fc's weight of 100,000 values, and its bias */
        const size_t count = t->net.parameters[which].count, at = (k * 77777) % count;
        const bioft_update u = { .struct_size = sizeof u,
                                 .kind = k < 3 ? BIOFT_ADAM : BIOFT_SGD,
                                 .t = 1,
                                 .lr = t->lr,
                                 .beta1 = 0.9,
                                 .beta2 = 0.999,
                                 .eps = 1e-8,
                                 .gradient_scale = 1 };
        float *g = net_random(count, k), *w = net_random(count, k);
        uint32_t found = BIOFT_NONE;
        g[at] = odd[k % 3];
        write_gradient(t, which, g);
        assert_int_equal(t->rig.api->update(t->rig.self, t->rig.model, &u, NULL, &found), 0);
        assert_int_equal(found, which);
        g[at] = 0;
        write_gradient(t, which, g);
        assert_int_equal(t->rig.api->write(t->rig.self, t->rig.model, BIOFT_VALUE, which, w, count), 0);
        assert_int_equal(t->rig.api->write(t->rig.self, t->rig.model, BIOFT_MOMENT1, which, w, count), 0);
        for (size_t i = 0; i < count; i++)
            w[i] = fabsf(w[i]);
        assert_int_equal(t->rig.api->write(t->rig.self, t->rig.model, BIOFT_MOMENT2, which, w, count), 0);
        assert_int_equal(t->rig.api->update(t->rig.self, t->rig.model, &u, NULL, &found), 0);
        assert_int_equal(found, BIOFT_NONE);
        w[at] = odd[k % 3];
        assert_int_equal(t->rig.api->write(t->rig.self, t->rig.model, BIOFT_VALUE, which, w, count), 0);
        assert_int_equal(t->rig.api->update(t->rig.self, t->rig.model, &u, NULL, &found), 0);
        assert_int_equal(found, which);
        w[at] = 1;
        assert_int_equal(t->rig.api->write(t->rig.self, t->rig.model, BIOFT_VALUE, which, w, count), 0);
        assert_int_equal(t->rig.api->write(t->rig.self, t->rig.model, BIOFT_MOMENT1, which, w, count), 0);
        assert_int_equal(t->rig.api->write(t->rig.self, t->rig.model, BIOFT_MOMENT2, which, w, count), 0);
        free(g);
        free(w);
    }
}

struct seen {
    struct trial *t;
    uint32_t calls;
    float *before[LAYERS];
    bool change;
};

static bioft_status updated(void *ctx, uint32_t layer, float *w, const float *dw, int32_t *ret_changed)
{
    struct seen *s = ctx;
    const struct net *n = &s->t->net;
    const size_t count = n->layers[layer].count;

    assert_true(s->before[layer] != NULL);
    s->calls |= 1u << layer;
    for (size_t i = 0; i < count; i++)
        assert_true(dw[i] == w[i] - s->before[layer][i]);
    if (s->change && layer == 1) {
        free(rig_read(&s->t->rig, BIOFT_FEEDBACK, 6)); /* V of W before the change, made now */
        for (size_t i = 0; i < count; i++)
            w[i] = -w[i];
        *ret_changed = 1;
    }
    return BIOFT_OK;
}

/* Hooks see each trained layer's step, and V follows what they change. */
static void hooks(void **state)
{
    struct trial *t = *state;
    const struct net *n = &t->net;
    struct seen s = { .t = t, .change = true };
    const bioft_hooks hook = { .struct_size = sizeof hook, .ctx = &s, .updated = updated };
    const bioft_feedback sign = { .struct_size = sizeof sign, .g = BIOFT_G_SIGN };
    const bioft_update u = { .struct_size = sizeof u, .kind = BIOFT_SGD, .t = 1, .lr = t->lr, .gradient_scale = 1 };
    const uint32_t weights[] = { 0, 6, 8 };
    float *v, *w;
    uint32_t bad;

    t->lr[weights[2]] = -1;
    for (uint32_t l = 0; l < 3; l++) {
        float *g = net_random(n->parameters[weights[l]].count, l);
        s.before[l] = n->values[weights[l]];
        write_gradient(t, weights[l], g);
        free(g);
    }
    assert_int_equal(t->rig.api->set_feedback(t->rig.self, t->rig.model, 1, &sign, 0), 0);
    v = rig_read(&t->rig, BIOFT_FEEDBACK, weights[1]);
    free(v);
    assert_int_equal(t->rig.api->update(t->rig.self, t->rig.model, &u, &hook, &bad), 0);
    assert_int_equal(s.calls, 3);
    v = rig_read(&t->rig, BIOFT_FEEDBACK, weights[1]);
    w = rig_read(&t->rig, BIOFT_VALUE, weights[1]);
    for (size_t i = 0; i < n->parameters[weights[1]].count; i++)
        assert_true(v[i] == (w[i] > 0 ? 1 : -1));
    free(v);
    free(w);
}

static void refusals(void **state)
{
    struct trial *t = *state;
    struct rig bare;
    bioft_update u = { .struct_size = sizeof u, .kind = 3, .t = 1, .lr = t->lr, .gradient_scale = 1 };
    uint32_t bad;

    assert_int_equal(t->rig.api->update(t->rig.self, t->rig.model, &u, NULL, &bad), BIOFT_ERR_UNSUPPORTED);
    u.kind = BIOFT_SGD;
    u.t = 0;
    assert_int_equal(t->rig.api->update(t->rig.self, t->rig.model, &u, NULL, &bad), BIOFT_ERR_INVALID);
    u.t = 1;
    rig_open(&bare, &t->net, 1);
    assert_int_equal(bare.api->update(bare.self, bare.model, &u, NULL, &bad), BIOFT_ERR_INVALID);
    assert_non_null(strstr(rig_error(&bare, BIOFT_ERR_INVALID), "no program of this model trains"));
    rig_close(&bare);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(adam, begin, end),
        cmocka_unit_test_setup_teardown(adam_begins_by_the_sign, begin, end),
        cmocka_unit_test_setup_teardown(sgd, begin, end),
        cmocka_unit_test_setup_teardown(sgd_begins_anew, begin, end),
        cmocka_unit_test_setup_teardown(sgd_without_momentum, begin, end),
        cmocka_unit_test_setup_teardown(square_overflows, begin, end),
        cmocka_unit_test_setup_teardown(frozen, begin, end),
        cmocka_unit_test_setup_teardown(nonfinite, begin, end),
        cmocka_unit_test_setup_teardown(hooks, begin, end),
        cmocka_unit_test_setup_teardown(refusals, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
