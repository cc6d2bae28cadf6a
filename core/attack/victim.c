/* The victim: a trained program behind normalisation, with a memory of its last forward and gradient. */
#include "attack/victim.h"

#include "attack/pixels.h"
#include "attack/smooth.h"
#include "attack/watch.h"
#include "network/finite.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What one forward pass, and a backward pass at it, gave. */
struct memory {
    uint32_t n; /* 0: nothing */
    bool has_dx;
    float *x, *out, *d_out, *scaled, *dx; /* scaled: d_out by the network's own outputs */
};

struct victim {
    bioft_victim view;
    const struct trained *target;
    enum gradient_kind gradient;
    struct program *program;
    float *normal;                   /* the batch as the program takes it */
    struct memory clean, last;       /* of the clean batch; of anything else */
    struct memory told;              /* of what trace asks for and neither of them knows; made then */
    struct memory *at;               /* of the attack's last forward */
    const struct memory *program_at; /* what the program's activations belong to */
    const bioft_batch *batch;
    struct watch watch; /* the attack's run in progress */
    bool redrawn;       /* V is another draw than the network's own */
    bool was_redrawn;   /* the attack asked for it */
    struct victim_params params;
    uint64_t pass;                 /* backward passes so far in this run, the key of eot's draws */
    float *mean;                   /* [batch] with eot: a pass's gradient */
    struct smooth *smooth;         /* NULL: no gradient is smoothed */
    const struct memory *sides_at; /* whose images it has outputs beside of */
    uint32_t restart;              /* of this run */
    float *scale;                  /* [batch] with rescale: by the image's index in the run's batch */
    struct victim_counts counts;
    struct error error;
};

static bool memory_create(struct memory *m, size_t pixels, size_t outputs)
{
    m->x = mem_aligned(pixels, sizeof(float));
    m->dx = mem_aligned(pixels, sizeof(float));
    m->out = mem_aligned(outputs, sizeof(float));
    m->d_out = mem_aligned(outputs, sizeof(float));
    m->scaled = mem_aligned(outputs, sizeof(float));
    return m->x && m->dx && m->out && m->d_out && m->scaled;
}

static void memory_free(struct memory *m)
{
    free(m->x);
    free(m->dx);
    free(m->out);
    free(m->d_out);
    free(m->scaled);
}

static bioft_status run_forward(struct victim *v, struct memory *m)
{
    v->program_at = NULL;
    pixels_normalise(&v->target->image, v->target->pool, m->n, m->x, v->normal);
    bioft_status st = program_forward(v->program, m->n, v->normal, 0, m->out, &v->error);
    if (st != BIOFT_OK)
        return st;
    v->program_at = m;
    v->counts.forwards += m->n;
    struct finite finite = { 0 };
    finite_take(&finite, m->n, v->view.outputs, m->out, watch_samples(&v->watch, m->n));
    return finite_end(&finite, v->target->dataset, watch_samples(&v->watch, m->n) ? v->target->split : NULL, &v->error);
}

static bool remembers(const struct victim *v, const struct memory *m, uint32_t n, const float *x)
{
    return m->n == n && pixels_same(&v->target->image, v->target->pool, n, m->x, x);
}

/* What image i of a pass of n has its outputs divided by; 1 where nobody knows whose they are. */
static float scale_of(const struct victim *v, uint32_t n, uint32_t i)
{
    return v->scale && v->watch.clean && n == v->watch.n ? v->scale[v->watch.image[i]] : 1.0f;
}

/* The memory that has this batch's outputs: one of an earlier pass, or of a new one. */
static bioft_status recall(struct victim *v, uint32_t n, const float *x, struct memory **ret)
{
    struct memory *m = remembers(v, &v->clean, n, x) ? &v->clean : remembers(v, &v->last, n, x) ? &v->last : NULL;
    bioft_status st = BIOFT_OK;

    if (!m) {
        const bool clean = v->batch && v->batch->n == n &&
                           pixels_same(&v->target->image, v->target->pool, n, v->batch->x, x);
        m = clean ? &v->clean : &v->last;
        pixels_copy(&v->target->image, v->target->pool, n, x, m->x);
        m->n = n;
        m->has_dx = false;
        v->sides_at = v->sides_at == m ? NULL : v->sides_at;
        st = run_forward(v, m);
        if (st != BIOFT_OK)
            m->n = 0;
    }
    *ret = m;
    return st;
}

