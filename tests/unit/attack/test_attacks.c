/* The attacks on classifiers, on a linear network, whose nearest adversarial images have a closed form. */
#include "plugin/instance.h"

#include "../../../plugins/attacks/parts/ball.h"
#include "../../../plugins/attacks/parts/loss.h"
#include "attack/check.h"
#include "base/random.h"
#include "instance.h"
#include <math.h>
#include <stdlib.h>

enum { CHANNELS = 2, HEIGHT = 5, WIDTH = 6, PIXELS = CHANNELS * HEIGHT * WIDTH, CLASSES = 5, IMAGES = 6 };

struct setting {
    struct registry *registry;
    struct arena *arena;
    float weight[CLASSES][PIXELS], bias[CLASSES];
    float clean[IMAGES][PIXELS];
    int32_t label[IMAGES], target[IMAGES];
    uint64_t labels[IMAGES], sample[IMAGES];
    uint32_t n;                                   /* images of the run in progress */
    uint32_t image[IMAGES * 64], of[IMAGES * 64]; /* which a forward pass is of; of the last */
    uint32_t known;                               /* images in `image`; 0: all */
    uint64_t asked;                               /* images */
    bioft_victim v;
};

static void outputs(const struct setting *s, const float *x, float *ret)
{
    for (int c = 0; c < CLASSES; c++) {
        double sum = (double)s->bias[c];
        for (int k = 0; k < PIXELS; k++)
            sum += (double)s->weight[c][k] * (double)x[k];
        ret[c] = (float)sum;
    }
}

static int32_t answer(const struct setting *s, const float *x)
{
    float z[CLASSES];
    int32_t best = 0;

    outputs(s, x, z);
    for (int c = 1; c < CLASSES; c++)
        best = z[c] > z[best] ? c : best;
    return best;
}

static bioft_status forward(const bioft_victim *v, uint32_t n, const float *x, float *ret)
{
    struct setting *s = v->ctx;

    assert_in_range(n, 1, v->max_batch);
    assert_int_equal(n, s->known ? s->known : s->n);
    s->asked += n;
    for (uint32_t i = 0; i < n; i++)
        outputs(s, x + (size_t)i * PIXELS, ret + (size_t)i * CLASSES);
    return BIOFT_OK;
}

static bioft_status backward(const bioft_victim *v, uint32_t n, const float *d, float *ret)
{
    const struct setting *s = v->ctx;

    for (uint32_t i = 0; i < n; i++)
        for (int k = 0; k < PIXELS; k++) {
            double sum = 0.0;
            for (int c = 0; c < CLASSES; c++)
                sum += (double)s->weight[c][k] * (double)d[i * CLASSES + (uint32_t)c];
            ret[i * PIXELS + (uint32_t)k] = (float)sum;
        }
    return BIOFT_OK;
}

static bioft_status subset(const bioft_victim *v, uint32_t n, const uint32_t *image)
{
    struct setting *s = v->ctx;

    s->known = image ? n : 0;
    for (uint32_t i = 0; image && i < n; i++)
        assert_in_range(image[i], 0, s->n - 1);
    return BIOFT_OK;
}

static bioft_status trace(const bioft_victim *v, uint64_t iteration, uint32_t n, const uint32_t *image, const float *x,
                          const float *objective)
{
    (void)v, (void)iteration, (void)n, (void)image, (void)x;
    for (uint32_t i = 0; i < n; i++)
        assert_false(isnan(objective[i]));
    return BIOFT_OK;
}

static bioft_status credit(const bioft_victim *v, uint32_t n, const uint32_t *image, const char *part)
{
    (void)v, (void)n, (void)image;
    assert_non_null(part);
    return BIOFT_OK;
}

static bool is_minimum(const char *name)
{
    return strcmp(name, "fab") == 0 || strcmp(name, "deepfool") == 0 || strcmp(name, "cw") == 0 ||
           strcmp(name, "hop_skip_jump") == 0;
}

