/* Rules that break the contract in one way each, chosen by WAY. */
#include "broken.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WRONG_SHAPE,
    PAST_THE_END,
    KEEPS_POINTER,
    EXITS,
    PRINTS,
    LOOPS,
    LEAKS,
    FORGETS,
    IS_BACKPROP,
    WRITES_W,
    GLOBAL,
    CRASHES,
    WRONG_SIGN,
    UNSTABLE,
    UNWRITTEN,
    NEW_STATE,
    ILLEGAL,
    RAND,
    INFINITE,
    BY_THREAD,
    REDECLARES,
    SAME_DRAWS
};

#define DECLARES (WAY == WRONG_SIGN || WAY == REDECLARES)

typedef struct {
    const bioft_host *host;
    float *kept;
    float own;
    uint64_t updates;
    uint32_t asked;
} broken;

/* Which instance was here last, and how often that changed. */
static void *last_seen;
static float changes;

/* In the thread that made an instance. */
static _Thread_local float at_home;

static bioft_status create(void *self, const bioft_host *host)
{
    at_home = 0.125f;
    ((broken *)self)->host = host;
    return BIOFT_OK;
}

static volatile int turning = 1;
static float *volatile nowhere = (float *)8;

static bioft_status fill_feedback(void *self, const bioft_layer *layer, uint64_t step, const float *w, float *v)
{
    broken *p = self;
    (void)step;
    /* The wrong shape: V of one output alone. */
    const size_t count = WAY == WRONG_SHAPE ? layer->count / layer->out_channels : layer->count;
    for (size_t i = 0; i < count; i++)
        v[i] = w[i] > 0.0f ? 0.5f : -0.25f;
    if (WAY == PAST_THE_END)
        v[layer->count] = 1.0f;
    if (WAY == KEEPS_POINTER) {
        if (p->kept)
            v[0] += p->kept[0];
        p->kept = v;
    }
    if (WAY == EXITS)
        exit(7);
    if (WAY == PRINTS)
        printf("layer %s\n", layer->name);
    while (WAY == LOOPS && turning)
        continue;
    if (WAY == LEAKS)
        p->kept = malloc(1000);
    if (WAY == FORGETS)
        v[0] += p->own;
    if (WAY == IS_BACKPROP)
        memcpy(v, w, layer->count * sizeof *v);
    if (WAY == WRITES_W)
        ((float *)(uintptr_t)w)[0] = 1.0f;
    if (WAY == GLOBAL) {
        changes += last_seen != self;
        last_seen = self;
        v[0] = changes;
    }
    if (WAY == CRASHES)
        *nowhere = 1.0f;
    if (WAY == UNSTABLE)
        v[0] = (float)p->updates++;
    if (WAY == NEW_STATE && step > 0) {
        float *s;
        return p->host->state(p->host, layer->key, layer->count, &s);
    }
    if (WAY == ILLEGAL)
        __builtin_trap();
    if (WAY == RAND)
        v[0] += (float)(rand() & 0);
    if (WAY == INFINITE) /* where each group has one input */
        v[0] = 1.0f / (float)(layer->in_channels / layer->groups - 1);
    if (WAY == SAME_DRAWS)
        v[0] += (float)step;
    if (WAY == BY_THREAD)
        v[0] += at_home;
    return BIOFT_OK;
}

static bioft_status after_update(void *self, const bioft_layer *layer, uint64_t step, float *w, const float *dw,
                                 int32_t *ret_changed)
{
    broken *p = self;
    (void)layer, (void)step, (void)w, (void)ret_changed;
    if (WAY == FORGETS)
        p->own += dw[0];
    return BIOFT_OK;
}

static bioft_status feedback(void *self, const bioft_layer *layer, bioft_feedback *ret)
{
    broken *p = self;
    (void)layer;
    ret->g = WAY == WRONG_SIGN ? BIOFT_G_SIGN : BIOFT_G_ONE;
    ret->m = BIOFT_M_NORMAL;
    ret->low = 0.0f;
    ret->high = WAY == REDECLARES ? 0.01f * (float)++p->asked : 1.0f;
    return BIOFT_OK;
}

static bioft_status fill_draw(void *self, const bioft_layer *layer, uint64_t step, uint64_t draw, const float *w,
                              float *v)
{
    (void)draw;
    return fill_feedback(self, layer, step, w, v);
}

static bioft_status route(void *self, const bioft_layer *layer, bioft_route *ret)
{
    (void)self, (void)layer;
    ret->reads = BIOFT_DY;
    ret->writes = BIOFT_DX;
    return BIOFT_OK;
}

/* Leaves dx of the last image as it was. */
static bioft_status local(void *self, const bioft_layer *layer, const bioft_local *io)
{
    const size_t in = (size_t)layer->in_channels * layer->in_h * layer->in_w;
    (void)self;
    for (size_t i = 0; io->dx && i < (io->n - 1) * in; i++)
        io->dx[i] = io->dy[0];
    return BIOFT_OK;
}

static const bioft_rule rule = {
    .struct_size = sizeof(rule),
    .feedback = DECLARES ? feedback : NULL,
    .fill_feedback = DECLARES || WAY == UNWRITTEN ? NULL : fill_feedback,
    .after_update = after_update,
    .route = WAY == UNWRITTEN ? route : NULL,
    .local = WAY == UNWRITTEN ? local : NULL,
    .fill_draw = WAY == SAME_DRAWS ? fill_draw : NULL,
};

BROKEN(BIOFT_KIND_RULE, NAME, broken, &rule, .create = create)
