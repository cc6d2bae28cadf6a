/* Rules that run the training step themselves: the blocks they are given, what they are refused,
 * and the formulas of difference target propagation and forward-forward, with blocks of our own. */
#include "setting.h"

#include "base/random.h"
#include "rules/chain.h"
#include <bioft/backbone_util.h>
#include <math.h>

static void choose(struct setting *s, const char *mode)
{
    s->stage->rules = fixture_rule(&s->f, fixture_choice(&s->f, BIOFT_KIND_RULE, "probe_step", mode, NULL));
}

/* Backpropagation block by block is backpropagation: the same weights after some epochs of an
 * optimizer with moments, the same reports, a last batch that is smaller; frozen layers stay. */
static void test_blocks(void **state)
{
    static const uint32_t kinds[] = { BIOFT_ADAM, BIOFT_SGD };
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct setting s[2];
        for (int i = 0; i < 2; i++) {
            setting_open(&s[i], 2, "lenet5", i == 0 ? "bp" : "probe_step", 27, "cross_entropy");
            s[i].stage->optimizer.kind = kinds[k];
            s[i].stage->optimizer.lr = s[i].stage->optimizer.head_lr = 1e-3;
            s[i].stage->optimizer.momentum = k == 1 ? 0.9 : 0.0;
            s[i].stage->optimizer.weight_decay = 5e-4;
            s[i].stage->epochs = 3;
            s[i].stage->freeze = (const char *[]){ "fc1.*" };
            s[i].stage->freeze_count = 1;
            setting_train(&s[i]);
        }
        assert_int_equal(s[0].reports, s[1].reports);
        assert_int_equal(s[1].measured, 0);
        assert_true(fabs(s[0].last_loss - s[1].last_loss) < 1e-4);
        assert_true(s[0].last_accuracy == s[1].last_accuracy);
        for (uint32_t p = 0; p < s[0].graph->view.parameter_count; p++) {
            const bioft_parameter *q = &s[0].graph->parameters[p];
            float *a = fixture_read(s[0].model, BIOFT_VALUE, p);
            float *b = fixture_read(s[1].model, BIOFT_VALUE, p);
            for (size_t i = 0; i < q->count; i++)
                if (fabsf(a[i] - b[i]) > 1e-4f)
                    fail_msg("%s[%zu] is %g, %g by backpropagation", q->name, i, (double)b[i], (double)a[i]);
            free(a);
            free(b);
        }
        setting_close(&s[0]);
        setting_close(&s[1]);
    }
}

/* Stopped and resumed, it ends in the same bytes: moments and inverses came along. */
static void test_resume(void **state)
{
    static const char *const rules[] = { "dtp", "forward_forward" };
    (void)state;
    for (size_t r = 0; r < 2; r++) {
        char digest[2][SHA256_HEX];
        for (int i = 0; i < 2; i++) {
            struct setting s;
            setting_open(&s, 1, "lenet5", rules[r], 64, "cross_entropy");
            s.stage->optimizer.kind = BIOFT_ADAM;
            s.stage->optimizer.lr = s.stage->optimizer.head_lr = 1e-3;
            s.stop_at = i == 0 ? 0 : 3;
            if (i == 1) {
                setting_refused(&s, BIOFT_ERR_CANCELLED, "after step 3 of 8");
                s.stop_at = s.stop.signal = 0;
                model_destroy(s.model);
                s.p.model = s.model = fixture_model(&s.f, s.graph, 9);
            }
            setting_train(&s);
            setting_digest(&s, digest[i]);
            setting_close(&s);
        }
        assert_string_equal(digest[0], digest[1]);
    }
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *mode, *part;
    } bad[] = {
        { "mode=no_loss", "rule 'probe_step' ended its step without the loss" },
        { "mode=loss_twice", "rule 'probe_step': it asked for the loss twice" },
        { "mode=update_twice", "layer 'fc1': update twice in one step" },
        { "mode=no_forward", "layer 'fc1': block_backward of 8 images after block_forward of 0" },
        { "mode=no_block", "block 2 was asked for, and there are 2" },
        { "mode=late", "layer 'fc2': block_backward after update" },
        { "mode=no_gradient", "layer 'fc1': update before any block_backward" },
        { "mode=predict", "rule 'probe_step' answers otherwise than by the network's output" },
        { "mode=fail", "rule 'probe_step': the probe was asked to fail" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct setting s;
        setting_open(&s, 1, "mlp", "probe_step", 16, "cross_entropy");
        choose(&s, bad[i].mode);
        setting_refused(&s, i < 7 ? BIOFT_ERR_INVALID : BIOFT_ERR_UNSUPPORTED, bad[i].part);
        setting_close(&s);
    }
}

