/* Cross-entropy of the softmax against one class a sample, the mean over the batch, as torch's
 * CrossEntropyLoss.
 *
 * p = softmax(out); target q = (1 - a) onehot + a / classes, a = label_smoothing (Szegedy et al.
 * 2016); L = -1/n sum_i sum_c q_ic log p_ic; dL/dout = (p - q) / n. */
#include <bioft/loss.h>
#include <bioft/util.h>
#include <math.h>

typedef struct {
    double smoothing;
    uint32_t outputs;
    const bioft_host *host;
} cross_entropy;

static const bioft_option options[] = {
    { .name = "label_smoothing",
      .type = BIOFT_F64,
      .offset = offsetof(cross_entropy, smoothing),
      .def = 0.0,
      .min = 0.0,
      .max = 1.0,
      .flags = BIOFT_OPTION_LABEL_SMOOTHING,
      .help = "share of the target that all classes have alike" },
};

static bioft_status attach(void *self, const bioft_task *task)
{
    cross_entropy *p = self;
    if (task->outputs != task->classes || task->classes == 0)
        return bioft_failf(p->host, BIOFT_ERR_INVALID, "%u outputs for %u classes: expected one output per class",
                           task->outputs, task->classes);
    p->outputs = task->outputs;
    return BIOFT_OK;
}

/* z: [outputs], one sample's. Returns its loss; d: its share of the batch's gradient, or NULL. */
static double sample(const cross_entropy *p, const float *z, uint32_t label, float inverse_n, float *d)
{
    const float smooth = (float)p->smoothing / (float)p->outputs;
    float largest = z[0];
    double sum = 0.0, uniform = 0.0;
    for (uint32_t c = 1; c < p->outputs; c++)
        if (z[c] > largest)
            largest = z[c];
    for (uint32_t c = 0; c < p->outputs; c++)
        sum += (double)expf(z[c] - largest);
    const double log_sum = log(sum);
    for (uint32_t c = 0; c < p->outputs; c++) {
        uniform -= (double)(z[c] - largest) - log_sum;
        if (d) {
            const float q = smooth + (c == label ? 1.0f - (float)p->smoothing : 0.0f);
            d[c] = (expf(z[c] - largest) / (float)sum - q) * inverse_n;
        }
    }
    const double own = log_sum - (double)(z[label] - largest);
    return (1.0 - p->smoothing) * own + p->smoothing * uniform / p->outputs;
}

static bioft_status value(void *self, const float *out, const bioft_batch *batch, double *ret_value, float *ret_d_out)
{
    const cross_entropy *p = self;
    double total = 0.0;
    for (uint32_t i = 0; i < batch->n; i++) {
        const int32_t label = batch->label[i];
        const size_t at = (size_t)i * p->outputs;
        if (label < 0 || (uint32_t)label >= p->outputs)
            return bioft_failf(p->host, BIOFT_ERR_INVALID, "sample %llu has not exactly one of %u classes",
                               (unsigned long long)batch->sample[i], p->outputs);
        total += sample(p, out + at, (uint32_t)label, 1.0f / (float)batch->n, ret_d_out ? ret_d_out + at : NULL);
    }
    *ret_value = batch->n > 0 ? total / batch->n : 0.0;
    return BIOFT_OK;
}

static const bioft_loss loss = {
    .struct_size = sizeof(loss),
    .flags = BIOFT_LOSS_CLASSES,
    .attach = attach,
    .value = value,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_LOSS, "cross_entropy", "1.0", "bioft", "MIT"),
    .summary = "softmax and cross-entropy, one class per sample",
    .reference = "",
    .instance_size = sizeof(cross_entropy),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(cross_entropy, host),
    .vtable = &loss,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
