/* Tests for engines: a layer alone against plain loops, a network's derivatives, the same bits again, leaks. */
#include "conform/engine.h"

#include "conform/layers.h"
#include "conform/network.h"
#include <string.h>

enum { IMAGES = 3 };

static const bioft_engine *engine_of(const struct conform *c) { return &c->p->plugin->api.engine; }

bool engine_runs_here(struct conform *c, bool told)
{
    char why[256] = "";
    calling(c, "engine.h", "score", "how well it runs on this machine: 0 not at all; `why` is always filled",
            "score()");
    const int32_t score = engine_of(c)->score(why, sizeof why);
    if (told && (!why[0] || !memchr(why, 0, sizeof why)))
        conform_find(c, "returned %d and no reason", score);
    why[sizeof why - 1] = '\0';
    if (score <= 0)
        conform_skip(c, "it does not run here: %s", why);
    return score > 0;
}

static void test_score(struct conform *c) { engine_runs_here(c, true); }

/* One phase of one layer alone: a, b and what should come. */
static void check_phase(struct conform *c, struct instance *i, const bioft_layer *l, uint32_t phase, const float *a,
                        const float *b, const float *wanted, size_t count)
{
    static const char *const words[] = { "forward", "input error", "weight gradient" };
    float *got = guard_take(c, "ret", count * sizeof *got, true);
    memset(got, 0xff, count * sizeof *got);
    calling(c, "engine.h", "layer", "one layer alone: forward, input error or weight gradient; ret is overwritten",
            "layer('%s', %s, %u images)", l->name, words[phase], IMAGES);
    const bioft_status st = engine_of(c)->layer(i->self, l, phase, IMAGES, a, b, got);
    if (st != BIOFT_OK) {
        struct error err;
        instance_error(i, st, &err);
        conform_find(c, "returned %s: %s", conform_status_word(st), err.text);
    } else if (!(relative_difference(got, wanted, count) < 1e-4)) {
        conform_find(c, "differs from plain loops by %.3g of the largest value",
                     relative_difference(got, wanted, count));
    }
    guard_release_calls(c);
}

static void test_layers(struct conform *c)
{
    struct small_network n;
    if (!engine_runs_here(c, false) || !small_network_open(c, c->p->plugin, NULL, 0, &n))
        return;
    for (uint32_t k = 0; k < CONFORM_LAYERS; k++) {
        const bioft_layer *l = conform_layer(k);
        const size_t in = IMAGES * layer_in(l), out = IMAGES * layer_out(l);
        float *x = arena_array(c->arena, in, 4), *dy = arena_array(c->arena, out, 4);
        float *w = arena_array(c->arena, l->count, 4);
        float *y = arena_array(c->arena, out, 4), *dx = arena_array(c->arena, in, 4);
        float *dw = arena_array(c->arena, l->count, 4);
        random_floats(c, "conform/x", k, -1.0f, 1.0f, x, in);
        random_floats(c, "conform/dy", k, -1.0f, 1.0f, dy, out);
        random_floats(c, "conform/weights", k, -0.5f, 0.5f, w, l->count);
        layer_forward(l, IMAGES, w, x, y);
        layer_input_error(l, IMAGES, w, dy, dx);
        layer_weight_gradient(l, IMAGES, x, dy, dw);
        check_phase(c, n.engine->instance, l, 0, w, x, y, out);
        check_phase(c, n.engine->instance, l, 1, w, dy, dx, in);
        check_phase(c, n.engine->instance, l, 2, x, dy, dw, l->count);
    }
    small_network_close(&n);
}

static void test_network(struct conform *c)
{
    struct small_network n;
    if (!engine_runs_here(c, false))
        return;
    calling(c, "engine.h", "backward", "EXACT: true derivatives of the network as it ran forward",
            "forward and backward of a small network");
    if (small_network_open(c, c->p->plugin, NULL, 0, &n)) {
        small_network_check_gradient(c, &n);
        small_network_close(&n);
    }
}

/* What one training pass of a network gives: its outputs, the pixels' error and the first weight's gradient. */
struct numbers {
    float *out, *dx, *gradient;
    size_t out_count, dx_count, gradient_count;
};