static bioft_status victim_forward(const bioft_victim *view, uint32_t n, const float *x, float *ret_out)
{
    struct victim *v = view->ctx;
    struct memory *m;

    if (n == 0 || n > view->max_batch)
        return error_set(&v->error, BIOFT_ERR_INVALID, "the attack asks for %u images, 1 to %u are possible", n,
                         view->max_batch);
    v->counts.queries += n;
    watch_queries(&v->watch, n, 1);
    bioft_status st = recall(v, n, x, &m);
    if (st != BIOFT_OK)
        return st;
    v->at = m;
    for (uint32_t i = 0; i < n; i++) {
        const float scale = scale_of(v, n, i);
        for (size_t k = (size_t)i * view->outputs; k < (size_t)(i + 1) * view->outputs; k++)
            ret_out[k] = m->out[k] / scale;
    }
    return BIOFT_OK;
}

static bioft_status run_backward(struct victim *v, struct memory *m, const float *d_out, float *dx)
{
    const struct trained *t = v->target;
    const bool straight = v->gradient == GRADIENT_STRAIGHT_THROUGH;
    const bool exact = v->gradient == GRADIENT_EXACT || straight || !t->feedback;
    const bioft_hooks *hooks = NULL;
    bioft_status st;

    if (v->program_at != m && (st = run_forward(v, m)) != BIOFT_OK)
        return st;
    if (!exact)
        hooks = feedback_hooks(t->feedback, watch_batch(&v->watch, m->n), d_out, NULL, NULL, t->step);
    const uint32_t flags = (exact ? BIOFT_EXACT : 0) | (straight ? BIOFT_STRAIGHT_THROUGH : 0);
    st = program_backward(v->program, d_out, flags, dx, hooks, &v->error);
    if (st == BIOFT_ERR_UNSUPPORTED && straight)
        return error_prefix(&v->error, "'gradient: straight_through' is for the engines openblas and onednn");
    if (st != BIOFT_OK)
        return exact ? st : feedback_error(t->feedback, st, &v->error);
    pixels_gradient(&t->image, t->pool, m->n, dx);
    v->counts.backwards += m->n;
    return BIOFT_OK;
}

/* The mean over draws of V that no other pass of this run has: expectation over transformation (Athalye, Engstrom, Ilyas
 * and Kwok, ICML 2018), the transformation being the rule's own. */
static bioft_status run_mean(struct victim *v, struct memory *m, const float *d_out, float *dx)
{
    const uint64_t first = v->pass * v->params.eot + 1;
    const size_t pixels = m->n * pixels_count(&v->target->image);
    const float share = 1.0f / (float)v->params.eot;
    bioft_status st = BIOFT_OK;

    memset(dx, 0, pixels * sizeof *dx);
    for (uint32_t k = 0; st == BIOFT_OK && k < v->params.eot; k++) {
        v->redrawn = true;
        st = feedback_redraw(v->target->feedback, v->target->step, first + k, &v->error);
        if (st == BIOFT_OK)
            st = run_backward(v, m, d_out, v->mean);
        for (size_t i = 0; st == BIOFT_OK && i < pixels; i++)
            dx[i] += share * v->mean[i];
    }
    v->pass++;
    return st;
}

static bool takes_means(const struct victim *v)
{
    const struct feedback *f = v->target->feedback;
    return v->params.eot > 0 && v->gradient == GRADIENT_RULE && f && feedback_is_random(f);
}

/* Outputs at m's images, moved to either side; the program is at none of the attack's passes then. */
static bioft_status run_smoothed(struct victim *v, struct memory *m, const float *d_out, float *dx)
{
    bioft_status st = BIOFT_OK;

    for (uint32_t k = 0; st == BIOFT_OK && v->sides_at != m && k < v->params.smoothing.samples; k++) {
        struct memory side = { .n = m->n,
                               .x = smooth_move(v->smooth, m->n, m->x, v->restart, k),
                               .out = smooth_outputs(v->smooth, k) };
        st = run_forward(v, &side);
        v->program_at = NULL;
    }
    v->sides_at = st == BIOFT_OK ? m : NULL;
    if (st == BIOFT_OK)
        smooth_gradient(v->smooth, m->n, d_out, dx);
    return st;
}

