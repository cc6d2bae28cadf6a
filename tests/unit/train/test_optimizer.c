/* The optimizer's plain step and the schedules, against torch's numbers. */
#include "train/optimizer.h"

#include "golden_optimizers.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

enum { COUNT = 5, STEPS = 4 };

static bioft_update update_of(size_t i)
{
    return (bioft_update){
        .struct_size = sizeof(bioft_update),
        .kind = golden_optimizers[i].kind,
        .beta1 = golden_optimizers[i].beta1,
        .beta2 = golden_optimizers[i].beta2,
        .eps = golden_optimizers[i].eps,
        .weight_decay = golden_optimizers[i].weight_decay,
        .momentum = golden_optimizers[i].momentum,
        .gradient_scale = 1.0,
    };
}

static void test_torch(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(golden_optimizers) / sizeof(*golden_optimizers); i++) {
        float w[COUNT], m[COUNT] = { 7, 7, 7, 7, 7 }, v[COUNT] = { 0 };
        bioft_update u = update_of(i);
        memcpy(w, golden_w, sizeof(w));
        if (u.kind == BIOFT_ADAM)
            memset(m, 0, sizeof(m)); /* SGD's first step does not read what was there */
        for (u.t = 1; u.t <= STEPS; u.t++) {
            optimizer_step(&u, golden_optimizers[i].lr, w, golden_g[u.t - 1], m, v, COUNT);
            for (size_t k = 0; k < COUNT; k++)
                assert_true(fabsf(w[k] - golden_optimizers[i].after[u.t - 1][k]) <= 1e-6f * fabsf(w[k]) + 1e-9f);
        }
    }
}

static void test_gradient_scale(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(golden_optimizers) / sizeof(*golden_optimizers); i++) {
        float w[COUNT], w2[COUNT], g2[COUNT], m[COUNT] = { 0 }, v[COUNT] = { 0 }, m2[COUNT] = { 0 }, v2[COUNT] = { 0 };
        bioft_update u = update_of(i);
        u.t = 1;
        memcpy(w, golden_w, sizeof(w));
        memcpy(w2, golden_w, sizeof(w));
        for (size_t k = 0; k < COUNT; k++)
            g2[k] = 4.0f * golden_g[0][k];
        optimizer_step(&u, golden_optimizers[i].lr, w, golden_g[0], m, v, COUNT);
        u.gradient_scale = 0.25;
        optimizer_step(&u, golden_optimizers[i].lr, w2, g2, m2, v2, COUNT);
        assert_memory_equal(w, w2, sizeof(w));
    }
}

static void test_frozen(void **state)
{
    (void)state;
    float w[COUNT], m[COUNT] = { 1, 1, 1, 1, 1 }, v[COUNT] = { 2, 2, 2, 2, 2 };
    bioft_update u = update_of(1);
    u.t = 1;
    memcpy(w, golden_w, sizeof(w));
    optimizer_step(&u, -1.0, w, golden_g[0], m, v, COUNT);
    assert_memory_equal(w, golden_w, sizeof(w));
    assert_true(m[0] == 1.0f && v[0] == 2.0f);
}

static void test_schedules(void **state)
{
    (void)state;
    const struct schedule_spec step = { .kind = SCHEDULE_STEP, .every = 2, .gamma = 0.5 };
    const struct schedule_spec cosine = { .kind = SCHEDULE_COSINE }, constant = { .kind = SCHEDULE_CONSTANT };
    for (uint64_t t = 0; t < 12; t++) {
        assert_true(fabs(schedule_factor(&step, t / 3, t, 12) - golden_step[t]) < 1e-12);
        assert_true(fabs(schedule_factor(&cosine, t / 3, t, 12) - golden_cosine[t]) < 1e-12);
        assert_true(schedule_factor(&constant, t / 3, t, 12) == 1.0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_torch),
        cmocka_unit_test(test_gradient_scale),
        cmocka_unit_test(test_frozen),
        cmocka_unit_test(test_schedules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
