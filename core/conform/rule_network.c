/* A rule in a whole training step: what it sends through a network, beside what backpropagation sends. */
#include "conform/network.h"
#include "conform/rule.h"
#include "rules/feedback.h"

#include <math.h>
#include <string.h>

enum { IMAGES = 4 };

struct pass {
    struct conform *c;
    struct small_network n;
    struct feedback *feedback;
    struct program *program;
    float **rule, **exact; /* [parameter] gradients */
    float *x, *out, *d_out;
    bioft_batch batch;
    int32_t label[IMAGES];
    uint64_t labels[IMAGES], sample[IMAGES];
};

static bool failed(struct pass *p, const struct error *err)
{
    conform_find(p->c, "%s", err->text);
    return false;
}

static bool pass_make(struct pass *p)
{
    const bioft_use use = program_use(BIOFT_TRAIN, BIOFT_F32, IMAGES, NULL);
    struct conform *c = p->c;
    struct error err;
    struct rule_spec spec = { .layers = "*", .choice = { .plugin = c->p->plugin } };
    if (options_defaults(c->p->plugin, c->arena, &spec.choice.values, &err) != BIOFT_OK)
        return failed(p, &err);
    if (c->p->values)
        spec.choice.values = (struct option_value *)(uintptr_t)c->p->values;
    if (feedback_create(p->n.made.model, &spec, 1, c->p->seed, p->n.pool, IMAGES, &p->feedback, &err) != BIOFT_OK ||
        program_create(p->n.made.model, &use, feedback_routes(p->feedback, false), &p->program, &err) != BIOFT_OK)
        return failed(p, &err);
    const bioft_graph *g = &p->n.made.graph->view;
    const size_t pixels = (size_t)g->channels * g->height * g->width * IMAGES;
    p->x = arena_array(c->arena, pixels, sizeof(float));
    p->out = arena_array(c->arena, (size_t)g->outputs * IMAGES, sizeof(float));
    p->d_out = arena_array(c->arena, (size_t)g->outputs * IMAGES, sizeof(float));
    p->rule = arena_array(c->arena, g->parameter_count, sizeof(float *));
    p->exact = arena_array(c->arena, g->parameter_count, sizeof(float *));
    random_floats(c, "conform/pixels", 1, -1.0f, 1.0f, p->x, pixels);
    random_floats(c, "conform/d_out", 1, -1.0f, 1.0f, p->d_out, (size_t)g->outputs * IMAGES);
    for (uint32_t i = 0; i < IMAGES; i++) {
        p->sample[i] = i;
        p->label[i] = (int32_t)(i % g->outputs);
        p->labels[i] = UINT64_C(1) << p->label[i];
    }
    p->batch = (bioft_batch){ .struct_size = sizeof p->batch,
                              .n = IMAGES,
                              .classes = g->outputs,
                              .label_words = 1,
                              .x = p->x,
                              .sample = p->sample,
                              .label = p->label,
                              .labels = p->labels };
    return true;
}

static bool gradients(struct pass *p, uint32_t flags, float **ret)
{
    struct error err;
    const bioft_hooks *hooks = feedback_hooks(p->feedback, &p->batch, p->d_out, NULL, NULL, 0);
    bioft_status st = program_backward(p->program, p->d_out, flags, NULL, hooks, &err);
    if (st != BIOFT_OK) {
        feedback_error(p->feedback, st, &err);
        return failed(p, &err);
    }
    for (uint32_t i = 0; i < p->n.made.graph->view.parameter_count; i++) {
        ret[i] = arena_array(p->c->arena, p->n.made.graph->parameters[i].count, sizeof(float));
        if (model_read(p->n.made.model, BIOFT_GRADIENT, i, ret[i], &err) != BIOFT_OK)
            return failed(p, &err);
    }
    return true;
}

/* The gradients of the layers below the last: those that V has a part in. */
static void check_gradients(struct pass *p)
{
    const bioft_graph *g = &p->n.made.graph->view;
    double most = 0.0;
    bool silent = true;
    for (uint32_t i = 0; i < g->parameter_count; i++) {
        const bioft_parameter *q = &p->n.made.graph->parameters[i];
        const size_t bad = first_nonfinite(p->rule[i], q->count);
        if (bad != SIZE_MAX) {
            conform_find(p->c, "the gradient of %s is not finite at element %zu", q->name, bad);
            return;
        }
        for (size_t k = 0; k < q->count && silent; k++)
            silent = p->rule[i][k] == 0.0f;
        if (q->kind == BIOFT_PARAM_WEIGHT && q->layer + 1 < g->layer_count)
            most = fmax(most, relative_difference(p->rule[i], p->exact[i], q->count));
    }
    if (silent)
        conform_find(p->c, "every gradient is zero: nothing would be learned");
    if (!feedback_is_exact(p->feedback) && most < 1e-6) {
        conform_says(p->c, "rule.h", "feedback", "NULL, or g identity, m ones and no scale, say V = W");
        conform_find(
            p->c, "the error it sends equals backpropagation's at every layer (within 1e-6), and it does not say so");
    }
}

/* Another V for the same number of updates, or none where the rule redraws, is a finding. */
static void check_redraw(struct pass *p)
{
    const bioft_graph *g = &p->n.made.graph->view;
    struct error err;
    bool moved = false;
    for (uint32_t i = 0; i < g->parameter_count; i++) {
        const bioft_parameter *q = &p->n.made.graph->parameters[i];
        if (q->kind != BIOFT_PARAM_WEIGHT)
            continue;
        float *v[3];
        static const uint64_t steps[3] = { 0, 1, 0 };
        for (int k = 0; k < 3; k++) {
            v[k] = arena_array(p->c->arena, q->count, sizeof(float));
            if (feedback_refresh(p->feedback, steps[k], &err) != BIOFT_OK ||
                model_read(p->n.made.model, BIOFT_FEEDBACK, i, v[k], &err) != BIOFT_OK) {
                failed(p, &err);
                return;
            }
        }
        if (first_difference(v[0], v[2], q->count, sizeof(float)) != SIZE_MAX)
            conform_find(p->c, "V of '%s' for 0 updates is another after V for 1 update was asked for", q->name);
        moved = moved || first_difference(v[0], v[1], q->count, sizeof(float)) != SIZE_MAX;
    }
    if (feedback_is_random(p->feedback) && !moved)
        conform_find(p->c, "it declares that V is redrawn after each update, but V does not change");
    if (!feedback_is_random(p->feedback) && moved && p->c->p->plugin->api.rule.feedback &&
        !p->c->p->plugin->api.rule.fill_feedback)
        conform_find(p->c, "it declares that V's random part is fixed, but V changes while W does not");
}

void test_network(struct conform *c)
{
    struct pass p = { .c = c };
    struct error err;
    calling(c, "rule.h", "bioft_rule", "dx = dy V and dW = dy^T x in every conv and linear layer",
            "a training step of a network: 3 convolutions (one with 2 groups and stride 2), 3 linear layers, some "
            "without bias");
    if (!small_network_open(c, NULL, NULL, 0, &p.n))
        return;
    if (pass_make(&p)) {
        if (program_forward(p.program, IMAGES, p.x, 0, p.out, &err) != BIOFT_OK)
            failed(&p, &err);
        else if (gradients(&p, 0, p.rule) && gradients(&p, BIOFT_EXACT, p.exact)) {
            check_gradients(&p);
            check_redraw(&p);
        }
    }
    program_destroy(p.program);
    feedback_destroy(p.feedback);
    small_network_close(&p.n);
}
