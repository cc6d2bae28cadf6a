/* The attacks on hash codes, on a linear network: torch's images after all iterations, and what
 * must hold for any network. */
#include "plugin/instance.h"

#include "../../../plugins/attacks/code_attack.h"
#include "attack/check.h"
#include "base/random.h"
#include "golden_code_attacks.h"
#include "instance.h"

/* z = weight x + bias, in double. */
static bioft_status linear_forward(const bioft_victim *v, uint32_t n, const float *x, float *ret)
{
    (void)v;
    for (uint32_t i = 0; i < n; i++)
        for (int k = 0; k < BITS; k++) {
            double sum = (double)golden_bias[k];
            for (int p = 0; p < PIXELS; p++)
                sum += (double)golden_weight[k * PIXELS + p] * (double)x[i * PIXELS + p];
            ret[i * BITS + k] = (float)sum;
        }
    return BIOFT_OK;
}

static bioft_status linear_backward(const bioft_victim *v, uint32_t n, const float *d, float *ret)
{
    (void)v;
    for (uint32_t i = 0; i < n; i++)
        for (int p = 0; p < PIXELS; p++) {
            double sum = 0.0;
            for (int k = 0; k < BITS; k++)
                sum += (double)golden_weight[k * PIXELS + p] * (double)d[i * BITS + k];
            ret[i * PIXELS + p] = (float)sum;
        }
    return BIOFT_OK;
}

static bioft_status linear_codes(const bioft_victim *v, const char *split, bioft_codes *ret)
{
    (void)v;
    assert_string_equal(split, "train");
    *ret = (bioft_codes){ .struct_size = sizeof *ret,
                          .bits = BITS,
                          .words = 1,
                          .label_words = 1,
                          .n = TRAINED,
                          .codes = golden_codes,
                          .labels = golden_train_sets };
    return BIOFT_OK;
}

static const bioft_victim linear = {
    .struct_size = sizeof(bioft_victim),
    .max_batch = IMAGES,
    .channels = 3,
    .height = 3,
    .width = 3,
    .outputs = BITS,
    .classes = CLASSES,
    .bits = BITS,
    .forward = linear_forward,
    .backward = linear_backward,
    .codes = linear_codes,
};

static const struct image_format image = { .channels = 3, .height = 3, .width = 3 };
static const uint64_t numbers[IMAGES] = { 3, 1, 4, 15, 9, 2 };

struct setting {
    struct registry *registry;
    struct arena *arena;
};

/* Runs an attack with options "name=value" on images first..first + n - 1. */
static void attack(struct setting *s, const char *name, const bioft_victim *v, const char *options, uint32_t first,
                   uint32_t n, double epsilon, bool targeted, float *ret)
{
    struct error err = { 0 };
    const struct plugin *plugin;
    struct instance *instance = make_attack(s->registry, s->arena, name, options, &plugin);
    const bioft_batch batch = {
        .struct_size = sizeof batch,
        .n = n,
        .classes = CLASSES,
        .label_words = 1,
        .x = golden_clean + first * PIXELS,
        .sample = numbers + first,
        .labels = golden_sets + first,
        .target = targeted ? golden_target + first : NULL,
    };
    memcpy(ret, batch.x, sizeof(float) * n * PIXELS);
    bioft_status st = plugin->api.attack.prepare(instance->self, v);
    if (st == BIOFT_OK)
        st = plugin->api.attack.run(instance->self, v, &batch, epsilon, ret);
    if (st != BIOFT_OK)
        fail_msg("%s", (instance_error(instance, st, &err), err.text));
    instance_destroy(instance);
}

