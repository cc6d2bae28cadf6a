/* Rules on a model: which layer has which, V against its formula, and the hooks of depths 2 and 3.
 */
#include "fixture.h"

#include "base/random.h"
#include <math.h>

static struct model *lenet(void)
{
    static struct graph *g; /* the models' only: one for all tests */
    if (!g)
        g = fixture_graph(&fixture, fixture_choice(&fixture, BIOFT_KIND_BACKBONE, "lenet5", NULL), 10);
    return fixture_model(&fixture, g, 3);
}

static struct feedback *feedback_of(struct model *m, struct choice rule)
{
    struct error err = { 0 };
    struct feedback *f = NULL;
    OK(feedback_create(m, fixture_rule(&fixture, rule), 1, 5, fixture.pool, 4, &f, &err), err);
    return f;
}

/* Fails with a text that has `part`. */
static void refused(struct model *m, const struct rule_spec *rules, size_t count, bioft_status status, const char *part)
{
    struct error err = { 0 };
    struct feedback *f = NULL;
    assert_int_equal(feedback_create(m, rules, count, 5, fixture.pool, 4, &f, &err), status);
    if (!strstr(err.text, part))
        fail_msg("'%s' is not in: %s", part, err.text);
    assert_null(f);
}

static void test_matching(void **state)
{
    struct error err = { 0 };
    struct feedback *f = NULL;
    struct model *m = lenet();
    const struct choice usf = fixture_choice(&fixture, BIOFT_KIND_RULE, "usf", "scale=none", NULL);
    const struct choice bp = fixture_choice(&fixture, BIOFT_KIND_RULE, "bp", NULL);
    const struct rule_spec rules[] = { { .layers = "conv*", .choice = usf }, { .layers = "*", .choice = bp } };
    (void)state;
    OK(feedback_create(m, rules, 2, 5, NULL, 4, &f, &err), err);
    assert_int_equal(feedback_count(f), 2);
    for (uint32_t p = 0; p < m->graph->view.parameter_count; p++) {
        if (m->graph->parameters[p].kind != BIOFT_PARAM_WEIGHT)
            continue;
        const bool conv = strncmp(m->graph->parameters[p].name, "conv", 4) == 0;
        float *w = fixture_read(m, BIOFT_VALUE, p), *v = fixture_read(m, BIOFT_FEEDBACK, p);
        for (size_t i = 0; i < m->graph->parameters[p].count; i++)
            assert_true(v[i] == (conv ? (w[i] > 0.0f ? 1.0f : -1.0f) : w[i]));
        free(w);
        free(v);
    }
    feedback_destroy(f);
    const struct rule_spec typo[] = { { .layers = "conv9*", .choice = usf }, { .layers = "*", .choice = bp } };
    refused(m, typo, 2, BIOFT_ERR_INVALID, "'conv9*' matches no layer; did you mean 'conv1'?");
    const struct rule_spec far[] = { { .layers = "zzzzzzzz", .choice = usf }, { .layers = "*", .choice = bp } };
    refused(m, far, 2, BIOFT_ERR_INVALID, "the layers are conv1, conv2, fc1, fc2, fc3");
    const struct rule_spec some[] = { { .layers = "conv*", .choice = usf }, { .layers = "fc1", .choice = bp } };
    refused(m, some, 2, BIOFT_ERR_INVALID, "no entry matches layer 'fc2'; the nearest pattern is 'fc1'");
    refused(m, some, 2, BIOFT_ERR_INVALID, "no entry matches layer 'fc3'");
    model_destroy(m);
}

/* What V should be, from the rule's formula and the generator: sqrt 3 U[0,1) or the like, s of the
 * fans. */
struct expected {
    const char *rule, *options[3];
    bool sign; /* else 1 */
    enum { ONES, UNIFORM_ALL, UNIFORM_HALF, NORMAL_ALL, NORMAL_ABS, UNIFORM_TO_1 } m;
    bool redrawn;
    enum { XAVIER, KAIMING, NONE, QUARTER, MATCH } scale;
};

