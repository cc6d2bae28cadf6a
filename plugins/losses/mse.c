/* Squared error against one-hot or multi-hot targets t: half of it summed over outputs, the mean
 * over the batch.
 *
 * L = 1/n sum_i 1/2 |out_i - t_i|^2; dL/dout = (out - t) / n, so that a sample's error is out - t,
 * the e of feedback alignment's papers. torch's MSELoss, the mean over all values, is 2 / outputs
 * times this. */
#include <bioft/loss.h>
#include <bioft/util.h>

typedef struct {
    uint32_t outputs;
    const bioft_host *host;
} mse;

static bioft_status attach(void *self, const bioft_task *task)
{
    mse *p = self;
    if (task->outputs != task->classes || task->classes == 0)
        return bioft_failf(p->host, BIOFT_ERR_INVALID, "%u outputs for %u classes: expected one output per class",
                           task->outputs, task->classes);
    p->outputs = task->outputs;
    return BIOFT_OK;
}

static bioft_status value(void *self, const float *out, const bioft_batch *batch, double *ret_value, float *ret_d_out)
{
    const mse *p = self;
    double total = 0.0;
    for (uint32_t i = 0; i < batch->n; i++) {
        const uint64_t *set = batch->labels + (size_t)i * batch->label_words;
        for (uint32_t c = 0; c < p->outputs; c++) {
            const size_t at = (size_t)i * p->outputs + c;
            const float e = out[at] - (float)(set[c / 64] >> c % 64 & 1);
            total += 0.5 * (double)e * (double)e;
            if (ret_d_out)
                ret_d_out[at] = e / (float)batch->n;
        }
    }
    *ret_value = batch->n > 0 ? total / batch->n : 0.0;
    return BIOFT_OK;
}

static const bioft_loss loss = {
    .struct_size = sizeof(loss),
    .flags = BIOFT_LOSS_CLASSES | BIOFT_LOSS_MULTI_LABEL,
    .attach = attach,
    .value = value,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_LOSS, "mse", "1.0", "bioft", "MIT"),
    .summary = "half the squared error against one-hot or multi-hot targets",
    .reference = "",
    .instance_size = sizeof(mse),
    BIOFT_HOST_AT(mse, host),
    .vtable = &loss,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
