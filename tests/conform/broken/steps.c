/* Rules that run the training step themselves and break the contract in one way each, chosen by
 * WAY. */
#include "broken.h"

#include <math.h>
#include <string.h>

enum { LOSSLESS, IDLE, EARLY, UNREPORTED, STEP_FORGETS };

typedef struct {
    const bioft_host *host;
    size_t floats;
    float updates; /* lost in a resume */
} broken;

static bioft_status create(void *self, const bioft_host *host)
{
    ((broken *)self)->host = host;
    return BIOFT_OK;
}

static size_t inputs(const bioft_layer *layer) { return (size_t)layer->in_channels * layer->in_h * layer->in_w; }

static bioft_status room(const broken *p, float **ret)
{
    void *memory = NULL;
    bioft_status st = p->host->scratch(p->host, "h", p->floats * sizeof(float), &memory);
    *ret = memory;
    return st;
}

static bioft_status attach(void *self, const bioft_layer *layer, const float *w)
{
    broken *p = self;
    float *h;
    (void)w;
    p->floats += layer->max_batch * (inputs(layer) + 2 * layer->outputs);
    return room(p, &h);
}

/* The head learns, and nothing else. */
static bioft_status train(void *self, const bioft_step *step, double *ret_value)
{
    broken *p = self;
    const uint32_t n = step->batch->n, last = step->layers - 1;
    const size_t outputs = step->layer(step, 0)->outputs;
    const float *x = step->batch->x;
    float *h;
    bioft_status st = room(p, &h);
    if (st == BIOFT_OK && WAY == EARLY)
        return step->update(step, 0);
    for (uint32_t i = 0; st == BIOFT_OK && i < step->layers; i++) {
        st = step->block_forward(step, i, n, x, h);
        x = h;
        h += n * (i < last ? inputs(step->layer(step, i + 1)) : outputs);
    }
    if (st == BIOFT_OK && WAY != LOSSLESS)
        st = step->loss(step, x, ret_value, h);
    if (WAY == LOSSLESS)
        memcpy(h, x, n * outputs * sizeof *h);
    if (WAY == STEP_FORGETS)
        h[0] *= ++p->updates;
    if (st == BIOFT_OK && WAY != IDLE)
        st = step->block_backward(step, last, n, h, NULL);
    if (st == BIOFT_OK && WAY != IDLE)
        st = step->update(step, last);
    if (WAY == UNREPORTED)
        *ret_value = NAN;
    return st;
}

static const bioft_own_step own_step = { .struct_size = sizeof(own_step), .train = train };

static const void *extension(void *self, const char *id)
{
    (void)self;
    return strcmp(id, "bioft.step/0") == 0 ? &own_step : NULL;
}

static const bioft_rule rule = { .struct_size = sizeof(rule), .attach = attach };

BROKEN(BIOFT_KIND_RULE, NAME, broken, &rule, .create = create, .extension = extension)
