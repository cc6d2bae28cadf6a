/* A small network on an engine: made, filled with initial values, and its gradient held against differences. */
#include "conform/network.h"

#include "network/initialise.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bioft_status build(void *self, const bioft_builder *b)
{
    (void)self;
    bioft_tensor x = b->input(b, 3, 12, 11);
    x = b->conv2d(b, "first", x,
                  &(bioft_conv2d){
                      .struct_size = sizeof(bioft_conv2d), .out = 8, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 } });
    x = b->tanh_(b, x);
    x = b->conv2d(b, "grouped", x,
                  &(bioft_conv2d){ .struct_size = sizeof(bioft_conv2d),
                                   .out = 6,
                                   .kernel = { 3, 2 },
                                   .stride = { 2, 1 },
                                   .groups = 2,
                                   .padding = { 1, 0, 1, 0 },
                                   .no_bias = 1 });
    x = b->tanh_(b, x);
    x = b->avgpool(b, x, &(bioft_pool){ .struct_size = sizeof(bioft_pool), .kernel = { 2, 2 } });
    x = b->conv2d(
        b, "unbiased", x,
        &(bioft_conv2d){
            .struct_size = sizeof(bioft_conv2d), .out = 6, .kernel = { 2, 2 }, .dilation = { 1, 2 }, .no_bias = 1 });
    x = b->flatten(b, b->tanh_(b, x));
    x = b->linear(b, "plain", x, &(bioft_linear){ .struct_size = sizeof(bioft_linear), .out = 10, .no_bias = 1 });
    x = b->tanh_(b, x);
    x = b->linear(b, "biased", x, &(bioft_linear){ .struct_size = sizeof(bioft_linear), .out = 9 });
    x = b->tanh_(b, x);
    b->head(b, "head", x, &(bioft_linear){ .struct_size = sizeof(bioft_linear), .out = 5 });
    return BIOFT_OK;
}

static const struct plugin small = {
    .descriptor = {
        BIOFT_PLUGIN(BIOFT_KIND_BACKBONE, "conformance", "1", "", ""),
        .summary = "", .reference = "",
    },
    .api.backbone = { .struct_size = sizeof(bioft_backbone), .build = build },
};

bool small_network_open_zero(struct conform *c, const struct plugin *engine, const struct plugin *backbone,
                             uint32_t size, struct small_network *n)
{
    struct error err;
    *n = (struct small_network){ 0 };
    if (!engine && !c->p->registry) {
        conform_skip(c, "no engine was found");
        return false;
    }
    bioft_status st = pool_create(1, &n->pool, &err);
    if (st == BIOFT_OK)
        st = engine_open(
            &(struct engine_params){
                .registry = c->p->registry, .plugin = engine, .pool = n->pool, .seed = c->p->seed },
            &n->engine, &err);
    if (st != BIOFT_OK) {
        conform_skip(c, "no engine runs here: %s", err.text);
        small_network_close(n);
        return false;
    }
    st = network_open(&(struct network_params){ .backbone = backbone ? backbone : &small,
                                                .values = backbone ? c->p->values : NULL,
                                                .seed = c->p->seed,
                                                .engine = n->engine,
                                                .height = size,
                                                .width = size,
                                                .outputs = 5 },
                      &n->made, &err);
    if (st != BIOFT_OK) {
        conform_find(c, "%s", err.text);
        small_network_close(n);
    }
    return st == BIOFT_OK;
}

bool small_network_open(struct conform *c, const struct plugin *engine, const struct plugin *backbone, uint32_t size,
                        struct small_network *n)
{
    struct error err;
    if (!small_network_open_zero(c, engine, backbone, size, n))
        return false;
    if (model_initialise(n->made.model, c->p->seed, NULL, &err) == BIOFT_OK)
        return true;
    conform_find(c, "%s", err.text);
    small_network_close(n);
    return false;
}

void small_network_close(struct small_network *n)
{
    network_destroy(&n->made);
    engine_close(n->engine);
    pool_destroy(n->pool);
    *n = (struct small_network){ 0 };
}

