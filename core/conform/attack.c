/* Tests for attacks: the ball and the range, the same images again, each image by itself, better than noise. */
#include "conform/private.h"

#include "attack/check.h"
#include "conform/victim.h"
#include <math.h>
#include <string.h>

struct work {
    struct conform *c;
    struct subject *s;
    struct prey prey;
    uint32_t norm; /* of its ball with these options */
    float *x;      /* [PREY_BATCH][PREY_PIXELS] clean */
    uint64_t sample[PREY_BATCH], labels[PREY_BATCH];
    int32_t label[PREY_BATCH];
};

static const bioft_attack *attack_of(const struct conform *c) { return &c->p->plugin->api.attack; }

static void draw_images(struct work *w)
{
    struct conform *c = w->c;
    w->x = arena_array(c->arena, (size_t)PREY_BATCH * PREY_PIXELS, sizeof(float));
    random_floats(c, "conform/images", 0, 0.0f, 1.0f, w->x, (size_t)PREY_BATCH * PREY_PIXELS);
    for (uint32_t i = 0; i < PREY_BATCH; i++) {
        float out[PREY_BITS];
        w->x[(size_t)i * PREY_PIXELS] = 0.0f; /* the ends of the range */
        w->x[(size_t)i * PREY_PIXELS + 1] = 1.0f;
        prey_outputs(&w->prey, w->x + (size_t)i * PREY_PIXELS, out);
        w->label[i] = 0;
        for (int32_t k = 1; k < PREY_CLASSES; k++)
            if (out[k] > out[w->label[i]])
                w->label[i] = k;
        w->labels[i] = UINT64_C(1) << w->label[i];
        w->sample[i] = 100 + 7 * i;
    }
}

static bool work_make(struct conform *c, struct work *w, uint64_t seed)
{
    const bioft_attack *a = attack_of(c);
    memset(w, 0, sizeof *w);
    w->c = c;
    prey_make(c, a->flags & BIOFT_ATTACK_CODES, &w->prey);
    draw_images(w);
    w->s = subject_create(c, NULL, seed, NULL);
    if (!w->s)
        return false;
    w->norm = a->norm;
    calling(c, "attack.h", "ball", "the norm of this instance", "ball()");
    if (a->ball && !subject_ok(w->s, a->ball(w->s->self, &w->norm)))
        return false;
    if (w->norm < BIOFT_LINF || w->norm > BIOFT_L0) {
        conform_find(c, "norm %u is unknown to this bioft", w->norm);
        return false;
    }
    calling(c, "attack.h", "prepare", "once per victim, before run: take scratch for max_batch, fetch codes",
            "prepare(victim of %u outputs, max_batch %d)", w->prey.view.outputs, PREY_BATCH);
    return !a->prepare || subject_ok(w->s, a->prepare(w->s->self, &w->prey.view));
}

static void *copy_of(struct conform *c, const char *name, const void *from, size_t bytes)
{
    void *to = guard_take(c, name, bytes, false);
    memcpy(to, from, bytes);
    guard_readonly(c, to);
    return to;
}

/* The images first..first+n-1 attacked as one batch; false after a failure. */
static bool run(struct work *w, uint32_t first, uint32_t n, double epsilon, float *ret)
{
    struct conform *c = w->c;
    const size_t bytes = (size_t)n * PREY_PIXELS * sizeof(float);
    bioft_batch clean = { .struct_size = sizeof clean, .n = n, .classes = PREY_CLASSES, .label_words = 1 };
    clean.x = copy_of(c, "clean->x", w->x + (size_t)first * PREY_PIXELS, bytes);
    clean.sample = copy_of(c, "clean->sample", w->sample + first, n * sizeof *w->sample);
    clean.label = copy_of(c, "clean->label", w->label + first, n * sizeof *w->label);
    clean.labels = copy_of(c, "clean->labels", w->labels + first, n * sizeof *w->labels);
    float *x = guard_take(c, "ret_x", bytes, false);
    memcpy(x, clean.x, bytes);
    calling(c, "attack.h", "run", "writes images inside the ball of its norm and in [0,1]",
            "run(%u images, epsilon %.4g)", n, epsilon);
    w->s->step = true;
    w->prey.batch = n;
    const bool fine = subject_ok(w->s, attack_of(c)->run(w->s->self, &w->prey.view, &clean, epsilon, x));
    w->s->step = false;
    w->prey.batch = 0;
    memcpy(ret, x, bytes);
    guard_release_calls(c);
    return fine;
}