static const struct expected table[] = {
    { "bp", { NULL }, false, ONES, false, NONE },
    { "usf", { NULL }, true, ONES, false, XAVIER },
    { "usf", { "scale=kaiming" }, true, ONES, false, KAIMING },
    { "usf", { "scale=match_norm" }, true, ONES, false, MATCH },
    { "usf", { "scale=constant", "constant=0.25" }, true, ONES, false, QUARTER },
    { "fa", { NULL }, false, UNIFORM_ALL, false, XAVIER },
    { "fa", { "distribution=normal", "scale=none" }, false, NORMAL_ALL, false, NONE },
    { "frsf", { NULL }, true, UNIFORM_HALF, false, XAVIER },
    { "frsf", { "magnitude=abs_normal", "scale=match_norm" }, true, NORMAL_ABS, false, MATCH },
    { "frsf", { "high=1", "scale=none" }, true, UNIFORM_TO_1, false, NONE },
    { "brsf", { NULL }, true, UNIFORM_HALF, true, XAVIER },
};

static double norm(const float *x, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += (double)x[i] * (double)x[i];
    return sqrt(sum);
}

static void expect(const struct expected *e, const bioft_layer *l, const float *w, uint64_t key, float *ret)
{
    const size_t spatial = (size_t)l->kernel[0] * l->kernel[1];
    const double fan_in = (double)(l->in_channels * (l->kind == BIOFT_LAYER_LINEAR ? 1 : spatial));
    const double fan_out = (double)(l->out_channels * (l->kind == BIOFT_LAYER_LINEAR ? 1 : spatial));
    const double root3 = sqrt(3.0);
    const double s[] = { sqrt(2.0 / (fan_in + fan_out)), 1.0 / sqrt(3.0 * fan_in), 1.0, 0.25, 1.0 };
    char stream[64];
    snprintf(stream, sizeof(stream), "feedback/%s", l->name);
    random_fill(e->m == NORMAL_ALL || e->m == NORMAL_ABS ? BIOFT_NORMAL : BIOFT_UNIFORM, 1, stream, key, 0, ret,
                l->count);
    for (size_t i = 0; i < l->count; i++) {
        const double u = (double)ret[i];
        const double m[] = { 1.0, root3 * (2.0 * u - 1.0), root3 * u, u, fabs(u), u };
        ret[i] = (float)(s[e->scale] * m[e->m] * (e->sign ? (w[i] > 0.0f ? 1.0 : w[i] < 0.0f ? -1.0 : 0.0) : 1.0));
        if (strcmp(e->rule, "bp") == 0)
            ret[i] = w[i];
    }
    const double match = norm(w, l->count) / norm(ret, l->count);
    for (size_t i = 0; e->scale == MATCH && i < l->count; i++)
        ret[i] = (float)(match * (double)ret[i]);
}

static void check_v(const struct expected *e, struct model *m, uint64_t key)
{
    for (uint32_t p = 0; p < m->graph->view.parameter_count; p++) {
        const bioft_parameter *of = &m->graph->parameters[p];
        if (of->kind != BIOFT_PARAM_WEIGHT)
            continue;
        float *w = fixture_read(m, BIOFT_VALUE, p), *v = fixture_read(m, BIOFT_FEEDBACK, p);
        float *want = mem_array(of->count, sizeof(*want));
        expect(e, &m->graph->layers[of->layer], w, e->redrawn ? key : 0, want);
        for (size_t i = 0; i < of->count; i++)
            if (fabsf(v[i] - want[i]) > 1e-5f * fabsf(want[i]) + 1e-8f)
                fail_msg("%s, %s[%zu]: V is %g, not %g", e->rule, of->name, i, (double)v[i], (double)want[i]);
        free(w);
        free(v);
        free(want);
    }
}

static void turn_weights(struct model *m)
{
    for (uint32_t p = 0; p < m->graph->view.parameter_count; p++) {
        float *w = fixture_read(m, BIOFT_VALUE, p);
        for (size_t i = 0; i < m->graph->parameters[p].count; i++)
            w[i] = i % 3 == 0 ? -w[i] : i % 5 == 0 ? 0.0f : w[i] + 0.01f;
        fixture_write(m, BIOFT_VALUE, p, w);
        free(w);
    }
}

