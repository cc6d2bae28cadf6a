/* Layers that a rule routes: what it reads, what it writes instead of the engine, and what it cannot do to an exact
 * pass. */
#include "compare.h"
#include "net.h"

#include <stdlib.h>

/* Layer 1's input has two readers, so its dx is added to another. Layer 0 is followed by batchnorm and relu. */
static const struct op ops[] = {
    { .op = BIOFT_OP_CONV2D, .out = 3, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 } },
    { .op = BIOFT_OP_BATCHNORM },
    { .op = BIOFT_OP_RELU },
    { .op = BIOFT_OP_CONV2D, .out = 3, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 } },
    { .op = BIOFT_OP_RELU },
    { .op = BIOFT_OP_ADD, .in = 5, .in2 = 3 },
    { .op = BIOFT_OP_FLATTEN },
    { .op = BIOFT_OP_LINEAR, .out = 6 },
    { .op = BIOFT_OP_TANH },
    { .op = BIOFT_OP_LINEAR, .out = 4 },
    { 0 },
};
enum { N = 3, COUNT = 4 };

struct call { /* one call of the hook */
    uint32_t layer;
    bioft_local io;
};
struct trial {
    struct net net;
    struct rig rig;
    void *program;
    bioft_route routes[COUNT];
    float *x, *d_out, *out, *dx;
    struct call calls[16];
    uint32_t count;
    float *dy[COUNT], *inputs[COUNT], *h[COUNT], *y[COUNT]; /* copies of what was read */
    float *give_dy[COUNT], *give_dx[COUNT];                 /* what the hook writes; else noise */
    bool fails;
    uint32_t gradients[PARAMETERS], gradient_count;
};

static size_t in_floats(const struct trial *t, uint32_t l)
{
    const bioft_layer *d = &t->net.layers[l];
    return (size_t)N * d->in_channels * d->in_h * d->in_w;
}

static size_t out_floats(const struct trial *t, uint32_t l)
{
    const bioft_layer *d = &t->net.layers[l];
    return (size_t)N * d->out_channels * d->out_h * d->out_w;
}

static void keep(float **ret, const float *from, size_t count)
{
    free(*ret);
    *ret = NULL;
    if (!from)
        return;
    *ret = mem_array(count, sizeof **ret);
    memcpy(*ret, from, count * sizeof **ret);
}

static void noise(float *ret, const float *given, size_t count)
{
    for (size_t i = 0; ret && i < count; i++)
        ret[i] = given ? given[i] : 1e6f;
}

static uint32_t weight_of(const struct net *n, uint32_t layer)
{
    for (uint32_t i = 0; i < n->graph.parameter_count; i++)
        if (n->parameters[i].kind == BIOFT_PARAM_WEIGHT && n->parameters[i].layer == layer)
            return i;
    fail_msg("layer %u has no weight", layer);
    return 0;
}

static bioft_status local(void *ctx, uint32_t layer, const bioft_local *io)
{
    struct trial *t = ctx;
    const bioft_layer *l = &t->net.layers[layer];

    assert_true(t->count < 16);
    t->calls[t->count++] = (struct call){ layer, *io };
    assert_int_equal(io->n, N);
    assert_true(io->e == NULL && io->batch == NULL);
    keep(&t->inputs[layer], io->x, in_floats(t, layer));
    keep(&t->y[layer], io->y, out_floats(t, layer));
    keep(&t->h[layer], io->h, out_floats(t, layer));
    if (t->routes[layer].reads & BIOFT_DY)
        keep(&t->dy[layer], io->dy, out_floats(t, layer));
    if (t->routes[layer].writes & BIOFT_DY)
        noise(io->dy, t->give_dy[layer], out_floats(t, layer));
    noise(io->dx, t->give_dx[layer], in_floats(t, layer));
    if (io->w)
        assert_memory_equal(io->w, t->net.values[weight_of(&t->net, layer)], l->count * sizeof(float));
    for (size_t i = 0; io->dw && i < l->count; i++) {
        assert_true(io->dw[i] == 0);
        io->dw[i] = (float)(i + 1);
    }
    for (size_t i = 0; io->db && i < l->out_channels; i++) {
        assert_true(io->db[i] == 0);
        io->db[i] = -(float)(i + 1);
    }
    return t->fails ? BIOFT_ERR_IO : BIOFT_OK;
}

