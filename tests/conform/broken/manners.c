/* Losses that break what holds for plugins of every kind, in one way each, chosen by WAY. */
#include "broken.h"

#include <stdlib.h>

enum { REFUSES_WITHOUT_REASON, KEEPS_WHAT_IT_MADE, OFFERS_ANYTHING };

typedef struct {
    double factor;
    uint32_t outputs;
    float *memory;
    int32_t attached;
} broken;

static const bioft_option options[] = {
    { .name = "factor",
      .type = BIOFT_F64,
      .offset = offsetof(broken, factor),
      .def = 1.0,
      .min = 0.5,
      .max = 2.0,
      .help = "of the value" },
};

static bioft_status create(void *self, const bioft_host *host)
{
    broken *p = self;
    (void)host;
    if (WAY == KEEPS_WHAT_IT_MADE)
        p->memory = malloc(1000);
    return WAY == REFUSES_WITHOUT_REASON && p->factor >= 2.0 ? BIOFT_ERR_INVALID : BIOFT_OK;
}

/* What was never attached has nothing to free, it thinks. */
static void destroy(void *self)
{
    broken *p = self;
    if (p->attached)
        free(p->memory);
}

static bioft_status attach(void *self, const bioft_task *task)
{
    broken *p = self;
    p->outputs = task->outputs;
    p->attached = 1;
    return BIOFT_OK;
}

static bioft_status value(void *self, const float *out, const bioft_batch *batch, double *ret_value, float *ret_d_out)
{
    const broken *p = self;
    const size_t count = (size_t)batch->n * p->outputs;
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        sum += p->factor * (double)out[i] * (double)out[i];
        if (ret_d_out)
            ret_d_out[i] = 2.0f * (float)p->factor * out[i] / (float)count;
    }
    *ret_value = sum / (double)count;
    return BIOFT_OK;
}

static const bioft_loss loss = {
    .struct_size = sizeof(loss), .flags = BIOFT_LOSS_CLASSES, .attach = attach, .value = value
};

static const void *extension(void *self, const char *id)
{
    (void)self, (void)id;
    return &loss;
}

BROKEN(BIOFT_KIND_LOSS, NAME, broken, &loss, .create = create, .destroy = destroy, .options = options,
       .option_count = 1, .option_size = sizeof(*options), .extension = WAY == OFFERS_ANYTHING ? extension : NULL)