static bioft_status build_norms(void *self, const bioft_builder *b)
{
    const bioft_conv2d conv = { .struct_size = sizeof(conv), .out = 4, .kernel = { 3, 3 } };
    const bioft_linear head = { .struct_size = sizeof(head), .out = 10 };
    bioft_tensor x = b->conv2d(b, "conv", b->input(b, 1, 8, 8), &conv);
    (void)self;
    x = bioft_layernorm(b, "norm1", x, 1e-5);
    x = bioft_layernorm(b, "norm2", bioft_plain(b, "Gelu", x), 1e-5);
    b->head(b, "fc", b->flatten(b, x), &head);
    return BIOFT_OK;
}

/* A block has the arrays of its layer alone. */
static void test_other_arrays(void **state)
{
    static const struct plugin norms = {
        .descriptor = { BIOFT_PLUGIN(BIOFT_KIND_BACKBONE, "norms", "1", "", ""), .summary = "", .reference = "" },
        .api.backbone = { .struct_size = sizeof(bioft_backbone), .build = build_norms },
    };
    struct instance *instance = NULL;
    struct graph *graph = NULL;
    struct error err = { 0 };
    (void)state;
    assert_int_equal(instance_create(&(struct instance_params){ .plugin = &norms }, &instance, &err), BIOFT_OK);
    assert_int_equal(graph_build(&(struct graph_params){ .backbone = instance }, &graph, &err), BIOFT_OK);
    assert_int_equal(chain_check(graph, &err), BIOFT_ERR_UNSUPPORTED);
    assert_string_equal(err.text, "backbone 'norms' has layernorm after 'conv', which trains arrays "
                                  "of no layer's");
    graph_destroy(graph);
    instance_destroy(instance);
}

/* A plain word where such a rule does not fit. */
static void test_refusals(void **state)
{
    struct setting s;
    struct error err = { 0 };
    (void)state;
    setting_open(&s, 1, "mlp", "bp", 16, "cross_entropy");
    struct graph *residual = fixture_graph(&s.f, fixture_choice(&s.f, BIOFT_KIND_BACKBONE, "resnet18", NULL), 10);
    assert_int_equal(chain_check(s.graph, &err), BIOFT_OK);
    assert_int_equal(chain_check(residual, &err), BIOFT_ERR_UNSUPPORTED);
    assert_string_equal(err.text, "backbone 'resnet18' is not a chain of layers: paths part or meet "
                                  "after 'layer1.0.conv2'");
    graph_destroy(residual);
    setting_close(&s);
    setting_open(&s, 1, "small_norm", "dtp", 16, "cross_entropy");
    setting_refused(&s, BIOFT_ERR_UNSUPPORTED,
                    "rule 'dtp' runs the training step itself, layer by layer, and cannot here: "
                    "backbone 'small_norm' has batchnorm after 'conv1'");
    setting_close(&s);
    setting_open(&s, 1, "mlp", "probe_step", 16, "cross_entropy");
    s.stage->accumulate = 2;
    setting_refused(&s, BIOFT_ERR_UNSUPPORTED, "accumulate must be 1");
    s.stage->accumulate = 1;
    const struct rule_spec two[] = {
        { .layers = "fc1", .choice = s.stage->rules->choice },
        { .layers = "*", .choice = fixture_choice(&s.f, BIOFT_KIND_RULE, "bp", NULL) },
    };
    s.stage->rules = (struct rule_spec *)two;
    s.stage->rule_count = 2;
    setting_refused(&s, BIOFT_ERR_UNSUPPORTED, "it must be the stage's only rule");
    setting_close(&s);
}

