/* An attack on a toy network, run for nothing but whether it draws random numbers. */
#include "attack/deterministic.h"

#include "plugin/instance.h"
#include <bioft/attack.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 8, CHANNELS = 3, PIXELS = CHANNELS * SIDE * SIDE, CLASSES = 5, IMAGES = 2 };

/* Class 0 has the mean of all pixels and 2 more, the others those of every fifth pixel: no small step changes the answer,
 * so that an attack goes through all that it does. */
static bioft_status forward(const bioft_victim *v, uint32_t n, const float *x, float *ret_out)
{
    (void)v;
    memset(ret_out, 0, sizeof(float) * n * CLASSES);
    for (uint32_t i = 0; i < n; i++) {
        for (size_t k = 0; k < PIXELS; k++)
            ret_out[i * CLASSES + k % CLASSES] += x[i * PIXELS + k] * ((float)CLASSES / PIXELS);
        ret_out[(size_t)i * CLASSES] += 2.0f;
    }
    return BIOFT_OK;
}

static bioft_status backward(const bioft_victim *v, uint32_t n, const float *d_out, float *ret_dx)
{
    (void)v;
    for (uint32_t i = 0; i < n; i++)
        for (size_t k = 0; k < PIXELS; k++)
            ret_dx[i * PIXELS + k] = d_out[i * CLASSES + k % CLASSES] * ((float)CLASSES / PIXELS);
    return BIOFT_OK;
}

static bioft_status subset(const bioft_victim *v, uint32_t n, const uint32_t *image)
{
    (void)v, (void)n, (void)image;
    return BIOFT_OK;
}

static bioft_status trace(const bioft_victim *v, uint64_t iteration, uint32_t n, const uint32_t *image, const float *x,
                          const float *objective)
{
    (void)v, (void)iteration, (void)n, (void)image, (void)x, (void)objective;
    return BIOFT_OK;
}

static bioft_status credit(const bioft_victim *v, uint32_t n, const uint32_t *image, const char *part)
{
    (void)v, (void)n, (void)image, (void)part;
    return BIOFT_OK;
}

static const bioft_victim toy = {
    .struct_size = sizeof toy,
    .max_batch = IMAGES,
    .channels = CHANNELS,
    .height = SIDE,
    .width = SIDE,
    .outputs = CLASSES,
    .classes = CLASSES,
    .forward = forward,
    .backward = backward,
    .subset = subset,
    .trace = trace,
    .credit = credit,
};

static bioft_status run(const struct attack_spec *s, struct instance *instance)
{
    const bioft_attack *a = &s->choice.plugin->api.attack;
    static const uint64_t sample[IMAGES] = { 0, 1 }, labels[IMAGES] = { 1, 1 };
    static const int32_t label[IMAGES] = { 0, 0 }, target[IMAGES] = { 1, 2 };
    float x[IMAGES * PIXELS], adversarial[IMAGES * PIXELS];
    const bioft_batch batch = {
        .struct_size = sizeof batch,
        .n = IMAGES,
        .classes = CLASSES,
        .label_words = 1,
        .x = x,
        .sample = sample,
        .label = label,
        .labels = labels,
        .target = s->target == TARGET_NONE ? NULL : target,
    };
    const double epsilon = a->flags & BIOFT_ATTACK_MINIMUM ? (double)INFINITY : s->norm == BIOFT_L0 ? 1.0 : 0.01;

    for (size_t k = 0; k < IMAGES * PIXELS; k++)
        x[k] = (float)(k % 7) / 8.0f + 0.05f;
    memcpy(adversarial, x, sizeof x);
    bioft_status st = a->prepare ? a->prepare(instance->self, &toy) : BIOFT_OK;
    return st == BIOFT_OK ? a->run(instance->self, &toy, &batch, epsilon, adversarial) : st;
}

bioft_status attack_check_restarts(const struct attack_spec *s, struct error *err)
{
    const bioft_attack *a = &s->choice.plugin->api.attack;
    struct instance *instance = NULL;

    if (s->restarts < 2 || s->eot || s->smoothing.samples || a->flags & BIOFT_ATTACK_CODES)
        return BIOFT_OK;
    bioft_status st = instance_create(
        &(struct instance_params){ .plugin = s->choice.plugin, .values = s->choice.values }, &instance, err);
    if (st != BIOFT_OK)
        return st;
    const bool ran = run(s, instance) == BIOFT_OK, drew = instance_drew(instance);
    instance_destroy(instance);
    if (!ran || drew)
        return BIOFT_OK;
    return error_set(err, BIOFT_ERR_INVALID,
                     "attack '%s': restarts: %u, but the attack draws no random number: each restart "
                     "is the same; leave 'restarts' out, or let it start at random",
                     s->name, s->restarts);
}
