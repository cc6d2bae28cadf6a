/* Stages: their length, that stopping and threads change nothing, and each of their keys by what it does. */
#include "fixture.h"

#include "base/file.h"
#include "base/random.h"
#include <math.h>

/* A stage with everything that decides its result, ready to run. */
struct setting {
    struct fixture f;
    struct graph *graph;
    struct model *model;
    struct dataset *data;
    struct trial *trial;
    struct stage_spec *stage;
    struct stage_params p;
    struct stop stop;
    uint64_t stop_at;                              /* the step after which to stop, 0: never */
    uint64_t reports, epoch_ends, measured;
    uint64_t steps;                                /* with their losses, as reported */
    double losses[64];
    double last_loss, last_accuracy, last_lr, delta[8], weight_angle[8];
    char warnings[512];
};

static bioft_status report(void *ctx, const struct stage_report *r, struct error *err)
{
    struct setting *s = ctx;
    (void)err;
    s->reports++;
    s->epoch_ends += r->epoch_end;
    s->last_loss = r->loss;
    if (!r->epoch_end && s->steps < 64)
        s->losses[s->steps++] = r->loss;
    s->last_accuracy = r->accuracy;
    s->last_lr = r->lr;
    if (r->delta_angle) {
        s->measured++;
        memcpy(s->delta, r->delta_angle, r->layer_count * sizeof(double));
        memcpy(s->weight_angle, r->weight_angle, r->layer_count * sizeof(double));
    }
    if (s->stop_at > 0 && r->step == s->stop_at)
        s->stop.signal = 15;
    return BIOFT_OK;
}

static void on_log(void *ctx, enum log_level level, const char *text)
{
    struct setting *s = ctx;
    const size_t at = strlen(s->warnings);
    if (level == LOG_WARNING || level == LOG_INFO)
        snprintf(s->warnings + at, sizeof(s->warnings) - at, "%s\n", text);
}

static void setting_open(struct setting *s, unsigned threads, const char *backbone, const char *rule, uint64_t count,
                         const char *loss)
{
    static struct log log;
    memset(s, 0, sizeof(*s));
    fixture_open(&s->f, threads);
    fixture_engine(&s->f);
    const bool perceptron = strcmp(backbone, "mlp") == 0;
    const struct choice network = fixture_choice(&s->f, BIOFT_KIND_BACKBONE, backbone, perceptron ? "hidden=12" : NULL,
                                                 NULL);
    s->graph = fixture_graph(&s->f, network, 10);
    struct picture picture = { .channels = s->graph->view.channels, .height = s->graph->view.height,
                               .width = s->graph->view.width };
    for (size_t c = 0; c < 4; c++) {
        picture.mean[c] = 0.5f;
        picture.std[c] = 0.25f;
    }
    s->model = fixture_model(&s->f, s->graph, 1);
    s->data = fixture_data(&s->f, picture, count, 10);
    s->trial = fixture_trial(&s->f, network, s->data, fixture_choice(&s->f, BIOFT_KIND_RULE, rule, NULL), loss);
    s->stage = s->trial->stages;
    log = (struct log){ .write = on_log, .ctx = s };
    s->p = (struct stage_params){
        .model = s->model, .dataset = s->data, .picture = picture, .trial = s->trial, .stage = s->stage,
        .key = "key", .checkpoint = fixture_path(&s->f, "checkpoint"), .resume = true, .pool = s->f.pool,
        .stop = &s->stop, .log = &log, .report = report, .ctx = s,
    };
}

static void setting_close(struct setting *s)
{
    model_destroy(s->model);
    graph_destroy(s->graph);
    dataset_close(s->data);
    fixture_close(&s->f);
}

static void train(struct setting *s)
{
    struct error err = { 0 };
    OK(stage_train(&s->p, NULL, &err), err);
}

static void refused(struct setting *s, bioft_status status, const char *part)
{
    struct error err = { 0 };
    assert_int_equal(stage_train(&s->p, NULL, &err), status);
    if (!strstr(err.text, part))
        fail_msg("'%s' is not in: %s", part, err.text);
}