static bool numbers_of(struct conform *c, struct small_network *n, struct numbers *ret)
{
    const bioft_graph *g = &n->made.graph->view;
    const bioft_use use = program_use(BIOFT_TRAIN, BIOFT_F32, IMAGES, NULL);
    struct program *p = NULL;
    struct error err;
    *ret = (struct numbers){ .out_count = (size_t)IMAGES * g->outputs,
                             .gradient_count = g->parameters[0].count,
                             .dx_count = (size_t)IMAGES * g->channels * g->height * g->width };
    float *x = arena_array(c->arena, ret->dx_count, sizeof *x), *d = arena_array(c->arena, ret->out_count, sizeof *d);
    ret->out = arena_array(c->arena, ret->out_count, sizeof(float));
    ret->dx = arena_array(c->arena, ret->dx_count, sizeof(float));
    ret->gradient = arena_array(c->arena, ret->gradient_count, sizeof(float));
    if (!x || !d || !ret->out || !ret->dx || !ret->gradient)
        return false;
    random_floats(c, "conform/pixels", 3, -1.0f, 1.0f, x, ret->dx_count);
    random_floats(c, "conform/d_out", 3, -1.0f, 1.0f, d, ret->out_count);
    const bool fine = program_create(n->made.model, &use, NULL, &p, &err) == BIOFT_OK &&
                      program_forward(p, IMAGES, x, 0, ret->out, &err) == BIOFT_OK &&
                      program_backward(p, d, 0, ret->dx, NULL, &err) == BIOFT_OK &&
                      model_read(n->made.model, BIOFT_GRADIENT, 0, ret->gradient, &err) == BIOFT_OK;
    if (!fine)
        conform_find(c, "%s", err.text);
    program_destroy(p);
    return fine;
}

static void calling_pass(struct conform *c)
{
    calling(c, "engine.h", "identity",
            "the bits of a result follow from the engine's identity, and from the threads "
            "where it says so",
            "forward and backward of a small network, %d images", IMAGES);
}

static void same_numbers(struct conform *c, const struct numbers *a, const struct numbers *b, const char *when)
{
    if (first_difference(a->out, b->out, a->out_count, 4) != SIZE_MAX)
        conform_find(c, "other outputs %s", when);
    else if (first_difference(a->dx, b->dx, a->dx_count, 4) != SIZE_MAX)
        conform_find(c, "another error of the pixels %s", when);
    else if (first_difference(a->gradient, b->gradient, a->gradient_count, 4) != SIZE_MAX)
        conform_find(c, "another gradient of the first weight %s", when);
}

static void test_again(struct conform *c)
{
    struct small_network n[2] = { 0 };
    struct numbers first, second, other;
    if (!engine_runs_here(c, false))
        return;
    calling_pass(c);
    if (small_network_open(c, c->p->plugin, NULL, 0, &n[0]) && small_network_open(c, c->p->plugin, NULL, 0, &n[1]) &&
        numbers_of(c, &n[0], &first) && numbers_of(c, &n[0], &second) && numbers_of(c, &n[1], &other)) {
        same_numbers(c, &first, &second, "when run again");
        if (c->findings == 0)
            same_numbers(c, &first, &other, "from another instance");
    }
    small_network_close(&n[0]);
    small_network_close(&n[1]);
}

static bool round_of(struct conform *c)
{
    struct small_network n = { 0 };
    struct numbers numbers;
    const bool fine = small_network_open(c, c->p->plugin, NULL, 0, &n) && numbers_of(c, &n, &numbers);
    small_network_close(&n);
    return fine;
}

static void test_leaks(struct conform *c)
{
    if (!engine_runs_here(c, false))
        return;
    calling_pass(c);
    check_leak(c, round_of);
}

const struct conform_test conform_engine[] = {
    { "score", "says whether it runs here, and why", test_score },
    { "layers", "convolutions and linear layers, forward and backward, against plain loops", test_layers },
    { "network", "a network's derivative by its input, against differences", test_network },
    { "again", "the same bits when run again, and from another instance", test_again },
    { "leaks", "models and programs made and used, it leaves nothing behind", test_leaks },
    { "operators", "every operator, V and the optimizers, beside the best other engine that is found", test_operators },
    { "more_operators", "the operators that an engine may lack: refused by name, or beside the other engine",
      test_more_operators },
    { 0 },
};