static bioft_status gradient(void *ctx, uint32_t parameter, float *g, size_t count)
{
    struct trial *t = ctx;

    assert_int_equal(count, t->net.parameters[parameter].count);
    assert_non_null(g);
    t->gradients[t->gradient_count++] = parameter;
    return BIOFT_OK;
}

static void begin(struct trial *t, uint32_t kind, const bioft_route routes[COUNT])
{
    *t = (struct trial){ .count = 0 };
    net_make(&t->net, 2, 4, 4, ops);
    assert_int_equal(t->net.graph.layer_count, COUNT);
    rig_open(&t->rig, &t->net, 2);
    memcpy(t->routes, routes, sizeof t->routes);
    t->program = rig_program(&t->rig, kind, 0, N + 1, t->routes);
    t->x = net_random(N * node_count(&t->net.nodes[0]), 1);
    t->d_out = net_random(N * t->net.graph.outputs, 2);
    t->out = net_random(N * t->net.graph.outputs, 3);
    t->dx = net_random(N * node_count(&t->net.nodes[0]), 4);
    assert_int_equal(t->rig.api->forward(t->rig.self, t->program, N, t->x, 0, t->out), 0);
}

static void end(struct trial *t)
{
    for (int l = 0; l < COUNT; l++) {
        free(t->dy[l]);
        free(t->inputs[l]);
        free(t->h[l]);
        free(t->y[l]);
        free(t->give_dy[l]);
        free(t->give_dx[l]);
    }
    t->rig.api->program_destroy(t->rig.self, t->program);
    rig_close(&t->rig);
    net_free(&t->net);
    free(t->x);
    free(t->d_out);
    free(t->out);
    free(t->dx);
}

static bioft_status back(struct trial *t, uint32_t flags, bool input)
{
    const bioft_hooks hooks = { .struct_size = sizeof hooks, .ctx = t, .local = local, .gradient = gradient };

    t->count = t->gradient_count = 0;
    return t->rig.api->backward(t->rig.self, t->program, t->d_out, flags, input ? t->dx : NULL, &hooks);
}

/* dW of an unrouted layer is the engine's own; the same from a trial without routes. */
static void compare_gradient(struct trial *a, struct trial *b, uint32_t parameter, bool same)
{
    float *x = rig_read(&a->rig, BIOFT_GRADIENT, parameter), *y = rig_read(&b->rig, BIOFT_GRADIENT, parameter);
    const size_t count = a->net.parameters[parameter].count;

    if (same)
        assert_bits(a->net.parameters[parameter].name, x, y, count);
    else
        assert_true(memcmp(x, y, count * sizeof *x) != 0);
    free(x);
    free(y);
}

static const bioft_route none[COUNT] = { { 0 } };

/* Everything is read: nothing changes, calls come from the last layer to the first, h is y after its activation. */
static void reading(void **state)
{
    const uint32_t all = BIOFT_X | BIOFT_Y | BIOFT_H | BIOFT_DY | BIOFT_E | BIOFT_W;
    const bioft_route routes[COUNT] = { { .reads = all }, { .reads = all }, { .reads = all }, { .reads = all } };
    struct trial t, plain;

    (void)state;
    begin(&plain, BIOFT_TRAIN, none);
    begin(&t, BIOFT_TRAIN, routes);
    assert_int_equal(back(&plain, 0, true), 0);
    assert_int_equal(plain.count, 0);
    assert_int_equal(back(&t, 0, true), 0);
    assert_int_equal(t.count, COUNT);
    assert_bits("dx", t.dx, plain.dx, N * node_count(&t.net.nodes[0]));
    for (uint32_t i = 0; i < t.net.graph.parameter_count; i++)
        if (t.net.parameters[i].kind != BIOFT_PARAM_RUNNING)
            compare_gradient(&t, &plain, i, true);
    for (uint32_t k = 0; k < COUNT; k++) {
        const struct call *c = &t.calls[k];
        const uint32_t l = COUNT - 1 - k;
        assert_int_equal(c->layer, l);
        assert_true(c->io.w && c->io.b && c->io.x && c->io.y && c->io.h && c->io.dy);
        assert_true(!c->io.dx && !c->io.dw && !c->io.db);
    }
    assert_bits("x of the first layer", t.inputs[0], t.x, in_floats(&t, 0));
    assert_bits("y of the last layer", t.y[3], t.out, out_floats(&t, 3));
    assert_bits("h of the last layer", t.h[3], t.out, out_floats(&t, 3));
    assert_bits("dy of the last layer", t.dy[3], t.d_out, out_floats(&t, 3));
    for (size_t i = 0; i < out_floats(&t, 1); i++)
        assert_true(t.h[1][i] == (t.y[1][i] < 0 ? 0 : t.y[1][i]));
    for (size_t i = 0; i < out_floats(&t, 2); i++)
        assert_true(fabs((double)t.h[2][i] - tanh((double)t.y[2][i])) < 3e-7);
    assert_bits("h of layer 2 is x of layer 3", t.h[2], t.inputs[3], out_floats(&t, 2));
    assert_bits("h of layer 0, across batchnorm, is x of layer 1", t.h[0], t.inputs[1], out_floats(&t, 0));
    end(&t);
    end(&plain);
}