static void test_formulas(void **state)
{
    struct error err = { 0 };
    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        const struct expected *e = &table[i];
        struct model *m = lenet();
        struct feedback *f = feedback_of(
            m, fixture_choice(&fixture, BIOFT_KIND_RULE, e->rule, e->options[0], e->options[1], NULL));
        check_v(e, m, 0);
        turn_weights(m); /* V follows W by itself */
        check_v(e, m, 0);
        OK(feedback_refresh(f, 1, &err), err);
        check_v(e, m, 1);
        OK(feedback_redraw(f, 1, 3, &err), err);
        check_v(e, m, UINT64_C(3) << 40 | 1);
        OK(feedback_refresh(f, 7, &err), err);
        check_v(e, m, 7);
        OK(feedback_rank(f, 1, &err), err); /* a second stage with this rule draws others */
        check_v(e, m, UINT64_C(1) << 34);
        OK(feedback_redraw(f, 2, 3, &err), err);
        check_v(e, m, UINT64_C(3) << 40 | UINT64_C(1) << 34 | 2);
        assert_int_equal(feedback_is_random(f), e->redrawn);
        assert_int_equal(feedback_is_exact(f), strcmp(e->rule, "bp") == 0);
        assert_null(feedback_routes(f, false));
        feedback_destroy(f);
        model_destroy(m);
    }
}

/* A rule of depth 2 gets the scales that depth 1 declares: V = s sign(W) as usf has it. */
static void test_scales(void **state)
{
    static const char *const names[] = { "scale=none", "scale=xavier", "scale=kaiming", "scale=match_norm",
                                         "scale=constant" };
    (void)state;
    for (uint32_t how = 0; how < 5; how++) {
        struct model *m = lenet();
        struct feedback *f = feedback_of(
            m, fixture_choice(&fixture, BIOFT_KIND_RULE, "usf", names[how], "constant=0.25", NULL));
        const bioft_host *host = &feedback_instance(f, 0)->host;
        const bioft_scales *scales = host->get_extension(host, "bioft.scale/1");
        const uint32_t p = graph_parameter(m->graph, "conv2.weight");
        const bioft_layer *layer = &m->graph->layers[graph_layer(m->graph, "conv2")];
        float *w = fixture_read(m, BIOFT_VALUE, p), *v = fixture_read(m, BIOFT_FEEDBACK, p), s = -1.0f;
        float *u = mem_array(layer->count, sizeof(*u));
        assert_non_null(scales);
        for (size_t i = 0; i < layer->count; i++)
            u[i] = (float)((w[i] > 0.0f) - (w[i] < 0.0f));
        assert_int_equal(scales->scale(host, layer, how, 0.25f, w, u, &s), BIOFT_OK);
        for (size_t i = 0; i < layer->count; i++)
            assert_true(fabsf(s * u[i] - v[i]) <= 1e-6f * s);
        if (how == BIOFT_SCALE_MATCH_NORM) {
            memset(u, 0, layer->count * sizeof(*u));
            assert_int_equal(scales->scale(host, layer, how, 0.0f, w, u, &s), BIOFT_OK);
            assert_true(s == 0.0f);
        }
        assert_int_equal(scales->scale(host, layer, 5, 0.0f, w, u, &s), BIOFT_ERR_INVALID);
        free(w);
        free(v);
        free(u);
        feedback_destroy(f);
        model_destroy(m);
    }
}

/* Depth 2: V is the rule's own array, and takes the optimizer's step and the decay. */
static void test_kolen_pollack(void **state)
{
    struct error err = { 0 };
    struct model *m = lenet();
    struct feedback *f = feedback_of(m,
                                     fixture_choice(&fixture, BIOFT_KIND_RULE, "kolen_pollack", "decay=0.125", NULL));
    const bioft_hooks *hooks = feedback_hooks(f, NULL, NULL, NULL, NULL, 0);
    const uint32_t p = graph_parameter(m->graph, "conv2.weight"), layer = graph_layer(m->graph, "conv2");
    const size_t count = m->graph->parameters[p].count;
    float *w = fixture_read(m, BIOFT_VALUE, p), *before = fixture_read(m, BIOFT_FEEDBACK, p);
    float *dw = mem_array(count, sizeof(*dw)), *old = mem_array(count, sizeof(*old));
    int32_t changed = 0;
    (void)state;
    assert_false(feedback_is_exact(f));
    assert_true(fabs(norm(before, count) / sqrt((double)count) / sqrt(2.0 / (25 * 6 + 25 * 16)) - 1.0) < 0.1);
    memcpy(old, w, count * sizeof(*w));
    for (size_t i = 0; i < count; i++)
        w[i] += dw[i] = (float)i * 1e-5f;
    assert_int_equal(hooks->updated(hooks->ctx, layer, w, dw, &changed), BIOFT_OK);
    assert_int_equal(changed, 1);
    OK(feedback_refresh(f, 1, &err), err);
    float *after = fixture_read(m, BIOFT_FEEDBACK, p);
    for (size_t i = 0; i < count; i++) {
        assert_true(fabsf(w[i] - (0.875f * old[i] + dw[i])) < 1e-6f);
        assert_true(fabsf(after[i] - (0.875f * before[i] + dw[i])) < 1e-6f);
    }
    free(w);
    free(before);
    free(after);
    free(dw);
    free(old);
    feedback_destroy(f);
    model_destroy(m);
}

