/* A rule that runs the training step itself: backpropagation block by block, or a mistake as asked.
 */
#include <bioft/rule.h>
#include <string.h>

enum { BACKPROP, NO_LOSS, LOSS_TWICE, UPDATE_TWICE, NO_FORWARD, NO_BLOCK, LATE, NO_GRADIENT, FAIL, PREDICT };
static const char *const modes[] = {
    "backprop", "no_loss",     "loss_twice", "update_twice", "no_forward", "no_block",
    "late",     "no_gradient", "fail",       "predict",      NULL,
};

typedef struct {
    int32_t mode;
    const bioft_host *host;
    size_t all; /* floats an image, of all blocks' ends */
} probe;

static const bioft_option options[] = {
    { .name = "mode", .type = BIOFT_CHOICE, .offset = offsetof(probe, mode), .choices = modes, .help = "what it does" },
};

static bioft_status create(void *self, const bioft_host *host)
{
    ((probe *)self)->host = host;
    return BIOFT_OK;
}

static size_t inputs(const bioft_layer *layer) { return (size_t)layer->in_channels * layer->in_h * layer->in_w; }

static bioft_status attach(void *self, const bioft_layer *layer, const float *w)
{
    probe *p = self;
    void *memory;
    (void)w;
    p->all += inputs(layer) + layer->outputs;
    return p->host->scratch(p->host, "h", 4 * layer->max_batch * p->all * sizeof(float), &memory);
}

/* Twice forward with the same masks, or something is wrong. */
static bioft_status forward(const probe *p, const bioft_step *step, float **h)
{
    const uint32_t n = step->batch->n;
    const float *x = step->batch->x;
    bioft_status st = BIOFT_OK;
    for (uint32_t i = 0; st == BIOFT_OK && i < step->layers; i++) {
        const bioft_layer *last = step->layer(step, i);
        const size_t out = i + 1 < step->layers ? inputs(step->layer(step, i + 1)) : last->outputs;
        float *again = h[i] + n * out;
        st = step->block_forward(step, i, n, x, again);
        if (st == BIOFT_OK)
            st = step->block_forward(step, i, n, x, h[i]);
        if (st == BIOFT_OK && memcmp(h[i], again, n * out * sizeof(float)) != 0)
            return p->host->fail(p->host, BIOFT_ERR_INVALID, "another output the second time");
        x = h[i];
        h[i + 1] = h[i] + n * out;
    }
    return st;
}

static bioft_status mistake(const probe *p, const bioft_step *step, const float *out, float *d)
{
    double value;
    bioft_status st;
    switch (p->mode) {
    case LOSS_TWICE: return step->loss(step, out, &value, d);
    case UPDATE_TWICE: st = step->update(step, 0); return st == BIOFT_OK ? step->update(step, 0) : st;
    case NO_BLOCK: return step->block_forward(step, step->layers, step->batch->n, out, d);
    case LATE:
        st = step->update(step, step->layers - 1);
        if (st == BIOFT_OK)
            st = step->block_backward(step, step->layers - 1, step->batch->n, d, NULL);
        return st;
    case FAIL: return p->host->fail(p->host, BIOFT_ERR_UNSUPPORTED, "the probe was asked to fail");
    default: return BIOFT_OK;
    }
}

static bioft_status train(void *self, const bioft_step *step, double *ret_value)
{
    const probe *p = self;
    const uint32_t n = step->batch->n, last = step->layers - 1;
    float *h[16];
    void *memory;
    bioft_status st = p->host->scratch(p->host, "h", 1, &memory);
    h[0] = memory;
    if (st != BIOFT_OK || p->mode == NO_LOSS)
        return st;
    if (p->mode == NO_FORWARD)
        return step->block_backward(step, 0, n, h[0], NULL);
    if (p->mode == NO_GRADIENT)
        return step->update(step, 0);
    st = forward(p, step, h);
    float *d = h[step->layers] + n * p->all, *below = d + n * p->all;
    if (st == BIOFT_OK)
        st = step->loss(step, h[last], ret_value, d);
    for (uint32_t i = step->layers; st == BIOFT_OK && i-- > 0;) {
        float *dh = d;
        st = step->block_backward(step, i, n, dh, i > 0 ? below : NULL);
        d = below;
        below = dh;
    }
    if (st == BIOFT_OK && p->mode != BACKPROP)
        return mistake(p, step, h[last], d);
    for (uint32_t i = 0; st == BIOFT_OK && i < step->layers; i++)
        st = step->update(step, i);
    return st;
}

static bioft_status predict(void *self, const bioft_step *step, float *ret_scores)
{
    (void)step, (void)ret_scores;
    return ((probe *)self)->host->fail(((probe *)self)->host, BIOFT_ERR_UNSUPPORTED, "never");
}

static const void *extension(void *self, const char *id)
{
    static const bioft_own_step own = { .struct_size = sizeof(own), .train = train };
    static const bioft_own_step both = { .struct_size = sizeof(both), .train = train, .predict = predict };
    if (strcmp(id, "bioft.step/0") != 0)
        return NULL;
    return ((probe *)self)->mode == PREDICT ? &both : &own;
}

static const bioft_rule rule = { .struct_size = sizeof(rule), .attach = attach };

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_RULE, "probe_step", "1.0", "bioft", "MIT"),
    .summary = "runs the training step itself",
    .reference = "",
    .instance_size = sizeof(probe),
    .options = options,
    .option_count = 1,
    .option_size = sizeof(*options),
    .create = create,
    .extension = extension,
    .vtable = &rule,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
