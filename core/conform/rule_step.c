/* A rule that runs the training step itself ("bioft.step/0"), on the blocks of a small chain. */
#include "conform/network.h"
#include "conform/rule.h"
#include "rules/chain.h"

#include <math.h>
#include <string.h>

enum { IMAGES = 4, STEPS = 4, MOST_LAYERS = 8 };

struct stepping {
    struct conform *c;
    struct small_network n;
    struct chain *chain;
    struct subject *s;
    bioft_layer layers[MOST_LAYERS];
    bioft_batch batch;
    bioft_update update;
    int losses;         /* asked in this step */
    struct error error; /* the first failure of what the rule called */
};

static bioft_status done(struct stepping *r, bioft_status st, const struct error *err)
{
    if (st != BIOFT_OK && r->error.status == BIOFT_OK) {
        r->error = *err;
        r->error.status = st;
    }
    return st;
}

static const bioft_layer *layer(const bioft_step *step, uint32_t index)
{
    struct stepping *r = step->ctx;
    return index < step->layers ? &r->layers[index] : NULL;
}

static bioft_status block_forward(const bioft_step *step, uint32_t index, uint32_t n, const float *x, float *ret_h)
{
    struct stepping *r = step->ctx;
    struct error err = { 0 };
    return done(r, chain_forward(r->chain, index, n, x, step->batch->step, ret_h, &err), &err);
}

static bioft_status block_backward(const bioft_step *step, uint32_t index, uint32_t n, const float *dh, float *ret_dx)
{
    struct stepping *r = step->ctx;
    struct error err = { 0 };
    return done(r, chain_backward(r->chain, index, n, dh, ret_dx, &err), &err);
}

/* Squared distance to the label's unit vector, the mean over images. */
static bioft_status loss(const bioft_step *step, const float *out, double *ret_value, float *ret_d_out)
{
    struct stepping *r = step->ctx;
    const uint32_t outputs = r->n.made.graph->view.outputs;
    double sum = 0.0;
    r->losses++;
    for (uint32_t i = 0; i < IMAGES * outputs; i++) {
        const float off = out[i] - (i % outputs == (uint32_t)step->batch->label[i / outputs] ? 1.0f : 0.0f);
        sum += 0.5 * (double)off * (double)off / IMAGES;
        ret_d_out[i] = off / IMAGES;
    }
    *ret_value = sum;
    return BIOFT_OK;
}

static bioft_status update(const bioft_step *step, uint32_t index)
{
    struct stepping *r = step->ctx;
    struct error err = { 0 };
    uint32_t bad = BIOFT_NONE;
    return done(r, chain_update(r->chain, index, &r->update, &bad, &err), &err);
}

/* Pixels and labels that stay through all steps. */
static void fill_batch(struct stepping *r)
{
    struct conform *c = r->c;
    const bioft_graph *g = &r->n.made.graph->view;
    const size_t pixels = (size_t)g->channels * g->height * g->width * IMAGES;
    float *x = arena_array(c->arena, pixels, sizeof *x);
    int32_t *label = arena_array(c->arena, IMAGES, sizeof *label);
    uint64_t *labels = arena_array(c->arena, IMAGES, sizeof *labels);
    uint64_t *sample = arena_array(c->arena, IMAGES, sizeof *sample);
    random_floats(c, "conform/pixels", 1, -1.0f, 1.0f, x, pixels);
    for (uint32_t i = 0; i < IMAGES; i++) {
        sample[i] = i;
        label[i] = (int32_t)(i % g->outputs);
        labels[i] = UINT64_C(1) << label[i];
    }
    r->batch = (bioft_batch){ .struct_size = sizeof r->batch,
                              .n = IMAGES,
                              .classes = g->outputs,
                              .label_words = 1,
                              .x = x,
                              .sample = sample,
                              .label = label,
                              .labels = labels };
}

/* A new instance with the network's layers. */
static bool attach(struct stepping *r)
{
    struct conform *c = r->c;
    const bioft_rule *rule = &c->p->plugin->api.rule;
    struct error err;
    bool fine = r->s != NULL;
    for (uint32_t i = 0; rule->attach && fine && i < r->chain->count; i++) {
        float *w = guard_floats(c, "w", r->layers[i].count);
        fine = model_read(r->chain->blocks[i].model, BIOFT_VALUE, 0, w, &err) == BIOFT_OK;
        guard_readonly(c, w);
        calling(c, "rule.h", "attach", "once per layer before the first step; w is only to be read",
                "attach(layer '%s' of a small network)", r->layers[i].name);
        fine = fine && subject_ok(r->s, rule->attach(r->s->self, &r->layers[i], w));
        guard_release_calls(c);
    }
    return fine;
}

static bool open_stepping(struct conform *c, struct stepping *r)
{
    const bioft_use use = program_use(BIOFT_TRAIN, BIOFT_F32, IMAGES, NULL);
    struct error err;
    memset(r, 0, sizeof *r);
    r->c = c;
    if (!small_network_open(c, NULL, NULL, 0, &r->n))
        return false;
    const bioft_graph *g = &r->n.made.graph->view;
    double *lr = arena_array(c->arena, g->parameter_count, sizeof *lr);
    for (uint32_t i = 0; i < g->parameter_count; i++)
        lr[i] = 0.01;
    r->update = (bioft_update){ .struct_size = sizeof r->update, .kind = BIOFT_SGD, .lr = lr, .gradient_scale = 1.0 };
    for (uint32_t i = 0; i < g->layer_count && i < MOST_LAYERS; i++) {
        r->layers[i] = r->n.made.graph->layers[i];
        r->layers[i].key = r->layers[i].name;
        r->layers[i].max_batch = IMAGES;
    }
    fill_batch(r);
    if (chain_create(r->n.made.model, &use, 0, &r->chain, &err) != BIOFT_OK) {
        conform_find(c, "%s", err.text);
        return false;
    }
    r->s = subject_create(c, NULL, c->p->seed, NULL);
    return attach(r);
}

