/* Learning rules against their papers' formulas, computed here as plain loops in double. */
#include "setting.h"

#include "base/random.h"
#include <math.h>

static struct feedback *feedback_of(struct model *m, struct choice rule, uint32_t max_batch)
{
    struct error err = { 0 };
    struct feedback *f = NULL;
    OK(feedback_create(m, fixture_rule(&fixture, rule), 1, 5, fixture.pool, max_batch, &f, &err), err);
    return f;
}

static double inner(const float *a, const float *b, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static double norm(const float *x, size_t count) { return sqrt(inner(x, x, count)); }

static struct graph *lenet(void)
{
    return fixture_graph(&fixture, fixture_choice(&fixture, BIOFT_KIND_BACKBONE, "lenet5", NULL), 10);
}

/* One look: V/2 + mean(y x^T)/2 with y = W x on one patch of noise. */
static void test_mirror_formula(void **state)
{
    enum { SAMPLES = 3 };
    static const char *const layers[] = { "conv2", "fc3" };
    struct error err = { 0 };
    struct graph *g = lenet();
    struct model *m = fixture_model(&fixture, g, 3);
    struct feedback *f = feedback_of(
        m, fixture_choice(&fixture, BIOFT_KIND_RULE, "weight_mirror", "rate=0.5", "samples=3", "first=0", NULL), 4);
    (void)state;
    assert_false(feedback_is_exact(f));
    for (size_t k = 0; k < 2; k++) {
        const bioft_layer *l = &g->layers[graph_layer(g, layers[k])];
        const uint32_t p = graph_parameter(g, arena_printf(fixture.arena, "%s.weight", layers[k]));
        const size_t in = l->count / l->out_channels;
        const bioft_hooks *hooks = feedback_hooks(f, NULL, NULL, NULL, NULL, 0);
        float *w = fixture_read(m, BIOFT_VALUE, p), *before = fixture_read(m, BIOFT_FEEDBACK, p);
        float *x = mem_array(SAMPLES * in, sizeof(*x)), *dw = mem_array(l->count, sizeof(*dw));
        int32_t changed = 0;
        assert_true(x && dw);
        random_fill(BIOFT_NORMAL, 5, layers[k], 1, 0, x, SAMPLES * in);
        assert_int_equal(hooks->updated(hooks->ctx, l->index, w, dw, &changed), BIOFT_OK);
        assert_int_equal(changed, 0);
        OK(feedback_refresh(f, 1, &err), err);
        float *after = fixture_read(m, BIOFT_FEEDBACK, p);
        for (size_t o = 0; o < l->out_channels; o++)
            for (size_t i = 0; i < in; i++) {
                double mean = 0.0;
                for (size_t s = 0; s < SAMPLES; s++)
                    mean += inner(w + o * in, x + s * in, in) * (double)x[s * in + i] / SAMPLES;
                const double want = 0.5 * (double)before[o * in + i] + 0.5 * mean;
                assert_true(fabs(want - (double)after[o * in + i]) < 1e-5 * (1.0 + fabs(want)));
            }
        free(w);
        free(before);
        free(after);
        free(x);
        free(dw);
    }
    feedback_destroy(f);
    model_destroy(m);
    graph_destroy(g);
}

/* V = W + noise. Gaussian x gives each look |noise|^2 = |W|^2 (fan_in + 1) / samples, and the mean
 * over looks leaves rate / (2 - rate) of it. */
static void test_mirror_aligns(void **state)
{
    struct error err = { 0 };
    struct graph *g = lenet();
    struct model *m = fixture_model(&fixture, g, 3);
    struct feedback *f = feedback_of(
        m, fixture_choice(&fixture, BIOFT_KIND_RULE, "weight_mirror", "rate=0.05", "samples=64", "first=0", NULL), 4);
    (void)state;
    for (uint32_t i = 0; i < g->view.layer_count; i++) {
        const bioft_layer *l = &g->layers[i];
        const uint32_t p = graph_parameter(g, arena_printf(fixture.arena, "%s.weight", l->name));
        float *w = fixture_read(m, BIOFT_VALUE, p), *dw = mem_array(l->count, sizeof(*dw));
        float *v = fixture_read(m, BIOFT_FEEDBACK, p);
        int32_t changed = 0;
        assert_non_null(dw);
        const double first = inner(v, w, l->count) / norm(v, l->count) / norm(w, l->count);
        assert_true(fabs(first) < 0.5);
        free(v);
        for (uint64_t step = 0; step < 150; step++) {
            const bioft_hooks *hooks = feedback_hooks(f, NULL, NULL, NULL, NULL, step);
            assert_int_equal(hooks->updated(hooks->ctx, i, w, dw, &changed), BIOFT_OK);
        }
        OK(feedback_refresh(f, 150, &err), err);
        v = fixture_read(m, BIOFT_FEEDBACK, p);
        const double noise = (double)(l->fan_in + 1) / 64.0 * 0.05 / 1.95;
        const double cosine = inner(v, w, l->count) / norm(v, l->count) / norm(w, l->count);
        const double ratio = norm(v, l->count) / norm(w, l->count), root = sqrt(1.0 + noise);
        if (fabs(cosine - 1.0 / root) > 0.03 || fabs(ratio - root) > 0.1 * root)
            fail_msg("%s: cosine %g, %g expected; ratio %g, %g expected", l->name, cosine, 1.0 / root, ratio, root);
        free(v);
        free(w);
        free(dw);
    }
    feedback_destroy(f);
    model_destroy(m);
    graph_destroy(g);
}

enum { N = 3, HIDDEN = 12, OUT = 10, IN = 28 * 28 };
struct seen {
    float dy[N * HIDDEN];
};

static void observe(void *ctx, uint32_t layer, const float *dy, size_t count)
{
    struct seen *s = ctx;
    if (layer == 0) {
        assert_int_equal(count, N * HIDDEN);
        memcpy(s->dy, dy, sizeof(s->dy));
    }
}

/* delta_1 = (1/n) B[y] o relu'(y_1), of one label, of two, and of none. */
static void test_random_targets(void **state)
{
    static const uint64_t labels[N] = { 1u << 7, 1u << 2 | 1u << 9, 0 };
    const bioft_batch batch = {
        .struct_size = sizeof(batch), .n = N, .classes = OUT, .label_words = 1, .labels = labels
    };
    const bioft_use use = {
        .struct_size = sizeof(use), .kind = BIOFT_TRAIN, .precision = BIOFT_F32, .max_batch = N, .threads = 1
    };
    struct error err = { 0 };
    struct graph *g = fixture_graph(&fixture, fixture_choice(&fixture, BIOFT_KIND_BACKBONE, "mlp", "hidden=12", NULL),
                                    OUT);
    struct model *m = fixture_model(&fixture, g, 4);
    struct feedback *f = feedback_of(m, fixture_choice(&fixture, BIOFT_KIND_RULE, "drtp", "relu=true", NULL), N);
    struct program *p = NULL;
    float x[N * IN], out[N * OUT], d_out[N * OUT], b[OUT][HIDDEN];
    struct seen seen;
    (void)state;
    random_fill(BIOFT_NORMAL, 1, "x", 0, 0, x, N * IN);
    random_fill(BIOFT_NORMAL, 1, "d_out", 0, 0, d_out, N * OUT);
    for (uint64_t c = 0; c < OUT; c++)
        random_fill(BIOFT_UNIFORM, 5, "fc2", c, 0, b[c], HIDDEN);
    OK(program_create(m, &use, feedback_routes(f, true), &p, &err), err);
    for (int unlabelled = 0; unlabelled < 2; unlabelled++) {
        const bioft_hooks *hooks = feedback_hooks(f, unlabelled ? NULL : &batch, d_out, observe, &seen, 0);
        OK(program_forward(p, N, x, 0, out, &err), err);
        OK(program_backward(p, d_out, 0, NULL, hooks, &err), err);
        float *w = fixture_read(m, BIOFT_VALUE, graph_parameter(g, "fc1.weight"));
        float *bias = fixture_read(m, BIOFT_VALUE, graph_parameter(g, "fc1.bias"));
        for (size_t i = 0; i < N; i++)
            for (size_t j = 0; j < HIDDEN; j++) {
                const double y = (double)bias[j] + inner(w + j * IN, x + i * IN, IN);
                double want = 0.0;
                for (size_t c = 0; c < OUT && !unlabelled; c++)
                    if (labels[i] >> c & 1)
                        want += sqrt(6.0 / HIDDEN) * (2.0 * (double)b[c][j] - 1.0) / N;
                assert_true(fabs((y > 0.0 ? want : 0.0) - (double)seen.dy[i * HIDDEN + j]) < 1e-6);
            }
        free(w);
        free(bias);
    }
    program_destroy(p);
    feedback_destroy(f);
    f = NULL;
    const struct choice plain = fixture_choice(&fixture, BIOFT_KIND_RULE, "drtp", NULL);
    assert_int_equal(feedback_create(m, fixture_rule(&fixture, plain), 1, 5, NULL, N, &f, &err), BIOFT_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "layer 'fc1': rule 'drtp': direct random targets are for"));
    model_destroy(m);
    graph_destroy(g);
}

