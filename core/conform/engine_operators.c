/* The test of an engine beside another one: every operator, forward and backward, V, dropout and both optimizers. */
#include "conform/engine.h"

#include "conform/network.h"
#include "engine/select.h"
#include "plugin/registry.h"
#include <stdio.h>
#include <string.h>

enum { IMAGES = 5, SIDE = 14 };

static bioft_status build(void *self, const bioft_builder *b)
{
    const bioft_norm norm = { .struct_size = sizeof norm };
    bioft_tensor x = b->input(b, 2, SIDE, SIDE), y;
    (void)self;
    x = b->conv2d(b, "stem", x,
                  &(bioft_conv2d){ .struct_size = sizeof(bioft_conv2d),
                                   .out = 6,
                                   .kernel = { 3, 3 },
                                   .padding = { 1, 1, 1, 1 },
                                   .no_bias = 1 });
    x = b->relu(b, b->batchnorm(b, "stem_norm", x, &norm));
    x = b->maxpool(
        b, x,
        &(bioft_pool){
            .struct_size = sizeof(bioft_pool), .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 1, 1, 1, 1 } });
    y = b->conv2d(b, "grouped", x,
                  &(bioft_conv2d){ .struct_size = sizeof(bioft_conv2d),
                                   .out = 6,
                                   .kernel = { 3, 3 },
                                   .padding = { 1, 1, 1, 1 },
                                   .groups = 2 });
    x = b->tanh_(b, b->add(b, x, y));
    x = b->conv2d(b, "strided", x,
                  &(bioft_conv2d){ .struct_size = sizeof(bioft_conv2d),
                                   .out = 8,
                                   .kernel = { 2, 2 },
                                   .stride = { 1, 2 },
                                   .dilation = { 2, 1 } });
    x = b->avgpool(b, x,
                   &(bioft_pool){ .struct_size = sizeof(bioft_pool),
                                  .kernel = { 2, 2 },
                                  .stride = { 2, 2 },
                                  .padding = { 1, 0, 0, 1 },
                                  .exclude_padding = 1 });
    x = b->dropout(b, b->adaptive_avgpool(b, x, 2, 2), 0.25);
    x = b->tanh_(
        b, b->linear(b, "hidden", b->flatten(b, x), &(bioft_linear){ .struct_size = sizeof(bioft_linear), .out = 9 }));
    b->head(b, "head", x, &(bioft_linear){ .struct_size = sizeof(bioft_linear), .out = 5 });
    return BIOFT_OK;
}

static const struct plugin all_operators = {
    .descriptor = {
        BIOFT_PLUGIN(BIOFT_KIND_BACKBONE, "conformance", "1", "", ""),
        .summary = "", .reference = "",
    },
    .api.backbone = { .struct_size = sizeof(bioft_backbone), .build = build },
};

/* One engine's side of the comparison. */
struct side {
    struct small_network n;
    struct program *program;
    float *out, *dx;
    float **arrays; /* [parameter], of what was read last */
};

/* The best of the others that are found; NULL: a skip says why. */
const struct plugin *operators_other(struct conform *c)
{
    struct error err = { 0 };
    const struct plugin *best = NULL;
    int32_t most = 0;
    char **names;
    size_t count;
    if (!c->p->registry || registry_names(c->p->registry, BIOFT_KIND_ENGINE, &names, &count, &err) != BIOFT_OK) {
        conform_skip(c, "no other engine is found");
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        const struct plugin *p;
        char why[256] = "";
        if (strcmp(names[i], c->d->name) == 0 ||
            registry_find(c->p->registry, BIOFT_KIND_ENGINE, names[i], &p, NULL) != BIOFT_OK)
            continue;
        const int32_t points = p->api.engine.score(why, sizeof why);
        if (points > most) {
            most = points;
            best = p;
        }
    }
    registry_names_free(names, count);
    if (!best)
        conform_skip(c, "no other engine that runs here is found");
    return best;
}

static bool open_side(struct conform *c, const struct plugin *engine, const struct plugin *backbone, struct side *s)
{
    const bioft_use use = program_use(BIOFT_TRAIN, BIOFT_F32, IMAGES, NULL);
    const bioft_feedback v = { .struct_size = sizeof v,
                               .g = BIOFT_G_SIGN,
                               .m = BIOFT_M_UNIFORM,
                               .scale = BIOFT_SCALE_MATCH_NORM,
                               .low = 0.5f,
                               .high = 1.5f };
    struct error err;
    if (!small_network_open(c, engine, backbone, 0, &s->n))
        return false;
    const bioft_graph *g = &s->n.made.graph->view;
    s->out = arena_array(c->arena, (size_t)IMAGES * g->outputs, sizeof(float));
    s->dx = arena_array(c->arena, (size_t)IMAGES * g->channels * g->height * g->width, sizeof(float));
    s->arrays = arena_array(c->arena, g->parameter_count, sizeof(float *));
    for (uint32_t i = 0; i < g->parameter_count; i++)
        s->arrays[i] = arena_array(c->arena, s->n.made.graph->parameters[i].count, sizeof(float));
    if (program_create(s->n.made.model, &use, NULL, &s->program, &err) == BIOFT_OK &&
        model_feedback(s->n.made.model, 1, &v, 3, &err) == BIOFT_OK)
        return true;
    conform_find(c, "%s", err.text);
    return false;
}

static void close_side(struct side *s)
{
    program_destroy(s->program);
    small_network_close(&s->n);
}

