/* HAG: away from an image's own code (Yang et al., "Adversarial Examples for Hamming Space Search",
 * IEEE Transactions on Cybernetics 2020), as Yuan et al. (IEEE TIFS 2023) set it up for comparison.
 *
 * h = tanh(z(x)) of the clean image, q = tanh(alpha_t z(x')), m_j = 1 while q_j sign(h_j) > -1/2:
 *   L = mean_i (sum_j m_ij q_ij h_ij / (sum_j m_ij + 1e-8) + 1)^2 + mean_i (sum_j m_ij q_ij / K)^2
 * is minimised by gradient steps with momentum, each followed by the projection onto the ball and
 * [0,1]. The mean makes a step depend on the batch: here it divides by a fixed number. */
#include "code_attack.h"

typedef struct {
    int64_t steps, reference_batch;
    double lr, momentum;
    int32_t saat_compat, logits;
    const bioft_host *host;
} hag;

static const bioft_option options[] = {
    { .name = "steps",
      .type = BIOFT_I64,
      .offset = offsetof(hag, steps),
      .def = 5,
      .min = 1,
      .max = 1e6,
      .unit = "steps",
      .flags = BIOFT_OPTION_STEPS,
      .help = "gradient steps" },
    { .name = "lr",
      .type = BIOFT_F64,
      .offset = offsetof(hag, lr),
      .def = 100.0,
      .min = 0.0,
      .max = 1e9,
      .unit = "",
      .help = "size of a step, as a factor of the gradient" },
    { .name = "momentum",
      .type = BIOFT_F64,
      .offset = offsetof(hag, momentum),
      .def = 0.9,
      .min = 0.0,
      .max = 1.0,
      .unit = "",
      .help = "part of the last step that is carried over" },
    { .name = "reference_batch",
      .type = BIOFT_I64,
      .offset = offsetof(hag, reference_batch),
      .def = 128,
      .min = 0,
      .max = 1e6,
      .unit = "images",
      .help = "what the mean divides by; 0: the batch's size, as published: then results depend "
              "on batch_size" },
    { .name = "saat_compat",
      .type = BIOFT_BOOL,
      .offset = offsetof(hag, saat_compat),
      .def = 0,
      .unit = "",
      .help = "give the image of the last forward pass, without the last step" },
    CODE_LOGITS_OPTION(hag),
};

static bioft_status room(const hag *p, const bioft_victim *v, struct code_work *w, float **ret_own,
                         float **ret_velocity)
{
    bioft_status st = code_work(p->host, v, w);
    if (st != BIOFT_OK)
        return st;
    st = code_scratch(p->host, v, "own", v->bits, ret_own);
    if (st != BIOFT_OK)
        return st;
    return code_scratch(p->host, v, "velocity", code_pixels(v), ret_velocity);
}

static bioft_status prepare(void *self, const bioft_victim *v)
{
    struct code_work w;
    float *own, *velocity;
    return room(self, v, &w, &own, &velocity);
}

/* One image's share of dL/dq. own: h; q: the relaxed code now. */
static void objective(const float *own, const float *q, uint32_t bits, float batch, float *ret)
{
    float agree = 0.0f, masked = 0.0f, sum = 0.0f;

    for (uint32_t k = 0; k < bits; k++) {
        const float gap = fabsf(q[k] - code_sign(own[k]));
        ret[k] = gap < 1.5f ? 1.0f : gap > 1.5f ? 0.0f : 0.5f; /* the mask, then the result */
        agree += ret[k] * q[k] * own[k];
        masked += ret[k];
        sum += ret[k] * q[k];
    }
    masked += 1e-8f;
    const float first = 2.0f * (agree / masked + 1.0f) / masked;
    const float second = 2.0f * (sum / (float)bits) / (float)bits;
    for (uint32_t k = 0; k < bits; k++)
        ret[k] *= (first * own[k] + second) / batch;
}

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    const hag *p = self;
    const uint32_t n = clean->n, bits = v->bits;
    const size_t count = n * code_pixels(v);
    const float batch = (float)(p->reference_batch ? p->reference_batch : n);
    struct code_work w;
    float *own, *velocity;

    bioft_status st = room(p, v, &w, &own, &velocity);
    if (st == BIOFT_OK)
        st = v->forward(v, n, clean->x, w.z);
    if (st != BIOFT_OK)
        return st;
    for (uint32_t i = 0; i < n; i++)
        code_relax(p->logits, w.z + (size_t)i * bits, bits, 1.0f, own + (size_t)i * bits);
    memset(velocity, 0, sizeof(float) * count);
    for (int64_t t = 0; st == BIOFT_OK && t < p->steps - (p->saat_compat != 0); t++) {
        const float alpha = code_alpha(t, p->steps);
        st = v->forward(v, n, ret_x, w.z);
        for (size_t at = 0; st == BIOFT_OK && at < (size_t)n * bits; at += bits) {
            code_relax(p->logits, w.z + at, bits, alpha, w.h + at);
            objective(own + at, w.h + at, bits, batch, w.d_z + at);
            code_relax_back(p->logits, w.z + at, w.h + at, bits, alpha, w.d_z + at);
        }
        if (st == BIOFT_OK)
            st = v->backward(v, n, w.d_z, w.dx);
        for (size_t k = 0; st == BIOFT_OK && k < count; k++) {
            velocity[k] = (float)p->momentum * velocity[k] + w.dx[k];
            ret_x[k] = code_clip(ret_x[k] - (float)p->lr * velocity[k], clean->x[k], (float)epsilon);
        }
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
    BIOFT_PLUGIN(BIOFT_KIND_ATTACK, "hag", "1.0", "bioft", "MIT"),
    .summary = "away from the image's own hash code by gradient steps with momentum, L-infinity",
    .reference = "Yang et al., IEEE Transactions on Cybernetics 2020",
    .instance_size = sizeof(hag),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(hag, host),
    .vtable = &attack,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