/* One batch through a perceptron of one hidden layer. */
enum { N = 3, IN = 28 * 28, HIDDEN = 12, OUT = 10 };
struct pass {
    struct graph *graph;
    struct model *model;
    struct program *program;
    float *x, out[N * OUT], d_out[N * OUT], *dy[2];
};

static void observe(void *ctx, uint32_t layer, const float *dy, size_t count)
{
    struct pass *p = ctx;
    assert_int_equal(count, N * (layer == 0 ? HIDDEN : OUT));
    p->dy[layer] = mem_array(count, sizeof(*dy));
    memcpy(p->dy[layer], dy, count * sizeof(*dy));
}

static void pass_open(struct pass *p)
{
    memset(p, 0, sizeof(*p));
    p->graph = fixture_graph(&fixture, fixture_choice(&fixture, BIOFT_KIND_BACKBONE, "mlp", "hidden=12", NULL), OUT);
    p->model = fixture_model(&fixture, p->graph, 4);
    p->x = mem_array(N * IN, sizeof(*p->x));
    random_fill(BIOFT_NORMAL, 1, "x", 0, 0, p->x, N * IN);
    random_fill(BIOFT_NORMAL, 1, "e", 0, 0, p->d_out, N * OUT);
}

static void pass_forward(struct pass *p, const bioft_route *routes)
{
    struct error err = { 0 };
    const bioft_use use = {
        .struct_size = sizeof(use), .kind = BIOFT_TRAIN, .precision = BIOFT_F32, .max_batch = N, .threads = 1
    };
    OK(program_create(p->model, &use, routes, &p->program, &err), err);
    OK(program_forward(p->program, N, p->x, 0, p->out, &err), err);
}

static void pass_close(struct pass *p)
{
    program_destroy(p->program);
    model_destroy(p->model);
    graph_destroy(p->graph);
    free(p->x);
    free(p->dy[0]);
    free(p->dy[1]);
}

/* Depth 3: dy of the hidden layer is (e B) o relu'(y), whatever W is above. */
static void test_dfa(void **state)
{
    struct error err = { 0 };
    struct pass p;
    (void)state;
    pass_open(&p);
    struct feedback *f = feedback_of(p.model, fixture_choice(&fixture, BIOFT_KIND_RULE, "dfa", NULL));
    assert_false(feedback_is_exact(f));
    pass_forward(&p, feedback_routes(f, true));
    const bioft_hooks *hooks = feedback_hooks(f, NULL, p.d_out, observe, &p, 0);
    OK(program_backward(p.program, p.d_out, 0, NULL, hooks, &err), err);
    const struct named_array *b = instance_array(feedback_instance(f, 0), "fc2");
    assert_non_null(b);
    assert_null(instance_array(feedback_instance(f, 0), "fc1"));
    assert_int_equal(b->count, OUT * HIDDEN);
    float *w = fixture_read(p.model, BIOFT_VALUE, graph_parameter(p.graph, "fc1.weight"));
    float *bias = fixture_read(p.model, BIOFT_VALUE, graph_parameter(p.graph, "fc1.bias"));
    float largest = 0.0f;
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < HIDDEN; j++) {
            double y = (double)bias[j], want = 0.0;
            for (size_t k = 0; k < IN; k++)
                y += (double)w[j * IN + k] * (double)p.x[i * IN + k];
            for (size_t k = 0; k < OUT; k++)
                want += (double)p.d_out[i * OUT + k] * (double)b->value[k * HIDDEN + j];
            want = y > 0.0 ? want : 0.0;
            assert_true(fabs(want - (double)p.dy[0][i * HIDDEN + j]) < 1e-5);
        }
    for (size_t i = 0; i < b->count; i++)
        largest = fabsf(b->value[i]) > largest ? fabsf(b->value[i]) : largest;
    assert_true(largest <= sqrtf(6.0f / (OUT + HIDDEN)) && largest > 0.9f * sqrtf(6.0f / (OUT + HIDDEN)));
    assert_memory_equal(p.dy[1], p.d_out, sizeof(p.d_out));
    free(w);
    free(bias);
    feedback_destroy(f);
    pass_close(&p);
}