/* Runs an attack with options "name=value ..." on images first..first + n - 1. */
static void attack(struct setting *s, const char *name, const char *options, uint32_t first, uint32_t n, double epsilon,
                   bool targeted, float *ret)
{
    struct error err = { 0 };
    const struct plugin *plugin;
    struct instance *instance = make_attack(s->registry, s->arena, name, options, &plugin);
    const bioft_batch batch = {
        .struct_size = sizeof batch,
        .n = n,
        .classes = CLASSES,
        .label_words = 1,
        .x = s->clean[first],
        .sample = s->sample + first,
        .label = s->label + first,
        .labels = s->labels + first,
        .target = targeted ? s->target + first : NULL,
    };
    memcpy(ret, batch.x, sizeof(float) * n * PIXELS);
    s->n = n;
    s->known = 0;
    const bioft_attack *a = &plugin->api.attack;
    bioft_status st = a->prepare ? a->prepare(instance->self, &s->v) : BIOFT_OK;
    if (st == BIOFT_OK)
        st = a->run(instance->self, &s->v, &batch, epsilon, ret);
    if (st != BIOFT_OK)
        fail_msg("%s %s: %s", name, options, (instance_error(instance, st, &err), err.text));
    instance_destroy(instance);
}

static int descending(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x < *y) - (*x > *y);
}

/* L0: whole places go to the corner that gains most, those that gain most first; halves between two numbers of them, so
 * that a hundredth less is one place too few. */
static double pixels_to_class(const struct setting *s, uint32_t i, int32_t c, double gap)
{
    const int32_t own = s->label[i];
    double gains[HEIGHT * WIDTH] = { 0.0 };
    int count = 0;

    for (int k = 0; k < PIXELS; k++) {
        const double w = (double)s->weight[c][k] - (double)s->weight[own][k], x = (double)s->clean[i][k];
        gains[k % (HEIGHT * WIDTH)] += w > 0.0 ? w * (1.0 - x) : -w * x;
    }
    qsort(gains, HEIGHT * WIDTH, sizeof *gains, descending);
    for (; gap > 0.0; count++)
        gap -= gains[count];
    return (double)count;
}

/* The distance from image i to class c: gap / dual norm of the weights' difference; in L1 the largest weights' pixels go to
 * the end of the range one after the other. In Linf and L2 the range is not reached. */
static double to_class(const struct setting *s, uint32_t i, int32_t c, uint32_t norm)
{
    const int32_t own = s->label[i];
    double gap = (double)s->bias[own] - (double)s->bias[c], sum = 0.0, squares = 0.0, order[PIXELS][2], distance = 0.0;

    for (int k = 0; k < PIXELS; k++) {
        const double w = (double)s->weight[c][k] - (double)s->weight[own][k], x = (double)s->clean[i][k];
        gap -= w * x;
        sum += fabs(w);
        squares += w * w;
        order[k][0] = fabs(w);
        order[k][1] = w > 0.0 ? 1.0 - x : x;
    }
    if (norm == BIOFT_L0)
        return pixels_to_class(s, i, c, gap);
    if (norm != BIOFT_L1)
        return norm == BIOFT_LINF ? gap / sum : gap / sqrt(squares);
    qsort(order, PIXELS, sizeof *order, descending);
    for (int k = 0; gap > 0.0 && k < PIXELS; k++) {
        const double step = fmin(order[k][1], gap / order[k][0]);
        distance += step;
        gap -= step * order[k][0];
    }
    return distance;
}

static double nearest(const struct setting *s, uint32_t i, uint32_t norm)
{
    double best = INFINITY;

    for (int32_t c = 0; c < CLASSES; c++)
        if (c != s->label[i])
            best = fmin(best, to_class(s, i, c, norm));
    return best;
}

static uint32_t norm_of(const char *name, const char *options)
{
    return strcmp(name, "sparse_rs") == 0 || strcmp(name, "few_pixel") == 0 ? BIOFT_L0
           : strstr(options, "norm=l2")                                     ? BIOFT_L2
           : strstr(options, "norm=l1")                                     ? BIOFT_L1
                                                                            : BIOFT_LINF;
}

