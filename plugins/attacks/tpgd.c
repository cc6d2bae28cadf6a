/* TPGD: the steps of PGD along the sign of the gradient of the Kullback-Leibler divergence between the network's answers to
 * the clean image and to the attacked one, as TRADES trains with it (Zhang et al., ICML 2019, equation 3). It reads labels
 * only to leave images that are fooled. */
#include <bioft/attack_util.h>

#include "parts/ball.h"
#include "parts/left.h"
#include <string.h>

typedef struct {
    int64_t steps;
    double rel_stepsize, stepsize, noise;
    const bioft_host *host;
} state;

static const bioft_option options[] = {
    { .name = "steps",
      .type = BIOFT_I64,
      .offset = offsetof(state, steps),
      .def = 10,
      .min = 1,
      .max = 1e6,
      .unit = "steps",
      .flags = BIOFT_OPTION_STEPS,
      .help = "gradient steps" },
    { .name = "rel_stepsize",
      .type = BIOFT_F64,
      .offset = offsetof(state, rel_stepsize),
      .def = 0.25,
      .min = 0.0,
      .max = 10.0,
      .unit = "epsilon",
      .help = "step as a part of epsilon" },
    { .name = "stepsize",
      .type = BIOFT_F64,
      .offset = offsetof(state, stepsize),
      .def = 0.0,
      .min = 0.0,
      .max = 1.0,
      .unit = "pixel range",
      .flags = BIOFT_OPTION_FRACTIONS,
      .help = "step in pixels of [0,1]; 0: rel_stepsize times epsilon" },
    { .name = "noise",
      .type = BIOFT_F64,
      .offset = offsetof(state, noise),
      .def = 0.001,
      .min = 0.0,
      .max = 1.0,
      .unit = "pixel range",
      .flags = BIOFT_OPTION_FRACTIONS,
      .help = "standard deviation of the normal noise at the start: at the image itself the "
              "divergence has no gradient" },
};

static bioft_status take(const state *s, const bioft_victim *v, float **ret_x, float **ret_answer)
{
    bioft_status st = attack_scratch(s->host, v, "tpgd.x", attack_pixels(v), sizeof(float), ret_x);
    return st == BIOFT_OK ? attack_scratch(s->host, v, "tpgd.answer", v->outputs, sizeof(float), ret_answer) : st;
}

static bioft_status prepare(void *self, const bioft_victim *v)
{
    float *x, *answer;
    bioft_status st = left_prepare(((state *)self)->host, v);
    return st == BIOFT_OK ? take(self, v, &x, &answer) : st;
}

static void softmax(uint32_t count, const float *z, double *sum, double *largest)
{
    *largest = (double)z[0];
    for (uint32_t c = 1; c < count; c++)
        *largest = (double)z[c] > *largest ? (double)z[c] : *largest;
    *sum = 0.0;
    for (uint32_t c = 0; c < count; c++)
        *sum += exp((double)z[c] - *largest);
}

/* KL(p || softmax(z)) and its derivative by z, softmax(z) - p. */
static double divergence(uint32_t count, const float *p, const float *z, float *d)
{
    double sum, largest, value = 0.0;

    softmax(count, z, &sum, &largest);
    for (uint32_t c = 0; c < count; c++) {
        const double log_q = (double)z[c] - largest - log(sum);
        d[c] = (float)(exp(log_q) - (double)p[c]);
        value += p[c] > 0.0f ? (double)p[c] * (log((double)p[c]) - log_q) : 0.0;
    }
    return value;
}

/* The network's probabilities on the clean images that are left, and where the search begins. */
static bioft_status begin(const state *s, struct left *l, double epsilon, float *x, float *answer)
{
    for (uint32_t j = 0; j < l->n; j++)
        memcpy(left_x(l, j), left_clean(l, j), sizeof(float) * l->pixels);
    bioft_status st = l->n > 0 ? left_forward(l) : BIOFT_OK;
    for (uint32_t j = 0; st == BIOFT_OK && j < l->n; j++) {
        const float *z = l->out + (size_t)j * l->outputs;
        float *start = x + l->image[j] * l->pixels;
        double sum, largest;
        softmax(l->outputs, z, &sum, &largest);
        for (uint32_t c = 0; c < l->outputs; c++)
            answer[l->image[j] * l->outputs + c] = (float)(exp((double)z[c] - largest) / sum);
        st = s->host->random(s->host, BIOFT_NORMAL, "start", left_sample(l, j), 0, start, l->pixels);
        for (size_t k = 0; k < l->pixels; k++)
            start[k] = left_clean(l, j)[k] + (float)s->noise * start[k];
        ball_project(BIOFT_LINF, l->pixels, left_clean(l, j), epsilon, start);
    }
    return st;
}

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    const state *s = self;
    const float step = (float)(s->stepsize > 0.0 ? s->stepsize : s->rel_stepsize * epsilon);
    float *x = NULL, *answer = NULL;
    struct left l = { 0 };
    bioft_status st = take(s, v, &x, &answer);

    if (st != BIOFT_OK)
        return st;
    st = left_begin(&l, s->host, v, clean, ret_x);
    if (st != BIOFT_OK)
        return st;
    st = begin(s, &l, epsilon, x, answer);
    for (int64_t t = 0; st == BIOFT_OK && l.n > 0; t++) {
        for (uint32_t j = 0; j < l.n; j++)
            memcpy(left_x(&l, j), x + l.image[j] * l.pixels, sizeof(float) * l.pixels);
        st = left_forward(&l);
        for (uint32_t j = 0; st == BIOFT_OK && j < l.n; j++)
            l.objective[j] = (float)divergence(l.outputs, answer + l.image[j] * l.outputs,
                                               l.out + (size_t)j * l.outputs, l.d_out + (size_t)j * l.outputs);
        if (st == BIOFT_OK && t < s->steps)
            st = left_backward(&l);
        if (st == BIOFT_OK)
            st = left_trace(&l, (uint64_t)t);
        if (st != BIOFT_OK)
            break;
        for (uint32_t j = 0; t < s->steps && j < l.n; j++) {
            float *mine = x + l.image[j] * l.pixels;
            bioft_linf_step(l.pixels, step, (float)epsilon, left_clean(&l, j), left_gradient(&l, j), mine);
        }
        left_judge(&l);
        st = left_drop(&l, NULL);
        if (t == s->steps)
            break;
    }
    return st;
}

static const bioft_attack attack = {
    .struct_size = sizeof(attack),
    .norm = BIOFT_LINF,
    .flags = BIOFT_ATTACK_GRADIENT | BIOFT_ATTACK_CLASSES,
    .prepare = prepare,
    .run = run,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_ATTACK, "tpgd", "1.0", "bioft", "MIT"),
    .summary = "PGD on the divergence from the clean image's answer, as in TRADES; L-infinity",
    .reference = "Zhang et al., ICML 2019",
    .instance_size = sizeof(state),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(state, host),
    .vtable = &attack,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
