/* DeepFool: steps onto the nearest boundary of the linearised network, until the image is over it (Moosavi-Dezfooli, Fawzi
 * and Frossard, CVPR 2016, algorithm 2; Linf by its equation 11). */
#include "parts/ball.h"
#include "parts/left.h"
#include <string.h>

typedef struct {
    int32_t norm;
    int64_t steps, candidates;
    double overshoot;
    const bioft_host *host;
} state;

static const bioft_option options[] = {
    { .name = "norm",
      .type = BIOFT_CHOICE,
      .offset = offsetof(state, norm),
      .def = 1,
      .choices = ball_norms_smooth,
      .help = "of the distance" },
    { .name = "steps",
      .type = BIOFT_I64,
      .offset = offsetof(state, steps),
      .def = 50,
      .min = 1,
      .max = 1e6,
      .unit = "steps",
      .flags = BIOFT_OPTION_STEPS,
      .help = "at most" },
    { .name = "candidates",
      .type = BIOFT_I64,
      .offset = offsetof(state, candidates),
      .def = 10,
      .min = 2,
      .max = 1e6,
      .unit = "classes",
      .flags = BIOFT_OPTION_CLASSES,
      .help = "the boundaries between the first of the clean image's classes and the next of them" },
    { .name = "overshoot",
      .type = BIOFT_F64,
      .offset = offsetof(state, overshoot),
      .def = 0.02,
      .min = 0.0,
      .max = 10.0,
      .help = "part of the way that is gone beyond the boundary" },
};

/* What a run works with; arrays of all images of the batch. */
struct work {
    const state *s;
    struct left *l;
    float *way;     /* [batch][pixels] the sum of the steps */
    float *nearest; /* packed [n][pixels]: the gradient of the nearest boundary */
    double *away;   /* packed [n]: the distance to it */
    int32_t *ranks; /* [candidates][batch] */
};

static uint32_t candidates_of(const state *s, const bioft_victim *v)
{
    return s->candidates < (int64_t)v->outputs ? (uint32_t)s->candidates : v->outputs;
}

static bioft_status take(const state *s, const bioft_victim *v, struct work *w)
{
    const size_t pixels = attack_pixels(v);
    bioft_status st = attack_scratch(s->host, v, "deepfool.way", pixels, sizeof(float), &w->way);
    if (st != BIOFT_OK)
        return st;
    st = attack_scratch(s->host, v, "deepfool.nearest", pixels, sizeof(float), &w->nearest);
    if (st != BIOFT_OK)
        return st;
    st = attack_scratch(s->host, v, "deepfool.away", 1, sizeof(double), &w->away);
    if (st != BIOFT_OK)
        return st;
    return attack_scratch(s->host, v, "deepfool.ranks", candidates_of(s, v), sizeof(int32_t), &w->ranks);
}

static bioft_status prepare(void *self, const bioft_victim *v)
{
    struct work w = { 0 };
    bioft_status st = left_prepare(((state *)self)->host, v);
    return st == BIOFT_OK ? take(self, v, &w) : st;
}

/* The boundary to each image's class of one rank: the nearest so far is kept. */
static bioft_status boundary(struct work *w, const int32_t *class, bool first)
{
    struct left *l = w->l;

    memset(l->d_out, 0, sizeof(float) * l->n * l->outputs);
    for (uint32_t j = 0; j < l->n; j++) {
        l->d_out[(size_t)j * l->outputs + (size_t) class[l->image[j]]] = 1.0f;
        l->d_out[(size_t)j * l->outputs + (size_t)l->clean->label[l->image[j]]] = -1.0f;
    }
    bioft_status st = left_backward(l);
    for (uint32_t j = 0; st == BIOFT_OK && j < l->n; j++) {
        const float *z = l->out + (size_t)j * l->outputs, *g = left_gradient(l, j);
        const double gap = fabs((double)z[class[l->image[j]]] - (double)z[l->clean->label[l->image[j]]]);
        const double away = gap / (ball_length(w->s->norm == 0 ? BIOFT_L1 : BIOFT_L2, l->pixels, g) + 1e-8);
        if (!first && !(away < w->away[j]))
            continue;
        w->away[j] = away;
        memcpy(w->nearest + j * l->pixels, g, sizeof(float) * l->pixels);
    }
    return st;
}

