/* Feedback weights: V = s * M o g(W), made when they are needed, in pieces whose sums add up in a fixed order. */
#include "model.h"

#include "feedback_values.h"
#include "memory.h"
#include "requests.h"
#include "sums.h"

#include <math.h>
#include <string.h>

struct job { /* one making of V */
    const struct model *model;
    const struct feedback *f;
    const bioft_layer *layer;
    const float *w;
    float *m; /* where M is drawn, or stands; NULL: ones */
    float scale;
    bool drawn; /* M stands already */
    char stream[320];
    unsigned char *failed; /* [chunks] */
    feedback_shift_fn *shift;
    feedback_product_fn *product;
};

static bool take(float **array, size_t count)
{
    if (!*array)
        *array = memory_take(count, sizeof **array);
    return *array != NULL;
}

bioft_status feedback_set(struct model *m, uint32_t layer, const bioft_feedback *feedback, uint64_t draw)
{
    const bioft_host *host = m->engine->host;
    bioft_feedback d;
    struct feedback *f;
    bioft_status st;
    size_t count;

    st = request_feedback(host, &m->network, layer, feedback, &d);
    if (st != BIOFT_OK)
        return st;
    f = &m->feedback[layer];
    count = m->network.layers[layer].count;
    if (d.g == BIOFT_G_IDENTITY && d.m == BIOFT_M_ONES && d.scale == BIOFT_SCALE_NONE) {
        f->source = FEEDBACK_WEIGHTS;
        return BIOFT_OK;
    }
    if (!take(&f->v, count) ||
        (d.m != BIOFT_M_ONES && d.redraw == BIOFT_REDRAW_NEVER && feedback_follows_weights(&d) && !take(&f->m, count)))
        return bioft_failf(host, BIOFT_ERR_MEMORY, "out of memory for the feedback of layer '%s'",
                           m->network.layers[layer].name);
    if (f->source != FEEDBACK_DECLARED || draw != f->draw || memcmp(&d, &f->declared, sizeof d) != 0)
        f->v_made = f->m_made = false;
    f->source = FEEDBACK_DECLARED;
    f->declared = d;
    f->draw = draw;
    return BIOFT_OK;
}

bioft_status feedback_write(struct model *m, uint32_t layer, const float *v)
{
    struct feedback *f = &m->feedback[layer];
    size_t count = m->network.layers[layer].count;

    if (!take(&f->v, count))
        return bioft_failf(m->engine->host, BIOFT_ERR_MEMORY, "out of memory for the feedback of layer '%s'",
                           m->network.layers[layer].name);
    memcpy(f->v, v, count * sizeof *v);
    f->revision++;
    f->source = FEEDBACK_WRITTEN;
    return BIOFT_OK;
}

static bool draw(const struct job *j, size_t first, size_t count)
{
    const bioft_feedback *d = &j->f->declared;
    const bioft_host *host = j->model->engine->host;
    float *m = j->m + first;

    if (host->random(host, d->m == BIOFT_M_UNIFORM ? BIOFT_UNIFORM : BIOFT_NORMAL, j->stream, j->f->draw, first, m,
                     count) != BIOFT_OK)
        return false;
    j->shift(d->low, d->m == BIOFT_M_UNIFORM ? d->high - d->low : d->high, m, count);
    for (size_t i = 0; d->m == BIOFT_M_ABS_NORMAL && i < count; i++)
        m[i] = fabsf(m[i]);
    return true;
}

static size_t chunk_count(const struct job *j, size_t index)
{
    size_t left = j->layer->count - index * FEEDBACK_CHUNK;
    return left < FEEDBACK_CHUNK ? left : FEEDBACK_CHUNK;
}

static void make_chunk(void *ctx, size_t index, uint32_t thread)
{
    const struct job *j = ctx;
    const size_t first = index * FEEDBACK_CHUNK, count = chunk_count(j, index);

    (void)thread;
    if (j->m && !j->drawn && !draw(j, first, count)) {
        j->failed[index] = 1;
        return;
    }
    j->product(j->f->declared.g, j->scale,
               &(struct feedback_values){
                   .w = j->w + first, .m = j->m ? j->m + first : NULL, .v = j->f->v + first, .count = count });
    if (j->f->declared.scale == BIOFT_SCALE_MATCH_NORM) {
        double *norms = j->model->norms + 2 * index;
        norms[0] = sum_squares(j->w + first, count);
        norms[1] = sum_squares(j->f->v + first, count);
    }
}

