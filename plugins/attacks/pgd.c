/* PGD: steps along the sign of the gradient of the cross-entropy, each followed by the projection onto the ball and
 * [0,1] (Madry et al., ICLR 2018, equation 2; the paper's equation 5 starts at x). By its options also along the gradient
 * itself (L2), on another loss, with momentum (MI-FGSM: Dong et al., CVPR 2018, equations 6 and 7), and with the best
 * iterate kept. */
#include <bioft/attack_util.h>

#include "parts/ball.h"
#include "parts/left.h"
#include "parts/loss.h"
#include <string.h>

enum { KEEP_LAST, KEEP_BEST };
static const char *const keeps[] = { "last", "best", NULL };
static const char *const losses[] = { "ce", "dlr", "margin", NULL };

typedef struct {
    int64_t steps;
    double rel_stepsize, stepsize, momentum;
    int32_t random_start, norm, loss, keep;
    const bioft_host *host;
} pgd;

static const bioft_option options[] = {
    { .name = "steps",
      .type = BIOFT_I64,
      .offset = offsetof(pgd, steps),
      .def = 5,
      .min = 1,
      .max = 1e6,
      .unit = "steps",
      .flags = BIOFT_OPTION_STEPS,
      .help = "gradient steps" },
    { .name = "rel_stepsize",
      .type = BIOFT_F64,
      .offset = offsetof(pgd, rel_stepsize),
      .def = 1.0 / 3.0,
      .min = 0.0,
      .max = 10.0,
      .unit = "epsilon",
      .help = "step as a part of epsilon" },
    { .name = "stepsize",
      .type = BIOFT_F64,
      .offset = offsetof(pgd, stepsize),
      .def = 0.0,
      .min = 0.0,
      .max = 1.0,
      .unit = "pixel range",
      .flags = BIOFT_OPTION_FRACTIONS,
      .help = "step in pixels of [0,1]; 0: rel_stepsize times epsilon" },
    { .name = "random_start",
      .type = BIOFT_BOOL,
      .offset = offsetof(pgd, random_start),
      .def = 0,
      .unit = "",
      .help = "start at a uniform point of the ball instead of at x" },
    { .name = "norm",
      .type = BIOFT_CHOICE,
      .offset = offsetof(pgd, norm),
      .def = 0,
      .choices = ball_norms_smooth,
      .help = "of the ball; l2: steps along the gradient made of length 1" },
    { .name = "loss",
      .type = BIOFT_CHOICE,
      .offset = offsetof(pgd, loss),
      .def = 0,
      .choices = losses,
      .help =
          "what is raised: cross-entropy, difference of logits ratio, or the largest other output over the label's" },
    { .name = "momentum",
      .type = BIOFT_F64,
      .offset = offsetof(pgd, momentum),
      .def = 0.0,
      .min = 0.0,
      .max = 10.0,
      .help = "what is left of the direction before, gradients made of L1 length 1; MI-FGSM has 1" },
    { .name = "keep",
      .type = BIOFT_CHOICE,
      .offset = offsetof(pgd, keep),
      .def = KEEP_LAST,
      .choices = keeps,
      .help = "the last iterate; or the best, images that are fooled taking no further steps" },
};

/* Arrays of a run: [batch][pixels]. */
struct work {
    float *x, *direction; /* where an image stands; momentum */
};

static int32_t loss_of(const pgd *p) { return p->loss == 0 ? LOSS_CE : p->loss == 1 ? LOSS_DLR : LOSS_MARGIN; }

static bioft_status take(const pgd *p, const bioft_victim *v, struct work *w)
{
    const size_t pixels = attack_pixels(v);
    bioft_status st = attack_scratch(p->host, v, "pgd.x", pixels, sizeof(float), &w->x);
    if (st != BIOFT_OK)
        return st;
    if (p->momentum > 0.0)
        return attack_scratch(p->host, v, "pgd.direction", pixels, sizeof(float), &w->direction);
    return BIOFT_OK;
}