/* Attacks that seek the nearest image find it but for a small part of the distance, and never nearer. */
static void finds_the_nearest(void **state)
{
    static const struct {
        const char *attack, *options;
        uint32_t norm;
        double over;
    } cases[] = {
        { "fab", "norm=linf", BIOFT_LINF, 1.01 },
        { "fab", "norm=l2", BIOFT_L2, 1.01 },
        { "fab", "norm=l1", BIOFT_L1, 1.01 },
        { "fab", "norm=linf targets=0", BIOFT_LINF, 1.01 },
        { "fab", "norm=l2 random_start=true", BIOFT_L2, 1.01 },
        { "cw", "steps=2000 stepsize=0.001 searches=12 abort_early=false", BIOFT_L2, 1.03 },
        { "hop_skip_jump", "norm=l2", BIOFT_L2, 1.1 },
        { "hop_skip_jump", "norm=linf", BIOFT_LINF, 1.5 },
        { "deepfool", "norm=l2", BIOFT_L2, 1.05 },
        { "deepfool", "norm=linf", BIOFT_LINF, 1.08 },
    };
    struct setting *s = *state;

    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        float x[IMAGES][PIXELS];
        attack(s, cases[k].attack, cases[k].options, 0, IMAGES, INFINITY, false, x[0]);
        for (uint32_t i = 0; i < IMAGES; i++) {
            const double exact = nearest(s, i, cases[k].norm),
                         found = ball_distance(cases[k].norm, PIXELS, x[i], s->clean[i]);
            assert_int_not_equal(answer(s, x[i]), s->label[i]);
            if (!(found > exact * (1.0 - 1e-5) && found < exact * cases[k].over))
                fail_msg("%s %s: image %u: distance %.9g, the nearest is at %.9g", cases[k].attack, cases[k].options, i,
                         found, exact);
        }
    }
}

static double distance_of(uint32_t norm, const float *a, const float *b)
{
    int changed = 0;

    for (int p = 0; p < HEIGHT * WIDTH; p++)
        changed += memcmp(&a[p], &b[p], sizeof *a) != 0 ||
                   memcmp(&a[p + HEIGHT * WIDTH], &b[p + HEIGHT * WIDTH], sizeof *a);
    return norm == BIOFT_L0 ? (double)changed : ball_distance(norm, PIXELS, a, b);
}

/* Attacks in a ball fool the network where the ball reaches an adversarial image, just, and nowhere else. */
static void fools_where_the_ball_reaches(void **state)
{
    static const struct {
        const char *attack, *options;
        double over;
    } cases[] = {
        { "apgd", "norm=linf", 1.01 },
        { "apgd", "norm=linf loss=dlr", 1.01 },
        { "apgd", "norm=linf loss=dlr_targeted", 1.01 },
        { "apgd", "norm=linf loss=margin", 1.01 },
        { "apgd", "norm=l2 loss=margin", 1.01 },
        { "apgd", "norm=l2 loss=dlr_targeted", 1.01 },
        { "apgd", "norm=l1 loss=margin", 1.3 },
        { "apgd", "norm=l1 loss=dlr_targeted larger_first=true", 1.3 },
        { "square", "norm=linf", 1.05 },
        { "square", "norm=l2", 2.0 },
        { "square", "norm=l1", 5.0 },
        { "pgd", "norm=linf steps=100 rel_stepsize=0.1 loss=margin keep=best", 1.01 },
        { "pgd", "norm=linf steps=100 rel_stepsize=0.1 loss=dlr keep=best", 1.01 },
        { "pgd", "norm=l2 steps=200 rel_stepsize=0.1 loss=margin random_start=true keep=best", 1.01 },
        { "pgd", "norm=l2 steps=100 rel_stepsize=0.1 loss=margin momentum=1 keep=best", 1.03 },
        { "sparse_rs", "rescale=false", 1.5 },
        { "few_pixel", "", 2.0 },
        { "auto_attack", "norm=linf", 1.01 },
        { "auto_attack", "norm=l2", 1.01 },
        { "auto_attack", "norm=l1", 1.01 },
    };
    struct setting *s = *state;

    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        for (uint32_t i = 0; i < IMAGES; i++) {
            const uint32_t norm = norm_of(cases[k].attack, cases[k].options);
            const double exact = nearest(s, i, norm);
            float x[PIXELS];
            for (int below = 0; below < 2; below++) {
                const double more = norm == BIOFT_L0 ? cases[k].over * exact + 1.0 : cases[k].over * exact,
                             epsilon = below ? 0.99 * exact : more;
                attack(s, cases[k].attack, cases[k].options, i, 1, epsilon, false, x);
                assert_true(distance_of(norm, x, s->clean[i]) <= epsilon + 1e-6 * fmax(1.0, epsilon));
                for (int p = 0; p < PIXELS; p++)
                    assert_true(x[p] >= 0.0f && x[p] <= 1.0f);
                if ((answer(s, x) == s->label[i]) != below)
                    fail_msg("%s %s: image %u, epsilon %g, nearest %g: answer %d, label %d", cases[k].attack,
                             cases[k].options, i, epsilon, exact, answer(s, x), s->label[i]);
            }
        }
}