/* Training moves W and keeps |W|; V = |W| sign(W) / |sign(W)|. */
static void test_constrained_norm(void **state)
{
    struct setting s;
    struct error err = { 0 };
    struct feedback *f = NULL;
    float *first[16];
    (void)state;
    setting_open(&s, 1, "lenet5", "sign_symmetry", 64, "cross_entropy");
    const struct graph *g = s.graph;
    assert_true(g->view.parameter_count <= 16);
    for (uint32_t p = 0; p < g->view.parameter_count; p++)
        first[p] = fixture_read(s.model, BIOFT_VALUE, p);
    OK(stage_train(&s.p, &f, &err), err);
    for (uint32_t p = 0; p < g->view.parameter_count; p++) {
        const size_t count = g->parameters[p].count;
        float *w = fixture_read(s.model, BIOFT_VALUE, p);
        assert_memory_not_equal(w, first[p], count * sizeof(*w));
        if (g->parameters[p].kind == BIOFT_PARAM_WEIGHT) {
            float *v = fixture_read(s.model, BIOFT_FEEDBACK, p);
            const double size = norm(w, count);
            assert_true(fabs(size / norm(first[p], count) - 1.0) < 1e-5);
            for (size_t i = 0; i < count; i++)
                assert_true(fabs((double)v[i] - copysign(size / sqrt((double)count), (double)w[i])) < 1e-5);
            free(v);
        }
        free(w);
        free(first[p]);
    }
    feedback_destroy(f);
    setting_close(&s);
}