static const bioft_batch batch = {
    .struct_size = sizeof(batch), .n = N, .classes = OUT, .label_words = 1, .label = (const int32_t[]){ 1, 2, 3 }
};

/* A rule that routes everything itself by the layer operations gives backpropagation's gradients.
 */
static void test_layer_operations(void **state)
{
    struct error err = { 0 };
    float *gradients[2][4];
    (void)state;
    for (size_t r = 0; r < 2; r++) {
        struct pass p;
        pass_open(&p);
        struct feedback *f = feedback_of(p.model,
                                         fixture_choice(&fixture, BIOFT_KIND_RULE, r ? "probe_rule" : "bp", NULL));
        pass_forward(&p, feedback_routes(f, false));
        const bioft_hooks *hooks = feedback_hooks(f, &batch, p.d_out, NULL, NULL, 0);
        OK(program_backward(p.program, p.d_out, 0, NULL, hooks, &err), err);
        for (uint32_t i = 0; i < 4; i++)
            gradients[r][i] = fixture_read(p.model, BIOFT_GRADIENT, i);
        for (uint32_t i = 0; r && i < 4; i++) {
            const size_t count = p.graph->parameters[i].count;
            for (size_t k = 0; k < count; k++)
                assert_true(fabsf(gradients[0][i][k] - gradients[1][i][k]) < 1e-5f);
            assert_true(norm(gradients[0][i], count) > 0.1);
            free(gradients[0][i]);
            free(gradients[1][i]);
        }
        feedback_destroy(f);
        pass_close(&p);
    }
}

/* What a rule reads is what it is called; the observer sees dy without the rule seeing it. */
static void test_reads(void **state)
{
    struct error err = { 0 };
    struct pass p;
    (void)state;
    pass_open(&p);
    struct feedback *f = feedback_of(p.model,
                                     fixture_choice(&fixture, BIOFT_KIND_RULE, "probe_rule", "mode=see", NULL));
    pass_forward(&p, feedback_routes(f, true));
    const bioft_hooks *hooks = feedback_hooks(f, &batch, p.d_out, observe, &p, 0);
    bioft_status st = program_backward(p.program, p.d_out, 0, NULL, hooks, &err);
    if (feedback_error(f, st, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    assert_true(p.dy[0] && p.dy[1]);
    feedback_destroy(f);
    pass_close(&p);
}

static void test_failures(void **state)
{
    struct error err = { 0 };
    struct pass p;
    (void)state;
    pass_open(&p);
    struct feedback *f = feedback_of(p.model,
                                     fixture_choice(&fixture, BIOFT_KIND_RULE, "probe_rule", "mode=fail", NULL));
    pass_forward(&p, feedback_routes(f, false));
    const bioft_hooks *hooks = feedback_hooks(f, &batch, p.d_out, NULL, NULL, 0);
    bioft_status st = program_backward(p.program, p.d_out, 0, NULL, hooks, &err);
    assert_int_equal(feedback_error(f, st, &err), BIOFT_ERR_UNSUPPORTED);
    assert_string_equal(err.text, "layer 'fc1': rule 'probe_rule': the probe was asked to fail");
    feedback_destroy(f);
    const struct {
        const char *mode, *part;
        bioft_status status;
    } bad[] = {
        { "mode=step", "its bioft.step/0 has no train()", BIOFT_ERR_INVALID },
        { "mode=bad_route", "layer 'fc1': rule 'probe_rule' routes quantities", BIOFT_ERR_INVALID },
        { "mode=bad_feedback", "g is not a function of W", BIOFT_ERR_INVALID },
    };
    for (size_t i = 0; i < 3; i++)
        refused(p.model,
                fixture_rule(&fixture, fixture_choice(&fixture, BIOFT_KIND_RULE, "probe_rule", bad[i].mode, NULL)), 1,
                bad[i].status, bad[i].part);
    pass_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matching),      cmocka_unit_test(test_formulas), cmocka_unit_test(test_scales),
        cmocka_unit_test(test_kolen_pollack), cmocka_unit_test(test_dfa),      cmocka_unit_test(test_layer_operations),
        cmocka_unit_test(test_reads),         cmocka_unit_test(test_failures),
    };
    return cmocka_run_group_tests(tests, fixture_open_group, fixture_close_group);
}
