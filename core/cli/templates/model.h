/* A model: four arrays for each parameter, V for each layer, and the optimizer. */
#ifndef MODEL_H
#define MODEL_H

#include <bioft/engine.h>
#include <bioft/util.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const bioft_host *host;
} state;

/* Memory that is given back in one go. */
typedef struct block {
    struct block *next;
} block;
typedef struct {
    block *first;
    uint64_t bytes;
    int failed;
} memory;

/* V of a layer: what was said of it, or what was written; W itself where struct_size is 0 and nothing was. */
typedef struct {
    bioft_feedback said;
    uint64_t draw;
    int written;
    float *v;
} feedback;

typedef struct {
    memory memory;
    const bioft_graph *graph;
    float **arrays[BIOFT_MOMENT2 + 1]; /* [BIOFT_VALUE...][parameter] */
    float *change;                     /* of one parameter: w_new - w_old */
    feedback *feedback;                /* [layer] */
} model;

/* Arrays of a graph carry their stride: a newer host's structs may be longer. */
static const bioft_node *node_at(const bioft_graph *g, uint32_t i)
{
    return (const bioft_node *)(const void *)((const char *)g->nodes + (size_t)i * g->node_size);
}

static const bioft_parameter *parameter_at(const bioft_graph *g, uint32_t i)
{
    return (const bioft_parameter *)(const void *)((const char *)g->parameters + (size_t)i * g->parameter_size);
}

static const bioft_layer *layer_at(const bioft_graph *g, uint32_t i)
{
    return (const bioft_layer *)(const void *)((const char *)g->layers + (size_t)i * g->layer_size);
}

static void *take(memory *m, size_t count, size_t size)
{
    enum { HEAD = 64 };
    block *b = count <= (SIZE_MAX - HEAD) / size ? calloc(1, HEAD + count * size) : NULL;
    if (!b) {
        m->failed = 1;
        return NULL;
    }
    b->next = m->first;
    m->first = b;
    m->bytes += count * size;
    return (char *)b + HEAD;
}

static void give_back(memory *m)
{
    while (m->first) {
        block *next = m->first->next;
        free(m->first);
        m->first = next;
    }
}

static void model_destroy(void *self, void *of)
{
    model *m = of;
    (void)self;
    give_back(&m->memory);
    free(m);
}

static bioft_status model_create(void *self, const bioft_graph *g, void **ret_model)
{
    const state *s = self;
    model *m = calloc(1, sizeof(*m));
    size_t largest = 0;
    if (!m)
        return s->host->fail(s->host, BIOFT_ERR_MEMORY, "out of memory for a model");
    m->graph = g;
    for (uint32_t what = BIOFT_VALUE; what <= BIOFT_MOMENT2; what++) {
        m->arrays[what] = take(&m->memory, g->parameter_count, sizeof(float *));
        for (uint32_t i = 0; m->arrays[what] && i < g->parameter_count; i++) {
            const size_t count = parameter_at(g, i)->count;
            m->arrays[what][i] = take(&m->memory, count, sizeof(float));
            largest = count > largest ? count : largest;
        }
    }
    m->change = take(&m->memory, largest, sizeof(float));
    m->feedback = take(&m->memory, g->layer_count, sizeof(*m->feedback));
    for (uint32_t i = 0; m->feedback && i < g->layer_count; i++)
        m->feedback[i].v = take(&m->memory, layer_at(g, i)->count, sizeof(float));
    if (m->memory.failed) {
        model_destroy(self, m);
        return s->host->fail(s->host, BIOFT_ERR_MEMORY, "out of memory for a model");
    }
    *ret_model = m;
    return BIOFT_OK;
}

static float *array(const model *m, uint32_t what, uint32_t parameter)
{
    return parameter == BIOFT_NONE ? NULL : m->arrays[what][parameter];
}

static double scale_of(const bioft_feedback *d, const bioft_layer *l, double w_norm, double v_norm)
{
    switch (d->scale) {
    case BIOFT_SCALE_XAVIER: return sqrt(2.0 / ((double)l->fan_in + (double)l->fan_out));
    case BIOFT_SCALE_KAIMING: return 1.0 / sqrt(3.0 * (double)l->fan_in);
    case BIOFT_SCALE_MATCH_NORM: return v_norm > 0.0 ? w_norm / v_norm : 0.0;
    case BIOFT_SCALE_CONSTANT: return (double)d->constant;
    default: return 1.0;
    }
}

/* V = s * M o g(W), made anew whenever it is asked for: M is drawn by its key, so it is the same M. NULL: the host has
 * no random numbers, and knows why. */
static const float *feedback_of(const state *s, const model *m, uint32_t index, const float *w)
{
    const bioft_layer *l = layer_at(m->graph, index);
    const feedback *f = &m->feedback[index];
    const bioft_feedback *d = &f->said;
    const uint32_t kind = d->m == BIOFT_M_UNIFORM ? BIOFT_UNIFORM : BIOFT_NORMAL;
    char stream[320];
    double w_norm = 0.0, v_norm = 0.0;
    if (f->written || d->struct_size == 0)
        return f->written ? f->v : w;
    snprintf(stream, sizeof(stream), "feedback/%s", l->name);
    if (d->m != BIOFT_M_ONES && s->host->random(s->host, kind, stream, f->draw, 0, f->v, l->count) != BIOFT_OK)
        return NULL;
    for (size_t i = 0; i < l->count; i++) {
        float factor = w[i], drawn = 1.0f;
        if (d->g != BIOFT_G_IDENTITY)
            factor = d->g == BIOFT_G_ONE ? 1.0f : (float)((w[i] > 0.0f) - (w[i] < 0.0f));
        if (d->m == BIOFT_M_UNIFORM)
            drawn = d->low + (d->high - d->low) * f->v[i];
        else if (d->m != BIOFT_M_ONES)
            drawn = d->low + d->high * f->v[i];
        f->v[i] = factor * (d->m == BIOFT_M_ABS_NORMAL ? fabsf(drawn) : drawn);
        w_norm += (double)w[i] * (double)w[i];
        v_norm += (double)f->v[i] * (double)f->v[i];
    }
    const float scale = (float)scale_of(d, l, sqrt(w_norm), sqrt(v_norm));
    for (size_t i = 0; i < l->count; i++)
        f->v[i] *= scale;
    return f->v;
}

