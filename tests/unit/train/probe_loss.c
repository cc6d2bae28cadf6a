/* A loss with an array of its own: L = 1/n sum_i 1/2 |a out_i - t_i|^2, a trained from 1. */
#include <bioft/loss.h>

typedef struct {
    uint32_t outputs;
    const bioft_host *host;
} probe;

static bioft_status create(void *self, const bioft_host *host)
{
    ((probe *)self)->host = host;
    return BIOFT_OK;
}

static bioft_status attach(void *self, const bioft_task *task)
{
    probe *p = self;
    float *a, *gradient, *calls;
    p->outputs = task->outputs;
    bioft_status st = p->host->trainable(p->host, "a", 1, 0, &a, &gradient);
    if (st == BIOFT_OK)
        st = p->host->state(p->host, "calls", 1, &calls);
    if (st == BIOFT_OK)
        *a = 1.0f;
    return st;
}

static bioft_status value(void *self, const float *out, const bioft_batch *batch, double *ret_value, float *ret_d_out)
{
    const probe *p = self;
    float *a, *gradient, *calls;
    double total = 0.0, d_a = 0.0;
    bioft_status st = p->host->trainable(p->host, "a", 1, 0, &a, &gradient);
    if (st == BIOFT_OK)
        st = p->host->state(p->host, "calls", 1, &calls);
    if (st != BIOFT_OK)
        return st;
    for (size_t i = 0; i < (size_t)batch->n * p->outputs; i++) {
        const float t = (int32_t)(i % p->outputs) == batch->label[i / p->outputs] ? 1.0f : 0.0f, e = *a * out[i] - t;
        total += 0.5 * (double)e * (double)e;
        d_a += (double)e * (double)out[i];
        if (ret_d_out)
            ret_d_out[i] = *a * e / (float)batch->n;
    }
    if (ret_d_out) {
        *gradient += (float)(d_a / batch->n);
        *calls += 1.0f;
    }
    *ret_value = total / batch->n;
    return BIOFT_OK;
}

static const bioft_loss loss = {
    .struct_size = sizeof(loss),
    .flags = BIOFT_LOSS_CLASSES,
    .attach = attach,
    .value = value,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_LOSS, "probe_loss", "1.0", "bioft", "MIT"),
    .summary = "a squared error with a trained scale",
    .reference = "",
    .instance_size = sizeof(probe),
    .create = create,
    .vtable = &loss,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
