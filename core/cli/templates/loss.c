/* @NAME@: a loss. It gets the network's outputs and a batch's labels, and gives a value and its derivative by the
 * outputs. This one is the mean squared difference from 1 at the true class and 0 elsewhere. */
#include <bioft/loss.h>

typedef struct {
    const bioft_host *host;
    uint32_t outputs;
} state;

/* Once before the first step: is this a task for it? Arrays that are trained too come from host->trainable here. */
static bioft_status attach(void *self, const bioft_task *task)
{
    state *p = self;
    if (task->outputs != task->classes)
        return p->host->fail(p->host, BIOFT_ERR_INVALID, "it needs one output a class");
    p->outputs = task->outputs;
    return BIOFT_OK;
}

/* ret_d_out is NULL in evaluation. */
static bioft_status value(void *self, const float *out, const bioft_batch *batch, double *ret_value, float *ret_d_out)
{
    const state *p = self;
    const size_t count = (size_t)batch->n * p->outputs;
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        const int32_t label = batch->label[i / p->outputs];
        const float wanted = (int32_t)(i % p->outputs) == label ? 1.0f : 0.0f, off = out[i] - wanted;
        sum += (double)off * (double)off;
        if (ret_d_out)
            ret_d_out[i] = 2.0f * off / (float)count;
    }
    *ret_value = sum / (double)count;
    return BIOFT_OK;
}

static const bioft_loss loss = {
    .struct_size = sizeof(loss),
    .flags = BIOFT_LOSS_CLASSES,
    .attach = attach,
    .value = value,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_LOSS, "@NAME@", "0.1", "you", "MIT"),
    .summary = "mean squared difference from the true class",
    .reference = "the paper it implements",
    .instance_size = sizeof(state),
    BIOFT_HOST_AT(state, host),
    .vtable = &loss,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