static const struct {
    const char *attack, *options;
    double epsilon;
    const float *want;
    bool targeted;
} golden[] = {
    { "hag", "", 0.3, golden_hag, false },
    { "hag", "", 0.05, golden_hag_ball, false },
    { "hag", "reference_batch=0", 0.3, golden_hag_batch, false },
    { "hag", "saat_compat=true", 0.3, golden_hag_compat, false },
    { "hag", "logits=cosine", 0.3, golden_hag_cosine, false },
    { "sdha", "", 0.1, golden_sdha, false },
    { "sdha", "", 0.02, golden_sdha_ball, false },
    { "sdha", "saat_compat=true", 0.1, golden_sdha_compat, false },
    { "sdha", "reference_batch=0 logits=cosine", 0.1, golden_sdha_cosine, false },
    { "saat", "steps=5 random_start=false", 0.03, golden_saat, false },
    { "saat", "steps=5 random_start=false", 0.03, golden_saat_targeted, true },
};

static void images_are_torchs(void **state)
{
    for (size_t g = 0; g < sizeof golden / sizeof *golden; g++) {
        float x[IMAGES * PIXELS];
        attack(*state, golden[g].attack, &linear, golden[g].options, 0, IMAGES, golden[g].epsilon, golden[g].targeted,
               x);
        for (size_t k = 0; k < IMAGES * PIXELS; k++)
            if (!(fabsf(x[k] - golden[g].want[k]) < 1e-5f))
                fail_msg("%s %s: pixel %zu is %.8g, not %.8g", golden[g].attack, golden[g].options, k, (double)x[k],
                         (double)golden[g].want[k]);
    }
}

/* An image's result does not depend on the others of its batch. */
static void alone_as_together(void **state)
{
    static const struct {
        const char *attack, *options;
    } all[] = {
        { "hag", "steps=7" },
        { "sdha", "steps=7" },
        { "saat", "steps=7" },
    };
    for (size_t a = 0; a < 3; a++) {
        float together[IMAGES * PIXELS], alone[IMAGES * PIXELS];
        attack(*state, all[a].attack, &linear, all[a].options, 0, IMAGES, 0.1, false, together);
        for (uint32_t i = 0; i < IMAGES; i++)
            attack(*state, all[a].attack, &linear, all[a].options, i, 1, 0.1, false, alone + i * PIXELS);
        assert_memory_equal(alone, together, sizeof alone);
    }
}

static void stays_inside(void **state)
{
    static const char *const names[] = { "hag", "sdha", "saat" };
    static const double epsilons[] = { 0.001, 8.0 / 255, 0.1, 0.5 };
    for (size_t a = 0; a < 3; a++)
        for (size_t e = 0; e < 4; e++) {
            float x[IMAGES * PIXELS];
            struct deltas d;
            struct error err = { 0 };
            attack(*state, names[a], &linear, "", 0, IMAGES, epsilons[e], false, x);
            for (size_t i = 0; i < IMAGES; i++)
                OK(check_image(&image, BIOFT_LINF, epsilons[e], golden_clean + i * PIXELS, x + i * PIXELS, &d, &err),
                   err);
            assert_true(d.largest > 0.5 * (epsilons[e] < 0.05 ? epsilons[e] : 0.05));
        }
}

/* Each pixel has its own sequence of gradients, none of the network's. */
static bioft_status wild_backward(const bioft_victim *v, uint32_t n, const float *d, float *ret)
{
    uint64_t *calls = v->ctx;
    float u[IMAGES * PIXELS], growth[IMAGES * PIXELS];
    const size_t count = (size_t)n * PIXELS;

    (void)d;
    random_fill(BIOFT_UNIFORM, 1, "growth", 0, 0, growth, count);
    random_fill(BIOFT_UNIFORM, 1, "gradient", *calls, 0, u, count);
    for (size_t i = 0; i < count; i++)
        ret[i] = powf(1.0f + 8.0f * growth[i], (float)*calls) * (0.8f + 0.2f * u[i]);
    ++*calls;
    return BIOFT_OK;
}