static float *room(struct conform *c) { return arena_array(c->arena, (size_t)PREY_BATCH * PREY_PIXELS, sizeof(float)); }

/* A small, a middle and a large epsilon; an attack that seeks the nearest image is asked for one alone. */
static double grid(const struct work *w, int index)
{
    static const double grids[5][3] = {
        { 0.1, 0.1, 0.1 }, { 0.01, 8.0 / 255.0, 0.7 }, { 0.1, 1.0, 3.0 }, { 0.5, 4.0, 20.0 }, { 1.0, 4.0, 20.0 }
    };
    return attack_of(w->c)->flags & BIOFT_ATTACK_MINIMUM ? (double)INFINITY : grids[w->norm][index];
}

static void test_ball(struct conform *c)
{
    struct work w;
    if (work_make(c, &w, c->p->seed)) {
        float *x = room(c);
        for (int e = 0; e < 3; e++) {
            const double epsilon = grid(&w, e);
            if (!run(&w, 0, PREY_BATCH, epsilon, x))
                break;
            for (uint32_t i = 0; i < PREY_BATCH; i++) {
                struct deltas d;
                struct error err;
                const size_t first = (size_t)i * PREY_PIXELS;
                if (check_image(&prey_image, w.norm, epsilon, w.x + first, x + first, &d, &err) == BIOFT_OK)
                    continue;
                conform_says(c, "attack.h", "run",
                             "|ret_x - x| <= epsilon in the attack's norm (1e-6 of tolerance) and [0,1] "
                             "exactly");
                conform_find(c, "image %u is outside the epsilon ball or the range: %s", i, err.text);
                break;
            }
        }
    }
    subject_destroy(w.s);
}

static void compare(struct conform *c, const float *a, const float *b, uint32_t n, const char *what)
{
    const size_t at = first_difference(a, b, (size_t)n * PREY_PIXELS, sizeof(float));
    if (at != SIZE_MAX)
        conform_find(c, "%s: image %zu, value %zu is %.9g, and %.9g before", what, at / PREY_PIXELS, at % PREY_PIXELS,
                     (double)b[at], (double)a[at]);
}

static void test_again(struct conform *c)
{
    struct work a, b = { 0 };
    if (work_make(c, &a, c->p->seed) && work_make(c, &b, c->p->seed)) {
        const double epsilon = grid(&a, 1);
        float *x = room(c), *y = room(c), *z = room(c);
        if (run(&a, 0, PREY_BATCH, epsilon, x) && run(&a, 0, PREY_BATCH, epsilon, y) &&
            run(&b, 0, PREY_BATCH, epsilon, z)) {
            conform_says(c, "plugin.h", "random",
                         "random numbers are a function of (seed, stream, key, index), never of the "
                         "order of calls");
            compare(c, x, y, PREY_BATCH, "other images when called again");
            if (c->findings == 0)
                compare(c, x, z, PREY_BATCH, "other images from another instance with the same seed");
        }
    }
    subject_destroy(a.s);
    subject_destroy(b.s);
}

/* Image by image and as a batch, by the victim's outputs; of values that differ by signs of a gradient that is nothing
 * but rounding the outputs show nothing. */
static void test_batch(struct conform *c)
{
    struct work w;
    if (attack_of(c)->flags & BIOFT_ATTACK_BATCH_COUPLED) {
        conform_skip(c, "it declares that the images of a batch are coupled");
        return;
    }
    if (work_make(c, &w, c->p->seed)) {
        const double epsilon = grid(&w, 1);
        float *x = room(c), *one = room(c), a[PREY_BITS], b[PREY_BITS];
        bool fine = run(&w, 0, PREY_BATCH, epsilon, x);
        for (uint32_t i = PREY_BATCH; fine && i-- > 0;) {
            fine = run(&w, i, 1, epsilon, one);
            prey_outputs(&w.prey, x + (size_t)i * PREY_PIXELS, a);
            prey_outputs(&w.prey, one, b);
            for (uint32_t o = 0; fine && o < w.prey.view.outputs; o++) {
                if (fabs((double)a[o] - (double)b[o]) <= 1e-5 * fmax(1.0, fabs((double)a[o])))
                    continue;
                conform_says(c, "attack.h", "BIOFT_ATTACK_BATCH_COUPLED",
                             "only an attack with this flag may let an image's "
                             "result depend on the others of its batch");
                conform_find(c, "depends on its batch: image %u alone has output %u %.6g, in a batch of %d %.6g", i, o,
                             (double)b[o], PREY_BATCH, (double)a[o]);
                fine = false;
            }
        }
    }
    subject_destroy(w.s);
}

