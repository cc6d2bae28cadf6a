/* Inline helpers for authors of learning rules: rows of an options table that most rules have, and what they say of a V.
 * Nothing here is part of the ABI. */
#ifndef BIOFT_RULE_UTIL_H
#define BIOFT_RULE_UTIL_H

#include <bioft/rule.h>

/* How large V is: the instance has one of these, the table BIOFT_OPTION_SCALE, feedback() calls bioft_take_scale. */
typedef struct bioft_scale_choice {
    double constant;
    int32_t scale, reserved;
} bioft_scale_choice;

static const char *const bioft_scale_names[] = { "none", "xavier", "kaiming", "match_norm", "constant", NULL };

/* The rows `scale`, with the default BIOFT_SCALE_..., and `constant`. field: the bioft_scale_choice of the instance. */
#define BIOFT_OPTION_SCALE(type_, field, default_) \
    { .name = "scale", .type = BIOFT_CHOICE, .offset = offsetof(type_, field.scale), .def = (default_), \
      .choices = bioft_scale_names, .help = "s: what the size of V follows" }, \
    { .name = "constant", .type = BIOFT_F64, .offset = offsetof(type_, field.constant), .def = 1.0, .max = 1e30, \
      .help = "s where scale is constant; 0: no feedback" }

static inline void bioft_take_scale(const bioft_scale_choice *chosen, bioft_feedback *ret)
{
    ret->scale = (uint32_t)chosen->scale;
    ret->constant = (float)chosen->constant;
}

/* M of either sign, of root mean square 1, so that V's is s. */
typedef struct bioft_distribution_choice {
    int32_t distribution, reserved;
} bioft_distribution_choice;

static const char *const bioft_distribution_names[] = { "uniform", "normal", NULL };

/* The row `distribution`. field: the bioft_distribution_choice of the instance. */
#define BIOFT_OPTION_DISTRIBUTION(type_, field) \
    { .name = "distribution", .type = BIOFT_CHOICE, .offset = offsetof(type_, field.distribution), \
      .choices = bioft_distribution_names, .help = "of M: U[-sqrt 3, sqrt 3) or N(0, 1)" }

static inline void bioft_take_distribution(const bioft_distribution_choice *chosen, bioft_feedback *ret)
{
    const float sqrt3 = 1.7320508075688772f;
    ret->m = chosen->distribution == 0 ? BIOFT_M_UNIFORM : BIOFT_M_NORMAL;
    ret->low = chosen->distribution == 0 ? -sqrt3 : 0.0f;
    ret->high = chosen->distribution == 0 ? sqrt3 : 1.0f;
}

/* M >= 0, of root mean square 1 by default: U[0, sqrt 3), as |N(0, 1)| has it. */
typedef struct bioft_magnitude_choice {
    double low, high;
    int32_t magnitude, reserved;
} bioft_magnitude_choice;

static const char *const bioft_magnitude_names[] = { "uniform", "abs_normal", NULL };

/* The rows `magnitude`, `low` and `high`. field: the bioft_magnitude_choice of the instance. */
#define BIOFT_OPTION_MAGNITUDE(type_, field) \
    { .name = "magnitude", .type = BIOFT_CHOICE, .offset = offsetof(type_, field.magnitude), \
      .choices = bioft_magnitude_names, .help = "of M: U[low, high) or |N(0, 1)|" }, \
    { .name = "low", .type = BIOFT_F64, .offset = offsetof(type_, field.low), .max = 1e30, \
      .help = "smallest magnitude where it is uniform" }, \
    { .name = "high", .type = BIOFT_F64, .offset = offsetof(type_, field.high), .def = 1.7320508075688772, \
      .min = 1e-30, .max = 1e30, .help = "largest magnitude where it is uniform" }

/* Notes for a descriptor: how the defaults of the two differ from the papers'. */
#define BIOFT_NOTE_SCALE \
    "The paper's V has entries of size 1; here they are scaled by s = sqrt(2/(fan_in + fan_out)), as BioTorch does, " \
    "because the error otherwise grows at each layer by about the square root of the number of weights it is summed " \
    "over; scale: none is the paper's."
#define BIOFT_NOTE_MAGNITUDE \
    "M is drawn from [0, sqrt 3), of mean square 1, so that V has the size of sign(W); the paper has [0, 1]: low: 0, " \
    "high: 1."

/* For create(): is low below high? */
static inline bioft_status bioft_check_magnitude(const bioft_magnitude_choice *chosen, const bioft_host *host)
{
    return chosen->low < chosen->high ? BIOFT_OK : host->fail(host, BIOFT_ERR_INVALID, "low must be below high");
}

static inline void bioft_take_magnitude(const bioft_magnitude_choice *chosen, bioft_feedback *ret)
{
    ret->m = chosen->magnitude == 0 ? BIOFT_M_UNIFORM : BIOFT_M_ABS_NORMAL;
    ret->low = chosen->magnitude == 0 ? (float)chosen->low : 0.0f;
    ret->high = chosen->magnitude == 0 ? (float)chosen->high : 1.0f;
}

/* "bioft.layer/1" into *ret; fails where the engine has none. */
static inline bioft_status bioft_take_layer_ops(const bioft_host *host, const bioft_layer_ops **ret)
{
    const bioft_layer_ops *ops = (const bioft_layer_ops *)host->get_extension(host, "bioft.layer/1");
    if (!ops)
        return host->fail(host, BIOFT_ERR_UNSUPPORTED, "the engine runs no single layers, which this rule needs");
    *ret = ops;
    return BIOFT_OK;
}

#endif
