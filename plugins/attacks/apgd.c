/* APGD: Auto-PGD, projected gradient steps whose length is found on the way (Croce and Hein, ICML 2020; in L1 Croce and
 * Hein, ICML 2021). */
#include "parts/apgd.h"
#include "parts/ball.h"
#include "parts/loss.h"

typedef struct {
    int32_t norm, loss, larger_first;
    int64_t iterations, targets;
    double rho;
    const bioft_host *host;
} state;

static const bioft_option options[] = {
    { .name = "norm",
      .type = BIOFT_CHOICE,
      .offset = offsetof(state, norm),
      .def = 0,
      .choices = ball_norms,
      .help = "of the ball" },
    { .name = "loss",
      .type = BIOFT_CHOICE,
      .offset = offsetof(state, loss),
      .def = LOSS_CE,
      .choices = loss_names,
      .help =
          "what is raised: cross-entropy, difference of logits ratio, that towards each other class in turn, or the "
          "largest other output over the label's" },
    { .name = "iterations",
      .type = BIOFT_I64,
      .offset = offsetof(state, iterations),
      .def = 100,
      .min = 1,
      .max = 1e6,
      .unit = "steps",
      .flags = BIOFT_OPTION_STEPS,
      .help = "gradient steps, for each class of dlr_targeted" },
    { .name = "targets",
      .type = BIOFT_I64,
      .offset = offsetof(state, targets),
      .def = 9,
      .min = 1,
      .max = 1e6,
      .unit = "classes",
      .flags = BIOFT_OPTION_CLASSES,
      .help = "dlr_targeted: how many classes, those first that the network puts next" },
    { .name = "rho",
      .type = BIOFT_F64,
      .offset = offsetof(state, rho),
      .def = 0.75,
      .min = 0.0,
      .max = 1.0,
      .unit = "of a window",
      .help = "steps are halved where the loss rose in fewer steps; Linf and L2" },
    { .name = "larger_first",
      .type = BIOFT_BOOL,
      .offset = offsetof(state, larger_first),
      .def = 0,
      .help = "begin in balls of 3 and 2 epsilon, three tenths of the steps each; helps in L1" },
};

static struct apgd settings(const state *s)
{
    return (struct apgd){
        .norm = (uint32_t)s->norm + BIOFT_LINF,
        .loss = s->loss,
        .iterations = s->iterations,
        .restarts = 1,
        .targets = s->targets,
        .rho = s->rho,
        .larger_first = s->larger_first,
    };
}

static bioft_status prepare(void *self, const bioft_victim *v)
{
    const struct apgd a = settings(self);
    return apgd_prepare(&a, ((state *)self)->host, v);
}

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    const state *s = self;
    const struct apgd a = settings(s);
    struct left l = { 0 };
    bioft_status st = left_begin(&l, s->host, v, clean, ret_x);
    return st == BIOFT_OK ? apgd_run(&a, &l, epsilon) : st;
}

static bioft_status ball(void *self, uint32_t *ret_norm)
{
    *ret_norm = settings(self).norm;
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
    BIOFT_PLUGIN(BIOFT_KIND_ATTACK, "apgd", "1.1", "bioft", "MIT"),
    .summary = "Auto-PGD: gradient steps with momentum, halved where the loss no longer rises; Linf, L2, L1",
    .reference = "Croce and Hein, ICML 2020; ICML 2021",
    .instance_size = sizeof(state),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(state, host),
    .vtable = &attack,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
