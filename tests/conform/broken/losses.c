/* Losses that break the contract in one way each, chosen by WAY. */
#include "broken.h"

#include <stdlib.h>

enum { WRONG_GRADIENT, LEARNS_IN_EVALUATION, LEAKS };

typedef struct {
    const bioft_host *host;
    uint32_t outputs;
    float *kept;
} broken;

static bioft_status create(void *self, const bioft_host *host)
{
    ((broken *)self)->host = host;
    return BIOFT_OK;
}

static bioft_status attach(void *self, const bioft_task *task)
{
    broken *p = self;
    float *state;
    p->outputs = task->outputs;
    return p->host->state(p->host, "calls", 1, &state);
}

/* The mean of squares, with the factor 2 of its derivative forgotten. */
static bioft_status value(void *self, const float *out, const bioft_batch *batch, double *ret_value, float *ret_d_out)
{
    broken *p = self;
    const size_t count = (size_t)batch->n * p->outputs;
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        sum += (double)out[i] * (double)out[i];
        if (ret_d_out)
            ret_d_out[i] = (WAY == WRONG_GRADIENT ? 1.0f : 2.0f) * out[i] / (float)count;
    }
    if (WAY == LEARNS_IN_EVALUATION) {
        float *state;
        p->host->state(p->host, "calls", 1, &state);
        state[0] += 1.0f;
    }
    if (WAY == LEAKS)
        p->kept = malloc(1000);
    *ret_value = sum / (double)count;
    return BIOFT_OK;
}

static const bioft_loss loss = {
    .struct_size = sizeof(loss), .flags = BIOFT_LOSS_CLASSES, .attach = attach, .value = value
};

BROKEN(BIOFT_KIND_LOSS, NAME, broken, &loss, .create = create)
