/* What frSF and brSF share: V = s M sign(W) with random magnitudes M >= 0 (Liao, Leibo and Poggio 2016, section 2). */
#ifndef LEARNING_RULES_RANDOM_SIGN_H
#define LEARNING_RULES_RANDOM_SIGN_H

#include <bioft/rule.h>

typedef struct {
    int32_t scale, magnitude;
    double constant, low, high;
} random_sign;

static const char *const scales[] = { "none", "xavier", "kaiming", "match_norm", "constant", NULL };
static const char *const magnitudes[] = { "uniform", "abs_normal", NULL };

/* The default U[0, sqrt 3) has root mean square 1, as |N(0, 1)| has, so that V's is s. */
static const bioft_option options[] = {
    { .name = "scale", .type = BIOFT_CHOICE, .offset = offsetof(random_sign, scale),
      .def = BIOFT_SCALE_XAVIER, .choices = scales, .help = "s: what the size of V follows" },
    { .name = "constant", .type = BIOFT_F64, .offset = offsetof(random_sign, constant),
      .def = 1.0, .min = 0.0, .max = 1e30, .help = "s where scale is constant; 0: no feedback" },
    { .name = "magnitude", .type = BIOFT_CHOICE, .offset = offsetof(random_sign, magnitude),
      .def = 0, .choices = magnitudes, .help = "of M: U[low, high) or |N(0, 1)|" },
    { .name = "low", .type = BIOFT_F64, .offset = offsetof(random_sign, low),
      .def = 0.0, .min = 0.0, .max = 1e30, .help = "smallest magnitude where it is uniform" },
    { .name = "high", .type = BIOFT_F64, .offset = offsetof(random_sign, high),
      .def = 1.7320508075688772, .min = 1e-30, .max = 1e30,
      .help = "largest magnitude where it is uniform" },
};

static bioft_status create(void *self, const bioft_host *host)
{
    const random_sign *p = self;
    if (p->low >= p->high)
        return host->fail(host, BIOFT_ERR_INVALID, "low must be below high");
    return BIOFT_OK;
}

static bioft_status random_sign_feedback(const random_sign *p, uint32_t redraw, bioft_feedback *ret)
{
    ret->g = BIOFT_G_SIGN;
    ret->m = p->magnitude == 0 ? BIOFT_M_UNIFORM : BIOFT_M_ABS_NORMAL;
    ret->low = p->magnitude == 0 ? (float)p->low : 0.0f;
    ret->high = p->magnitude == 0 ? (float)p->high : 1.0f;
    ret->redraw = redraw;
    ret->scale = (uint32_t)p->scale;
    ret->constant = (float)p->constant;
    return BIOFT_OK;
}

#endif
