/* The losses for codes: torch's values and gradients, finite differences, thresholds, what is kept
 * between batches. */
#include "fixture.h"

#include "../../../plugins/losses/hyp2_threshold.h"
#include "golden_hash_losses.h"
#include "plugin/instance.h"
#include <math.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

static struct instance *loss_of(struct fixture *f, const char *name, const bioft_task *task, uint64_t seed,
                                const char *option, const char *more)
{
    struct error err = { 0 };
    struct instance *loss = NULL;
    struct choice c = fixture_choice(f, BIOFT_KIND_LOSS, name, option, option ? more : NULL, NULL);

    OK(instance_create(
           &(struct instance_params){ .plugin = c.plugin, .values = c.values, .seed = seed, .trainables = true }, &loss,
           &err),
       err);
    if (c.plugin->api.loss.attach(loss->self, task) != BIOFT_OK) {
        instance_error(loss, BIOFT_ERR_INVALID, &err);
        fail_msg("%s", err.text);
    }
    return loss;
}

static bioft_task task_of(uint32_t bits, uint32_t classes, uint64_t train_count)
{
    return (bioft_task){ .struct_size = sizeof(bioft_task),
                         .outputs = bits,
                         .classes = classes,
                         .multi_label = 1,
                         .train_count = train_count };
}

static double value_of(struct instance *loss, const float *out, const bioft_batch *batch, float *d)
{
    double value = NAN;
    assert_int_equal(loss->plugin->api.loss.value(loss->self, out, batch, &value, d), BIOFT_OK);
    return value;
}

static void near_all(const float *found, const float *want, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(found[i] - want[i]) <= 1e-5f * fabsf(want[i]) + 1e-7f))
            fail_msg("value %zu is %.9g, not %.9g", i, (double)found[i], (double)want[i]);
}

static const struct hyp2_case {
    uint32_t n, bits, classes;
    const char *zeta;
    const uint64_t *sets;
    const float *out, *proxies, *d_out, *d_proxies;
    double value;
    bool several;
} cases[] = {
    { 6, 12, 5, "zeta=0", single_sets, single_out, single_proxies, single_d_out, single_d_proxies, single_value,
      false },
    { 9, 16, 7, "zeta=0.125", several_sets, several_out, several_proxies, several_d_out, several_d_proxies,
      several_value, true },
};
enum { MOST = 9 * 16 };

static const uint64_t numbers[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };

static bioft_batch batch_of(const struct hyp2_case *c)
{
    return (bioft_batch){ .struct_size = sizeof(bioft_batch),
                          .n = c->n,
                          .classes = c->classes,
                          .label_words = 1,
                          .sample = numbers,
                          .labels = c->sets };
}

static struct instance *hyp2_of(struct fixture *f, const struct hyp2_case *c, const char *beta)
{
    const bioft_task task = task_of(c->bits, c->classes, 100);
    struct instance *loss = loss_of(f, "hyp2", &task, 1, c->zeta, beta);
    struct named_array *a = instance_array(loss, "proxies");

    assert_non_null(a);
    assert_int_equal(a->count, (size_t)c->classes * c->bits);
    memcpy(a->value, c->proxies, a->count * sizeof(float));
    memset(a->gradient, 0, a->count * sizeof(float));
    return loss;
}

static void hyp2_is_torchs(void **state)
{
    struct fixture *f = *state;

    for (size_t k = 0; k < COUNT(cases); k++) {
        const struct hyp2_case *c = &cases[k];
        struct instance *loss = hyp2_of(f, c, NULL);
        struct named_array *a = instance_array(loss, "proxies");
        const bioft_batch batch = batch_of(c);
        float d[MOST], twice[MOST];
        const double value = value_of(loss, c->out, &batch, d);

        assert_true(fabs(value - c->value) <= 1e-6 * fabs(c->value));
        near_all(d, c->d_out, (size_t)c->n * c->bits);
        near_all(a->gradient, c->d_proxies, a->count);

        /* in evaluation nothing is added; asked again the same is added again */
        assert_true(value_of(loss, c->out, &batch, NULL) == value);
        near_all(a->gradient, c->d_proxies, a->count);
        value_of(loss, c->out, &batch, d);
        for (size_t i = 0; i < a->count; i++)
            twice[i] = 2.0f * c->d_proxies[i];
        near_all(a->gradient, twice, a->count);
        instance_destroy(loss);
    }
}