/* From a point where no bound is reached PGD with its defaults is clean + k step sign(g), cut at epsilon; L2 is along g. */
static void pgd_is_its_equation(void **state)
{
    struct setting *s = *state;
    float x[PIXELS], z[CLASSES], d[CLASSES], g[PIXELS], y[PIXELS];

    outputs(s, s->clean[0], z);
    loss_value(LOSS_CE, CLASSES, z, s->label[0], 0, 0, d);
    s->v.backward(&s->v, 1, d, g);
    attack(s, "pgd", "steps=1", 0, 1, 0.03, false, x);
    for (int k = 0; k < PIXELS; k++)
        assert_true(fabsf(x[k] - s->clean[0][k] - (g[k] > 0.0f ? 0.01f : -0.01f)) < 1e-6f);
    attack(s, "pgd", "steps=1 norm=l2", 0, 1, 0.03, false, x);
    for (int k = 0; k < PIXELS; k++)
        assert_true(fabs((double)(x[k] - s->clean[0][k]) - 0.01 * (double)g[k] / ball_length(BIOFT_L2, PIXELS, g)) <
                    1e-6);
    attack(s, "pgd", "steps=3 loss=margin", 0, 1, 0.002, false, x);
    attack(s, "pgd", "steps=3 loss=margin momentum=1", 0, 1, 0.002, false, y); /* one direction all the way */
    assert_int_equal(answer(s, x), s->label[0]);
    assert_memory_equal(x, y, sizeof x);
}

/* With a target that class is reached, where the ball reaches it. */
static void reaches_a_target(void **state)
{
    static const char *const cases[][2] = {
        { "apgd", "norm=linf" },
        { "apgd", "norm=linf loss=margin" },
        { "apgd", "norm=linf loss=dlr" },
        { "apgd", "norm=linf loss=dlr_targeted" },
        { "square", "norm=linf" },
        { "fab", "norm=linf" },
        { "auto_attack", "norm=linf" },
        { "cw", "steps=300" },
        { "hop_skip_jump", "norm=l2 starts=10000 steps=2" },
        { "pgd", "steps=40 rel_stepsize=0.1" },
        { "pgd", "steps=40 keep=best loss=margin" },
    };
    struct setting *s = *state;

    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        for (uint32_t i = 0; i < IMAGES; i++) {
            float x[PIXELS];
            const double wide = 1.5 * to_class(s, i, s->target[i], BIOFT_LINF) + 0.05;
            attack(s, cases[k][0], cases[k][1], i, 1, is_minimum(cases[k][0]) ? INFINITY : wide, true, x);
            if (answer(s, x) != s->target[i])
                fail_msg("%s %s: image %u: class %d, target %d", cases[k][0], cases[k][1], i, answer(s, x),
                         s->target[i]);
        }
}

