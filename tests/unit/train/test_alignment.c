/* Alignment: closed forms for the angle of V and W, deltas against the formula written out, zeros
 * and backpropagation. */
#include "fixture.h"

#include "base/random.h"
#include "train/alignment.h"
#include <math.h>

enum { N = 5, IN = 28 * 28, HIDDEN = 16, OUT = 10 };

struct measured {
    struct graph *graph;
    struct model *model;
    struct feedback *feedback;
    struct program *program;
    struct alignment *alignment;
    float x[N * IN], out[N * OUT], d_out[N * OUT];
};

static void measure(struct measured *m, const char *rule, bool zero)
{
    struct error err = { 0 };
    const bioft_use use = {
        .struct_size = sizeof(use), .kind = BIOFT_TRAIN, .precision = BIOFT_F32, .max_batch = N, .threads = 1
    };
    memset(m, 0, sizeof(*m));
    m->graph = fixture_graph(&fixture, fixture_choice(&fixture, BIOFT_KIND_BACKBONE, "mlp", "hidden=16", NULL), OUT);
    m->model = fixture_model(&fixture, m->graph, 4);
    OK(feedback_create(m->model, fixture_rule(&fixture, fixture_choice(&fixture, BIOFT_KIND_RULE, rule, NULL)), 1, 1,
                       NULL, N, &m->feedback, &err),
       err);
    OK(program_create(m->model, &use, feedback_routes(m->feedback, true), &m->program, &err), err);
    OK(alignment_create(m->model, N, &m->alignment, &err), err);
    random_fill(BIOFT_NORMAL, 1, "x", 0, 0, m->x, N * IN);
    if (!zero)
        random_fill(BIOFT_NORMAL, 1, "e", 0, 0, m->d_out, N * OUT);
    OK(program_forward(m->program, N, m->x, 0, m->out, &err), err);
    OK(alignment_exact(m->alignment, m->program, m->d_out, &err), err);
    const bioft_hooks *hooks = feedback_hooks(m->feedback, NULL, m->d_out, alignment_observe, m->alignment, 0);
    OK(program_backward(m->program, m->d_out, 0, NULL, hooks, &err), err);
    OK(alignment_weights(m->alignment, feedback_routes(m->feedback, false), &err), err);
}

static void finish(struct measured *m)
{
    alignment_destroy(m->alignment);
    program_destroy(m->program);
    feedback_destroy(m->feedback);
    model_destroy(m->model);
    graph_destroy(m->graph);
}

static void test_backpropagation(void **state)
{
    struct measured m;
    (void)state;
    measure(&m, "bp", false);
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(m.alignment->delta_angle[i] < 1e-4 && m.alignment->weight_angle[i] < 1e-4);
        assert_true(fabs(m.alignment->weight_ratio[i] - 1.0) < 1e-9);
    }
    assert_true(alignment_is_none(m.alignment));
    finish(&m);
}

/* cos(V, W) = |W|_1 / (sqrt(n) |W|_2), |V|/|W| = s sqrt(n) / |W|_2. */
static void test_sign_closed_form(void **state)
{
    struct measured m;
    (void)state;
    measure(&m, "usf", false);
    for (uint32_t p = 0; p < m.graph->view.parameter_count; p++) {
        const bioft_parameter *of = &m.graph->parameters[p];
        if (of->kind != BIOFT_PARAM_WEIGHT)
            continue;
        float *w = fixture_read(m.model, BIOFT_VALUE, p);
        double one = 0.0, two = 0.0, n = (double)of->count;
        for (size_t i = 0; i < of->count; i++) {
            one += fabs((double)w[i]);
            two += (double)w[i] * (double)w[i];
        }
        const double degrees = acos(one / sqrt(n * two)) * 180.0 / 3.14159265358979323846;
        const double s = sqrt(2.0 / (double)(of->shape[0] + of->shape[1]));
        assert_true(fabs(m.alignment->weight_angle[of->layer] - degrees) < 1e-3);
        assert_true(fabs(m.alignment->weight_ratio[of->layer] / (s * sqrt(n / two)) - 1.0) < 1e-5);
        free(w);
    }
    assert_false(alignment_is_none(m.alignment));
    finish(&m);
}

/* (e V2) o relu' against (e W2) o relu', written out. */
static void test_delta(void **state)
{
    struct measured m;
    double aa = 0.0, bb = 0.0, ab = 0.0;
    (void)state;
    measure(&m, "fa", false);
    const uint32_t p = graph_parameter(m.graph, "fc2.weight");
    float *w1 = fixture_read(m.model, BIOFT_VALUE, graph_parameter(m.graph, "fc1.weight"));
    float *b1 = fixture_read(m.model, BIOFT_VALUE, graph_parameter(m.graph, "fc1.bias"));
    float *w2 = fixture_read(m.model, BIOFT_VALUE, p), *v2 = fixture_read(m.model, BIOFT_FEEDBACK, p);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < HIDDEN; j++) {
            double y = (double)b1[j], a = 0.0, b = 0.0;
            for (size_t k = 0; k < IN; k++)
                y += (double)w1[j * IN + k] * (double)m.x[i * IN + k];
            for (size_t k = 0; y > 0.0 && k < OUT; k++) {
                a += (double)m.d_out[i * OUT + k] * (double)w2[k * HIDDEN + j];
                b += (double)m.d_out[i * OUT + k] * (double)v2[k * HIDDEN + j];
            }
            aa += a * a;
            bb += b * b;
            ab += a * b;
        }
    assert_true(fabs(m.alignment->delta_angle[0] - acos(ab / sqrt(aa * bb)) * 180.0 / 3.14159265358979323846) < 1e-3);
    assert_true(m.alignment->delta_angle[0] > 60.0);
    assert_true(m.alignment->delta_angle[1] < 1e-4); /* the last layer's is the loss's own */
    free(w1);
    free(b1);
    free(w2);
    free(v2);
    finish(&m);
}

static void test_zero(void **state)
{
    struct measured m;
    (void)state;
    measure(&m, "usf", true);
    assert_true(isnan(m.alignment->delta_angle[0]) && isnan(m.alignment->delta_angle[1]));
    assert_false(alignment_is_none(m.alignment));
    finish(&m);
}

/* V has no part where the rule writes dx itself. */
static void test_routed(void **state)
{
    struct measured m;
    (void)state;
    measure(&m, "dfa", false);
    assert_true(isnan(m.alignment->weight_angle[1]) && isnan(m.alignment->weight_ratio[1]));
    assert_true(m.alignment->weight_angle[0] < 1e-4 && m.alignment->delta_angle[0] > 60.0);
    finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backpropagation), cmocka_unit_test(test_sign_closed_form),
        cmocka_unit_test(test_delta),           cmocka_unit_test(test_zero),
        cmocka_unit_test(test_routed),
    };
    return cmocka_run_group_tests(tests, fixture_open_group, fixture_close_group);
}