/* The mean cross-entropy of the victim's own answers on attacked images. */
static double mean_loss(const struct work *w, const float *x)
{
    double total = 0.0;
    for (uint32_t i = 0; i < PREY_BATCH; i++) {
        float out[PREY_BITS];
        double sum = 0.0;
        prey_outputs(&w->prey, x + (size_t)i * PREY_PIXELS, out);
        for (int k = 0; k < PREY_CLASSES; k++)
            sum += exp((double)out[k] - (double)out[w->label[i]]);
        total += log(sum);
    }
    return total / PREY_BATCH;
}

/* A random point on the ball's surface, or as near as [0,1] lets it. */
static void add_noise(struct work *w, uint64_t key, double epsilon, float *ret)
{
    const uint32_t norm = w->norm;
    if (!isfinite(epsilon))
        epsilon = norm == BIOFT_LINF ? 8.0 / 255.0 : 1.0;
    float u[PREY_PIXELS];
    for (uint32_t i = 0; i < PREY_BATCH; i++) {
        double length = 0.0;
        random_floats(w->c, "conform/noise", key * PREY_BATCH + i, -1.0f, 1.0f, u, PREY_PIXELS);
        for (int k = 0; k < PREY_PIXELS; k++)
            length += norm == BIOFT_L2 ? (double)u[k] * (double)u[k] : fabs((double)u[k]);
        length = norm == BIOFT_L2 ? sqrt(length) : length;
        for (int k = 0; k < PREY_PIXELS; k++) {
            const size_t at = (size_t)i * PREY_PIXELS + (size_t)k;
            double moved = (double)w->x[at];
            if (norm == BIOFT_LINF)
                moved += u[k] < 0.0f ? -epsilon : epsilon;
            else if (norm == BIOFT_L0)
                moved = k % (PREY_SIDE * PREY_SIDE) < (int)epsilon ? (u[k] < 0.0f ? 0.0 : 1.0) : moved;
            else
                moved += epsilon * (double)u[k] / length;
            ret[at] = (float)fmin(1.0, fmax(0.0, moved));
        }
    }
}

static void test_improvement(struct conform *c)
{
    struct work w;
    const bioft_attack *a = attack_of(c);
    if (a->flags & BIOFT_ATTACK_CODES) {
        conform_skip(c, "an attack on hash codes has an objective of its own");
        return;
    }
    if (work_make(c, &w, c->p->seed)) {
        const double epsilon = grid(&w, 1);
        float *x = room(c), *noise = room(c);
        double chance = 0.0;
        if (run(&w, 0, PREY_BATCH, epsilon, x)) {
            for (uint64_t k = 0; k < 8; k++) {
                add_noise(&w, k, epsilon, noise);
                chance += mean_loss(&w, noise) / 8.0;
            }
            chance = fmax(chance, mean_loss(&w, w.x));
            if (w.prey.queries == 0)
                conform_skip(c, "it asks the victim nothing: it is noise itself");
            else if (!(mean_loss(&w, x) > chance))
                conform_find(
                    c,
                    "the victim's mean cross-entropy is %.4g, before, or after random noise of the same epsilon, "
                    "%.4g: no better than noise",
                    mean_loss(&w, x), chance);
        }
    }
    subject_destroy(w.s);
}

static bool round_of(struct conform *c)
{
    struct work w;
    bool fine = work_make(c, &w, c->p->seed);
    float *x = fine ? room(c) : NULL;
    fine = fine && run(&w, 0, PREY_BATCH, grid(&w, 1), x) && run(&w, 2, 3, grid(&w, 0), x);
    subject_destroy(w.s);
    return fine;
}

static void test_leaks(struct conform *c) { check_leak(c, round_of); }

const struct conform_test conform_attack[] = {
    { "ball", "every image inside the ball of its norm and in [0,1], small and large epsilons", test_ball },
    { "again", "the same images when called again, and from another instance with the same seed", test_again },
    { "batch", "image by image and as a batch, the same", test_batch },
    { "improvement", "better than random noise of the same size, on a small network", test_improvement },
    { "leaks", "prepared and used, it leaves nothing behind", test_leaks },
    { 0 },
};
