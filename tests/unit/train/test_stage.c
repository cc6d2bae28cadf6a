/* Stages: each of their keys by what it does, and what they refuse. */
#include "setting.h"

#include "base/random.h"
#include <math.h>

/* It learns; and alignment is measured at the first step and at each multiple. */
static void test_learning(void **state)
{
    struct setting s;
    double first;
    (void)state;
    setting_open(&s, 2, "mlp", "bp", 200, "cross_entropy");
    s.stage->alignment = 10;
    s.stage->optimizer.lr = s.stage->optimizer.head_lr = 0.05;
    setting_train(&s);
    first = s.last_loss;
    assert_int_equal(s.measured, 3);
    assert_int_equal(s.reports, 26);
    assert_true(s.delta[0] < 1e-4 && s.weight_angle[0] < 1e-4);
    assert_string_equal(s.warnings, "");
    s.p.checkpoint = NULL;
    setting_train(&s);
    if (!(s.last_loss < 0.5 * first && s.last_accuracy > 0.9))
        fail_msg("loss %g, then %g; accuracy %g", first, s.last_loss, s.last_accuracy);
    setting_close(&s);
}

/* A rule that sends what backpropagation sends is worth a word, unless it says so itself. */
static void test_no_rule(void **state)
{
    struct setting s;
    (void)state;
    setting_open(&s, 1, "mlp", "probe_rule", 16, "cross_entropy");
    setting_train(&s);
    assert_non_null(strstr(s.warnings, "at the first step rule probe_rule sends what "
                                       "backpropagation sends"));
    setting_close(&s);
}

/* Two batches of 4 as one update are one batch of 8. */
static void test_accumulation(void **state)
{
    float *w[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct setting s;
        setting_open(&s, 1, "mlp", "usf", 40, "cross_entropy");
        s.stage->batch_size = i == 0 ? 8 : 4;
        s.stage->accumulate = i == 0 ? 1 : 2;
        setting_train(&s);
        assert_int_equal(s.reports, 6);
        w[i] = setting_values(&s, "fc1.weight");
        setting_close(&s);
    }
    for (size_t i = 0; i < 784 * 12; i++)
        assert_true(fabsf(w[0][i] - w[1][i]) < 1e-5f);
    free(w[0]);
    free(w[1]);
}

/* Order, rates, freezing: one step of SGD by hand on the head's bias, from the labels of the first
 * batch. */
static void test_rates(void **state)
{
    struct setting s;
    uint64_t order[40];
    (void)state;
    setting_open(&s, 1, "mlp", "bp", 40, "mse");
    const char *const freeze[] = { "fc1.*" };
    s.stage->freeze = freeze;
    s.stage->freeze_count = 1;
    s.stage->epochs = 0.0;
    s.stage->steps = 1;
    s.stage->optimizer.head_lr = 0.5;
    const uint32_t head = graph_parameter(s.graph, "fc2.weight"), bias = graph_parameter(s.graph, "fc2.bias");
    float *zero = mem_array(s.graph->parameters[head].count, sizeof(*zero));
    fixture_write(s.model, BIOFT_VALUE, head, zero);
    fixture_write(s.model, BIOFT_VALUE, bias, zero);
    float *before = setting_values(&s, "fc1.weight");
    setting_train(&s);
    float *after = setting_values(&s, "fc1.weight"), *b = setting_values(&s, "fc2.bias");
    assert_memory_equal(before, after, 784 * 12 * sizeof(*after));
    random_permutation(1, "order/train", 0, 40, order);
    for (int32_t c = 0; c < 10; c++) {
        float want = 0.0f; /* out = 0: d = -onehot / 8 */
        for (size_t i = 0; i < 8; i++)
            want += 0.5f / 8.0f * (s.data->splits[0].label[order[i]] == c);
        assert_true(fabsf(b[c] - want) < 1e-6f);
    }
    free(zero);
    free(before);
    free(after);
    free(b);
    setting_close(&s);
}