double relative_difference(const float *a, const float *b, size_t count)
{
    double most = 0.0, scale = 0.0;
    for (size_t i = 0; i < count; i++) {
        most = fmax(most, fabs((double)a[i] - (double)b[i]));
        scale = fmax(scale, fabs((double)b[i]));
        if (!isfinite(a[i]) || !isfinite(b[i]))
            return INFINITY;
    }
    return scale > 0.0 ? most / scale : most;
}

static double inner(const float *a, const float *b, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

struct probe {
    struct program *program;
    const bioft_graph *g;
    float *x, *moved, *dx, *out, *d_out;
    size_t pixels;
};

static bool probe_make(struct conform *c, struct small_network *n, struct probe *p, struct error *err)
{
    const bioft_use use = program_use(BIOFT_ATTACK, BIOFT_F32, 1, NULL);
    p->g = &n->made.graph->view;
    p->pixels = (size_t)p->g->channels * p->g->height * p->g->width;
    p->x = arena_array(c->arena, p->pixels, sizeof(float));
    p->moved = arena_array(c->arena, p->pixels, sizeof(float));
    p->dx = arena_array(c->arena, p->pixels, sizeof(float));
    p->out = arena_array(c->arena, p->g->outputs, sizeof(float));
    p->d_out = arena_array(c->arena, p->g->outputs, sizeof(float));
    if (program_create(n->made.model, &use, NULL, &p->program, err) != BIOFT_OK) {
        conform_find(c, "%s", err->text);
        return false;
    }
    random_floats(c, "conform/pixels", 0, -1.0f, 1.0f, p->x, p->pixels);
    random_floats(c, "conform/d_out", 0, -1.0f, 1.0f, p->d_out, p->g->outputs);
    return true;
}

/* The loss at x + a u; NaN after a failure. */
static double at(struct probe *p, const float *u, double a)
{
    struct error err;
    for (size_t i = 0; i < p->pixels; i++)
        p->moved[i] = p->x[i] + (float)a * u[i];
    if (program_forward(p->program, 1, p->moved, 0, p->out, &err) != BIOFT_OK)
        return NAN;
    return inner(p->d_out, p->out, p->g->outputs);
}

/* The direction of step k: the derivative's own, then others mixed with it, all of length 1. */
static void turn(struct conform *c, const struct probe *p, uint64_t k, float *u)
{
    random_floats(c, "conform/direction", k, -1.0f, 1.0f, u, p->pixels);
    const double own = sqrt(inner(p->dx, p->dx, p->pixels)), other = sqrt(inner(u, u, p->pixels));
    for (size_t i = 0; i < p->pixels; i++)
        u[i] = (float)((own > 0.0 ? (double)p->dx[i] / own : 0.0) + (k ? 0.7 : 0.0) * (double)u[i] / other);
}

/* Where an activation bends between, a smaller step decides; where float32 rounds, a larger one. */
bool small_network_check_gradient(struct conform *c, struct small_network *n)
{
    static const double steps[] = { 0.3, 0.1, 0.03, 0.01 };
    struct probe p = { 0 };
    struct error err;
    bool fine = probe_make(c, n, &p, &err);
    float *u = fine ? arena_array(c->arena, p.pixels, sizeof *u) : NULL;
    for (uint64_t k = 0; k < 3 && fine; k++) {
        double best = INFINITY, measured = 0.0;
        if (program_forward(p.program, 1, p.x, 0, p.out, &err) != BIOFT_OK ||
            program_backward(p.program, p.d_out, BIOFT_EXACT, p.dx, NULL, &err) != BIOFT_OK) {
            conform_find(c, "%s", err.text);
            break;
        }
        turn(c, &p, k, u);
        const double said = inner(p.dx, u, p.pixels);
        for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
            const double slope = (at(&p, u, steps[s]) - at(&p, u, -steps[s])) / (2.0 * steps[s]);
            const double off = fabs(slope - said) / fmax(fmax(fabs(slope), fabs(said)), 1e-6);
            if (off < best) {
                best = off;
                measured = slope;
            }
        }
        fine = best < 0.05;
        if (!fine)
            conform_find(
                c,
                "wrong gradient: along a direction of length 1 the derivative is %.6g, differences of the output say "
                "%.6g",
                said, measured);
    }
    program_destroy(p.program);
    return fine;
}