static void digest(struct setting *s, char ret[SHA256_HEX])
{
    struct error err = { 0 };
    OK(sha256_file(s->p.checkpoint, ret, &err), err);
}

static float *values(struct setting *s, const char *name)
{
    return fixture_read(s->model, BIOFT_VALUE, graph_parameter(s->graph, name));
}

static void test_length(void **state)
{
    static const struct {
        uint64_t count, steps;
        double epochs;
        uint32_t batch, accumulate;
        uint64_t want_steps, want_epochs, want_per_epoch;
    } cases[] = {
        { 100, 0, 1.0, 10, 1, 10, 1, 10 }, { 101, 0, 1.0, 10, 1, 11, 1, 11 }, { 101, 0, 2.0, 10, 4, 6, 2, 3 },
        { 100, 0, 1.1, 10, 1, 11, 2, 10 }, { 100, 0, 0.01, 10, 1, 1, 1, 10 }, { 100, 25, 0.0, 10, 1, 25, 3, 10 },
        { 100, 0, 0.0, 10, 1, 0, 0, 10 }, { 0, 0, 1.0, 10, 1, 0, 0, 0 }, { 3, 0, 1.0, 10, 8, 1, 1, 1 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct stage_spec s = { .steps = cases[i].steps, .epochs = cases[i].epochs, .batch_size = cases[i].batch,
                                      .accumulate = cases[i].accumulate };
        uint64_t epochs, per_epoch;
        assert_int_equal(stage_steps(&s, cases[i].count, &epochs, &per_epoch), cases[i].want_steps);
        assert_int_equal(epochs, cases[i].want_epochs);
        assert_int_equal(per_epoch, cases[i].want_per_epoch);
    }
}

/* 30 steps at once, and 13, a stop, and the rest in another process's objects: the same bytes. Once more with other
 * threads, with accumulation, and with a rule and a loss that have arrays. */
static void run_apart(unsigned threads, const char *rule, const char *loss, uint32_t accumulate, uint64_t stop_at,
                      char ret[SHA256_HEX])
{
    struct error err = { 0 };
    char name[32];
    uint8_t *bytes = NULL;
    size_t size = 0;
    for (int part = 0; part < (stop_at > 0 ? 2 : 1); part++) {
        struct setting s;
        setting_open(&s, threads, "small_norm", rule, 85, loss);
        s.stage->optimizer.kind = BIOFT_ADAM;
        s.stage->optimizer.lr = s.stage->optimizer.head_lr = s.stage->optimizer.loss_lr = 1e-3;
        s.stage->optimizer.weight_decay = 5e-4;
        s.stage->epochs = 0.0;
        s.stage->steps = 30;
        s.stage->accumulate = accumulate;
        s.stage->alignment = 7;
        s.stop_at = part == 0 ? stop_at : 0;
        if (part == 1)
            OK(file_write(s.p.checkpoint, bytes, size, &err), err);
        free(bytes);
        bytes = NULL;
        if (s.stop_at > 0) {
            snprintf(name, sizeof(name), "after step %d of 30", (int)stop_at);
            refused(&s, BIOFT_ERR_CANCELLED, name);
            OK(file_read(s.p.checkpoint, 1 << 24, &bytes, &size, &err), err);
        } else {
            train(&s);
            digest(&s, ret);
        }
        setting_close(&s);
    }
}

static void test_resume(void **state)
{
    static const struct { const char *rule, *loss; uint32_t accumulate; } cases[] = {
        { "frsf", "cross_entropy", 1 }, { "brsf", "cross_entropy", 2 }, { "kolen_pollack", "probe_loss", 1 },
        { "probe_rule", "mse", 1 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char once[SHA256_HEX], apart[SHA256_HEX], threads[SHA256_HEX];
        run_apart(1, cases[i].rule, cases[i].loss, cases[i].accumulate, 0, once);
        run_apart(1, cases[i].rule, cases[i].loss, cases[i].accumulate, 13, apart);
        run_apart(2, cases[i].rule, cases[i].loss, cases[i].accumulate, 0, threads);
        assert_string_equal(once, apart);
        assert_string_equal(once, threads);
    }
}

/* A stage that is done is not trained again, and gives its rule at its last step. */
static void test_complete(void **state)
{
    struct error err = { 0 };
    struct setting s, again;
    struct feedback *f = NULL;
    uint8_t *bytes;
    size_t size;
    (void)state;
    setting_open(&s, 1, "small_norm", "brsf", 40, "cross_entropy");
    train(&s);
    assert_int_equal(s.epoch_ends, 1);
    OK(file_read(s.p.checkpoint, 1 << 24, &bytes, &size, &err), err);
    setting_open(&again, 1, "small_norm", "brsf", 40, "cross_entropy");
    OK(file_write(again.p.checkpoint, bytes, size, &err), err);
    OK(stage_train(&again.p, &f, &err), err);
    assert_int_equal(again.reports, 0);
    const uint32_t p = graph_parameter(s.graph, "fc1.weight");
    float *w = values(&again, "fc1.weight"), *trained = values(&s, "fc1.weight");
    float *v = fixture_read(again.model, BIOFT_FEEDBACK, p), u[24 * 12];
    assert_memory_equal(w, trained, sizeof(u));
    random_fill(BIOFT_UNIFORM, 1, "feedback/fc1", 5, 0, u, 24 * 12);       /* 5 updates done */
    for (size_t i = 0; i < 24 * 12; i++)
        assert_true(fabs(fabs((double)v[i]) - sqrt(2.0 / 36.0) * sqrt(3.0) * (double)u[i]) < 1e-6);
    free(bytes);
    free(w);
    free(v);
    free(trained);
    feedback_destroy(f);
    setting_close(&s);
    setting_close(&again);
}

static void test_zero_steps(void **state)
{
    struct setting s;
    (void)state;
    setting_open(&s, 1, "small_norm", "usf", 40, "cross_entropy");
    s.stage->epochs = 0.0;
    float *before = values(&s, "conv1.weight");
    train(&s);
    float *after = values(&s, "conv1.weight");
    assert_memory_equal(before, after, 36 * sizeof(*after));
    assert_true(file_exists(s.p.checkpoint) && s.reports == 0);
    free(before);
    free(after);
    setting_close(&s);
}

/* It learns; and alignment is measured at the first step and at each multiple. */
static void test_learning(void **state)
{
    struct setting s;
    double first;
    (void)state;
    setting_open(&s, 2, "mlp", "bp", 200, "cross_entropy");
    s.stage->alignment = 10;
    s.stage->optimizer.lr = s.stage->optimizer.head_lr = 0.05;
    train(&s);
    first = s.last_loss;
    assert_int_equal(s.measured, 3);
    assert_int_equal(s.reports, 26);
    assert_true(s.delta[0] < 1e-4 && s.weight_angle[0] < 1e-4);
    assert_string_equal(s.warnings, "");
    s.p.checkpoint = NULL;
    train(&s);
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
    train(&s);
    assert_non_null(strstr(s.warnings, "at the first step rule probe_rule sends what backpropagation sends"));
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
        train(&s);
        assert_int_equal(s.reports, 6);
        w[i] = values(&s, "fc1.weight");
        setting_close(&s);
    }
    for (size_t i = 0; i < 784 * 12; i++)
        assert_true(fabsf(w[0][i] - w[1][i]) < 1e-5f);
    free(w[0]);
    free(w[1]);
}

/* Order, rates, freezing: one step of SGD by hand on the head's bias, from the labels of the first batch. */
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
    float *before = values(&s, "fc1.weight");
    train(&s);
    float *after = values(&s, "fc1.weight"), *b = values(&s, "fc2.bias");
    assert_memory_equal(before, after, 784 * 12 * sizeof(*after));
    random_permutation(1, "order/train", 0, 40, order);
    for (int32_t c = 0; c < 10; c++) {
        float want = 0.0f;                         /* out = 0: d = -onehot / 8 */
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

/* Each step's batch is the next of its epoch's permutation: seen by the loss of a constant output, which tells labels
 * apart. */
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
        train(&s);
        assert_int_equal(s.steps, 15);
        for (uint64_t e = 0, t = 0; e < 3; e++) {
            double sum = 0.0;
            random_permutation(1, "order/train", e, 36, order);
            for (size_t i = 0; i < 36; i++) {
                const size_t sample = shuffle ? order[i] : i;
                sum += 0.5 * (285.0 + 1.0 - 2.0 * s.data->splits[0].label[sample]);
                if (i % 8 == 7 || i == 35)         /* the running mean of the epoch */
                    assert_true(fabs(s.losses[t++] - sum / (double)(i + 1)) < 1e-4);
            }
        }
        free(zero);
        setting_close(&s);
    }
}