static bioft_status victim_backward(const bioft_victim *view, uint32_t n, const float *d_out, float *ret_dx)
{
    struct victim *v = view->ctx;
    struct memory *m = v->at;
    const size_t out_bytes = sizeof(float) * n * view->outputs;

    if (!m || m->n != n)
        return error_set(&v->error, BIOFT_ERR_INVALID,
                         "the attack asks for the gradient of %u images after a forward "
                         "pass of %u",
                         n, m ? m->n : 0);
    if (!m->has_dx || memcmp(m->d_out, d_out, out_bytes) != 0) {
        m->has_dx = false;
        /* By the outputs as they are: those that the attack saw are divided by a constant. */
        for (uint32_t i = 0; i < n; i++) {
            const float scale = scale_of(v, n, i);
            for (size_t k = (size_t)i * view->outputs; k < (size_t)(i + 1) * view->outputs; k++)
                m->scaled[k] = d_out[k] / scale;
        }
        bioft_status st = (v->gradient == GRADIENT_SMOOTHED ? run_smoothed
                           : takes_means(v)                 ? run_mean
                                                            : run_backward)(v, m, m->scaled, m->dx);
        if (st != BIOFT_OK)
            return st;
        memcpy(m->d_out, d_out, out_bytes);
        m->has_dx = true;
    }
    if (v->gradient == GRADIENT_SMOOTHED) {
        v->counts.queries += (uint64_t)n * v->params.smoothing.samples;
        watch_queries(&v->watch, n, v->params.smoothing.samples);
    }
    watch_gradients(&v->watch, n, m->dx);
    pixels_copy(&v->target->image, v->target->pool, n, m->dx, ret_dx);
    return BIOFT_OK;
}

static bioft_status redraw(struct victim *v, uint64_t draw)
{
    v->clean.has_dx = v->last.has_dx = false;
    v->redrawn = draw != 0;
    return feedback_redraw(v->target->feedback, v->target->step, draw, &v->error);
}

static bioft_status victim_redraw(const bioft_victim *view, uint64_t draw)
{
    struct victim *v = view->ctx;
    v->was_redrawn = true;
    return redraw(v, draw);
}

static bioft_status victim_subset(const bioft_victim *view, uint32_t n, const uint32_t *image)
{
    struct victim *v = view->ctx;
    return watch_subset(&v->watch, n, image, &v->error);
}

static bioft_status victim_credit(const bioft_victim *view, uint32_t n, const uint32_t *image, const char *part)
{
    struct victim *v = view->ctx;
    return watch_credit(&v->watch, n, image, part, &v->error);
}

/* What the network says at x, from memory or by a pass of its own that leaves the attack's last one as it was. */
static bioft_status outputs_at(struct victim *v, uint32_t n, const float *x, const float **ret)
{
    struct memory *m = remembers(v, &v->clean, n, x) ? &v->clean : remembers(v, &v->last, n, x) ? &v->last : &v->told;
    const size_t pixels = pixels_count(&v->target->image) * v->view.max_batch;
    bioft_status st = BIOFT_OK;

    if (m == &v->told) {
        if (!m->x && !memory_create(m, pixels, (size_t)v->view.outputs * v->view.max_batch))
            return error_memory(&v->error, "the victim's batches");
        pixels_copy(&v->target->image, v->target->pool, n, x, m->x);
        m->n = n;
        st = run_forward(v, m);
    }
    *ret = m->out;
    return st;
}

static bioft_status victim_trace(const bioft_victim *view, uint64_t iteration, uint32_t n, const uint32_t *image,
                                 const float *x, const float *objective)
{
    struct victim *v = view->ctx;
    const float *out = NULL;
    bioft_status st = watch_objectives(&v->watch, iteration, n, image, objective, &v->error);

    if (st != BIOFT_OK || !x || n == 0 || view->bits)
        return st;
    st = outputs_at(v, n, x, &out);
    if (st == BIOFT_OK)
        watch_answers(&v->watch, n, image, x, out, view->outputs);
    return st;
}

static bioft_status victim_codes(const bioft_victim *view, const char *split, bioft_codes *ret)
{
    struct victim *v = view->ctx;
    const struct codes *codes;
    bioft_status st = codebook_get(v->target->codebook, split, &codes, &v->error);

    if (st == BIOFT_OK)
        *ret = codes_view(codes);
    return st;
}

bioft_status victim_create(const struct trained *t, uint32_t max_batch, const struct victim_params *p,
                           struct victim **ret, struct error *err)
{
    const struct graph *g = t->model->graph;
    const size_t pixels = pixels_count(&t->image) * max_batch, outputs = (size_t)g->view.outputs * max_batch;
    const bioft_use use = program_use(BIOFT_ATTACK, t->precision, max_batch, t->pool);
    const bioft_route *routes = t->feedback ? feedback_routes(t->feedback, false) : NULL;
    bioft_status st;