/* Calls the rule at the first layer of an mlp as an engine would. */
static bioft_status call_local(struct feedback *f, uint32_t n, const float *x, const float *w, const float *b,
                               float *dy, float *dw, float *db)
{
    const bioft_hooks *hooks = feedback_hooks(f, NULL, NULL, NULL, NULL, 0);
    const bioft_local io = { .struct_size = sizeof(io), .n = n, .x = x, .w = w, .b = b, .dy = dy, .dw = dw, .db = db };
    return hooks->local(hooks->ctx, 0, &io);
}

/* dW = E - strength |E| H / |H|, E = dy^T x, H = sum over images of y x^T - y y^T W. */
static void test_oja_formula(void **state)
{
    struct graph *g = fixture_graph(&fixture, fixture_choice(&fixture, BIOFT_KIND_BACKBONE, "mlp", "hidden=12", NULL),
                                    OUT);
    struct model *m = fixture_model(&fixture, g, 4);
    struct feedback *f = feedback_of(m, fixture_choice(&fixture, BIOFT_KIND_RULE, "oja", "strength=0.5", NULL), N);
    float *w = fixture_read(m, BIOFT_VALUE, 0), *b = fixture_read(m, BIOFT_VALUE, 1);
    float x[N * IN], dy[N * HIDDEN], *dw = mem_array(HIDDEN * IN, sizeof(*dw)), db[HIDDEN] = { 0 };
    float *error = mem_array(HIDDEN * IN, sizeof(*error)), *hebbian = mem_array(HIDDEN * IN, sizeof(*hebbian));
    (void)state;
    assert_true(dw && error && hebbian);
    random_fill(BIOFT_NORMAL, 1, "x", 0, 0, x, N * IN);
    random_fill(BIOFT_NORMAL, 1, "dy", 0, 0, dy, N * HIDDEN);
    assert_int_equal(call_local(f, N, x, w, b, dy, dw, db), BIOFT_OK);
    for (size_t j = 0; j < HIDDEN; j++) {
        double bias = 0.0;
        for (size_t i = 0; i < N; i++)
            bias += (double)dy[i * HIDDEN + j];
        assert_true(fabs(bias - (double)db[j]) < 1e-5);
        for (size_t k = 0; k < IN; k++) {
            double e = 0.0, h = 0.0;
            for (size_t i = 0; i < N; i++) {
                double back = 0.0; /* (W^T y)_k */
                for (size_t l = 0; l < HIDDEN; l++)
                    back += inner(w + l * IN, x + i * IN, IN) * (double)w[l * IN + k];
                e += (double)dy[i * HIDDEN + j] * (double)x[i * IN + k];
                h += inner(w + j * IN, x + i * IN, IN) * ((double)x[i * IN + k] - back);
            }
            error[j * IN + k] = (float)e;
            hebbian[j * IN + k] = (float)h;
        }
    }
    const double share = 0.5 * norm(error, HIDDEN * IN) / norm(hebbian, HIDDEN * IN);
    for (size_t i = 0; i < HIDDEN * IN; i++)
        assert_true(fabs((double)error[i] - share * (double)hebbian[i] - (double)dw[i]) < 1e-4);
    free(error);
    free(hebbian);
    free(w);
    free(b);
    free(dw);
    feedback_destroy(f);
    model_destroy(m);
    graph_destroy(g);
}

