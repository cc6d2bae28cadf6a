/* How near a rule's backward pass is to backpropagation's (Lillicrap et al. 2016;
 * algorithms.md, 1.5): angles between whole tensors, in double. */
#include "train/alignment.h"

#include "base/memory.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT_BYTES = 256 << 20 };

static size_t outputs_of(const bioft_layer *l) { return (size_t)l->out_channels * l->out_h * l->out_w; }

/* The true deltas of `images` images, layer by layer. */
static bioft_status make_room(struct alignment *a, uint32_t max_batch, struct error *err)
{
    const struct graph *g = a->model->graph;
    size_t all = 0, largest = 0;
    for (uint32_t i = 0; i < a->layer_count; i++) {
        all += outputs_of(&g->layers[i]);
        if (g->layers[i].count > largest)
            largest = g->layers[i].count;
    }
    size_t images = KEPT_BYTES / sizeof(float) / (all > 0 ? all : 1);
    images = images < 1 ? 1 : images > max_batch ? max_batch : images;
    for (uint32_t i = 0; i < a->layer_count; i++) {
        a->kept[i] = images * outputs_of(&g->layers[i]);
        a->dy[i] = mem_array(a->kept[i], sizeof(float));
        if (!a->dy[i])
            return error_memory(err, "alignment");
    }
    a->w = mem_aligned(largest, sizeof(float));
    a->v = mem_aligned(largest, sizeof(float));
    return a->w && a->v ? BIOFT_OK : error_memory(err, "alignment");
}

bioft_status alignment_create(struct model *m, uint32_t max_batch, struct alignment **ret, struct error *err)
{
    struct alignment *a = mem_array(1, sizeof(*a));
    if (!a)
        return error_memory(err, "alignment");
    a->model = m;
    a->layer_count = m->graph->view.layer_count;
    a->dy = mem_array(a->layer_count, sizeof(*a->dy));
    a->kept = mem_array(a->layer_count, sizeof(*a->kept));
    a->delta_angle = mem_array(a->layer_count, sizeof(double));
    a->weight_angle = mem_array(a->layer_count, sizeof(double));
    a->weight_ratio = mem_array(a->layer_count, sizeof(double));
    bioft_status st = BIOFT_OK;
    if (!a->dy || !a->kept || !a->delta_angle || !a->weight_angle || !a->weight_ratio)
        st = error_memory(err, "alignment");
    if (st == BIOFT_OK)
        st = make_room(a, max_batch, err);
    if (st != BIOFT_OK) {
        alignment_destroy(a);
        return st;
    }
    *ret = a;
    return BIOFT_OK;
}

void alignment_destroy(struct alignment *a)
{
    if (!a)
        return;
    for (uint32_t i = 0; a->dy && i < a->layer_count; i++)
        free(a->dy[i]);
    free(a->dy);
    free(a->kept);
    free(a->w);
    free(a->v);
    free(a->delta_angle);
    free(a->weight_angle);
    free(a->weight_ratio);
    free(a);
}

static bioft_status keep(void *ctx, uint32_t layer, const bioft_local *io)
{
    struct alignment *a = ctx;
    const size_t count = io->n * outputs_of(&a->model->graph->layers[layer]);
    if (io->dy)
        memcpy(a->dy[layer], io->dy, (count < a->kept[layer] ? count : a->kept[layer]) * sizeof(float));
    return BIOFT_OK;
}

bioft_status alignment_exact(struct alignment *a, struct program *p, const float *d_out, struct error *err)
{
    const bioft_hooks hooks = { .struct_size = sizeof(hooks), .ctx = a, .local = keep };
    for (uint32_t i = 0; i < a->layer_count; i++)
        a->delta_angle[i] = a->weight_angle[i] = a->weight_ratio[i] = NAN;
    return program_backward(p, d_out, BIOFT_EXACT | BIOFT_NO_PARAMETERS, NULL, &hooks, err);
}

struct products { /* of two vectors */
    double aa, bb, ab;
};

static struct products multiply(const float *a, const float *b, size_t count)
{
    struct products p = { 0 };
    for (size_t i = 0; i < count; i++) {
        p.aa += (double)a[i] * (double)a[i];
        p.bb += (double)b[i] * (double)b[i];
        p.ab += (double)a[i] * (double)b[i];
    }
    return p;
}

/* In degrees; NaN where a norm is 0. */
static double angle(struct products p)
{
    if (!(p.aa > 0.0) || !(p.bb > 0.0))
        return NAN;
    const double cosine = p.ab / sqrt(p.aa) / sqrt(p.bb);
    return acos(fmax(-1.0, fmin(1.0, cosine))) * 180.0 / 3.14159265358979323846;
}

void alignment_observe(void *ctx, uint32_t layer, const float *dy, size_t count)
{
    struct alignment *a = ctx;
    a->delta_angle[layer] = angle(multiply(dy, a->dy[layer], count < a->kept[layer] ? count : a->kept[layer]));
}

bioft_status alignment_weights(struct alignment *a, const bioft_route *routes, struct error *err)
{
    const bioft_graph *g = &a->model->graph->view;
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const bioft_parameter *of = &a->model->graph->parameters[p];
        if (of->kind != BIOFT_PARAM_WEIGHT || (routes && routes[of->layer].writes & BIOFT_DX))
            continue;
        bioft_status st = model_read(a->model, BIOFT_VALUE, p, a->w, err);
        if (st == BIOFT_OK)
            st = model_read(a->model, BIOFT_FEEDBACK, p, a->v, err);
        if (st != BIOFT_OK)
            return st;
        const struct products q = multiply(a->v, a->w, of->count);
        a->weight_angle[of->layer] = angle(q);
        a->weight_ratio[of->layer] = q.bb > 0.0 ? sqrt(q.aa / q.bb) : NAN;
    }
    return BIOFT_OK;
}

bool alignment_is_none(const struct alignment *a)
{
    const double rounding = 0.01;
    for (uint32_t i = 0; i + 1 < a->layer_count; i++)
        if (!(a->delta_angle[i] < rounding))
            return false;
    return a->layer_count > 1;
}
