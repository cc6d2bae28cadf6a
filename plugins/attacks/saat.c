/* The mainstay attack: to the far side of the code that stands for an image's labels (Yuan, Zhang,
 * Wang and Wu, "Semantic-Aware Adversarial Training for Reliable Deep Hashing Retrieval", IEEE
 * Transactions on Information Forensics and Security 2023).
 *
 * The mainstay code of a label set Y from the training codes c_j with label sets Y_j:
 *   b = sign(sum_j a_j c_j / sum_j a_j - sum_j (1 - sign a_j) c_j / sum_j (1 - sign a_j)),
 *   a_j = cosine(Y, Y_j), a side without members left out.
 * With q = tanh(alpha_t z(x')), s_k = q_k b_k, sum_k w_k (s_k + 2) s_k with w_k = 1 where
 * s_k > -1/2 is lowered by steps along the gradient's sign, each projected onto the ball and [0,1].
 * With targets: towards the mainstay code of the target class, which is away from its opposite. */
#include "code_attack.h"

typedef struct {
    int64_t steps;
    double stepsize;
    int32_t random_start, logits;
    const bioft_host *host;
    struct code_groups groups;
} saat;

static const bioft_option options[] = {
    { .name = "steps",
      .type = BIOFT_I64,
      .offset = offsetof(saat, steps),
      .def = 100,
      .min = 1,
      .max = 1e6,
      .unit = "steps",
      .flags = BIOFT_OPTION_STEPS,
      .help = "gradient steps" },
    { .name = "stepsize",
      .type = BIOFT_F64,
      .offset = offsetof(saat, stepsize),
      .def = 0.0,
      .min = 0.0,
      .max = 1.0,
      .unit = "pixel range",
      .flags = BIOFT_OPTION_FRACTIONS,
      .help = "0: 2.5 epsilon / steps, at least 1/255; the published one is 1/255" },
    { .name = "random_start",
      .type = BIOFT_BOOL,
      .offset = offsetof(saat, random_start),
      .def = 1,
      .unit = "",
      .help = "start at a uniform point of the ball instead of at x" },
    CODE_LOGITS_OPTION(saat),
};

static void destroy(void *self) { code_groups_free(&((saat *)self)->groups); }

struct work {
    struct code_work common;
    float *away;      /* [batch][bits] the code to get away from */
    float *start;     /* [pixels] random numbers */
    double *sums;     /* [2][bits] of codes that are alike, and not */
    uint64_t *target; /* [label_words] a target's label set */
};

static bioft_status room(const saat *p, const bioft_victim *v, struct work *w)
{
    const size_t label_words = (v->classes + 63) / 64;
    void *start = NULL, *sums = NULL, *target = NULL;
    bioft_status st = code_work(p->host, v, &w->common);
    if (st == BIOFT_OK)
        st = code_scratch(p->host, v, "away", v->bits, &w->away);
    if (st == BIOFT_OK)
        st = p->host->scratch(p->host, "start", sizeof(float) * code_pixels(v), &start);
    if (st == BIOFT_OK)
        st = p->host->scratch(p->host, "sums", 2 * sizeof(double) * v->bits, &sums);
    if (st == BIOFT_OK)
        st = p->host->scratch(p->host, "target", sizeof(uint64_t) * label_words, &target);
    w->start = start;
    w->sums = sums;
    w->target = target;
    return st;
}

static bioft_status prepare(void *self, const bioft_victim *v)
{
    saat *p = self;
    struct work w;
    bioft_status st = room(p, v, &w);
    return st == BIOFT_OK ? code_groups_make(p->host, v, "train", &p->groups) : st;
}

static void mainstay(const struct code_groups *g, const uint64_t *labels, double *sums, float *ret)
{
    const double own = sqrt((double)code_shared(labels, labels, g->label_words));
    double alike = 0.0, others = 0.0;

    memset(sums, 0, 2 * sizeof(double) * g->bits);
    for (size_t i = 0; i < g->n; i++) {
        const uint64_t *row = code_row(g, i), *set = row + g->words;
        const double shared = (double)code_shared(set, labels, g->label_words);
        const double size = own * sqrt((double)code_shared(set, set, g->label_words)) + 1e-8;
        const double weight = (double)g->count[i] * (shared > 0.0 ? shared / size : 1.0);
        double *to = shared > 0.0 ? sums : sums + g->bits;
        for (uint32_t k = 0; k < g->bits; k++)
            to[k] += code_bit(row, k) ? weight : -weight;
        *(shared > 0.0 ? &alike : &others) += weight;
    }
    for (uint32_t k = 0; k < g->bits; k++)
        ret[k] = code_sign(
            (float)((alike > 0.0 ? sums[k] / alike : 0.0) - (others > 0.0 ? sums[g->bits + k] / others : 0.0)));
}