static bioft_status enough_classes(const pgd *p, const bioft_victim *v, bool targeted)
{
    const uint32_t least = loss_classes(loss_of(p), targeted);

    if (v->outputs >= least)
        return BIOFT_OK;
    return p->host->fail(p->host, BIOFT_ERR_UNSUPPORTED,
                         least == 3
                             ? "loss 'dlr' is defined for 3 classes and more; loss: margin works with 2"
                             : "loss 'dlr' with a target is defined for 4 classes and more; loss: margin works with 2");
}

static bioft_status prepare(void *self, const bioft_victim *v)
{
    const pgd *p = self;
    struct work w;
    bioft_status st = enough_classes(p, v, false);
    if (st == BIOFT_OK)
        st = left_prepare(p->host, v);
    return st == BIOFT_OK ? take(p, v, &w) : st;
}

/* Linf: x + U(-epsilon, epsilon); L2: a normal direction, its length epsilon U^(1 / pixels), which is uniform in the ball
 * (Muller, CACM 1959); clipped to [0,1]. By sample, so that the batch does not matter. */
static bioft_status start(const pgd *p, const struct left *l, uint32_t j, float epsilon, float *x)
{
    const float *clean = left_clean(l, j);
    const uint32_t kind = p->norm == 0 ? BIOFT_UNIFORM : BIOFT_NORMAL;
    bioft_status st = p->host->random(p->host, kind, "start", left_sample(l, j), 0, x, l->pixels);
    float u = 0.0f;

    if (st == BIOFT_OK && p->norm != 0)
        st = p->host->random(p->host, BIOFT_UNIFORM, "radius", left_sample(l, j), 0, &u, 1);
    if (st != BIOFT_OK)
        return st;
    const double radius = pow((double)u, 1.0 / (double)l->pixels) * (double)epsilon,
                 scale = p->norm == 0 ? 1.0 : radius / (ball_length(BIOFT_L2, l->pixels, x) + 1e-12);
    for (size_t k = 0; k < l->pixels; k++) {
        const float moved = p->norm == 0 ? clean[k] + epsilon * (2.0f * x[k] - 1.0f)
                                         : (float)((double)clean[k] + scale * (double)x[k]);
        x[k] = moved < 0.0f ? 0.0f : moved > 1.0f ? 1.0f : moved;
    }
    if (p->norm != 0)
        ball_project(BIOFT_L2, l->pixels, clean, (double)epsilon, x);
    return BIOFT_OK;
}

/* The objective of each image, and its derivative to d_out. */
static void value(const pgd *p, struct left *l)
{
    const int targeted = l->clean->target != NULL;

    for (uint32_t j = 0; j < l->n; j++) {
        const uint32_t i = l->image[j];
        const int32_t target = targeted ? l->clean->target[i] : 0, own = targeted ? target : l->clean->label[i];
        const float *z = l->out + (size_t)j * l->outputs;
        float *d = l->d_out + (size_t)j * l->outputs;
        l->objective[j] = (float)loss_value(loss_of(p), l->outputs, z, l->clean->label[i], target, targeted, d);
        if (p->loss == 0) /* the arithmetic of bioft_input_gradient */
            bioft_cross_entropy_gradient(1, l->outputs, z, &own, targeted ? -1.0f : 1.0f, d);
    }
}