static void close_stepping(struct stepping *r)
{
    subject_destroy(r->s);
    chain_destroy(r->chain);
    small_network_close(&r->n);
}

/* What the steps left in the network; NULL after a failure. */
static float **weights_of(struct stepping *r)
{
    const struct graph *g = r->n.made.graph;
    float **ret = arena_array(r->c->arena, g->view.parameter_count, sizeof *ret);
    struct error err;
    for (uint32_t i = 0; i < g->view.parameter_count; i++) {
        ret[i] = arena_array(r->c->arena, g->parameters[i].count, sizeof(float));
        if (model_read(r->n.made.model, BIOFT_VALUE, i, ret[i], &err) != BIOFT_OK)
            return NULL;
        const size_t bad = first_nonfinite(ret[i], g->parameters[i].count);
        if (bad != SIZE_MAX) {
            conform_find(r->c, "%s is not finite at element %zu after it", g->parameters[i].name, bad);
            return NULL;
        }
    }
    return ret;
}

static bool one_step(struct stepping *r, uint64_t t)
{
    struct conform *c = r->c;
    const bioft_own_step *own = c->d->extension(r->s->self, "bioft.step/0");
    const bioft_rule *rule = &c->p->plugin->api.rule;
    const bioft_step step = {
        .struct_size = sizeof step,
        .layers = r->chain->count,
        .batch = &r->batch,
        .ctx = r,
        .layer = layer,
        .block_forward = block_forward,
        .block_backward = block_backward,
        .loss = loss,
        .update = update,
    };
    double value = NAN;
    struct error err;
    r->batch.step = t;
    r->update.t = t + 1;
    r->losses = 0;
    chain_begin(r->chain);
    calling(c, "rule.h", "bioft_own_step",
            "one training step; the loss once in every step, the optimizer at most once a "
            "layer, after a block_backward",
            "train(step %llu of a small network)", (unsigned long long)t);
    r->s->step = true;
    const bioft_status st = own->train(r->s->self, &step, &value);
    r->s->step = false;
    if (r->error.status != BIOFT_OK) {
        conform_find(c, "what it asked for failed: %s", r->error.text);
        return false;
    }
    if (!subject_ok(r->s, st))
        return false;
    if (r->losses != 1)
        conform_find(c, "it asked for the loss %d times", r->losses);
    else if (!isfinite(value))
        conform_find(c, "it reports %g as the loss", value);
    if (rule->step_end) {
        r->s->step = true;
        const bool ended = subject_ok(r->s, rule->step_end(r->s->self, t));
        r->s->step = false;
        if (!ended)
            return false;
    }
    return c->findings == 0 && chain_write_back(r->chain, 0, &err) == BIOFT_OK;
}

/* The weights after all steps; resume: with another instance from the second half on. */
static float **run_steps(struct conform *c, bool resume, bool *ret_moved)
{
    struct stepping r;
    bool fine = open_stepping(c, &r);
    float **first = fine ? weights_of(&r) : NULL, **last = NULL;
    for (uint64_t t = 0; first && fine && t < STEPS; t++) {
        if (resume && t == STEPS / 2) {
            struct subject *before = r.s;
            r.s = subject_create(c, NULL, c->p->seed, NULL);
            fine = attach(&r) && subject_restore(r.s, before);
            subject_destroy(before);
        }
        fine = fine && one_step(&r, t);
    }
    if (first && fine)
        last = weights_of(&r);
    for (uint32_t i = 0; last && i < r.n.made.graph->view.parameter_count; i++)
        if (first_difference(first[i], last[i], r.n.made.graph->parameters[i].count, sizeof(float)) != SIZE_MAX)
            *ret_moved = true;
    close_stepping(&r);
    return last;
}

static bool same(struct conform *c, float *const *a, float *const *b, const char *what)
{
    struct small_network n;
    bool same = true;
    if (!small_network_open(c, NULL, NULL, 0, &n))
        return false;
    for (uint32_t i = 0; same && i < n.made.graph->view.parameter_count; i++) {
        const size_t at = first_difference(a[i], b[i], n.made.graph->parameters[i].count, sizeof(float));
        same = at == SIZE_MAX;
        if (!same)
            conform_find(c, "%s: %s differs, first at element %zu", what, n.made.graph->parameters[i].name, at);
    }
    small_network_close(&n);
    return same;
}

void test_step(struct conform *c)
{
    bool moved = false;
    struct subject *s = subject_create(c, NULL, c->p->seed, NULL);
    const bioft_own_step *own = s && c->d->extension ? c->d->extension(s->self, "bioft.step/0") : NULL;
    const bool has_train = own && BIOFT_HAS(own, bioft_own_step, train) && own->train;
    subject_destroy(s);
    if (!own) {
        conform_skip(c, "it leaves the training step to the host");
        return;
    }
    calling(c, "rule.h", "bioft_own_step", "a rule with bioft.step/0 has train()", "extension(\"bioft.step/0\")");
    if (!has_train) {
        conform_find(c, "train() is missing");
        return;
    }
    float **once = run_steps(c, false, &moved);
    float **again = once ? run_steps(c, false, &moved) : NULL;
    float **resumed = again ? run_steps(c, true, &moved) : NULL;
    if (once && !moved)
        conform_find(c, "%d steps moved no weight", STEPS);
    if (again && resumed && same(c, once, again, "the same steps twice end in other weights"))
        same(c, once, resumed, "it forgot its state: other weights than without the interruption");
}
