/* The losses: torch's values and gradients, finite differences, and what they refuse. */
#include "fixture.h"

#include "golden_losses.h"
#include "plugin/instance.h"
#include <math.h>

enum { N = 4, C = 3 };

static const uint64_t samples[N] = { 11, 12, 13, 14 };

static bioft_batch batch_of(const int32_t *label, const uint64_t *labels)
{
    return (bioft_batch){
        .struct_size = sizeof(bioft_batch),
        .n = N,
        .classes = C,
        .label_words = 1,
        .sample = samples,
        .label = label,
        .labels = labels,
    };
}

static struct instance *loss_of(struct fixture *f, const char *name, double smoothing)
{
    struct error err = { 0 };
    struct instance *loss = NULL;
    struct choice c = fixture_choice(f, BIOFT_KIND_LOSS, name, NULL);
    const bioft_task task = { .struct_size = sizeof(task), .outputs = C, .classes = C, .train_count = N };
    if (smoothing > 0.0)
        c = fixture_choice(f, BIOFT_KIND_LOSS, name, arena_printf(f->arena, "label_smoothing=%g", smoothing), NULL);
    OK(instance_create(&(struct instance_params){ .plugin = c.plugin, .values = c.values, .trainables = true }, &loss,
                       &err),
       err);
    OK(c.plugin->api.loss.attach(loss->self, &task), err);
    return loss;
}

static double value_of(struct instance *loss, const float *out, const bioft_batch *batch, float *d_out)
{
    double value = NAN;
    assert_int_equal(loss->plugin->api.loss.value(loss->self, out, batch, &value, d_out), BIOFT_OK);
    return value;
}

static void test_torch(void **state)
{
    struct fixture *f = *state;
    uint64_t one[N];
    for (size_t i = 0; i < N; i++)
        one[i] = UINT64_C(1) << golden_label[i];
    for (size_t g = 0; g < sizeof(golden_losses) / sizeof(*golden_losses); g++) {
        struct instance *loss = loss_of(f, golden_losses[g].loss, golden_losses[g].smoothing);
        const bioft_batch batch = batch_of(golden_label, golden_losses[g].multi ? golden_sets : one);
        float d[N * C];
        const double value = value_of(loss, golden_out[0], &batch, d);
        assert_true(fabs(value - golden_losses[g].value) <= 1e-6 * fabs(golden_losses[g].value));
        assert_true(value_of(loss, golden_out[0], &batch, NULL) == value);
        for (size_t i = 0; i < N * C; i++)
            assert_true(fabsf(d[i] - golden_losses[g].d_out[i / C][i % C]) <= 1e-6f * fabsf(d[i]) + 1e-7f);
        instance_destroy(loss);
    }
}

/* The gradient is that of the value, where the float outputs are moderate. */
static void test_differences(void **state)
{
    struct fixture *f = *state;
    const struct {
        const char *name;
        double smoothing;
    } losses[] = {
        { "cross_entropy", 0.0 },
        { "cross_entropy", 0.3 },
        { "mse", 0.0 },
        { "binary_cross_entropy", 0.0 },
    };
    const float out[N * C] = { 0.5f, -1.0f, 2.0f, 1.5f, 0.25f, -0.75f, 0.0f, 0.125f, -0.5f, 1.0f, 1.0f, -2.0f };
    for (size_t k = 0; k < sizeof(losses) / sizeof(*losses); k++) {
        struct instance *loss = loss_of(f, losses[k].name, losses[k].smoothing);
        const bioft_batch batch = batch_of(golden_label, golden_sets);
        float d[N * C], moved[N * C];
        value_of(loss, out, &batch, d);
        for (size_t i = 0; i < N * C; i++) {
            const float h = 1.0f / 256;
            memcpy(moved, out, sizeof(out));
            moved[i] = out[i] + h;
            const double above = value_of(loss, moved, &batch, NULL);
            moved[i] = out[i] - h;
            const double slope = (above - value_of(loss, moved, &batch, NULL)) / (2.0 * (double)h);
            assert_true(fabs(slope - (double)d[i]) < 2e-5);
        }
        instance_destroy(loss);
    }
}

static void test_refusals(void **state)
{
    struct fixture *f = *state;
    const int32_t none[N] = { 0, -1, 1, 2 }, beyond[N] = { 0, 1, 3, 2 };
    const bioft_task wrong = { .struct_size = sizeof(wrong), .outputs = C + 1, .classes = C };
    const char *const names[] = { "cross_entropy", "mse", "binary_cross_entropy" };
    struct error err = { 0 };
    double value = 7.0;
    struct instance *loss = loss_of(f, "cross_entropy", 0.0);
    bioft_batch batch = batch_of(none, golden_sets);
    bioft_status st = loss->plugin->api.loss.value(loss->self, golden_out[0], &batch, &value, NULL);
    assert_int_equal(instance_error(loss, st, &err), BIOFT_ERR_INVALID);
    assert_non_null(strstr(err.text, "sample 12"));
    batch.label = beyond;
    assert_int_equal(loss->plugin->api.loss.value(loss->self, golden_out[0], &batch, &value, NULL), BIOFT_ERR_INVALID);
    assert_true(value == 7.0);
    instance_destroy(loss);
    for (size_t i = 0; i < 3; i++) {
        loss = loss_of(f, names[i], 0.0);
        assert_int_equal(loss->plugin->api.loss.attach(loss->self, &wrong), BIOFT_ERR_INVALID);
        instance_destroy(loss);
    }
}

static int open_fixture(void **state)
{
    static struct fixture f;
    fixture_open(&f, 1);
    *state = &f;
    return 0;
}

static int close_fixture(void **state)
{
    fixture_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_torch),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