    struct victim *v = mem_array(1, sizeof *v);
    if (!v)
        return error_memory(err, "the victim");
    v->target = t;
    v->params = p ? *p : (struct victim_params){ 0 };
    v->view = (bioft_victim){
        .struct_size = sizeof v->view,
        .max_batch = max_batch,
        .channels = t->image.channels,
        .height = t->image.height,
        .width = t->image.width,
        .outputs = g->view.outputs,
        .classes = t->dataset->classes,
        .bits = t->codebook ? g->view.outputs : 0,
        .ctx = v,
        .forward = victim_forward,
        .backward = victim_backward,
        .codes = t->codebook ? victim_codes : NULL,
        .subset = victim_subset,
        .trace = victim_trace,
        .credit = victim_credit,
    };
    victim_gradient(v, GRADIENT_RULE);
    v->normal = mem_aligned(pixels, sizeof(float));
    v->mean = v->params.eot ? mem_aligned(pixels, sizeof(float)) : NULL;
    v->scale = v->params.rescale && !t->codebook ? mem_array(max_batch, sizeof(float)) : NULL;
    if ((v->params.eot && !v->mean) || (v->params.rescale && !t->codebook && !v->scale) || !v->normal ||
        !memory_create(&v->clean, pixels, outputs) || !memory_create(&v->last, pixels, outputs)) {
        st = error_memory(err, "the victim's batches");
        goto fail;
    }
    st = v->params.smoothing.samples ? smooth_create(&v->params.smoothing, t, max_batch, &v->smooth, err) : BIOFT_OK;
    if (st == BIOFT_OK)
        st = watch_create(&v->watch, &t->image, max_batch, t->dataset->label_words, routes != NULL, err);
    if (st == BIOFT_OK)
        st = program_create(t->model, &use, routes, &v->program, err);
    if (st != BIOFT_OK)
        goto fail;
    *ret = v;
    return BIOFT_OK;

fail:
    victim_destroy(v);
    return st;
}

void victim_destroy(struct victim *v)
{
    if (!v)
        return;
    if (v->redrawn)
        feedback_redraw(v->target->feedback, v->target->step, 0, NULL);
    program_destroy(v->program);
    memory_free(&v->clean);
    memory_free(&v->last);
    memory_free(&v->told);
    watch_free(&v->watch);
    free(v->normal);
    free(v->mean);
    free(v->scale);
    smooth_destroy(v->smooth);
    free(v);
}

const bioft_victim *victim_view(const struct victim *v) { return &v->view; }

void victim_gradient(struct victim *v, enum gradient_kind gradient)
{
    const struct feedback *f = v->target->feedback;

    v->gradient = gradient;
    v->view.redraw = gradient == GRADIENT_RULE && f && feedback_is_random(f) && !v->params.eot ? victim_redraw : NULL;
    v->clean.has_dx = v->last.has_dx = false;
}

void victim_batch(struct victim *v, const bioft_batch *batch)
{
    v->batch = batch;
    v->clean.n = v->last.n = v->told.n = 0;
    v->at = NULL;
    v->program_at = v->sides_at = NULL;
}

/* The clean images' margins between their two largest outputs, where those are above 1. */
static bioft_status take_scales(struct victim *v)
{
    const uint32_t outputs = v->view.outputs;
    struct memory *m;
    bioft_status st = recall(v, v->batch->n, v->batch->x, &m);

    for (uint32_t i = 0; st == BIOFT_OK && i < v->batch->n; i++) {
        const float *z = m->out + (size_t)i * outputs;
        const int32_t best = largest_index(z, outputs);
        float margin = INFINITY;
        for (uint32_t c = 0; c < outputs; c++)
            if ((int32_t)c != best && z[best] - z[c] < margin)
                margin = z[best] - z[c];
        v->scale[i] = isfinite(margin) && margin > 1.0f ? margin : 1.0f;
    }
    return st;
}

bioft_status victim_begin(struct victim *v, const struct victim_run *run, struct error *err)
{
    bioft_status st = v->redrawn ? redraw(v, 0) : BIOFT_OK;

    v->restart = run->restart;
    v->sides_at = NULL;
    if (run->restart == 0)
        v->pass = 0; /* further restarts go on with other draws */
    if (st == BIOFT_OK && v->scale)
        st = take_scales(v);
    if (st != BIOFT_OK)
        return victim_error(v, st, err);
    watch_begin(&v->watch, v->batch, run->aimed, run->norm, run->epsilon, run->course);
    v->clean.has_dx = v->last.has_dx = false; /* gradients of another run had other draws and scales */
    return BIOFT_OK;
}

bool victim_was_redrawn(const struct victim *v) { return v->was_redrawn; }

void victim_end(struct victim *v)
{
    watch_end(&v->watch);
    v->at = NULL;
}

struct victim_counts victim_counts(const struct victim *v) { return v->counts; }

bioft_status victim_error(const struct victim *v, bioft_status status, struct error *err)
{
    return v->error.status == status ? error_set(err, status, "%s", v->error.text) : status;
}