/* Each step's batch is the next of its epoch's permutation: seen by the loss of a constant output,
 * which tells labels apart. */
static void test_order(void **state)
{
    (void)state;
    for (int shuffle = 0; shuffle < 2; shuffle++) {
        struct setting s;
        uint64_t order[36];
        setting_open(&s, 1, "mlp", "bp", 36, "mse");
        const uint32_t head = graph_parameter(s.graph, "fc2.weight");
        float *zero = mem_array(s.graph->parameters[head].count, sizeof(*zero));
        const float bias[10] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
        fixture_write(s.model, BIOFT_VALUE, head, zero);
        fixture_write(s.model, BIOFT_VALUE, graph_parameter(s.graph, "fc2.bias"), bias);
        s.stage->shuffle = shuffle;
        s.stage->epochs = 3.0;
        s.stage->optimizer.lr = s.stage->optimizer.head_lr = 0.0;
        setting_train(&s);
        assert_int_equal(s.steps, 15);
        for (uint64_t e = 0, t = 0; e < 3; e++) {
            double sum = 0.0;
            random_permutation(1, "order/train", e, 36, order);
            for (size_t i = 0; i < 36; i++) {
                const size_t sample = shuffle ? order[i] : i;
                sum += 0.5 * (285.0 + 1.0 - 2.0 * s.data->splits[0].label[sample]);
                if (i % 8 == 7 || i == 35) /* the running mean of the epoch */
                    assert_true(fabs(s.losses[t++] - sum / (double)(i + 1)) < 1e-4);
            }
        }
        free(zero);
        setting_close(&s);
    }
}

/* Every batch of every step and stage has dropout masks of its own: seen by the losses of a network
 * that stands still. */
static void test_dropout(void **state)
{
    double losses[4];
    (void)state;
    for (uint32_t stage = 0; stage < 2; stage++) {
        struct setting s;
        struct stage_spec both[2];
        setting_open(&s, 1, "small_norm", "bp", 8, "cross_entropy");
        s.stage->shuffle = false;
        s.stage->epochs = 2.0;
        s.stage->optimizer.lr = s.stage->optimizer.head_lr = 0.0;
        both[0] = both[1] = *s.stage;
        s.trial->stages = both;
        s.trial->stage_count = 2;
        s.p.stage_number = stage;
        s.p.stage = &both[stage];
        setting_train(&s);
        assert_int_equal(s.steps, 2);
        memcpy(losses + 2 * stage, s.losses, 2 * sizeof(double));
        setting_close(&s);
    }
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < i; k++)
            assert_true(losses[i] != losses[k]);
}

/* A stage begins with moments of its own: none of the stage before. */
static void test_fresh_moments(void **state)
{
    struct setting s;
    (void)state;
    setting_open(&s, 1, "mlp", "bp", 40, "cross_entropy");
    s.p.checkpoint = NULL;
    s.stage->optimizer = (struct optimizer_spec){
        .kind = BIOFT_ADAM, .lr = 1e-3, .head_lr = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8
    };
    float *first[4], *trained[2];
    for (uint32_t i = 0; i < 4; i++)
        first[i] = fixture_read(s.model, BIOFT_VALUE, i);
    for (int turn = 0; turn < 2; turn++) {
        setting_train(&s);
        trained[turn] = setting_values(&s, "fc1.weight");
        for (uint32_t i = 0; i < 4; i++)
            fixture_write(s.model, BIOFT_VALUE, i, first[i]);
    }
    assert_memory_equal(trained[0], trained[1], 784 * 12 * sizeof(float));
    for (uint32_t i = 0; i < 4; i++)
        free(first[i]);
    free(trained[0]);
    free(trained[1]);
    setting_close(&s);
}

static void test_schedule(void **state)
{
    struct setting s;
    (void)state;
    setting_open(&s, 1, "mlp", "bp", 24, "mse");
    s.stage->schedule = (struct schedule_spec){ .kind = SCHEDULE_STEP, .every = 2, .gamma = 0.5 };
    s.stage->epochs = 5.0;
    setting_train(&s);
    assert_true(fabs(s.last_lr - 0.1 * 0.25) < 1e-12);
    setting_close(&s);
}