/* Every batch of every step and stage has dropout masks of its own: seen by the losses of a network that stands still. */
static void test_dropout(void **state)
{
    double losses[4];
    (void)state;
    for (uint32_t stage = 0; stage < 2; stage++) {
        struct setting s;
        setting_open(&s, 1, "small_norm", "bp", 8, "cross_entropy");
        s.p.stage_number = stage;
        s.stage->shuffle = false;
        s.stage->epochs = 2.0;
        s.stage->optimizer.lr = s.stage->optimizer.head_lr = 0.0;
        train(&s);
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
    s.stage->optimizer = (struct optimizer_spec){ .kind = BIOFT_ADAM, .lr = 1e-3, .head_lr = 1e-3, .beta1 = 0.9,
                                                  .beta2 = 0.999, .eps = 1e-8 };
    float *first[4], *trained[2];
    for (uint32_t i = 0; i < 4; i++)
        first[i] = fixture_read(s.model, BIOFT_VALUE, i);
    for (int turn = 0; turn < 2; turn++) {
        train(&s);
        trained[turn] = values(&s, "fc1.weight");
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
    train(&s);
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
    train(&s);
    OK(instance_create(&(struct instance_params){ .plugin = s.stage->loss.plugin, .trainables = true }, &loss, &err), err);
    OK(s.stage->loss.plugin->api.loss.attach(loss->self, &task), err);
    c = (struct checkpoint){ .loss = loss, .optimizer = BIOFT_SGD, .key = "key" };
    OK(checkpoint_load(s.p.checkpoint, &c, &err), err);
    assert_true(instance_array(loss, "calls")->value[0] == 5.0f);
    assert_true(instance_array(loss, "a")->value[0] != 1.0f);
    instance_destroy(loss);
    setting_close(&s);
}

/* A last batch of one image is left out where batchnorm would have one value a channel, and only there. */
static void test_single_image(void **state)
{
    struct setting s;
    (void)state;
    setting_open(&s, 1, "small_norm", "bp", 41, "cross_entropy");
    assert_int_equal(stage_usable(s.stage, s.graph, 41), 40);
    assert_int_equal(stage_usable(s.stage, s.graph, 42), 42);
    train(&s);
    assert_int_equal(s.reports, 6);
    assert_non_null(strstr(s.warnings, "one of 41 training images is left out of each epoch"));
    s.p.checkpoint = NULL;
    s.stage->batch_size = 1;
    refused(&s, BIOFT_ERR_INVALID, "every batch would leave batchnorm one value a channel");
    s.stage->batchnorm_frozen = true;
    s.stage->optimizer.lr = s.stage->optimizer.head_lr = 1e-3;
    assert_int_equal(stage_usable(s.stage, s.graph, 41), 41);
    float *before = values(&s, "bn2.running_mean");
    train(&s);
    float *after = values(&s, "bn2.running_mean");
    assert_memory_equal(before, after, 12 * sizeof(*after));
    free(before);
    free(after);
    setting_close(&s);
}

/* A NaN names the layer and the step, and the last good checkpoint stays. */
static void test_not_finite(void **state)
{
    struct setting s;
    char before[SHA256_HEX], after[SHA256_HEX];
    (void)state;
    setting_open(&s, 1, "mlp", "bp", 40, "mse");
    s.stage->epochs = 2.0;
    s.stage->checkpoint_epochs = 1;
    s.stop_at = 7;
    refused(&s, BIOFT_ERR_CANCELLED, "after step 7 of 10");
    digest(&s, before);
    s.stop_at = 0;
    s.stop.signal = 0;
    s.stage->optimizer.lr = s.stage->optimizer.head_lr = 1e30;
    refused(&s, BIOFT_ERR_INVALID, "is not finite");
    refused(&s, BIOFT_ERR_INVALID, "step 9: fc");
    digest(&s, after);
    assert_string_equal(before, after);
    setting_close(&s);
}

/* The best epoch by the validation split is the stage's result, stopped in between or not. */
static void test_selection(void **state)
{
    struct error err = { 0 };
    char last[2][SHA256_HEX], first[SHA256_HEX];
    (void)state;
    for (int stopped = 0; stopped < 2; stopped++) {
        struct setting s;
        struct progress progress;
        char key[SHA256_HEX];
        setting_open(&s, 1, "mlp", "usf", 80, "cross_entropy");
        s.stage->select_by_val = true;
        s.stage->epochs = 3.0;
        s.stage->checkpoint_epochs = 2;
        s.stage->optimizer.lr = s.stage->optimizer.head_lr = 0.02;     /* good for an epoch, then ruinous */
        s.stage->schedule = (struct schedule_spec){ .kind = SCHEDULE_STEP, .every = 1, .gamma = 60.0 };
        s.stop_at = stopped ? 25 : 0;
        if (stopped)
            refused(&s, BIOFT_ERR_CANCELLED, "after step 25");
        s.stop_at = 0;
        s.stop.signal = 0;
        train(&s);
        digest(&s, last[stopped]);
        OK(checkpoint_peek(s.p.checkpoint, &progress, key, &err), err);
        assert_true(progress.complete && progress.step == 10 && progress.has_best && progress.best > 0.3);
        float *w = values(&s, "fc1.weight");
        setting_close(&s);
        setting_open(&s, 1, "mlp", "usf", 80, "cross_entropy");
        s.stage->optimizer.lr = s.stage->optimizer.head_lr = 0.02;
        train(&s);
        digest(&s, first);
        float *once = values(&s, "fc1.weight");
        assert_memory_equal(w, once, 784 * 12 * sizeof(*w));
        free(w);
        free(once);
        setting_close(&s);
    }
    assert_string_equal(last[0], last[1]);
    assert_string_not_equal(last[0], first);       /* the metadata's `best` */
}

static void test_refusals(void **state)
{
    struct setting s;
    (void)state;
    setting_open(&s, 1, "mlp", "bp", 40, "cross_entropy");
    const char *const freeze[] = { "fc1.*", "fc3.weight" };
    s.stage->freeze = freeze;
    s.stage->freeze_count = 2;
    refused(&s, BIOFT_ERR_INVALID, "freeze: the pattern 'fc3.weight' matches no parameter; did you mean 'fc");
    s.stage->freeze_count = 0;
    s.trial->head = (struct head_spec){ .bits = 10 };
    refused(&s, BIOFT_ERR_INVALID, "loss 'cross_entropy' is not for codes");
    s.trial->head = (struct head_spec){ .classes = 10 };
    s.data->multi_label = true;
    refused(&s, BIOFT_ERR_INVALID, "takes one class a sample");
    s.data->multi_label = false;
    s.data->classes = 9;
    refused(&s, BIOFT_ERR_INVALID, "10 outputs for 9 classes");
    s.data->classes = 10;
    train(&s);
    s.p.key = "other";
    refused(&s, BIOFT_ERR_INVALID, "another manifest");
    setting_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_length), cmocka_unit_test(test_resume), cmocka_unit_test(test_complete),
        cmocka_unit_test(test_zero_steps), cmocka_unit_test(test_learning), cmocka_unit_test(test_no_rule),
        cmocka_unit_test(test_accumulation), cmocka_unit_test(test_rates), cmocka_unit_test(test_order),
        cmocka_unit_test(test_dropout), cmocka_unit_test(test_fresh_moments),
        cmocka_unit_test(test_schedule),
        cmocka_unit_test(test_loss_arrays), cmocka_unit_test(test_single_image), cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_selection), cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