/* Its dy is what everything below goes on from: given what backprop had, the result is backprop's, bit for bit. */
static void writing_dy(void **state)
{
    const bioft_route read[COUNT] = { { 0 }, { .reads = BIOFT_DY }, { 0 }, { 0 } };
    const bioft_route write[COUNT] = { { 0 }, { .writes = BIOFT_DY }, { 0 }, { 0 } };
    struct trial a, b;

    (void)state;
    begin(&a, BIOFT_TRAIN, read);
    begin(&b, BIOFT_TRAIN, write);
    assert_int_equal(back(&a, 0, true), 0);
    keep(&b.give_dy[1], a.dy[1], out_floats(&a, 1));
    assert_int_equal(back(&b, 0, true), 0);
    assert_bits("dx", b.dx, a.dx, N * node_count(&a.net.nodes[0]));
    for (uint32_t i = 0; i < a.net.graph.parameter_count; i++)
        if (a.net.parameters[i].kind != BIOFT_PARAM_RUNNING)
            compare_gradient(&b, &a, i, true);
    for (size_t i = 0; i < out_floats(&b, 1); i++)
        b.give_dy[1][i] *= 2;
    assert_int_equal(back(&b, 0, true), 0);
    compare_gradient(&b, &a, weight_of(&a.net, 0), false);
    compare_gradient(&b, &a, weight_of(&a.net, 3), true);
    {
        float *twice = rig_read(&b.rig, BIOFT_GRADIENT, weight_of(&b.net, 1));
        float *once = rig_read(&a.rig, BIOFT_GRADIENT, weight_of(&a.net, 1));
        for (size_t i = 0; i < a.net.layers[1].count; i++)
            assert_true(twice[i] == 2 * once[i]);
        free(twice);
        free(once);
    }
    end(&a);
    end(&b);
}

/* Every layer's dy is the rule's (direct feedback alignment): with backprop's own, backprop's gradients. */
static void writing_dy_everywhere(void **state)
{
    bioft_route read[COUNT], write[COUNT];
    struct trial a, b;

    (void)state;
    for (int l = 0; l < COUNT; l++) {
        read[l] = (bioft_route){ .reads = BIOFT_DY };
        write[l] = (bioft_route){ .writes = BIOFT_DY, .reads = BIOFT_H | BIOFT_E };
    }
    begin(&a, BIOFT_TRAIN, read);
    begin(&b, BIOFT_TRAIN, write);
    assert_int_equal(back(&a, 0, true), 0);
    for (uint32_t l = 0; l < COUNT; l++)
        keep(&b.give_dy[l], a.dy[l], out_floats(&a, l));
    assert_int_equal(back(&b, 0, true), 0);
    assert_int_equal(b.count, COUNT);
    assert_bits("dx", b.dx, a.dx, N * node_count(&a.net.nodes[0]));
    for (uint32_t l = 0; l < COUNT; l++)
        compare_gradient(&b, &a, weight_of(&a.net, l), true);
    end(&a);
    end(&b);
}

