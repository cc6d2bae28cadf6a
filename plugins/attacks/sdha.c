/* SDHA: away from the codes of all images that share a label with the query, bit by bit (Lu et al.,
 * "A Smart Adversarial Attack on Deep Hashing Based Image Retrieval", ICMR 2021), as Yuan et al.
 * (IEEE TIFS 2023) set it up for comparison.
 *
 * q = tanh(alpha_t z(x')), R_i the codes of the images that share a label with image i (without
 * any: its own code), s = sigmoid(5 q_k r_k):
 *   dis(q, r) = sum_k |q_k - r_k| s / 2 + (1 - s),  w(q, r) = 1 / sqrt(Hamming(sign q, r) + 1e-8)
 *   L = mean (x' - x)^2 - 25 / K mean_i mean_{r in R_i} w dis
 * is minimised by Adam (0.9, 0.999, 1e-8), w a constant, each step followed by the projection onto
 * the ball and [0,1]. Equal codes are taken together, which changes nothing: a mean over R_i needs
 * only the sums of w over the codes that have +1, and those that have -1, at each bit. Means over
 * the batch divide by a fixed number, so that an image's result is its own. */
#include "code_attack.h"

typedef struct {
    int64_t steps, reference_batch;
    double lr;
    int32_t database, saat_compat, logits;
    const bioft_host *host;
    struct code_groups groups;
} sdha;

static const char *const splits[] = { "train", "database", NULL };

static const bioft_option options[] = {
    { .name = "steps",
      .type = BIOFT_I64,
      .offset = offsetof(sdha, steps),
      .def = 5,
      .min = 1,
      .max = 1e6,
      .unit = "steps",
      .flags = BIOFT_OPTION_STEPS,
      .help = "steps of Adam" },
    { .name = "lr",
      .type = BIOFT_F64,
      .offset = offsetof(sdha, lr),
      .def = 0.01,
      .min = 0.0,
      .max = 1.0,
      .unit = "pixel range",
      .flags = BIOFT_OPTION_FRACTIONS,
      .help = "Adam's rate: about how far a step moves a pixel, whatever epsilon allows" },
    { .name = "relevant",
      .type = BIOFT_CHOICE,
      .offset = offsetof(sdha, database),
      .def = 0,
      .choices = splits,
      .unit = "",
      .help = "the split whose codes are to be left" },
    { .name = "reference_batch",
      .type = BIOFT_I64,
      .offset = offsetof(sdha, reference_batch),
      .def = 128,
      .min = 0,
      .max = 1e6,
      .unit = "images",
      .help = "what the means divide by; 0: the batch's size, as published: then results depend "
              "on batch_size" },
    { .name = "saat_compat",
      .type = BIOFT_BOOL,
      .offset = offsetof(sdha, saat_compat),
      .def = 0,
      .unit = "",
      .help = "give the image of the last forward pass, without the last step" },
    CODE_LOGITS_OPTION(sdha),
};

static void destroy(void *self) { code_groups_free(&((sdha *)self)->groups); }

struct work {
    struct code_work common;
    float *own;            /* [batch][bits] outputs of the clean images */
    float *first, *second; /* [batch][pixels] Adam's moments */
    double *plus;          /* [bits] sums of w over codes with +1 there */
    uint64_t *sign;        /* [words] the query's code now */
};

static bioft_status room(const sdha *p, const bioft_victim *v, struct work *w)
{
    const size_t words = (v->bits + 63) / 64;
    void *plus = NULL, *sign = NULL;
    bioft_status st = code_work(p->host, v, &w->common);
    if (st == BIOFT_OK)
        st = code_scratch(p->host, v, "own", v->bits, &w->own);
    if (st == BIOFT_OK)
        st = code_scratch(p->host, v, "first", code_pixels(v), &w->first);
    if (st == BIOFT_OK)
        st = code_scratch(p->host, v, "second", code_pixels(v), &w->second);
    if (st == BIOFT_OK)
        st = p->host->scratch(p->host, "plus", sizeof(double) * v->bits, &plus);
    if (st == BIOFT_OK)
        st = p->host->scratch(p->host, "sign", sizeof(uint64_t) * words, &sign);
    w->plus = plus;
    w->sign = sign;
    return st;
}

static bioft_status prepare(void *self, const bioft_victim *v)
{
    sdha *p = self;
    struct work w;
    bioft_status st = room(p, v, &w);
    return st == BIOFT_OK ? code_groups_make(p->host, v, splits[p->database], &p->groups) : st;
}

/* w->plus for a query at w->sign with these labels. *ret_all: the sum of w over R, *ret_number: of
 * its codes, 0 where there are none. */
static void weigh(const struct code_groups *g, const struct work *w, const uint64_t *labels, double *ret_all,
                  double *ret_number)
{
    memset(w->plus, 0, sizeof(double) * g->bits);
    *ret_all = *ret_number = 0.0;
    for (size_t i = 0; i < g->n; i++) {
        const uint64_t *row = code_row(g, i);
        uint32_t distance = 0;
        if (!code_shared(row + g->words, labels, g->label_words))
            continue;
        for (uint32_t k = 0; k < g->words; k++)
            distance += code_bits_set(row[k] ^ w->sign[k]);
        const double weight = (double)g->count[i] / sqrt(distance + 1e-8);
        for (uint32_t k = 0; k < g->bits; k++)
            if (code_bit(row, k))
                w->plus[k] += weight;
        *ret_all += weight;
        *ret_number += (double)g->count[i];
    }
}

