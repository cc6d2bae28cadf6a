/* Cross-entropy of one sigmoid a class against multi-hot targets t, the mean over batch and
 * classes, as torch's BCEWithLogitsLoss.
 *
 * L = 1/(n classes) sum max(z, 0) - z t + log(1 + exp(-|z|));
 * dL/dz = (sigmoid(z) - t) / (n classes). */
#include <bioft/loss.h>
#include <bioft/util.h>
#include <math.h>

typedef struct {
    uint32_t outputs;
    const bioft_host *host;
} binary_cross_entropy;

static bioft_status attach(void *self, const bioft_task *task)
{
    binary_cross_entropy *p = self;
    if (task->outputs != task->classes || task->classes == 0)
        return bioft_failf(p->host, BIOFT_ERR_INVALID, "%u outputs for %u classes: expected one output per class",
                           task->outputs, task->classes);
    p->outputs = task->outputs;
    return BIOFT_OK;
}

static bioft_status value(void *self, const float *out, const bioft_batch *batch, double *ret_value, float *ret_d_out)
{
    const binary_cross_entropy *p = self;
    const float count = (float)batch->n * (float)p->outputs;
    double total = 0.0;
    for (uint32_t i = 0; i < batch->n; i++) {
        const uint64_t *set = batch->labels + (size_t)i * batch->label_words;
        for (uint32_t c = 0; c < p->outputs; c++) {
            const size_t at = (size_t)i * p->outputs + c;
            const float t = (float)(set[c / 64] >> c % 64 & 1);
            const float z = out[at], small = expf(-fabsf(z));
            total += (double)((z > 0.0f ? z : 0.0f) - z * t + log1pf(small));
            if (ret_d_out)
                ret_d_out[at] = ((z >= 0.0f ? 1.0f : small) / (1.0f + small) - t) / count;
        }
    }
    *ret_value = batch->n > 0 ? total / (double)count : 0.0;
    return BIOFT_OK;
}

static const bioft_loss loss = {
    .struct_size = sizeof(loss),
    .flags = BIOFT_LOSS_CLASSES | BIOFT_LOSS_MULTI_LABEL,
    .attach = attach,
    .value = value,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_LOSS, "binary_cross_entropy", "1.0", "bioft", "MIT"),
    .summary = "one sigmoid and cross-entropy per class, for samples with any number of labels",
    .reference = "",
    .instance_size = sizeof(binary_cross_entropy),
    BIOFT_HOST_AT(binary_cross_entropy, host),
    .vtable = &loss,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