/* dx of a layer whose input has another reader is added to that reader's: what goes on is linear in it. */
static void writing_dx(void **state)
{
    const bioft_route read[COUNT] = { { .reads = BIOFT_DY }, { 0 }, { 0 }, { 0 } };
    const bioft_route write[COUNT] = { { .reads = BIOFT_DY, .writes = BIOFT_DX }, { .writes = BIOFT_DX } };
    struct trial a, b;
    float *dy[3] = { NULL };
    bool moved = false;

    (void)state;
    begin(&a, BIOFT_TRAIN, read);
    begin(&b, BIOFT_TRAIN, write);
    assert_int_equal(back(&a, 0, true), 0);
    b.give_dx[1] = mem_array(in_floats(&b, 1), sizeof(float));
    assert_int_equal(back(&b, 0, true), 0);
    assert_true(b.dx[0] == 1e6f && b.dx[N * node_count(&b.net.nodes[0]) - 1] == 1e6f);
    keep(&dy[0], b.dy[0], out_floats(&b, 0));
    for (int k = 1; k < 3; k++) {
        for (size_t i = 0; i < in_floats(&b, 1); i++)
            b.give_dx[1][i] = (float)(k * (int)(i % 5 + 1));
        assert_int_equal(back(&b, 0, true), 0);
        keep(&dy[k], b.dy[0], out_floats(&b, 0));
    }
    for (size_t i = 0; i < out_floats(&b, 0); i++) {
        moved = moved || dy[1][i] != dy[0][i];
        assert_true(fabsf(dy[2][i] - 2 * dy[1][i] + dy[0][i]) < 1e-4f * (1 + fabsf(dy[1][i])));
    }
    assert_true(moved);
    for (int k = 0; k < 3; k++)
        free(dy[k]);
    compare_gradient(&b, &a, weight_of(&a.net, 1), true);
    assert_int_equal(back(&b, 0, false), 0);
    assert_true(b.calls[1].layer == 0 && b.calls[1].io.dx == NULL);
    assert_true(b.calls[0].layer == 1 && b.calls[0].io.dx != NULL);
    end(&a);
    end(&b);
}

static void check_written(struct trial *t, uint32_t layer, float times)
{
    float *dw = rig_read(&t->rig, BIOFT_GRADIENT, weight_of(&t->net, layer));
    float *db = rig_read(&t->rig, BIOFT_GRADIENT, weight_of(&t->net, layer) + 1);

    for (size_t i = 0; i < t->net.layers[layer].count; i++)
        assert_true(dw[i] == times * (float)(i + 1));
    for (size_t i = 0; i < t->net.layers[layer].out_channels; i++)
        assert_true(db[i] == -times * (float)(i + 1));
    free(dw);
    free(db);
}

/* dW and db are the rule's, added where gradients accumulate, asked for only where parameters are. */
static void writing_dw(void **state)
{
    const bioft_route write[COUNT] = { { .writes = BIOFT_DW }, { 0 }, { .writes = BIOFT_DW }, { 0 } };
    struct trial a, b;

    (void)state;
    begin(&a, BIOFT_TRAIN, none);
    begin(&b, BIOFT_TRAIN, write);
    assert_int_equal(back(&a, 0, true), 0);
    assert_int_equal(back(&b, 0, true), 0);
    check_written(&b, 0, 1);
    check_written(&b, 2, 1);
    compare_gradient(&b, &a, weight_of(&a.net, 1), true);
    assert_bits("dx", b.dx, a.dx, N * node_count(&a.net.nodes[0]));
    assert_int_equal(back(&b, BIOFT_ACCUMULATE, false), 0);
    check_written(&b, 0, 2);
    check_written(&b, 2, 2);
    assert_int_equal(back(&b, BIOFT_NO_PARAMETERS, true), 0);
    assert_true(!b.calls[0].io.dw && !b.calls[0].io.db);
    check_written(&b, 2, 2);
    end(&a);
    end(&b);
}

