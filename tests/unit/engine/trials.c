/* Small networks, forward and backward, against a plain double-precision pass and finite differences of it. */
#include "trials.h"

#include "compare.h"
#include "reference.h"

#include <stdio.h>
#include <stdlib.h>

struct trials {
    const struct net_case *cases;
    size_t count;
};
enum { LARGEST = 5, KEY = 17 };

struct trial {
    struct net net;
    struct rig rig;
    struct reference reference;
    float *x, *d_out, *out, *dx;
    double **wanted; /* [1 + parameters]: finite differences, of the input first; NULL: not yet asked for */
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
    t->wanted = calloc(1 + t->net.graph.parameter_count, sizeof *t->wanted);
    assert_non_null(t->wanted);
    reference_make(&t->reference, &t->net, n, t->x, batch_statistics, dropout, KEY);
}

static void end(struct trial *t)
{
    for (uint32_t i = 0; i <= t->net.graph.parameter_count; i++)
        free(t->wanted[i]);
    free(t->wanted);
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
    double **kept = &t->wanted[parameter == BIOFT_NONE ? 0 : 1 + parameter];
    double *want = malloc(count * sizeof *want);
    char text[160];

    assert_non_null(want);
    if (!*kept)
        *kept = reference_gradient(&t->reference, parameter, t->d_out);
    for (size_t i = 0; i < count; i++)
        want[i] = factor * (*kept)[i];
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
    const struct trials *all = *state;

    for (size_t i = 0; i < all->count; i++) {
        struct trial t;
        void *p;

        begin(&t, &all->cases[i], 3, true, true);
        p = rig_program(&t.rig, BIOFT_TRAIN, 0, LARGEST, NULL);
        call(&t, t.rig.api->forward(t.rig.self, p, t.n, t.x, KEY, t.out));
        check_output(&t, all->cases[i].name);
        call(&t, t.rig.api->backward(t.rig.self, p, t.d_out, 0, t.dx, NULL));
        check_gradient(&t, all->cases[i].name, BIOFT_NONE, t.dx, 1);
        check_gradients(&t, all->cases[i].name, 1);
        call(&t, t.rig.api->backward(t.rig.self, p, t.d_out, 0, NULL, NULL));
        check_gradients(&t, all->cases[i].name, 1);
        call(&t, t.rig.api->backward(t.rig.self, p, t.d_out, BIOFT_ACCUMULATE, t.dx, NULL));
        check_gradients(&t, all->cases[i].name, 2);
        check_gradient(&t, all->cases[i].name, BIOFT_NONE, t.dx, 1);
        call(&t, t.rig.api->backward(t.rig.self, p, t.d_out, BIOFT_NO_PARAMETERS, t.dx, NULL));
        check_gradients(&t, all->cases[i].name, 2);
        check_gradient(&t, all->cases[i].name, BIOFT_NONE, t.dx, 1);
        check_running(&t, all->cases[i].name);
        memset(t.out, 0, t.n * t.net.graph.outputs * sizeof *t.out);
        call(&t, t.rig.api->forward(t.rig.self, p, t.n, t.x, KEY, t.out));
        check_output(&t, all->cases[i].name);
        t.rig.api->program_destroy(t.rig.self, p);
        end(&t);
    }
}

static void training_with_frozen_batchnorm(void **state)
{
    const struct trials *all = *state;

    for (size_t i = 0; i < all->count; i++) {
        struct trial t;
        void *p;
        float *before, *after;

        begin(&t, &all->cases[i], 2, false, true);
        p = rig_program(&t.rig, BIOFT_TRAIN, BIOFT_FROZEN_BATCHNORM, LARGEST, NULL);
        call(&t, t.rig.api->forward(t.rig.self, p, t.n, t.x, KEY, t.out));
        check_output(&t, all->cases[i].name);
        call(&t, t.rig.api->backward(t.rig.self, p, t.d_out, 0, t.dx, NULL));
        check_gradient(&t, all->cases[i].name, BIOFT_NONE, t.dx, 1);
        check_gradients(&t, all->cases[i].name, 1);
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
    const struct trials *all = *state;

    for (size_t i = 0; i < all->count; i++)
        for (uint32_t n = 1; n <= LARGEST; n += 2) {
            struct trial t;
            void *eval, *attack;

            begin(&t, &all->cases[i], n, false, false);
            eval = rig_program(&t.rig, BIOFT_EVAL, 0, LARGEST, NULL);
            attack = rig_program(&t.rig, BIOFT_ATTACK, 0, LARGEST, NULL);
            call(&t, t.rig.api->forward(t.rig.self, eval, t.n, t.x, KEY, t.out));
            check_output(&t, all->cases[i].name);
            memset(t.out, 0, t.n * t.net.graph.outputs * sizeof *t.out);
            call(&t, t.rig.api->forward(t.rig.self, attack, t.n, t.x, KEY, t.out));
            check_output(&t, all->cases[i].name);
            for (int twice = 0; twice < 2; twice++) {
                memset(t.dx, 0, t.n * node_count(&t.net.nodes[0]) * sizeof *t.dx);
                call(&t, t.rig.api->backward(t.rig.self, attack, t.d_out, 0, t.dx, NULL));
                check_gradient(&t, all->cases[i].name, BIOFT_NONE, t.dx, 1);
            }
            t.rig.api->program_destroy(t.rig.self, eval);
            t.rig.api->program_destroy(t.rig.self, attack);
            end(&t);
        }
}

int trials_run(const struct net_case *cases, size_t count)
{
    struct trials all = { cases, count };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(training, &all),
        cmocka_unit_test_prestate(training_with_frozen_batchnorm, &all),
        cmocka_unit_test_prestate(running, &all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
