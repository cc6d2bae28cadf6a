/* AutoAttack, the standard version: APGD on the cross-entropy, APGD and FAB towards each of the next classes, Square; each
 * on the images that those before it have left (Croce and Hein, ICML 2020; in L1 with the settings of Croce and Hein, ICML
 * 2021). Its parts are the plugins apgd, fab and square with their default options. */
#include "parts/apgd.h"
#include "parts/ball.h"
#include "parts/fab.h"
#include "parts/loss.h"
#include "parts/square.h"

typedef struct {
    int32_t norm;
    int64_t iterations, targets, queries;
    const bioft_host *host;
} state;

static const bioft_option options[] = {
    { .name = "norm",
      .type = BIOFT_CHOICE,
      .offset = offsetof(state, norm),
      .def = 0,
      .choices = ball_norms,
      .help = "of the ball" },
    { .name = "iterations",
      .type = BIOFT_I64,
      .offset = offsetof(state, iterations),
      .def = 100,
      .min = 1,
      .max = 1e6,
      .unit = "steps",
      .flags = BIOFT_OPTION_STEPS,
      .help = "of APGD and FAB; of the standard version 100" },
    { .name = "targets",
      .type = BIOFT_I64,
      .offset = offsetof(state, targets),
      .def = 9,
      .min = 1,
      .max = 1e6,
      .unit = "classes",
      .flags = BIOFT_OPTION_CLASSES,
      .help = "of APGD and FAB; of the standard version 9, and 5 for APGD in L1" },
    { .name = "queries",
      .type = BIOFT_I64,
      .offset = offsetof(state, queries),
      .def = 5000,
      .min = 1,
      .max = 1e9,
      .unit = "queries",
      .flags = BIOFT_OPTION_QUERIES,
      .help = "of Square; of the standard version 5000" },
};

/* The four parts. */
struct sequence {
    struct apgd ce, targeted;
    struct fab fab;
    struct square square;
};

static struct sequence settings(const state *s, const bioft_victim *v)
{
    const uint32_t norm = (uint32_t)s->norm + BIOFT_LINF;
    const int32_t l1 = norm == BIOFT_L1;
    const struct apgd apgd = {
        .norm = norm,
        .loss = LOSS_CE,
        .iterations = s->iterations,
        .restarts = 1,
        .rho = 0.75,
        .larger_first = l1,
        .targets = l1 && s->targets > 5 ? 5 : s->targets,
        .part = "apgd_ce",
    };
    struct sequence q = {
        .ce = apgd,
        .targeted = apgd,
        .fab = { .norm = norm,
                 .iterations = s->iterations,
                 .targets = s->targets,
                 .alpha_max = 0.1,
                 .eta = 1.05,
                 .beta = 0.9,
                 .part = "fab_t" },
        .square = { .norm = norm, .loss = LOSS_MARGIN, .queries = s->queries, .p_init = 0.8, .part = "square" },
    };
    q.ce.restarts = l1 ? 5 : 1;
    /* Below four classes there is no targeted ratio; the margin of two outputs is what is left of it. */
    q.targeted.loss = v->outputs >= loss_classes(LOSS_DLR_TARGETED, 0) ? LOSS_DLR_TARGETED : LOSS_MARGIN;
    q.targeted.part = "apgd_t";
    return q;
}

static bioft_status prepare(void *self, const bioft_victim *v)
{
    const state *s = self;
    const struct sequence q = settings(s, v);
    bioft_status st = apgd_prepare(&q.ce, s->host, v);
    if (st == BIOFT_OK)
        st = apgd_prepare(&q.targeted, s->host, v);
    if (st == BIOFT_OK)
        st = fab_prepare(&q.fab, s->host, v);
    return st == BIOFT_OK ? square_prepare(&q.square, s->host, v) : st;
}

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    const state *s = self;
    const struct sequence q = settings(s, v);
    struct left l = { 0 };
    bioft_status st = left_begin(&l, s->host, v, clean, ret_x);
    if (st == BIOFT_OK)
        st = apgd_run(&q.ce, &l, epsilon);
    if (st == BIOFT_OK)
        st = apgd_run(&q.targeted, &l, epsilon);
    if (st == BIOFT_OK)
        st = fab_run(&q.fab, &l, epsilon);
    return st == BIOFT_OK ? square_run(&q.square, &l, epsilon) : st;
}

static bioft_status ball(void *self, uint32_t *ret_norm)
{
    *ret_norm = (uint32_t)((const state *)self)->norm + BIOFT_LINF;
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
    BIOFT_PLUGIN(BIOFT_KIND_ATTACK, "auto_attack", "1.0", "bioft", "MIT"),
    .summary = "AutoAttack's standard version: APGD, targeted APGD, targeted FAB and Square in turn; Linf, L2, L1",
    .reference = "Croce and Hein, ICML 2020",
    .instance_size = sizeof(state),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(state, host),
    .vtable = &attack,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
