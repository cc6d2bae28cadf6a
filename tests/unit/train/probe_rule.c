/* A rule that looks at what it is given, and misbehaves as asked. */
#include <bioft/rule.h>
#include <bioft/util.h>
#include <math.h>
#include <string.h>

enum { LAYER, SEE, FAIL, FAIL_UPDATE, STEP, BAD_ROUTE, BAD_FEEDBACK };
static const char *const modes[] = {
    "layer", "see", "fail", "fail_update", "step", "bad_route", "bad_feedback", NULL,
};

typedef struct {
    int32_t mode;
    const bioft_host *host;
    const bioft_layer_ops *ops;
} probe;

static const bioft_option options[] = {
    { .name = "mode", .type = BIOFT_CHOICE, .offset = offsetof(probe, mode), .choices = modes, .help = "what it does" },
};

static bioft_status create(void *self, const bioft_host *host)
{
    probe *p = self;
    p->host = host;
    p->ops = host->get_extension(host, "bioft.layer/1");
    return p->ops ? BIOFT_OK : host->fail(host, BIOFT_ERR_UNSUPPORTED, "the host has no bioft.layer/1");
}

static const void *extension(void *self, const char *id)
{
    static const bioft_own_step own = { .struct_size = sizeof(own) };
    return ((probe *)self)->mode == STEP && strcmp(id, "bioft.step/0") == 0 ? &own : NULL;
}

static bioft_status feedback(void *self, const bioft_layer *layer, bioft_feedback *ret)
{
    (void)layer;
    if (((probe *)self)->mode == BAD_FEEDBACK)
        ret->g = 9;
    return BIOFT_OK;
}

/* How many steps ended, and a copy of W as it should be before the next update. */
static float *state(const probe *p, const char *name, size_t count)
{
    float *ret = NULL;
    return p->host->state(p->host, name, count, &ret) == BIOFT_OK ? ret : NULL;
}

static bioft_status attach(void *self, const bioft_layer *layer, const float *w)
{
    float *copy = state(self, layer->key, layer->count);
    if (!copy || !state(self, "steps", 1))
        return BIOFT_ERR_MEMORY;
    memcpy(copy, w, layer->count * sizeof(*w));
    return BIOFT_OK;
}

static bioft_status route(void *self, const bioft_layer *layer, bioft_route *ret)
{
    (void)layer;
    switch (((probe *)self)->mode) {
    case LAYER:
    case FAIL:
        ret->reads = BIOFT_X | BIOFT_DY | BIOFT_W;
        ret->writes = BIOFT_DX | BIOFT_DW;
        break;
    case SEE: ret->reads = BIOFT_X | BIOFT_Y | BIOFT_H | BIOFT_E | BIOFT_W; break;
    case BAD_ROUTE: ret->writes = BIOFT_H; break;
    default: break;
    }
    return BIOFT_OK;
}

/* Backpropagation, by the layer operations. */
static bioft_status by_operations(const probe *p, const bioft_layer *layer, const bioft_local *io)
{
    const size_t area = (size_t)layer->out_h * layer->out_w;
    bioft_status st = BIOFT_OK;
    if (!io->dw || io->y || io->h || io->e)
        return bioft_failf(p->host, BIOFT_ERR_INVALID, "'%s': not what was asked for", layer->name);
    if (io->dx)
        st = p->ops->input_error(p->host, layer, io->n, io->w, io->dy, io->dx);
    if (st == BIOFT_OK)
        st = p->ops->weight_gradient(p->host, layer, io->n, io->x, io->dy, io->dw);
    for (size_t i = 0; io->db && i < io->n; i++)
        for (size_t c = 0; c < layer->out_channels; c++)
            for (size_t k = 0; k < area; k++)
                io->db[c] += io->dy[(i * layer->out_channels + c) * area + k];
    return st;
}

/* Are x, y, h, e and w what their names say? */
static bioft_status look(const probe *p, const bioft_layer *layer, const bioft_local *io)
{
    const size_t out = (size_t)layer->out_channels * layer->out_h * layer->out_w;
    void *room;
    if (!io->x || !io->y || !io->h || !io->e || !io->w || io->dy || io->dx || io->dw || io->db)
        return bioft_failf(p->host, BIOFT_ERR_INVALID, "'%s': not what was asked for", layer->name);
    if (!io->batch || io->batch->n != io->n || !io->batch->label)
        return bioft_failf(p->host, BIOFT_ERR_INVALID, "'%s': no batch", layer->name);
    bioft_status st = p->host->scratch(p->host, "y", layer->max_batch * out * sizeof(float), &room);
    float *y = room;
    if (st == BIOFT_OK)
        st = p->ops->forward(p->host, layer, io->n, io->w, io->x, y);
    for (size_t i = 0; st == BIOFT_OK && i < io->n * out; i++) {
        const float bias = io->b ? io->b[i % out / (layer->out_h * layer->out_w)] : 0.0f;
        if (fabsf(y[i] + bias - io->y[i]) > 1e-5f * (1.0f + fabsf(y[i])))
            return bioft_failf(p->host, BIOFT_ERR_INVALID, "'%s': y is not W x", layer->name);
        if (layer->activation == BIOFT_ACT_RELU && io->h[i] != (io->y[i] > 0.0f ? io->y[i] : 0.0f))
            return bioft_failf(p->host, BIOFT_ERR_INVALID, "'%s': h is not relu(y)", layer->name);
    }
    return st;
}

static bioft_status local(void *self, const bioft_layer *layer, const bioft_local *io)
{
    const probe *p = self;
    if (p->mode == FAIL && layer->flags & BIOFT_LAYER_FIRST)
        return p->host->fail(p->host, BIOFT_ERR_UNSUPPORTED, "the probe was asked to fail");
    return p->mode == SEE ? look(p, layer, io) : by_operations(p, layer, io);
}

static bioft_status after_update(void *self, const bioft_layer *layer, uint64_t step, float *w, const float *dw,
                                 int32_t *ret_changed)
{
    const probe *p = self;
    float *copy = state(p, layer->key, layer->count), *steps = state(p, "steps", 1);
    (void)ret_changed;
    if (p->mode == FAIL_UPDATE)
        return p->host->fail(p->host, BIOFT_ERR_UNSUPPORTED, "the probe was asked to fail");
    if ((float)step != *steps)
        return p->host->fail(p->host, BIOFT_ERR_INVALID, "step is not the number of updates before this one");
    for (size_t i = 0; i < layer->count; i++)
        if (fabsf(w[i] - copy[i] - dw[i]) > 1e-6f)
            return p->host->fail(p->host, BIOFT_ERR_INVALID, "dw is not the new W minus the old one");
    memcpy(copy, w, layer->count * sizeof(*w));
    return BIOFT_OK;
}

static bioft_status step_end(void *self, uint64_t step)
{
    float *steps = state(self, "steps", 1);
    if ((float)step != *steps)
        return BIOFT_ERR_INVALID;
    *steps += 1.0f;
    return BIOFT_OK;
}

static const bioft_rule rule = {
    .struct_size = sizeof(rule),
    .feedback = feedback,
    .attach = attach,
    .after_update = after_update,
    .route = route,
    .local = local,
    .step_end = step_end,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_RULE, "probe_rule", "1.0", "bioft", "MIT"),
    .summary = "looks at what a rule is given",
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
