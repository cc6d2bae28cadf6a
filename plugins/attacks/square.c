/* Square: random search over squares, which needs no gradient (Andriushchenko, Croce, Flammarion and Hein, ECCV 2020). */
#include "parts/square.h"

#include "parts/ball.h"
#include "parts/loss.h"

typedef struct {
    int32_t norm, loss, rescale;
    int64_t queries;
    double p_init;
    const bioft_host *host;
} state;

static const char *const losses[] = { "margin", "ce", NULL };

static const bioft_option options[] = {
    { .name = "norm",
      .type = BIOFT_CHOICE,
      .offset = offsetof(state, norm),
      .def = 0,
      .choices = ball_norms,
      .help = "of the ball" },
    { .name = "queries",
      .type = BIOFT_I64,
      .offset = offsetof(state, queries),
      .def = 5000,
      .min = 1,
      .max = 1e9,
      .unit = "queries",
      .flags = BIOFT_OPTION_QUERIES,
      .help = "candidates asked for each image, after the first" },
    { .name = "p_init",
      .type = BIOFT_F64,
      .offset = offsetof(state, p_init),
      .def = 0.8,
      .min = 1e-6,
      .max = 1.0,
      .unit = "of the image",
      .help = "what the first squares cover; halved after 10, 50, 200, 500, 1000, 2000, 4000, "
              "6000 and 8000 queries" },
    { .name = "rescale",
      .type = BIOFT_BOOL,
      .offset = offsetof(state, rescale),
      .def = 0,
      .help = "those numbers are of 10,000 queries and scaled to `queries`" },
    { .name = "loss",
      .type = BIOFT_CHOICE,
      .offset = offsetof(state, loss),
      .def = 0,
      .choices = losses,
      .help = "what is raised: the largest other output over the label's, or cross-entropy" },
};

static struct square settings(const state *s)
{
    return (struct square){
        .norm = (uint32_t)s->norm + BIOFT_LINF,
        .loss = s->loss == 0 ? LOSS_MARGIN : LOSS_CE,
        .queries = s->queries,
        .p_init = s->p_init,
        .rescale = s->rescale,
    };
}

static bioft_status prepare(void *self, const bioft_victim *v)
{
    const struct square a = settings(self);
    return square_prepare(&a, ((state *)self)->host, v);
}

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    const state *s = self;
    const struct square a = settings(s);
    struct left l = { 0 };
    bioft_status st = left_begin(&l, s->host, v, clean, ret_x);
    return st == BIOFT_OK ? square_run(&a, &l, epsilon) : st;
}

static bioft_status ball(void *self, uint32_t *ret_norm)
{
    *ret_norm = settings(self).norm;
    return BIOFT_OK;
}

static const bioft_attack attack = {
    .struct_size = sizeof(attack),
    .norm = BIOFT_LINF,
    .flags = BIOFT_ATTACK_CLASSES | BIOFT_ATTACK_TARGETED,
    .prepare = prepare,
    .run = run,
    .ball = ball,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_ATTACK, "square", "1.0", "bioft", "MIT"),
    .summary = "random search over squares, without gradients; Linf, L2, L1",
    .reference = "Andriushchenko et al., ECCV 2020",
    .instance_size = sizeof(state),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(state, host),
    .vtable = &attack,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