static void scale_chunk(void *ctx, size_t index, uint32_t thread)
{
    const struct job *j = ctx;
    float *v = j->f->v + index * FEEDBACK_CHUNK;
    const size_t count = chunk_count(j, index);

    (void)thread;
    for (size_t i = 0; i < count; i++)
        v[i] *= j->scale;
}

static float scale_of(const struct job *j)
{
    const bioft_layer *l = j->layer;

    switch (j->f->declared.scale) {
    case BIOFT_SCALE_XAVIER: return (float)sqrt(2.0 / ((double)l->fan_in + (double)l->fan_out));
    case BIOFT_SCALE_KAIMING: return (float)(1.0 / sqrt(3.0 * (double)l->fan_in));
    case BIOFT_SCALE_CONSTANT: return j->f->declared.constant;
    default: return 1.0f;
    }
}

/* Where nothing is sent back, nothing can match. */
static float matching_scale(const struct job *j, size_t chunks)
{
    double w = 0, v = 0;

    for (size_t i = 0; i < chunks; i++) {
        w += j->model->norms[2 * i];
        v += j->model->norms[2 * i + 1];
    }
    return v > 0 ? (float)sqrt(w / v) : 0.0f;
}

static void choose_loops(struct job *j)
{
    j->shift = shift_values;
    j->product = multiply_values;
#ifdef ENGINE_AVX2
    if (__builtin_cpu_supports("avx2")) {
        j->shift = feedback_shift_avx2;
        j->product = feedback_product_avx2;
    }
#endif
}

static bool make(struct model *m, uint32_t layer)
{
    struct feedback *f = &m->feedback[layer];
    const bioft_layer *l = &m->network.layers[layer];
    const bioft_node *node = &m->network.nodes[m->network.layer_node[layer]];
    const size_t chunks = parts_of(l->count, FEEDBACK_CHUNK);
    struct job j = { .model = m, .f = f, .layer = l, .w = m->parameters[node->weight].value };

    if (f->declared.m != BIOFT_M_ONES) {
        bool stays = f->declared.redraw == BIOFT_REDRAW_NEVER && feedback_follows_weights(&f->declared);
        j.m = stays ? f->m : f->v;
        j.drawn = stays && f->m_made;
    }
    choose_loops(&j);
    j.scale = scale_of(&j);
    j.failed = m->nonfinite; /* free outside of an update, and as long */
    memset(j.failed, 0, chunks);
    snprintf(j.stream, sizeof j.stream, "feedback/%s", l->name);
    parallel_run(&m->engine->parallel, chunks, make_chunk, &j);
    if (memchr(j.failed, 1, chunks))
        return false;
    if (f->declared.scale == BIOFT_SCALE_MATCH_NORM) {
        j.scale = matching_scale(&j, chunks);
        parallel_run(&m->engine->parallel, chunks, scale_chunk, &j);
    }
    f->m_made = j.m && j.m == f->m;
    f->v_made = true;
    f->revision++;
    f->version = m->parameters[node->weight].version;
    return true;
}

const float *feedback_get(struct model *m, uint32_t layer)
{
    struct feedback *f = &m->feedback[layer];
    const struct parameter *w = &m->parameters[m->network.nodes[m->network.layer_node[layer]].weight];

    if (f->source == FEEDBACK_WEIGHTS)
        return w->value;
    if (f->source == FEEDBACK_DECLARED &&
        (!f->v_made || (feedback_follows_weights(&f->declared) && f->version != w->version)) && !make(m, layer))
        return NULL;
    return f->v;
}

void feedback_free(struct feedback *f)
{
    memory_give(f->v);
    memory_give(f->m);
    *f = (struct feedback){ .v = NULL };
}