/* An image's result does not depend on the others of its batch. */
static void alone_as_together(void **state)
{
    static const char *const cases[][2] = {
        { "apgd", "norm=linf iterations=20" },
        { "apgd", "norm=l2 loss=dlr iterations=20" },
        { "apgd", "norm=l1 loss=dlr_targeted iterations=20" },
        { "square", "norm=linf queries=50" },
        { "square", "norm=l2 queries=50" },
        { "fab", "norm=l2 iterations=10" },
        { "auto_attack", "norm=linf iterations=10 queries=50" },
        { "cw", "steps=20 searches=3" },
        { "few_pixel", "population=20 generations=5" },
        { "hop_skip_jump", "steps=2" },
        { "deepfool", "norm=l2" },
        { "tpgd", "steps=5" },
        { "sparse_rs", "queries=50" },
        { "pgd", "steps=5" },
        { "pgd", "steps=5 norm=l2 random_start=true keep=best momentum=1" },
    };
    struct setting *s = *state;

    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        float all[IMAGES][PIXELS], one[PIXELS];
        const uint32_t norm = norm_of(cases[k][0], cases[k][1]);
        const double epsilon = is_minimum(cases[k][0]) ? INFINITY : nearest(s, 0, norm);
        attack(s, cases[k][0], cases[k][1], 0, IMAGES, epsilon, false, all[0]);
        for (uint32_t i = 0; i < IMAGES; i++) {
            attack(s, cases[k][0], cases[k][1], i, 1, epsilon, false, one);
            if (memcmp(one, all[i], sizeof one) != 0)
                fail_msg("%s %s: image %u alone is another than in a batch", cases[k][0], cases[k][1], i);
        }
    }
}

/* Images that are fooled, and such as the network gets wrong by itself, are not asked about any more. */
static void asks_only_what_is_left(void **state)
{
    struct setting *s = *state;
    const int32_t label = s->label[0];
    float x[IMAGES][PIXELS];

    s->label[0] = (label + 1) % CLASSES;
    s->asked = 0;
    attack(s, "apgd", "iterations=100", 0, 1, 0.001, false, x[0]);
    assert_int_equal(s->asked, 1);
    assert_memory_equal(x[0], s->clean[0], sizeof x[0]);
    s->label[0] = label;
    s->asked = 0;
    attack(s, "apgd", "iterations=100", 0, IMAGES, 0.5, false, x[0]);
    assert_in_range(s->asked, IMAGES, 5 * IMAGES);
}

/* Each loss has the derivative that finite differences give. */
static void derivatives(void **state)
{
    const float z[CLASSES] = { 0.3f, -1.2f, 2.1f, 0.9f, 1.4f };

    (void)state;
    for (int32_t loss = LOSS_CE; loss <= LOSS_MARGIN; loss++)
        for (int32_t y = 0; y < CLASSES; y++)
            for (int targeted = 0; targeted < 2; targeted++) {
                const int32_t t = (y + 2) % CLASSES;
                float d[CLASSES], near[CLASSES];
                loss_value(loss, CLASSES, z, y, t, targeted, d);
                for (int c = 0; c < CLASSES; c++) {
                    memcpy(near, z, sizeof near);
                    near[c] = z[c] + 1e-3f;
                    const double up = loss_value(loss, CLASSES, near, y, t, targeted, NULL), above = (double)near[c];
                    near[c] = z[c] - 1e-3f;
                    const double down = loss_value(loss, CLASSES, near, y, t, targeted, NULL),
                                 slope = (up - down) / (above - (double)near[c]);
                    if (!(fabs(slope - (double)d[c]) < 1e-4))
                        fail_msg("%s of %d, %d: derivative by output %d is %g, %g by differences", loss_names[loss], y,
                                 t, c, (double)d[c], slope);
                }
            }
}

