/* A stage's length, and that stopping, resuming and threads change nothing of its result. */
#include "setting.h"

#include "base/file.h"
#include "base/random.h"
#include <math.h>

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
        { 100, 0, 0.0, 10, 1, 0, 0, 10 },  { 0, 0, 1.0, 10, 1, 0, 0, 0 },     { 3, 0, 1.0, 10, 8, 1, 1, 1 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct stage_spec s = { .steps = cases[i].steps,
                                      .epochs = cases[i].epochs,
                                      .batch_size = cases[i].batch,
                                      .accumulate = cases[i].accumulate };
        uint64_t epochs, per_epoch;
        assert_int_equal(stage_steps(&s, cases[i].count, &epochs, &per_epoch), cases[i].want_steps);
        assert_int_equal(epochs, cases[i].want_epochs);
        assert_int_equal(per_epoch, cases[i].want_per_epoch);
    }
}

/* 30 steps at once, and 13, a stop, and the rest in another process's objects: the same bytes. Once
 * more with other threads, with accumulation, and with a rule and a loss that have arrays. */
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
            setting_refused(&s, BIOFT_ERR_CANCELLED, name);
            OK(file_read(s.p.checkpoint, 1 << 24, &bytes, &size, &err), err);
        } else {
            setting_train(&s);
            setting_digest(&s, ret);
        }
        setting_close(&s);
    }
}

static void test_resume(void **state)
{
    static const struct {
        const char *rule, *loss;
        uint32_t accumulate;
    } cases[] = {
        { "frsf", "cross_entropy", 1 },
        { "brsf", "cross_entropy", 2 },
        { "kolen_pollack", "probe_loss", 1 },
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

/* Two epochs of 60 samples, the last window of each 8 and 4 samples: the gradient of a window is the mean over its
 * samples, so the network is that of batches of 16. The loss has a trained array, whose gradient is such a mean too. */
static void test_windows_are_means_over_samples(void **state)
{
    static const char *const losses[] = { "cross_entropy", "probe_loss" };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct setting whole, parts;
        setting_open(&whole, 1, "mlp", "bp", 60, losses[i]);
        setting_open(&parts, 1, "mlp", "bp", 60, losses[i]);
        whole.stage->batch_size = 16;
        parts.stage->batch_size = 8;
        parts.stage->accumulate = 2;
        whole.stage->epochs = parts.stage->epochs = 2.0;
        whole.stage->optimizer.lr = whole.stage->optimizer.head_lr = whole.stage->optimizer.loss_lr = 0.02;
        parts.stage->optimizer = whole.stage->optimizer;
        setting_train(&whole);
        setting_train(&parts);
        for (uint32_t p = 0; p < whole.graph->view.parameter_count; p++) {
            float *a = setting_values(&whole, whole.graph->parameters[p].name);
            float *b = setting_values(&parts, whole.graph->parameters[p].name);
            for (size_t k = 0; k < whole.graph->parameters[p].count; k++)
                if (!(fabs((double)a[k] - (double)b[k]) < 2e-6))
                    fail_msg("%s: %s[%zu] is %.9g in batches of 16, %.9g in two of 8", losses[i],
                             whole.graph->parameters[p].name, k, (double)a[k], (double)b[k]);
            free(a);
            free(b);
        }
        setting_close(&whole);
        setting_close(&parts);
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
    setting_train(&s);
    assert_int_equal(s.epoch_ends, 1);
    OK(file_read(s.p.checkpoint, 1 << 24, &bytes, &size, &err), err);
    setting_open(&again, 1, "small_norm", "brsf", 40, "cross_entropy");
    OK(file_write(again.p.checkpoint, bytes, size, &err), err);
    OK(stage_train(&again.p, &f, &err), err);
    assert_int_equal(again.reports, 0);
    const uint32_t p = graph_parameter(s.graph, "fc1.weight");
    float *w = setting_values(&again, "fc1.weight"), *trained = setting_values(&s, "fc1.weight");
    float *v = fixture_read(again.model, BIOFT_FEEDBACK, p), u[24 * 12];
    assert_memory_equal(w, trained, sizeof(u));
    random_fill(BIOFT_UNIFORM, 1, "feedback/fc1", 5, 0, u, 24 * 12); /* 5 updates done */
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
    float *before = setting_values(&s, "conv1.weight");
    setting_train(&s);
    float *after = setting_values(&s, "conv1.weight");
    assert_memory_equal(before, after, 36 * sizeof(*after));
    assert_true(file_exists(s.p.checkpoint) && s.reports == 0);
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
    setting_refused(&s, BIOFT_ERR_CANCELLED, "after step 7 of 10");
    setting_digest(&s, before);
    s.stop_at = 0;
    s.stop.signal = 0;
    s.stage->optimizer.lr = s.stage->optimizer.head_lr = 1e30;
    setting_refused(&s, BIOFT_ERR_INVALID, "is not finite");
    setting_refused(&s, BIOFT_ERR_INVALID, "step 9: fc");
    setting_digest(&s, after);
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
        s.stage->optimizer.lr = s.stage->optimizer.head_lr = 0.02; /* good for an epoch, then ruinous */
        s.stage->schedule = (struct schedule_spec){ .kind = SCHEDULE_STEP, .every = 1, .gamma = 60.0 };
        s.stop_at = stopped ? 25 : 0;
        if (stopped)
            setting_refused(&s, BIOFT_ERR_CANCELLED, "after step 25");
        s.stop_at = 0;
        s.stop.signal = 0;
        setting_train(&s);
        setting_digest(&s, last[stopped]);
        OK(checkpoint_peek(s.p.checkpoint, &progress, key, &err), err);
        assert_true(progress.complete && progress.step == 10 && progress.has_best && progress.best > 0.3);
        float *w = setting_values(&s, "fc1.weight");
        setting_close(&s);
        setting_open(&s, 1, "mlp", "usf", 80, "cross_entropy");
        s.stage->optimizer.lr = s.stage->optimizer.head_lr = 0.02;
        setting_train(&s);
        setting_digest(&s, first);
        float *once = setting_values(&s, "fc1.weight");
        assert_memory_equal(w, once, 784 * 12 * sizeof(*w));
        free(w);
        free(once);
        setting_close(&s);
    }
    assert_string_equal(last[0], last[1]);
    assert_string_not_equal(last[0], first); /* the metadata's `best` */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_length),     cmocka_unit_test(test_resume),
        cmocka_unit_test(test_complete),   cmocka_unit_test(test_windows_are_means_over_samples),
        cmocka_unit_test(test_zero_steps), cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_selection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
