/* What frSF and brSF share: V = s M sign(W) with random magnitudes M >= 0 (Liao, Leibo and Poggio 2016, section 2). */
#ifndef LEARNING_RULES_RANDOM_SIGN_H
#define LEARNING_RULES_RANDOM_SIGN_H

#include <bioft/rule_util.h>

typedef struct {
    bioft_scale_choice size;
    bioft_magnitude_choice m;
} random_sign;

static const bioft_option options[] = {
    BIOFT_OPTION_SCALE(random_sign, size, BIOFT_SCALE_XAVIER),
    BIOFT_OPTION_MAGNITUDE(random_sign, m),
};

static bioft_status create(void *self, const bioft_host *host)
{
    return bioft_check_magnitude(&((const random_sign *)self)->m, host);
}

static bioft_status random_sign_feedback(const random_sign *p, uint32_t redraw, bioft_feedback *ret)
{
    ret->g = BIOFT_G_SIGN;
    ret->redraw = redraw;
    bioft_take_magnitude(&p->m, ret);
    bioft_take_scale(&p->size, ret);
    return BIOFT_OK;
}

#endif