/* Where the label is all but sure its gradient is small and not 0. */
static void no_gradient_vanishes(void **state)
{
    const float z[CLASSES] = { 60.0f, 0.0f, 0.0f, 0.0f, 0.0f };
    float d[CLASSES];

    (void)state;
    loss_value(LOSS_CE, CLASSES, z, 0, 0, 0, d);
    assert_true(d[0] < 0.0f && d[1] > 0.0f);
    assert_true(fabs((double)d[0] / (4.0 * (double)d[1]) + 1.0) < 1e-6);
}

/* The projections: inside, and nothing inside moves; L1's is nearer to where it came from than any tried point. */
static void projections(void **state)
{
    struct setting *s = *state;

    for (uint32_t norm = BIOFT_LINF; norm <= BIOFT_L1; norm++)
        for (uint64_t t = 0; t < 20; t++) {
            float far[PIXELS], x[PIXELS], other[PIXELS];
            const double epsilon = norm == BIOFT_LINF ? 0.1 : norm == BIOFT_L2 ? 0.7 : 2.5;
            random_fill(BIOFT_NORMAL, 5, "far", t, 0, far, PIXELS);
            memcpy(x, far, sizeof x);
            ball_project(norm, PIXELS, s->clean[0], epsilon, x);
            assert_true(ball_distance(norm, PIXELS, x, s->clean[0]) <= epsilon * (1.0 + 1e-6));
            memcpy(other, x, sizeof x);
            ball_project(norm, PIXELS, s->clean[0], epsilon, other);
            assert_true(ball_distance(BIOFT_LINF, PIXELS, x, other) < 1e-6);
            for (uint64_t u = 0; norm == BIOFT_L1 && u < 50; u++) {
                random_fill(BIOFT_NORMAL, 6, "other", u, 0, other, PIXELS);
                for (int k = 0; k < PIXELS; k++)
                    other[k] = x[k] + 0.02f * other[k];
                ball_project(norm, PIXELS, s->clean[0], epsilon, other);
                assert_true(ball_distance(BIOFT_L2, PIXELS, far, x) <=
                            ball_distance(BIOFT_L2, PIXELS, far, other) + 1e-6);
            }
        }
}

static int enter(void **state)
{
    static struct setting s;
    struct error err = { 0 };

    s.arena = arena_create();
    random_fill(BIOFT_NORMAL, 3, "weight", 0, 0, s.weight[0], CLASSES * PIXELS);
    random_fill(BIOFT_NORMAL, 3, "bias", 0, 0, s.bias, CLASSES);
    random_fill(BIOFT_UNIFORM, 3, "clean", 0, 0, s.clean[0], IMAGES * PIXELS);
    for (uint32_t i = 0; i < IMAGES; i++) {
        for (int k = 0; k < PIXELS; k++)
            s.clean[i][k] = 0.35f + 0.3f * s.clean[i][k];
        s.label[i] = answer(&s, s.clean[i]);
        s.target[i] = (s.label[i] + 1 + (int32_t)(i % 3)) % CLASSES;
        s.labels[i] = UINT64_C(1) << s.label[i];
        s.sample[i] = 11 + 3 * i;
    }
    s.v = (bioft_victim){
        .struct_size = sizeof s.v,
        .max_batch = 2 * IMAGES,
        .channels = CHANNELS,
        .height = HEIGHT,
        .width = WIDTH,
        .outputs = CLASSES,
        .classes = CLASSES,
        .ctx = &s,
        .forward = forward,
        .backward = backward,
        .subset = subset,
        .trace = trace,
        .credit = credit,
    };
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
        cmocka_unit_test(derivatives),
        cmocka_unit_test(no_gradient_vanishes),
        cmocka_unit_test(projections),
        cmocka_unit_test(finds_the_nearest),
        cmocka_unit_test(fools_where_the_ball_reaches),
        cmocka_unit_test(pgd_is_its_equation),
        cmocka_unit_test(reaches_a_target),
        cmocka_unit_test(alone_as_together),
        cmocka_unit_test(asks_only_what_is_left),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