/* The loss's own array takes the optimizer's step, and comes back. */
static void test_loss_arrays(void **state)
{
    struct error err = { 0 };
    struct setting s;
    struct checkpoint c;
    struct instance *loss = NULL;
    const bioft_task task = { .struct_size = sizeof(task), .outputs = 10, .classes = 10 };
    (void)state;
    setting_open(&s, 1, "mlp", "bp", 40, "probe_loss");
    setting_train(&s);
    OK(instance_create(&(struct instance_params){ .plugin = s.stage->loss.plugin, .trainables = true }, &loss, &err),
       err);
    OK(s.stage->loss.plugin->api.loss.attach(loss->self, &task), err);
    c = (struct checkpoint){ .loss = loss, .optimizer = BIOFT_SGD, .key = "key" };
    OK(checkpoint_load(s.p.checkpoint, &c, &err), err);
    assert_true(instance_array(loss, "calls")->value[0] == 5.0f);
    assert_true(instance_array(loss, "a")->value[0] != 1.0f);
    instance_destroy(loss);
    setting_close(&s);
}

/* A last batch of one image is left out where batchnorm would have one value a channel, and only
 * there. */
static void test_single_image(void **state)
{
    struct setting s;
    (void)state;
    setting_open(&s, 1, "small_norm", "bp", 41, "cross_entropy");
    assert_int_equal(stage_usable(s.stage, s.graph, 41), 40);
    assert_int_equal(stage_usable(s.stage, s.graph, 42), 42);
    setting_train(&s);
    assert_int_equal(s.reports, 6);
    assert_non_null(strstr(s.warnings, "one of 41 training images is left out of each epoch"));
    s.p.checkpoint = NULL;
    s.stage->batch_size = 1;
    setting_refused(&s, BIOFT_ERR_INVALID, "every batch would leave batchnorm one value a channel");
    s.stage->batchnorm_frozen = true;
    s.stage->optimizer.lr = s.stage->optimizer.head_lr = 1e-3;
    assert_int_equal(stage_usable(s.stage, s.graph, 41), 41);
    float *before = setting_values(&s, "bn2.running_mean");
    setting_train(&s);
    float *after = setting_values(&s, "bn2.running_mean");
    assert_memory_equal(before, after, 12 * sizeof(*after));
    free(before);
    free(after);
    setting_close(&s);
}

static void test_refusals(void **state)
{
    struct setting s;
    (void)state;
    setting_open(&s, 1, "mlp", "bp", 40, "cross_entropy");
    const char *const freeze[] = { "fc1.*", "fc3.weight" };
    s.stage->freeze = freeze;
    s.stage->freeze_count = 2;
    setting_refused(&s, BIOFT_ERR_INVALID, "freeze: the pattern 'fc3.weight' matches no parameter; did you mean 'fc");
    s.stage->freeze_count = 0;
    s.trial->head = (struct head_spec){ .bits = 10 };
    setting_refused(&s, BIOFT_ERR_INVALID, "loss 'cross_entropy' is not for codes");
    s.trial->head = (struct head_spec){ .classes = 10 };
    s.data->multi_label = true;
    setting_refused(&s, BIOFT_ERR_INVALID, "takes one class a sample");
    s.data->multi_label = false;
    s.data->classes = 9;
    setting_refused(&s, BIOFT_ERR_INVALID, "10 outputs for 9 classes");
    s.data->classes = 10;
    setting_train(&s);
    s.p.key = "other";
    setting_refused(&s, BIOFT_ERR_INVALID, "another manifest");
    setting_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learning),      cmocka_unit_test(test_no_rule),  cmocka_unit_test(test_accumulation),
        cmocka_unit_test(test_rates),         cmocka_unit_test(test_order),    cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_fresh_moments), cmocka_unit_test(test_schedule), cmocka_unit_test(test_loss_arrays),
        cmocka_unit_test(test_single_image),  cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