/* An exact pass calls the hook and uses nothing of what it writes. */
static void exact(void **state)
{
    const uint32_t writes = BIOFT_DY | BIOFT_DX | BIOFT_DW;
    bioft_route write[COUNT];
    struct trial a, b;

    (void)state;
    for (int l = 0; l < COUNT; l++)
        write[l] = (bioft_route){ .reads = BIOFT_DY | BIOFT_H, .writes = writes };
    begin(&a, BIOFT_TRAIN, none);
    begin(&b, BIOFT_TRAIN, write);
    assert_int_equal(back(&a, 0, true), 0);
    for (int twice = 0; twice < 2; twice++) {
        assert_int_equal(back(&b, BIOFT_EXACT, true), 0);
        assert_int_equal(b.count, COUNT);
        assert_bits("dx", b.dx, a.dx, N * node_count(&a.net.nodes[0]));
        for (uint32_t i = 0; i < a.net.graph.parameter_count; i++)
            if (a.net.parameters[i].kind != BIOFT_PARAM_RUNNING)
                compare_gradient(&b, &a, i, true);
        assert_bits("dy", b.dy[3], b.d_out, out_floats(&b, 3));
    }
    assert_int_equal(back(&b, 0, true), 0);
    check_written(&b, 1, 1);
    end(&a);
    end(&b);
}

/* In an attack: dy and dx as in training, no dw. */
static void attack(void **state)
{
    const bioft_route read[COUNT] = { { .reads = BIOFT_DY | BIOFT_X }, { 0 }, { 0 }, { 0 } };
    const bioft_route write[COUNT] = { { .writes = BIOFT_DY | BIOFT_DW, .reads = BIOFT_X }, { 0 }, { 0 }, { 0 } };
    struct trial a, b;

    (void)state;
    begin(&a, BIOFT_ATTACK, read);
    begin(&b, BIOFT_ATTACK, write);
    assert_int_equal(back(&a, 0, true), 0);
    keep(&b.give_dy[0], a.dy[0], out_floats(&a, 0));
    assert_int_equal(back(&b, 0, true), 0);
    assert_int_equal(b.count, 1);
    assert_true(!b.calls[0].io.dw && !b.calls[0].io.db);
    assert_bits("x", b.inputs[0], b.x, in_floats(&b, 0));
    assert_bits("dx", b.dx, a.dx, N * node_count(&a.net.nodes[0]));
    assert_int_equal(b.gradient_count, 0);
    end(&a);
    end(&b);
}

/* Each trained parameter's gradient is announced once, from the last layer to the first. */
static void announcing(void **state)
{
    static const uint32_t order[] = { 10, 11, 8, 9, 6, 7, 2, 3, 0, 1 };
    struct trial t;

    (void)state;
    begin(&t, BIOFT_TRAIN, none);
    assert_int_equal(back(&t, 0, false), 0);
    assert_int_equal(t.gradient_count, 10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(t.gradients[i], order[i]);
    assert_int_equal(back(&t, BIOFT_NO_PARAMETERS, true), 0);
    assert_int_equal(t.gradient_count, 0);
    end(&t);
}

static void refusals(void **state)
{
    const bioft_route write[COUNT] = { { 0 }, { .writes = BIOFT_DX }, { 0 }, { 0 } };
    const bioft_use use = { .struct_size = sizeof use, .kind = BIOFT_TRAIN, .precision = BIOFT_F32, .max_batch = 2 };
    bioft_route bad[COUNT] = { { .writes = BIOFT_X }, { 0 }, { 0 }, { 0 } };
    struct trial t;
    void *p = NULL;

    (void)state;
    begin(&t, BIOFT_TRAIN, write);
    t.fails = true;
    assert_int_equal(back(&t, 0, false), BIOFT_ERR_IO);
    assert_non_null(strstr(rig_error(&t.rig, BIOFT_ERR_IO), "conv4"));
    assert_int_equal(t.rig.api->backward(t.rig.self, t.program, t.d_out, 0, NULL, NULL), BIOFT_ERR_INVALID);
    assert_int_equal(t.rig.api->backward(t.rig.self, t.program, t.d_out, BIOFT_EXACT, NULL, NULL), 0);
    assert_int_equal(t.rig.api->program_create(t.rig.self, t.rig.model, &use, bad, &p), BIOFT_ERR_UNSUPPORTED);
    bad[0] = (bioft_route){ .reads = BIOFT_DW };
    assert_int_equal(t.rig.api->program_create(t.rig.self, t.rig.model, &use, bad, &p), BIOFT_ERR_UNSUPPORTED);
    assert_null(p);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading),    cmocka_unit_test(writing_dy), cmocka_unit_test(writing_dy_everywhere),
        cmocka_unit_test(writing_dx), cmocka_unit_test(writing_dw), cmocka_unit_test(exact),
        cmocka_unit_test(attack),     cmocka_unit_test(announcing), cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