/* One step of each image; 1e-4 is added to its length, as in Foolbox, so that it does not end on the boundary. */
static void step_one(void *ctx, size_t j, uint32_t thread)
{
    const struct work *w = ctx;
    const struct left *l = w->l;
    const float *g = w->nearest + j * l->pixels;
    float *way = w->way + l->image[j] * l->pixels;
    const double length = w->away[j] + 1e-4, scale = length / (ball_length(BIOFT_L2, l->pixels, g) + 1e-8);

    (void)thread;
    for (size_t k = 0; k < l->pixels; k++)
        way[k] += (float)(w->s->norm == 0 ? length * ((g[k] > 0.0f) - (g[k] < 0.0f)) : scale * (double)g[k]);
}

/* Where an image's steps lead, to l->x. */
static void stand_one(void *ctx, size_t j, uint32_t thread)
{
    const struct work *w = ctx;
    const struct left *l = w->l;
    const float *clean = left_clean(l, j), *way = w->way + l->image[j] * l->pixels;
    float *x = left_x(l, j);

    (void)thread;
    for (size_t k = 0; k < l->pixels; k++) {
        const double v = (double)clean[k] + (1.0 + w->s->overshoot) * (double)way[k];
        x[k] = (float)(v < 0.0 ? 0.0 : v > 1.0 ? 1.0 : v);
    }
}

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    const state *s = self;
    const uint32_t candidates = candidates_of(s, v);
    struct left l = { 0 };
    struct work w = { .s = s, .l = &l };
    bioft_status st = take(s, v, &w);

    (void)epsilon; /* INFINITY: the nearest is sought */
    if (st == BIOFT_OK)
        st = left_begin(&l, s->host, v, clean, ret_x);
    if (st != BIOFT_OK)
        return st;
    memset(w.way, 0, sizeof(float) * clean->n * l.pixels);
    for (uint32_t r = 2; st == BIOFT_OK && l.n > 0 && r <= candidates; r++)
        st = left_rank(&l, r, w.ranks + (size_t)(r - 1) * v->max_batch);
    for (int64_t t = 0; st == BIOFT_OK && l.n > 0; t++) {
        left_each(&l, stand_one, &w);
        st = left_forward(&l);
        for (uint32_t j = 0; st == BIOFT_OK && j < l.n; j++) {
            const float *z = l.out + (size_t)j * l.outputs;
            l.fooled[j] = left_wins(clean, l.image[j], z, l.outputs);
            l.objective[j] = -left_lead(clean, l.image[j], z, l.outputs);
            if (l.fooled[j])
                memcpy(ret_x + l.image[j] * l.pixels, left_x(&l, j), sizeof(float) * l.pixels);
        }
        if (st == BIOFT_OK)
            st = left_trace(&l, (uint64_t)t);
        if (st != BIOFT_OK || t == s->steps)
            break;
        for (uint32_t r = 2; st == BIOFT_OK && r <= candidates; r++)
            st = boundary(&w, w.ranks + (size_t)(r - 1) * v->max_batch, r == 2);
        if (st == BIOFT_OK)
            left_each(&l, step_one, &w);
        if (st == BIOFT_OK)
            st = left_drop(&l, NULL);
    }
    return st;
}

static bioft_status ball(void *self, uint32_t *ret_norm)
{
    *ret_norm = (uint32_t)((const state *)self)->norm + BIOFT_LINF;
    return BIOFT_OK;
}

static const bioft_attack attack = {
    .struct_size = sizeof(attack),
    .norm = BIOFT_L2,
    .flags = BIOFT_ATTACK_GRADIENT | BIOFT_ATTACK_CLASSES | BIOFT_ATTACK_MINIMUM,
    .prepare = prepare,
    .run = run,
    .ball = ball,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_ATTACK, "deepfool", "1.0", "bioft", "MIT"),
    .summary = "DeepFool: each image's nearest linearised boundary, step by step; L2, Linf",
    .reference = "Moosavi-Dezfooli et al., CVPR 2016",
    .instance_size = sizeof(state),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(state, host),
    .vtable = &attack,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