/* Blocks of our own: linear layers with ReLU, in double, that keep what they are given. */
enum { N = 3, LAYERS = 3, WIDEST = 28 * 28, OUT = 10 };
static const size_t widths[LAYERS + 1] = { WIDEST, 7, 5, OUT };
struct fake {
    struct feedback *feedback;
    float *w[LAYERS];
    float x[LAYERS][N * WIDEST]; /* of the last forward */
    int passes[LAYERS], updates[LAYERS];
    float seen_x[LAYERS][4][N * WIDEST], seen_dh[LAYERS][4][N * WIDEST]; /* by block_backward */
    float d_out[N * OUT];
};

static const bioft_layer *fake_layer(const bioft_step *step, uint32_t index)
{
    return feedback_layer(((struct fake *)step->ctx)->feedback, index);
}

static double neuron(const struct fake *f, uint32_t layer, const float *x, size_t j)
{
    const size_t in = widths[layer];
    double y = 0.0;
    for (size_t k = 0; k < in; k++)
        y += (double)f->w[layer][j * in + k] * (double)x[k];
    return layer + 1 < LAYERS && y < 0.0 ? 0.0 : y;
}

static bioft_status fake_forward(const bioft_step *step, uint32_t index, uint32_t n, const float *x, float *ret_h)
{
    struct fake *f = step->ctx;
    memcpy(f->x[index], x, n * widths[index] * sizeof(*x));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < widths[index + 1]; j++)
            ret_h[i * widths[index + 1] + j] = (float)neuron(f, index, f->x[index] + i * widths[index], j);
    return BIOFT_OK;
}

static bioft_status fake_backward(const bioft_step *step, uint32_t index, uint32_t n, const float *dh, float *ret_dx)
{
    struct fake *f = step->ctx;
    const size_t in = widths[index], out = widths[index + 1];
    const int nth = f->passes[index]++;
    assert_true(nth < 4);
    memcpy(f->seen_x[index][nth], f->x[index], n * in * sizeof(*dh));
    memcpy(f->seen_dh[index][nth], dh, n * out * sizeof(*dh));
    for (size_t i = 0; ret_dx && i < n; i++) /* the head's: linear */
        for (size_t k = 0; k < in; k++) {
            double dx = 0.0;
            for (size_t j = 0; j < out; j++)
                dx += (double)dh[i * out + j] * (double)f->w[index][j * in + k];
            ret_dx[i * in + k] = (float)dx;
        }
    return BIOFT_OK;
}

static bioft_status fake_loss(const bioft_step *step, const float *out, double *ret_value, float *ret_d_out)
{
    (void)out;
    *ret_value = 1.0;
    memcpy(ret_d_out, ((struct fake *)step->ctx)->d_out, sizeof(float) * N * OUT);
    return BIOFT_OK;
}

static bioft_status fake_update(const bioft_step *step, uint32_t index)
{
    ((struct fake *)step->ctx)->updates[index]++;
    return BIOFT_OK;
}

static const int32_t labels[N] = { 3, 0, 9 };

/* One step of a rule on the fake network; the caller frees the model by fake_close. */
static struct model *fake_step(struct fake *f, struct choice rule, const float *x, float *inverse, size_t inverse_count)
{
    struct error err = { 0 };
    const struct choice network = fixture_choice(&fixture, BIOFT_KIND_BACKBONE, "mlp", "hidden=7 5", NULL);
    struct model *m = fixture_model(&fixture, fixture_graph(&fixture, network, OUT), 4);
    const bioft_batch batch = {
        .struct_size = sizeof(batch), .n = N, .classes = OUT, .label_words = 1, .x = x, .label = labels, .step = 6
    };
    const bioft_step step = {
        .struct_size = sizeof(step),
        .layers = LAYERS,
        .batch = &batch,
        .ctx = f,
        .layer = fake_layer,
        .block_forward = fake_forward,
        .block_backward = fake_backward,
        .loss = fake_loss,
        .update = fake_update,
    };
    double value = 0.0;
    memset(f, 0, sizeof(*f));
    random_fill(BIOFT_NORMAL, 1, "d_out", 0, 0, f->d_out, N * OUT);
    OK(feedback_create(m, fixture_rule(&fixture, rule), 1, 5, fixture.pool, N, &f->feedback, &err), err);
    assert_true(feedback_is_exact(f->feedback));
    for (uint32_t i = 0; i < LAYERS; i++)
        f->w[i] = fixture_read(m, BIOFT_VALUE,
                               graph_parameter(m->graph, i == 0   ? "fc1.weight"
                                                         : i == 1 ? "fc2.weight"
                                                                  : "fc3.weight"));
    struct instance *instance = feedback_instance(f->feedback, 0);
    const struct named_array *a = instance_array(instance, "fc2");
    assert_int_equal(a ? a->count : 0, inverse_count);
    if (a)
        memcpy(inverse, a->value, a->count * sizeof(float));
    assert_int_equal(feedback_own(f->feedback)->train(instance->self, &step, &value), BIOFT_OK);
    assert_true(value == 1.0);
    for (int i = 0; i < LAYERS; i++)
        assert_int_equal(f->updates[i], 1);
    return m;
}