static void step(const pgd *p, const struct left *l, const struct work *w, uint32_t j, double length, double epsilon)
{
    float *x = w->x + l->image[j] * l->pixels, *g = left_gradient(l, j);

    if (p->momentum > 0.0) {
        float *direction = w->direction + l->image[j] * l->pixels;
        const double size = ball_length(BIOFT_L1, l->pixels, g) + 1e-12;
        for (size_t k = 0; k < l->pixels; k++)
            direction[k] = (float)(p->momentum * (double)direction[k] + (double)g[k] / size);
        g = direction;
    }
    if (p->norm == 0) {
        bioft_linf_step(l->pixels, (float)length, (float)epsilon, left_clean(l, j), g, x);
        return;
    }
    const double scale = length / (ball_length(BIOFT_L2, l->pixels, g) + 1e-12);
    for (size_t k = 0; k < l->pixels; k++)
        x[k] = (float)((double)x[k] + scale * (double)g[k]);
    ball_project(BIOFT_L2, l->pixels, left_clean(l, j), epsilon, x);
}

/* Where each image begins. */
static bioft_status begin(const pgd *p, struct left *l, struct work *w, double epsilon)
{
    bioft_status st = BIOFT_OK;

    for (uint32_t j = 0; st == BIOFT_OK && j < l->n; j++) {
        const size_t at = l->image[j] * l->pixels;
        if (p->momentum > 0.0)
            memset(w->direction + at, 0, sizeof(float) * l->pixels);
        if (p->random_start)
            st = start(p, l, j, (float)epsilon, w->x + at);
        else
            memcpy(w->x + at, left_clean(l, j), sizeof(float) * l->pixels);
    }
    return st;
}

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    const pgd *p = self;
    const double length = p->stepsize > 0.0 ? p->stepsize : p->rel_stepsize * epsilon;
    const bool best = p->keep == KEEP_BEST;
    struct work w;
    struct left l = { 0 };
    bioft_status st = enough_classes(p, v, clean->target != NULL);

    if (st != BIOFT_OK)
        return st;
    st = take(p, v, &w);
    if (st != BIOFT_OK)
        return st;
    st = best ? left_begin(&l, p->host, v, clean, ret_x) : left_all(&l, p->host, v, clean, ret_x);
    if (st != BIOFT_OK)
        return st;
    st = begin(p, &l, &w, epsilon);
    for (int64_t t = 0; st == BIOFT_OK && l.n > 0 && (t < p->steps || best); t++) {
        for (uint32_t j = 0; j < l.n; j++)
            memcpy(left_x(&l, j), w.x + l.image[j] * l.pixels, sizeof(float) * l.pixels);
        st = left_forward(&l);
        if (st != BIOFT_OK)
            break;
        if (best)
            left_judge(&l);
        value(p, &l);
        st = t < p->steps ? left_backward(&l) : BIOFT_OK;
        if (st == BIOFT_OK)
            st = left_trace(&l, (uint64_t)t);
        for (uint32_t j = 0; st == BIOFT_OK && t < p->steps && j < l.n; j++)
            step(p, &l, &w, j, length, epsilon);
        if (st == BIOFT_OK && best)
            st = left_drop(&l, NULL);
        if (t == p->steps)
            break;
    }
    for (uint32_t j = 0; st == BIOFT_OK && !best && j < l.n; j++)
        memcpy(ret_x + l.image[j] * l.pixels, w.x + l.image[j] * l.pixels, sizeof(float) * l.pixels);
    return st;
}

static bioft_status ball(void *self, uint32_t *ret_norm)
{
    *ret_norm = (uint32_t)((const pgd *)self)->norm + BIOFT_LINF;
    return BIOFT_OK;
}

static const bioft_attack attack = {
    .struct_size = sizeof(attack),
    .norm = BIOFT_LINF,
    .flags = BIOFT_ATTACK_GRADIENT | BIOFT_ATTACK_CLASSES | BIOFT_ATTACK_TARGETED,
    .prepare = prepare,
    .run = run,
    .ball = ball,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_ATTACK, "pgd", "1.2", "bioft", "MIT"),
    .summary =
        "projected gradient descent: steps along the gradient's sign, or in L2 the gradient; with momentum MI-FGSM",
    .reference = "Madry et al., ICLR 2018",
    .instance_size = sizeof(pgd),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(pgd, host),
    .vtable = &attack,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