/* The code that each image is to get away from. */
static void choose(const saat *p, const bioft_batch *clean, const struct work *w)
{
    const struct code_groups *g = &p->groups;

    for (uint32_t i = 0; i < clean->n; i++) {
        const uint64_t *labels = clean->labels + (size_t)i * clean->label_words;
        float *away = w->away + (size_t)i * g->bits;
        if (clean->target) {
            memset(w->target, 0, sizeof(uint64_t) * g->label_words);
            w->target[clean->target[i] / 64] = UINT64_C(1) << (clean->target[i] % 64);
            labels = w->target;
        }
        mainstay(g, labels, w->sums, away);
        for (uint32_t k = 0; clean->target && k < g->bits; k++)
            away[k] = -away[k];
    }
}

/* x + U(-epsilon, epsilon), clipped to [0,1]; by sample, so that the batch does not matter. */
static bioft_status random_start(const saat *p, const bioft_victim *v, const bioft_batch *clean, float epsilon,
                                 float *u, float *x)
{
    const size_t pixels = code_pixels(v);
    bioft_status st = BIOFT_OK;

    for (uint32_t i = 0; st == BIOFT_OK && i < clean->n; i++, x += pixels) {
        st = p->host->random(p->host, BIOFT_UNIFORM, "start", clean->sample[i], 0, u, pixels);
        for (size_t k = 0; st == BIOFT_OK && k < pixels; k++)
            x[k] = code_clip(x[k] + epsilon * (2.0f * u[k] - 1.0f), x[k], epsilon);
    }
    return st;
}

/* One image's derivative by q, but for a constant factor that no sign sees. */
static void objective(const float *away, const float *q, uint32_t bits, float *ret)
{
    for (uint32_t k = 0; k < bits; k++) {
        const float s = q[k] * away[k];
        ret[k] = s > -0.5f ? (2.0f * s + 2.0f) * away[k] / (float)bits : 0.0f;
    }
}

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    const saat *p = self;
    const uint32_t n = clean->n, bits = v->bits;
    const size_t count = n * code_pixels(v);
    const double least = 1.0 / 255.0, share = 2.5 * epsilon / (double)p->steps;
    const float size = (float)(p->stepsize > 0.0 ? p->stepsize : share > least ? share : least);
    struct work w;

    bioft_status st = room(p, v, &w);
    if (st != BIOFT_OK)
        return st;
    choose(p, clean, &w);
    if (p->random_start)
        st = random_start(p, v, clean, (float)epsilon, w.start, ret_x);
    for (int64_t t = 0; st == BIOFT_OK && t < p->steps; t++) {
        const float alpha = code_alpha(t, p->steps);
        struct code_work *c = &w.common;
        st = v->forward(v, n, ret_x, c->z);
        for (size_t at = 0; st == BIOFT_OK && at < (size_t)n * bits; at += bits) {
            code_relax(p->logits, c->z + at, bits, alpha, c->h + at);
            objective(w.away + at, c->h + at, bits, c->d_z + at);
            code_relax_back(p->logits, c->z + at, c->h + at, bits, alpha, c->d_z + at);
        }
        if (st == BIOFT_OK)
            st = v->backward(v, n, c->d_z, c->dx);
        for (size_t k = 0; st == BIOFT_OK && k < count; k++) {
            const float sign = (float)((c->dx[k] > 0.0f) - (c->dx[k] < 0.0f));
            ret_x[k] = code_clip(ret_x[k] - size * sign, clean->x[k], (float)epsilon);
        }
    }
    return st;
}

static const bioft_attack attack = {
    .struct_size = sizeof(attack),
    .norm = BIOFT_LINF,
    .flags = BIOFT_ATTACK_GRADIENT | BIOFT_ATTACK_CODES | BIOFT_ATTACK_TARGETED,
    .prepare = prepare,
    .run = run,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_ATTACK, "saat", "1.0", "bioft", "MIT"),
    .summary = "away from the code that represents an image's labels, by signs of gradients, L-infinity",
    .reference = "Yuan, Zhang, Wang, Wu, IEEE TIFS 2023",
    .instance_size = sizeof(saat),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(saat, host),
    .destroy = destroy,
    .vtable = &attack,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