static void fake_close(struct fake *f, struct model *m)
{
    const struct graph *g = m->graph;
    for (int i = 0; i < LAYERS; i++)
        free(f->w[i]);
    feedback_destroy(f->feedback);
    model_destroy(m);
    graph_destroy((struct graph *)g);
}

/* V h + c of the inverse from 5 to 7. */
static double inverted(const float *v, const float *h, size_t j)
{
    double y = (double)v[7 * 5 + j];
    for (size_t k = 0; k < 5; k++)
        y += (double)v[j * 5 + k] * (double)h[k];
    return y;
}

static void test_target_propagation(void **state)
{
    enum { INVERSE = 7 * 5 + 7 };
    static struct fake f;
    float *x = mem_array(N * WIDEST, sizeof(*x)), v[INVERSE], noise[N * 7];
    double t2[N * 5], square = N, after[INVERSE], gradient[INVERSE] = { 0 };
    (void)state;
    assert_non_null(x);
    random_fill(BIOFT_NORMAL, 1, "x", 0, 0, x, N * WIDEST);
    struct model *m = fake_step(
        &f,
        fixture_choice(&fixture, BIOFT_KIND_RULE, "dtp", "target_rate=0.5", "noise=0.25", "inverse_rate=0.125", NULL),
        x, v, INVERSE);
    const float *h1 = f.seen_x[1][0], *h2 = f.seen_x[2][0];
    assert_memory_equal(f.seen_x[0][0], x, N * WIDEST * sizeof(*x));
    assert_memory_equal(f.seen_dh[2][0], f.d_out, sizeof(f.d_out));
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < 5; k++) {
            double dh = 0.0;
            for (size_t j = 0; j < OUT; j++)
                dh += (double)f.d_out[i * OUT + j] * (double)f.w[2][j * 5 + k];
            t2[i * 5 + k] = (double)h2[i * 5 + k] - 0.5 * N * dh;
            const double want = ((double)h2[i * 5 + k] - t2[i * 5 + k]) / N;
            assert_true(fabs(want - (double)f.seen_dh[1][0][i * 5 + k]) < 1e-5);
        }
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < 7; j++) {
            float target[5];
            for (size_t k = 0; k < 5; k++)
                target[k] = (float)t2[i * 5 + k];
            const double t1 = (double)h1[i * 7 + j] + inverted(v, target, j) - inverted(v, h2 + i * 5, j);
            const double want = ((double)h1[i * 7 + j] - t1) / N;
            assert_true(fabs(want - (double)f.seen_dh[0][0][i * 7 + j]) < 1e-5);
        }
    random_fill(BIOFT_NORMAL, 5, "fc2", 7, 0, noise, N * 7);
    for (size_t i = 0; i < N; i++) {
        float in[7], out[5];
        for (size_t j = 0; j < 7; j++)
            in[j] = h1[i * 7 + j] + 0.25f * noise[i * 7 + j];
        for (size_t k = 0; k < 5; k++) {
            out[k] = (float)neuron(&f, 1, in, k);
            square += (double)out[k] * (double)out[k];
        }
        for (size_t j = 0; j < 7; j++) {
            const double r = inverted(v, out, j) - (double)in[j];
            gradient[7 * 5 + j] += r;
            for (size_t k = 0; k < 5; k++)
                gradient[j * 5 + k] += r * (double)out[k];
        }
    }
    const struct named_array *now = instance_array(feedback_instance(f.feedback, 0), "fc2");
    for (size_t k = 0; k < INVERSE; k++) {
        after[k] = (double)v[k] - 0.125 * gradient[k] / square;
        assert_true(fabs(after[k] - (double)now->value[k]) < 1e-5);
    }
    free(x);
    fake_close(&f, m);
}