/* Adam's steps may exceed its rate where gradients grow, up to a bound for any gradients. */
static void sdha_moves_so_far(void **state)
{
    static const struct {
        const char *options;
        double least, most;
    } steps[] = {
        { "steps=5", 0.05, 0.050226 },
        { "steps=5 saat_compat=true", 0.04, 0.040118 },
    };
    for (size_t i = 0; i < 2; i++) {
        uint64_t calls = 0;
        bioft_victim wild = linear;
        float x[IMAGES * PIXELS];
        double largest = 0.0;
        wild.ctx = &calls;
        wild.backward = wild_backward;
        attack(*state, "sdha", &wild, steps[i].options, 0, IMAGES, 0.5, false, x);
        for (size_t k = 0; k < IMAGES * PIXELS; k++)
            largest = fmax(largest, fabs((double)x[k] - (double)golden_clean[k]));
        assert_true(largest > steps[i].least && largest <= steps[i].most);
    }
}

static void schedule(void **state)
{
    static const float five[] = { 0.1f, 0.1f, 0.1f, 0.3f, 0.7f };
    unsigned tenth = 0;
    (void)state;
    for (int64_t t = 0; t < 5; t++)
        assert_true(code_alpha(t, 5) == five[t]);
    for (int64_t t = 0; t < 100; t++)
        tenth += code_alpha(t, 100) == 0.1f;
    assert_int_equal(tenth, 50);
    assert_true(code_alpha(99, 100) == 1.0f && code_alpha(89, 100) == 0.7f);
    assert_true(code_alpha(0, 1) == 0.1f);
}

static void equal_codes_are_one(void **state)
{
    struct code_groups g = { 0 };
    uint64_t sum = 0;
    (void)state;
    assert_int_equal(code_groups_make(NULL, &linear, "train", &g), BIOFT_OK);
    for (size_t i = 0; i < g.n; i++) {
        uint64_t same = 0;
        for (size_t k = 0; k < TRAINED; k++)
            same += golden_codes[k] == code_row(&g, i)[0] && golden_train_sets[k] == code_row(&g, i)[1];
        assert_int_equal(same, g.count[i]);
        sum += same;
    }
    assert_int_equal(sum, TRAINED);
    assert_true(g.n < TRAINED);
    code_groups_free(&g);
}

/* The chain rule through both kinds of relaxed codes, against differences. */
static void relaxed_codes(void **state)
{
    const float z[6] = { 0.5f, -1.0f, 2.0f, 0.25f, -0.125f, 1.5f };
    const float weight[6] = { 1.0f, -2.0f, 0.5f, 3.0f, 1.0f, -1.0f };
    (void)state;
    for (int32_t logits = LOGITS_RAW; logits <= LOGITS_COSINE; logits++) {
        float h[6], d[6], moved[6], other[6];
        code_relax(logits, z, 6, 0.7f, h);
        memcpy(d, weight, sizeof d);
        code_relax_back(logits, z, h, 6, 0.7f, d);
        for (int k = 0; k < 6; k++) {
            double slope = 0.0;
            for (int way = -1; way <= 1; way += 2) {
                memcpy(moved, z, sizeof moved);
                moved[k] += (float)way / 256;
                code_relax(logits, moved, 6, 0.7f, other);
                for (int j = 0; j < 6; j++)
                    slope += way * (double)weight[j] * (double)other[j] * 128;
            }
            assert_true(fabs(slope - (double)d[k]) < 1e-4);
        }
    }
}

static int enter(void **state)
{
    static struct setting s;
    struct error err = { 0 };
    s.arena = arena_create();
    *state = &s;
    return registry_create(&(struct registry_places){ .environment = true }, NULL, &s.registry, &err);
}

static int leave(void **state)
{
    struct setting *s = *state;
    registry_destroy(s->registry);
    arena_destroy(s->arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_torchs), cmocka_unit_test(alone_as_together), cmocka_unit_test(stays_inside),
        cmocka_unit_test(sdha_moves_so_far), cmocka_unit_test(schedule),          cmocka_unit_test(equal_codes_are_one),
        cmocka_unit_test(relaxed_codes),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
