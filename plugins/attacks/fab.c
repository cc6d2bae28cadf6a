/* FAB: the fast adaptive boundary attack, which seeks each image's nearest adversarial one (Croce and Hein, ICML 2020). */
#include "parts/fab.h"

#include "parts/ball.h"

typedef struct {
    int32_t norm, random_start;
    int64_t iterations, targets;
    double alpha_max, eta, beta, start;
    const bioft_host *host;
} state;

static const bioft_option options[] = {
    { .name = "norm",
      .type = BIOFT_CHOICE,
      .offset = offsetof(state, norm),
      .def = 0,
      .choices = ball_norms,
      .help = "of the distance" },
    { .name = "iterations",
      .type = BIOFT_I64,
      .offset = offsetof(state, iterations),
      .def = 100,
      .min = 1,
      .max = 1e6,
      .unit = "steps",
      .flags = BIOFT_OPTION_STEPS,
      .help = "for each class" },
    { .name = "targets",
      .type = BIOFT_I64,
      .offset = offsetof(state, targets),
      .def = 9,
      .min = 0,
      .max = 1e6,
      .unit = "classes",
      .flags = BIOFT_OPTION_CLASSES,
      .help = "the boundaries to the first of the classes that the network puts next, one after the "
              "other; 0: at each step to the nearest of all, at one gradient a class" },
    { .name = "alpha_max",
      .type = BIOFT_F64,
      .offset = offsetof(state, alpha_max),
      .def = 0.1,
      .min = 0.0,
      .max = 1.0,
      .help = "the most that a step is of the one from the clean image" },
    { .name = "eta",
      .type = BIOFT_F64,
      .offset = offsetof(state, eta),
      .def = 1.05,
      .min = 1.0,
      .max = 10.0,
      .help = "how far a step goes, the boundary being at 1" },
    { .name = "beta",
      .type = BIOFT_F64,
      .offset = offsetof(state, beta),
      .def = 0.9,
      .min = 0.0,
      .max = 1.0,
      .help = "what is left of the distance when the search goes back" },
    { .name = "random_start",
      .type = BIOFT_BOOL,
      .offset = offsetof(state, random_start),
      .def = 0,
      .help = "begin at a random point, half of `start` away, instead of at the image" },
    { .name = "start",
      .type = BIOFT_F64,
      .offset = offsetof(state, start),
      .def = 0.3,
      .min = 0.0,
      .max = 1e6,
      .help = "distance in the norm: of random starts" },
};

static struct fab settings(const state *s)
{
    return (struct fab){
        .norm = (uint32_t)s->norm + BIOFT_LINF,
        .iterations = s->iterations,
        .targets = s->targets,
        .alpha_max = s->alpha_max,
        .eta = s->eta,
        .beta = s->beta,
        .random_start = s->random_start,
        .start = s->start,
    };
}

static bioft_status prepare(void *self, const bioft_victim *v)
{
    const struct fab a = settings(self);
    return fab_prepare(&a, ((state *)self)->host, v);
}

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    const state *s = self;
    const struct fab a = settings(s);
    struct left l = { 0 };
    bioft_status st = left_begin(&l, s->host, v, clean, ret_x);
    return st == BIOFT_OK ? fab_run(&a, &l, epsilon) : st;
}

static bioft_status ball(void *self, uint32_t *ret_norm)
{
    *ret_norm = settings(self).norm;
    return BIOFT_OK;
}

static const bioft_attack attack = {
    .struct_size = sizeof(attack),
    .norm = BIOFT_LINF,
    .flags = BIOFT_ATTACK_GRADIENT | BIOFT_ATTACK_CLASSES | BIOFT_ATTACK_TARGETED | BIOFT_ATTACK_MINIMUM,
    .prepare = prepare,
    .run = run,
    .ball = ball,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_ATTACK, "fab", "1.0", "bioft", "MIT"),
    .summary = "fast adaptive boundary attack: each image's nearest adversarial one; Linf, L2, L1",
    .reference = "Croce and Hein, ICML 2020",
    .instance_size = sizeof(state),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(state, host),
    .vtable = &attack,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