/* d/dq of |q - r| s / 2 + 1 - s for r = 1 or -1, where |q - r| = 1 - q r. */
static double slope(double q, double r)
{
    const double s = 1.0 / (1.0 + exp(-5.0 * q * r)), change = 5.0 * r * s * (1.0 - s);
    return -0.5 * r * s + 0.5 * (1.0 - q * r) * change - change;
}

/* One image's share of the derivative by q. own: the clean image's outputs. */
static void objective(const sdha *p, const struct work *w, const float *q, const float *own, const uint64_t *labels,
                      uint32_t bits, float batch, float *ret)
{
    double all, number;

    memset(w->sign, 0, sizeof(uint64_t) * ((bits + 63) / 64));
    for (uint32_t k = 0; k < bits; k++)
        w->sign[k / 64] |= (uint64_t) !(q[k] < 0.0f) << (k % 64);
    weigh(&p->groups, w, labels, &all, &number);
    if (number == 0.0) {
        uint32_t distance = 0;
        for (uint32_t k = 0; k < bits; k++)
            distance += code_sign(own[k]) != code_sign(q[k]);
        all = 1.0 / sqrt(distance + 1e-8);
        number = 1.0;
        for (uint32_t k = 0; k < bits; k++)
            w->plus[k] = own[k] < 0.0f ? 0.0 : all;
    }
    for (uint32_t k = 0; k < bits; k++) {
        const double push = w->plus[k] * slope((double)q[k], 1.0) + (all - w->plus[k]) * slope((double)q[k], -1.0);
        ret[k] = (float)(-25.0 / bits * push / number / (double)batch);
    }
}

struct descent {
    size_t count; /* values of the batch */
    float near;   /* weight of the squared distance's derivative */
    float epsilon;
    const float *clean;
};

/* One step of Adam, t counted from 1, and the projections. */
static void step(const sdha *p, const struct work *w, const struct descent *d, int64_t t, float *x)
{
    const double correct1 = 1.0 - pow(0.9, (double)t), correct2 = sqrt(1.0 - pow(0.999, (double)t));
    const float rate = (float)(p->lr / correct1);

    for (size_t k = 0; k < d->count; k++) {
        const float g = w->common.dx[k] + d->near * (x[k] - d->clean[k]);
        w->first[k] += (g - w->first[k]) * 0.1f;
        w->second[k] = 0.999f * w->second[k] + 0.001f * g * g;
        const float size = sqrtf(w->second[k]) / (float)correct2 + 1e-8f;
        x[k] = code_clip(x[k] - rate * w->first[k] / size, d->clean[k], d->epsilon);
    }
}

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    const sdha *p = self;
    const uint32_t n = clean->n, bits = v->bits;
    const size_t pixels = code_pixels(v), count = n * pixels;
    const float batch = (float)(p->reference_batch ? p->reference_batch : n);
    const struct descent d = { count, 2.0f / ((float)pixels * batch), (float)epsilon, clean->x };
    struct work w;

    bioft_status st = room(p, v, &w);
    if (st == BIOFT_OK)
        st = v->forward(v, n, clean->x, w.own);
    if (st != BIOFT_OK)
        return st;
    memset(w.first, 0, sizeof(float) * count);
    memset(w.second, 0, sizeof(float) * count);
    for (int64_t t = 0; st == BIOFT_OK && t < p->steps - (p->saat_compat != 0); t++) {
        const float alpha = code_alpha(t, p->steps);
        struct code_work *c = &w.common;
        st = v->forward(v, n, ret_x, c->z);
        for (uint32_t i = 0; st == BIOFT_OK && i < n; i++) {
            const size_t at = (size_t)i * bits;
            code_relax(p->logits, c->z + at, bits, alpha, c->h + at);
            objective(p, &w, c->h + at, w.own + at, clean->labels + (size_t)i * clean->label_words, bits, batch,
                      c->d_z + at);
            code_relax_back(p->logits, c->z + at, c->h + at, bits, alpha, c->d_z + at);
        }
        if (st == BIOFT_OK)
            st = v->backward(v, n, c->d_z, c->dx);
        if (st == BIOFT_OK)
            step(p, &w, &d, t + 1, ret_x);
    }
    return st;
}

static const bioft_attack attack = {
    .struct_size = sizeof(attack),
    .norm = BIOFT_LINF,
    .flags = BIOFT_ATTACK_GRADIENT | BIOFT_ATTACK_CODES,
    .prepare = prepare,
    .run = run,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_ATTACK, "sdha", "1.0", "bioft", "MIT"),
    .summary = "away from the codes of images with a label in common, bit by bit, L-infinity",
    .reference = "Lu et al., ICMR 2021",
    .instance_size = sizeof(sdha),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(sdha, host),
    .destroy = destroy,
    .vtable = &attack,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
