/* Attacks that break the contract in one way each, chosen by WAY. */
#include "broken.h"

enum { BATCH_ORDER, OUTSIDE, OUT_OF_RANGE, USELESS, CLEAN_WRITTEN, TOO_MANY };

typedef struct {
    float out[64 * 64];
} broken;

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    broken *p = self;
    const size_t pixels = (size_t)v->channels * v->height * v->width;
    const float e = (float)epsilon * (WAY == OUTSIDE ? 1.01f : 1.0f);
    bioft_status st = v->forward(v, WAY == TOO_MANY ? v->max_batch + 1 : clean->n, clean->x, p->out);
    if (st != BIOFT_OK)
        return st;
    for (uint32_t i = 0; i < clean->n; i++)
        for (size_t k = 0; k < pixels; k++) {
            /* Up or down by the image's place among the others. */
            const float sign = WAY == BATCH_ORDER && (i + k) % 2 ? -1.0f : 1.0f;
            float x = clean->x[i * pixels + k] + sign * e;
            if (WAY == USELESS)
                x = clean->x[i * pixels + k];
            if (WAY != OUT_OF_RANGE)
                x = x < 0.0f ? 0.0f : x > 1.0f ? 1.0f : x;
            ret_x[i * pixels + k] = x;
        }
    if (WAY == CLEAN_WRITTEN)
        ((float *)(uintptr_t)clean->x)[0] = 0.5f;
    return BIOFT_OK;
}

static const bioft_attack attack = { .struct_size = sizeof(attack), .norm = BIOFT_LINF, .run = run };

BROKEN(BIOFT_KIND_ATTACK, NAME, broken, &attack, .create = NULL)