/* The slope of the value along one number. */
static double slope(struct instance *loss, const float *out, const bioft_batch *batch, float *number)
{
    const float h = 1.0f / 512, at = *number;
    *number = at + h;
    const double above = value_of(loss, out, batch, NULL);
    *number = at - h;
    const double below = value_of(loss, out, batch, NULL);
    *number = at;
    return (above - below) / (2.0 * (double)h);
}

static void hyp2_is_the_gradient(void **state)
{
    struct fixture *f = *state;

    for (size_t k = 0; k < COUNT(cases); k++) {
        const struct hyp2_case *c = &cases[k];
        struct instance *loss = hyp2_of(f, c, "beta=2");
        struct named_array *a = instance_array(loss, "proxies");
        const bioft_batch batch = batch_of(c);
        float out[MOST], d[MOST];

        memcpy(out, c->out, sizeof(float) * c->n * c->bits);
        value_of(loss, out, &batch, d);
        for (size_t i = 0; i < (size_t)c->n * c->bits; i++)
            assert_true(fabs(slope(loss, out, &batch, &out[i]) - (double)d[i]) < 3e-5);
        for (size_t i = 0; i < a->count; i++)
            assert_true(fabs(slope(loss, out, &batch, &a->value[i]) - (double)a->gradient[i]) < 3e-5);

        /* the cosine does not see how long a vector is */
        for (uint32_t i = 0; i < c->n; i++) {
            double along = 0.0;
            for (uint32_t j = 0; j < c->bits; j++)
                along += (double)out[i * c->bits + j] * (double)d[i * c->bits + j];
            assert_true(fabs(along) < 1e-7);
        }
        instance_destroy(loss);
    }
}

static void pairs_are_of_several_labels(void **state)
{
    struct fixture *f = *state;

    for (size_t k = 0; k < COUNT(cases); k++) {
        const bioft_batch batch = batch_of(&cases[k]);
        struct instance *without = hyp2_of(f, &cases[k], "beta=0");
        struct instance *with = hyp2_of(f, &cases[k], "beta=3");
        const double a = value_of(without, cases[k].out, &batch, NULL);
        const double b = value_of(with, cases[k].out, &batch, NULL);

        assert_true(cases[k].several ? b > a + 0.1 : b == a);
        instance_destroy(without);
        instance_destroy(with);
    }
}

/* Batches without labels, or where every sample has every class, have sums over nothing. */
static void sums_over_nothing(void **state)
{
    struct fixture *f = *state;
    struct hyp2_case c = cases[0];
    uint64_t sets[6] = { 0 };
    float d[MOST];

    c.sets = sets;
    for (int all = 0; all < 2; all++) {
        const bioft_batch batch = batch_of(&c);
        struct instance *loss = hyp2_of(f, &c, NULL);
        assert_true(isfinite(value_of(loss, c.out, &batch, d)));
        for (size_t i = 0; i < (size_t)c.n * c.bits; i++)
            assert_true(isfinite(d[i]));
        instance_destroy(loss);
        for (size_t i = 0; i < COUNT(sets); i++)
            sets[i] = 31;
    }
}