static void test_forward_forward(void **state)
{
    static struct fake f;
    float *x = mem_array(N * WIDEST, sizeof(*x)), *pattern = mem_array(WIDEST, sizeof(*pattern));
    (void)state;
    assert_true(x && pattern);
    random_fill(BIOFT_NORMAL, 1, "x", 0, 0, x, N * WIDEST);
    struct model *m = fake_step(
        &f, fixture_choice(&fixture, BIOFT_KIND_RULE, "forward_forward", "strength=0.5", "theta=0.75", NULL), x, NULL,
        0);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t draw;
        random_fill(BIOFT_BITS, 5, "wrong", 6, i, &draw, 1);
        const uint32_t wrong = ((uint32_t)labels[i] + 1 + draw % (OUT - 1)) % OUT;
        assert_int_not_equal(wrong, labels[i]);
        for (int negative = 0; negative < 2; negative++) {
            random_fill(BIOFT_NORMAL, 5, "label", negative ? wrong : (uint32_t)labels[i], 0, pattern, WIDEST);
            for (size_t k = 0; k < WIDEST; k++)
                assert_true(fabsf(f.seen_x[0][negative][i * WIDEST + k] - x[i * WIDEST + k] - 0.5f * pattern[k]) <
                            1e-5f);
        }
    }
    for (int negative = 0; negative < 2; negative++)
        for (size_t i = 0; i < N; i++) { /* what hidden layers learn at has mean square 1 */
            double square = 0.0;
            for (size_t k = 0; k < widths[1]; k++)
                square += pow((double)f.seen_x[1][negative][i * widths[1] + k], 2) / (double)widths[1];
            assert_true(fabs(square - 1.0) < 1e-4);
        }
    for (uint32_t layer = 0; layer + 1 < LAYERS; layer++)
        for (int negative = 0; negative < 2; negative++)
            for (size_t i = 0; i < N; i++) {
                const size_t in = widths[layer], out = widths[layer + 1];
                double h[WIDEST], goodness = 0.0;
                for (size_t j = 0; j < out; j++) {
                    h[j] = neuron(&f, layer, f.seen_x[layer][negative] + i * in, j);
                    goodness += h[j] * h[j] / (double)out;
                }
                const double p = 1.0 / (1.0 + exp(0.75 - goodness)); /* of "positive" */
                for (size_t j = 0; j < out; j++) {
                    const double want = (negative ? p : p - 1.0) * 2.0 * h[j] / (double)out / N;
                    assert_true(fabs(want - (double)f.seen_dh[layer][negative][i * out + j]) <
                                1e-5 * (1.0 + fabs(want)));
                }
            }
    /* The head learns on clean images. */
    for (size_t i = 0; i < N; i++) {
        float h1[7];
        for (size_t j = 0; j < 7; j++)
            h1[j] = (float)neuron(&f, 0, x + i * WIDEST, j);
        for (size_t j = 0; j < 5; j++)
            assert_true(fabs(neuron(&f, 1, h1, j) - (double)f.seen_x[2][0][i * 5 + j]) < 1e-4);
    }
    assert_memory_equal(f.seen_dh[2][0], f.d_out, sizeof(f.d_out));
    assert_int_equal(f.passes[2], 1);
    free(x);
    free(pattern);
    fake_close(&f, m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),          cmocka_unit_test(test_resume),
        cmocka_unit_test(test_mistakes),        cmocka_unit_test(test_other_arrays),
        cmocka_unit_test(test_refusals),        cmocka_unit_test(test_target_propagation),
        cmocka_unit_test(test_forward_forward),
    };
    return cmocka_run_group_tests(tests, fixture_open_group, fixture_close_group);
}