static bool step(struct conform *c, struct side *s, const float *x, const float *d_out)
{
    struct error err;
    calling(c, "engine.h", "forward", "a network's outputs at its weights, and the derivatives of <d_out, out>",
            "forward and backward of a network of many operators, %d images, on '%s'", IMAGES,
            s->n.engine->instance->plugin->descriptor.name);
    if (program_forward(s->program, IMAGES, x, 7, s->out, &err) == BIOFT_OK &&
        program_backward(s->program, d_out, 0, s->dx, NULL, &err) == BIOFT_OK)
        return true;
    conform_find(c, "%s", err.text);
    return false;
}

static void compare(struct conform *c, const char *what, const float *a, const float *b, size_t count)
{
    const double off = relative_difference(a, b, count);
    if (!(off < 1e-3))
        conform_find(c, "%s differs from the other engine's by %.3g of the largest value", what, off);
}

static bool compare_parameters(struct conform *c, struct side s[2], uint32_t what, const char *called)
{
    struct error err;
    char text[256];
    for (uint32_t i = 0; i < s[0].n.made.graph->view.parameter_count; i++) {
        const bioft_parameter *p = &s[0].n.made.graph->parameters[i];
        if ((what == BIOFT_GRADIENT && p->kind == BIOFT_PARAM_RUNNING) ||
            (what == BIOFT_FEEDBACK && p->kind != BIOFT_PARAM_WEIGHT))
            continue;
        for (int k = 0; k < 2; k++)
            if (model_read(s[k].n.made.model, what, i, s[k].arrays[i], &err) != BIOFT_OK) {
                conform_find(c, "%s", err.text);
                return false;
            }
        snprintf(text, sizeof text, "the %s of '%s'", called, p->name);
        compare(c, text, s[0].arrays[i], s[1].arrays[i], p->count);
    }
    return c->findings == 0;
}

/* eps is large where Adam would make a step of full length of a gradient that is nothing but rounding. */
static bool optimize(struct conform *c, struct side s[2], uint32_t kind, const char *word)
{
    const uint32_t count = s[0].n.made.graph->view.parameter_count;
    double *lr = arena_array(c->arena, count, sizeof *lr);
    const bioft_update u = { .struct_size = sizeof u,
                             .kind = kind,
                             .t = 1,
                             .lr = lr,
                             .beta1 = 0.9,
                             .beta2 = 0.99,
                             .eps = 0.1,
                             .weight_decay = 0.01,
                             .momentum = 0.9,
                             .gradient_scale = 0.5 };
    struct error err;
    for (uint32_t i = 0; i < count; i++)
        lr[i] = i == 0 ? -1.0 : 0.1;
    calling(c, "engine.h", "update", "the optimizer's step on all parameters; a negative rate: frozen",
            "update(%s, t 1)", word);
    for (int k = 0; k < 2; k++) {
        uint32_t first = 0;
        if (model_update(s[k].n.made.model, &u, NULL, &first, &err) != BIOFT_OK) {
            conform_find(c, "%s", err.text);
            return false;
        }
        if (first != BIOFT_NONE && k == 0)
            conform_find(c, "parameter %u is reported to hold a value that is not finite", first);
    }
    return compare_parameters(c, s, BIOFT_VALUE, "value");
}

static void compare_evaluation(struct conform *c, struct side s[2], const float *x)
{
    const bioft_use use = program_use(BIOFT_EVAL, BIOFT_F32, IMAGES, NULL);
    struct error err;
    bool fine = true;
    calling(c, "engine.h", "forward", "EVAL, ATTACK: running statistics, no dropout", "forward in evaluation");
    for (int k = 0; k < 2 && fine; k++) {
        struct program *p = NULL;
        fine = program_create(s[k].n.made.model, &use, NULL, &p, &err) == BIOFT_OK &&
               program_forward(p, IMAGES, x, 0, s[k].out, &err) == BIOFT_OK;
        program_destroy(p);
    }
    if (fine)
        compare(c, "the output", s[0].out, s[1].out, (size_t)IMAGES * s[0].n.made.graph->view.outputs);
    else
        conform_find(c, "%s", err.text);
}

static void compare_sides(struct conform *c, struct side s[2])
{
    const bioft_graph *g = &s[0].n.made.graph->view;
    const size_t pixels = (size_t)IMAGES * g->channels * g->height * g->width, outputs = (size_t)IMAGES * g->outputs;
    float *x = arena_array(c->arena, pixels, sizeof *x), *d_out = arena_array(c->arena, outputs, sizeof *d_out);
    random_floats(c, "conform/pixels", 2, -1.0f, 1.0f, x, pixels);
    random_floats(c, "conform/d_out", 2, -1.0f, 1.0f, d_out, outputs);
    if (!step(c, &s[1], x, d_out) || !step(c, &s[0], x, d_out))
        return;
    compare(c, "the output", s[0].out, s[1].out, outputs);
    if (c->findings == 0)
        compare(c, "the error of the pixels", s[0].dx, s[1].dx, pixels);
    if (c->findings == 0 && compare_parameters(c, s, BIOFT_VALUE, "value") &&
        compare_parameters(c, s, BIOFT_FEEDBACK, "V") && compare_parameters(c, s, BIOFT_GRADIENT, "gradient") &&
        optimize(c, s, BIOFT_ADAM, "Adam") && optimize(c, s, BIOFT_SGD, "SGD with momentum"))
        compare_evaluation(c, s, x);
}

void operators_beside(struct conform *c, const struct plugin *other, const struct plugin *backbone)
{
    struct side s[2] = { 0 };
    if (open_side(c, c->p->plugin, backbone, &s[0]) && open_side(c, other, backbone, &s[1]))
        compare_sides(c, s);
    close_side(&s[0]);
    close_side(&s[1]);
}

void test_operators(struct conform *c)
{
    const struct plugin *other;
    if (engine_runs_here(c, false) && (other = operators_other(c)))
        operators_beside(c, other, &all_operators);
}