static void thresholds(void **state)
{
    static const struct {
        uint32_t bits, classes;
        double zeta;
    } known[] = {
        { 32, 10, 0.0 },        { 32, 21, 0.0 },      { 32, 38, 0.0 },   { 32, 80, 0.125 },  { 32, 100, 0.125 },
        { 32, 1000, 0.25 },     { 32, 5, -0.125 },    { 32, 2, -1.0 },   { 32, 4, -0.3125 }, { 32, 8, -0.125 },
        { 32, 9, 0.0 },         { 32, 64, 0.0 },      { 32, 65, 0.125 }, { 12, 10, 0.0 },    { 16, 1000, 0.5 },
        { 128, 2048, 0.09375 }, { 24, 5, -1.0 / 12 },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        const uint32_t d = hyp2_distance(known[i].bits, known[i].classes);
        assert_true(fabs(1.0 - 2.0 * d / known[i].bits - known[i].zeta) < 1e-12);
    }
    assert_int_equal(hyp2_dimension(1), 1);
    assert_int_equal(hyp2_dimension(2), 1);
    assert_int_equal(hyp2_dimension(1024), 10);
    assert_int_equal(hyp2_dimension(1025), 11);
    assert_int_equal(hyp2_distance(20, 10), 0);
    assert_int_equal(hyp2_distance(32, 4097), 0);
    /* No entry betters Griesmer's bound; simplex codes reach it. */
    for (size_t i = 0; i < COUNT(hyp2_codes); i++)
        for (uint32_t m = 1; m <= HYP2_DIMENSIONS; m++)
            assert_true(hyp2_codes[i].distance[m - 1] <= hyp2_griesmer(hyp2_codes[i].bits, UINT32_C(1) << m));
    for (uint32_t m = 2; m < 9; m++)
        assert_int_equal(hyp2_griesmer((UINT32_C(1) << m) - 1, UINT32_C(1) << m), 1 << (m - 1));
}

static void thresholds_count(void **state)
{
    struct fixture *f = *state;
    const bioft_task task = task_of(32, 80, 100), odd = task_of(20, 10, 100);
    const uint64_t sets[4] = { 1, 0, 4, 0 };
    const bioft_batch batch = {
        .struct_size = sizeof batch, .n = 2, .classes = 80, .label_words = 2, .sample = numbers, .labels = sets
    };
    struct instance *table = loss_of(f, "hyp2", &task, 1, NULL, NULL);
    struct instance *same = loss_of(f, "hyp2", &task, 1, "zeta=0.125", NULL);
    struct instance *other = loss_of(f, "hyp2", &task, 1, "zeta=0", NULL);
    const double value = value_of(table, several_out, &batch, NULL);
    struct choice c = fixture_choice(f, BIOFT_KIND_LOSS, "hyp2", NULL);
    struct instance *none = NULL;
    struct error err = { 0 };

    assert_true(value == value_of(same, several_out, &batch, NULL));
    assert_true(value != value_of(other, several_out, &batch, NULL));
    instance_destroy(table);
    instance_destroy(same);
    instance_destroy(other);

    OK(instance_create(&(struct instance_params){ .plugin = c.plugin, .values = c.values, .trainables = true }, &none,
                       &err),
       err);
    bioft_status st = c.plugin->api.loss.attach(none->self, &odd);
    assert_int_equal(instance_error(none, st, &err), BIOFT_ERR_INVALID);
    assert_non_null(strstr(err.text, "20 bits and 10 classes: give 'zeta'"));
    instance_destroy(none);
}

/* N(0, 2 / classes), by the seed alone. */
static void proxies_begin(void **state)
{
    struct fixture *f = *state;
    const bioft_task task = task_of(128, 50, 100);
    struct instance *a = loss_of(f, "hyp2", &task, 1, NULL, NULL);
    struct instance *b = loss_of(f, "hyp2", &task, 1, NULL, NULL);
    struct instance *c = loss_of(f, "hyp2", &task, 2, NULL, NULL);
    const struct named_array *p = instance_array(a, "proxies");
    double sum = 0.0, squares = 0.0;

    for (size_t i = 0; i < p->count; i++) {
        sum += (double)p->value[i];
        squares += (double)p->value[i] * (double)p->value[i];
    }
    /* 6,400 numbers: standard errors 0.2 / 80 of the mean, 0.04 * sqrt(2) / 80 of the square's */
    assert_true(fabs(sum / 6400) < 5 * 0.2 / 80);
    assert_true(fabs(squares / 6400 - 0.04) < 5 * 0.04 * 1.5 / 80);
    assert_memory_equal(p->value, instance_array(b, "proxies")->value, p->count * sizeof(float));
    assert_memory_not_equal(p->value, instance_array(c, "proxies")->value, p->count * sizeof(float));
    instance_destroy(a);
    instance_destroy(b);
    instance_destroy(c);
}

