/* Tests for engines: a layer alone against plain loops, a network's derivatives, the same bits again. */
#include "conform/engine.h"

#include "conform/layers.h"
#include "conform/network.h"
#include <string.h>

enum { IMAGES = 3 };

static const bioft_engine *engine_of(const struct conform *c)
{
    return &c->p->plugin->api.engine;
}

bool engine_runs_here(struct conform *c, bool told)
{
    char why[256] = "";
    calling(c, "engine.h", "score", "how well it runs on this machine: 0 not at all; `why` is always filled", "score()");
    const int32_t score = engine_of(c)->score(why, sizeof why);
    if (told && (!why[0] || !memchr(why, 0, sizeof why)))
        find(c, "returned %d and no reason", score);
    why[sizeof why - 1] = '\0';
    if (score <= 0)
        skip(c, "it does not run here: %s", why);
    return score > 0;
}

static void test_score(struct conform *c)
{
    engine_runs_here(c, true);
}

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
        find(c, "returned %s: %s", conform_status_word(st), err.text);
    } else if (!(relative_difference(got, wanted, count) < 1e-4)) {
        find(c, "differs from plain loops by %.3g of the largest value", relative_difference(got, wanted, count));
    }
    guard_release_calls(c);
}

static void test_layers(struct conform *c)
{
    struct network n;
    if (!engine_runs_here(c, false) || !network_open(c, c->p->plugin, NULL, 0, &n))
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
    network_close(&n);
}

static void test_network(struct conform *c)
{
    struct network n;
    if (!engine_runs_here(c, false))
        return;
    calling(c, "engine.h", "backward", "EXACT: true derivatives of the network as it ran forward",
            "forward and backward of a small network");
    if (network_open(c, c->p->plugin, NULL, 0, &n)) {
        network_check_gradient(c, &n);
        network_close(&n);
    }
}

const struct conform_test conform_engine[] = {
    { "score", "says whether it runs here, and why", test_score },
    { "layers", "convolutions and linear layers, forward and backward, against plain loops", test_layers },
    { "network", "a network's derivative by its input, against differences", test_network },
    { "operators", "every operator, V and the optimizers, beside the best other engine that is found", test_operators },
    { 0 },
};
