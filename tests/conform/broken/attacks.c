/* Attacks that break the contract in one way each, chosen by WAY; otherwise a step along the gradient's sign. */
#include "broken.h"

#include <bioft/attack_util.h>
#include <stdlib.h>

enum { BATCH_ORDER, OUTSIDE, OUT_OF_RANGE, USELESS, CLEAN_WRITTEN, TOO_MANY, COUNTS_CALLS, LEAKS };

typedef struct {
    const bioft_host *host;
    float *kept;
    uint32_t calls;
    float out[64 * 64];
} broken;

static bioft_status create(void *self, const bioft_host *host)
{
    ((broken *)self)->host = host;
    return BIOFT_OK;
}

static bioft_status prepare(void *self, const bioft_victim *v)
{
    void *work[3];
    return bioft_gradient_scratch(((broken *)self)->host, v, work);
}

/* Up or down: by the gradient, or by the image's place among the others. */
static float direction(const float *gradient, size_t image, size_t pixel, size_t pixels)
{
    const float g = gradient[image * pixels + pixel];
    if (WAY == BATCH_ORDER)
        return (image + pixel) % 2 ? -1.0f : 1.0f;
    return (float)((g > 0.0f) - (g < 0.0f));
}

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    broken *p = self;
    const size_t pixels = (size_t)v->channels * v->height * v->width;
    const float e = (float)epsilon * (WAY == OUTSIDE ? 1.01f : 1.0f);
    float *gradient = NULL;
    bioft_status st = bioft_input_gradient(p->host, v, clean, clean->x, &gradient);
    if (st == BIOFT_OK && WAY == TOO_MANY)
        st = v->forward(v, v->max_batch + 1, clean->x, p->out);
    if (st != BIOFT_OK)
        return st;
    /* Every other call a little less far. */
    const float part = WAY == COUNTS_CALLS && p->calls++ % 2 ? 1.0f - 1e-6f : 1.0f;
    for (size_t i = 0; i < clean->n; i++)
        for (size_t k = 0; k < pixels; k++) {
            float x = clean->x[i * pixels + k] + direction(gradient, i, k, pixels) * e * part;
            if (WAY == USELESS)
                x = clean->x[i * pixels + k];
            if (WAY != OUT_OF_RANGE)
                x = x < 0.0f ? 0.0f : x > 1.0f ? 1.0f : x;
            ret_x[i * pixels + k] = x;
        }
    if (WAY == LEAKS)
        p->kept = malloc(1000);
    if (WAY == CLEAN_WRITTEN)
        ((float *)(uintptr_t)clean->x)[0] = 0.5f;
    return BIOFT_OK;
}

static const bioft_attack attack = {
    .struct_size = sizeof(attack), .norm = BIOFT_LINF, .prepare = prepare, .run = run
};

BROKEN(BIOFT_KIND_ATTACK, NAME, broken, &attack, .create = create)