enum { TRAIN = 9, BITS = 8, CLASSES = 20, N = 4, BATCHES = 3 };

static double hashnet_batch(struct instance *loss, size_t k, float *d)
{
    uint64_t sets[N];
    for (size_t i = 0; i < N; i++)
        sets[i] = hashnet_sets[hashnet_samples[k * N + i]];
    const bioft_batch batch = { .struct_size = sizeof batch,
                                .n = N,
                                .classes = CLASSES,
                                .label_words = 1,
                                .epoch = hashnet_epochs[k],
                                .sample = hashnet_samples + k * N,
                                .labels = sets };
    return value_of(loss, hashnet_out + k * N * BITS, &batch, d);
}

static void hashnet_is_torchs(void **state)
{
    struct fixture *f = *state;
    const bioft_task task = task_of(BITS, CLASSES, TRAIN);
    struct instance *loss = loss_of(f, "hashnet", &task, 1, "continuation=4", NULL);
    float d[N * BITS];

    for (size_t k = 0; k < BATCHES; k++) {
        const double value = hashnet_batch(loss, k, d);
        assert_true(fabs(value - hashnet_value[k]) <= 1e-6 * hashnet_value[k]);
        near_all(d, hashnet_d_out + k * N * BITS, N * BITS);
    }
    instance_destroy(loss);
}

static void copy_state(struct instance *to, const struct instance *from)
{
    assert_int_equal(to->array_count, from->array_count);
    for (size_t i = 0; i < from->array_count; i++) {
        struct named_array *a = instance_array(to, from->arrays[i].name);
        assert_non_null(a);
        memcpy(a->value, from->arrays[i].value, a->count * sizeof(float));
    }
}

/* All that is kept is in the named arrays, and evaluation keeps nothing. */
static void hashnet_keeps(void **state)
{
    struct fixture *f = *state;
    const bioft_task task = task_of(BITS, CLASSES, TRAIN);
    struct instance *straight = loss_of(f, "hashnet", &task, 1, "continuation=4", NULL);
    struct instance *resumed = loss_of(f, "hashnet", &task, 1, "continuation=4", NULL);
    float a[N * BITS], b[N * BITS];

    hashnet_batch(straight, 0, a);
    hashnet_batch(straight, 1, a);
    copy_state(resumed, straight);
    const double before = hashnet_batch(straight, 2, NULL);
    assert_true(hashnet_batch(straight, 2, NULL) == before);
    const double value = hashnet_batch(straight, 2, a);
    assert_true(hashnet_batch(resumed, 2, b) == value);
    assert_memory_equal(a, b, sizeof a);

    const uint64_t beyond[N] = { 0, 1, TRAIN, 2 };
    double unused = 7.0;
    struct error err = { 0 };
    const bioft_batch batch = { .struct_size = sizeof batch,
                                .n = N,
                                .classes = CLASSES,
                                .label_words = 1,
                                .sample = beyond,
                                .labels = hashnet_sets };
    bioft_status st = straight->plugin->api.loss.value(straight->self, hashnet_out, &batch, &unused, a);
    assert_int_equal(instance_error(straight, st, &err), BIOFT_ERR_INVALID);
    assert_true(unused == 7.0);
    instance_destroy(straight);
    instance_destroy(resumed);
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
        cmocka_unit_test(hyp2_is_torchs),
        cmocka_unit_test(hyp2_is_the_gradient),
        cmocka_unit_test(pairs_are_of_several_labels),
        cmocka_unit_test(sums_over_nothing),
        cmocka_unit_test(thresholds),
        cmocka_unit_test(thresholds_count),
        cmocka_unit_test(proxies_begin),
        cmocka_unit_test(hashnet_is_torchs),
        cmocka_unit_test(hashnet_keeps),
    };
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