static bioft_status set_feedback(void *self, void *of, uint32_t index, const bioft_feedback *said, uint64_t draw)
{
    feedback *f = &((model *)of)->feedback[index];
    (void)self;
    *f = (feedback){ .v = f->v, .draw = draw };
    if (said)
        memcpy(&f->said, said, said->struct_size < sizeof(f->said) ? said->struct_size : sizeof(f->said));
    return BIOFT_OK;
}

static bioft_status read_array(void *self, void *of, uint32_t what, uint32_t i, float *ret, size_t count)
{
    const state *s = self;
    const model *m = of;
    const float *from = what >= BIOFT_VALUE && what <= BIOFT_MOMENT2 ? m->arrays[what][i] : NULL;
    if (what == BIOFT_FEEDBACK && parameter_at(m->graph, i)->kind == BIOFT_PARAM_WEIGHT)
        from = feedback_of(s, m, parameter_at(m->graph, i)->layer, m->arrays[BIOFT_VALUE][i]);
    if (!from)
        return s->host->fail(s->host, BIOFT_ERR_INVALID, "the model has no such array");
    memcpy(ret, from, count * sizeof(*ret));
    return BIOFT_OK;
}

static bioft_status write_array(void *self, void *of, uint32_t what, uint32_t i, const float *values, size_t count)
{
    const state *s = self;
    const model *m = of;
    float *to = what >= BIOFT_VALUE && what <= BIOFT_MOMENT2 ? m->arrays[what][i] : NULL;
    if (what == BIOFT_FEEDBACK && parameter_at(m->graph, i)->kind == BIOFT_PARAM_WEIGHT) {
        feedback *f = &m->feedback[parameter_at(m->graph, i)->layer];
        f->written = 1;
        to = f->v;
    }
    if (!to)
        return s->host->fail(s->host, BIOFT_ERR_INVALID, "the model has no such array");
    memcpy(to, values, count * sizeof(*values));
    return BIOFT_OK;
}

/* One parameter's step; returns whether all of it is finite. */
static int update_one(const bioft_update *u, double lr, size_t count, const float *g, float *w, float *m, float *v)
{
    const double root1 = 1.0 - pow(u->beta1, (double)u->t), root2 = sqrt(1.0 - pow(u->beta2, (double)u->t));
    int finite = 1;
    for (size_t i = 0; i < count; i++) {
        float d = (float)u->gradient_scale * g[i] + (float)u->weight_decay * w[i];
        if (u->kind == BIOFT_ADAM) {
            m[i] = (float)u->beta1 * m[i] + (float)(1.0 - u->beta1) * d;
            v[i] = (float)u->beta2 * v[i] + (float)(1.0 - u->beta2) * d * d;
            w[i] -= (float)(lr / root1) * (m[i] / (sqrtf(v[i]) / (float)root2 + (float)u->eps));
        } else {
            if (u->momentum != 0.0)
                d = m[i] = u->t == 1 ? d : (float)u->momentum * m[i] + d;
            w[i] -= (float)lr * d;
        }
        finite = finite && isfinite(w[i]) && isfinite(v[i]);
    }
    return finite;
}

static bioft_status update(void *self, void *of, const bioft_update *u, const bioft_hooks *hooks,
                           uint32_t *ret_first_nonfinite)
{
    const state *s = self;
    const model *m = of;
    bioft_status status = BIOFT_OK;
    uint32_t first = BIOFT_NONE;
    if (u->kind != BIOFT_SGD && u->kind != BIOFT_ADAM)
        return bioft_failf(s->host, BIOFT_ERR_UNSUPPORTED, "no optimizer number %u", u->kind);
    for (uint32_t i = 0; status == BIOFT_OK && i < m->graph->parameter_count; i++) {
        const bioft_parameter *p = parameter_at(m->graph, i);
        float *w = m->arrays[BIOFT_VALUE][i];
        int32_t changed = 0;
        if (u->lr[i] < 0.0 || p->kind == BIOFT_PARAM_RUNNING)
            continue;
        memcpy(m->change, w, p->count * sizeof(*w));
        if (!update_one(u, u->lr[i], p->count, m->arrays[BIOFT_GRADIENT][i], w, m->arrays[BIOFT_MOMENT1][i],
                        m->arrays[BIOFT_MOMENT2][i]) &&
            first == BIOFT_NONE)
            first = i;
        for (size_t k = 0; k < p->count; k++)
            m->change[k] = w[k] - m->change[k];
        if (p->kind == BIOFT_PARAM_WEIGHT && first == BIOFT_NONE && hooks && hooks->updated)
            status = hooks->updated(hooks->ctx, p->layer, w, m->change, &changed);
    }
    if (status != BIOFT_OK)
        return s->host->fail(s->host, status, "the learning rule failed after the update");
    *ret_first_nonfinite = first;
    return BIOFT_OK;
}

#endif