/* Where the error is noise, the neurons become an orthonormal basis of the strongest directions of the input, one for
 * each of them. */
static void test_oja_converges(void **state)
{
    enum { IMAGES = 64, STEPS = 1500 };
    struct graph *g = fixture_graph(&fixture, fixture_choice(&fixture, BIOFT_KIND_BACKBONE, "mlp", "hidden=12", NULL),
                                    OUT);
    struct model *m = fixture_model(&fixture, g, 4);
    struct feedback *f = feedback_of(m, fixture_choice(&fixture, BIOFT_KIND_RULE, "oja", "strength=1000", NULL),
                                     IMAGES);
    float *w = fixture_read(m, BIOFT_VALUE, 0), *x = mem_array(IMAGES * IN, sizeof(*x));
    float *dw = mem_array(HIDDEN * IN, sizeof(*dw)), dy[IMAGES * HIDDEN], along[IMAGES * HIDDEN];
    (void)state;
    assert_true(x && dw);
    for (uint64_t step = 0; step < STEPS; step++) {
        random_fill(BIOFT_NORMAL, 1, "along", step, 0, along, IMAGES * HIDDEN);
        random_fill(BIOFT_NORMAL, 1, "noise", step, 0, x, IMAGES * IN);
        random_fill(BIOFT_NORMAL, 1, "dy", step, 0, dy, IMAGES * HIDDEN);
        for (size_t i = 0; i < IMAGES; i++) /* strong along the first pixels, one for each neuron */
            for (size_t k = 0; k < IN; k++)
                x[i * IN + k] = 0.1f * x[i * IN + k] + (k < HIDDEN ? 3.0f * along[i * HIDDEN + k] : 0.0f);
        memset(dw, 0, HIDDEN * IN * sizeof(*dw));
        assert_int_equal(call_local(f, IMAGES, x, w, NULL, dy, dw, NULL), BIOFT_OK);
        const double size = norm(dw, HIDDEN * IN), rate = step < STEPS / 2 ? 0.03 : 0.003;
        for (size_t i = 0; i < HIDDEN * IN; i++)
            w[i] -= (float)(rate / size) * dw[i];
    }
    for (size_t j = 0; j < HIDDEN; j++) {
        const double inside = norm(w + j * IN, HIDDEN), size = norm(w + j * IN, IN);
        if (fabs(size - 1.0) > 0.05 || inside < 0.98 * size)
            fail_msg("neuron %zu: length %g, of which %g in the strong directions", j, size, inside);
        for (size_t l = 0; l < j; l++)
            if (fabs(inner(w + j * IN, w + l * IN, IN)) > 0.05)
                fail_msg("neurons %zu and %zu: %g", j, l, inner(w + j * IN, w + l * IN, IN));
    }
    free(w);
    free(x);
    free(dw);
    feedback_destroy(f);
    model_destroy(m);
    graph_destroy(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mirror_formula), cmocka_unit_test(test_mirror_aligns),
        cmocka_unit_test(test_random_targets), cmocka_unit_test(test_constrained_norm),
        cmocka_unit_test(test_oja_formula),    cmocka_unit_test(test_oja_converges),
    };
    return cmocka_run_group_tests(tests, fixture_open_group, fixture_close_group);
}
