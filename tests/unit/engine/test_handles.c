/* Of an engine that counts the tensors that it holds (the extension "torch.handles/1"): 200 steps, passes that are
 * refused, and programs that end leave as many as there were. */
#include "compare.h"
#include "net.h"

#include <stdlib.h>

static const struct op ops[] = {
    { .op = BIOFT_OP_CONV2D, .out = 6, .kernel = { 3, 3 }, .padding = { 1, 0, 2, 1 } },
    { .op = BIOFT_OP_BATCHNORM },
    { .op = BIOFT_OP_RELU },
    { .op = BIOFT_OP_MAXPOOL, .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 1, 0, 0, 1 } },
    { .op = BIOFT_OP_CONV2D, .out = 6, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 }, .groups = 2 },
    { .op = BIOFT_OP_ADD, .in = 4, .in2 = 5 },
    { .op = BIOFT_OP_TANH },
    { .op = BIOFT_OP_AVGPOOL, .kernel = { 2, 2 }, .padding = { 1, 0, 0, 1 } },
    { .op = BIOFT_OP_DROPOUT, .dropout = 0.5f },
    { .op = BIOFT_OP_GELU },
    { .op = BIOFT_OP_LAYERNORM },
    { .op = BIOFT_OP_CONCAT, .in = 11, .in2 = 9 },
    { .op = BIOFT_OP_SLICE, .axis = 0, .from = 2, .out = 6 },
    { .op = BIOFT_OP_MULTIPLY, .in = 13, .in2 = 9 },
    { .op = BIOFT_OP_MATMUL, .in = 14, .in2 = 13, .groups = 2, .scale = 0.5f },
    { .op = BIOFT_OP_SOFTMAX },
    { .op = BIOFT_OP_MATMUL, .in = 16, .in2 = 14, .product = 1, .scale = 1 },
    { .op = BIOFT_OP_TOKENS, .class_token = true },
    { .op = BIOFT_OP_SCALE },
    { .op = BIOFT_OP_CLIP, .low = -1, .high = 1 },
    { .op = BIOFT_OP_FLATTEN },
    { .op = BIOFT_OP_LINEAR, .out = 5 },
    { 0 },
};
enum { N = 4, OUTPUTS = 5, SIDE = 12, STEPS = 200 };

static bioft_status local(void *ctx, uint32_t layer, const bioft_local *io)
{
    (void)ctx, (void)layer, (void)io;
    return BIOFT_OK;
}

static bioft_status updated(void *ctx, uint32_t layer, float *w, const float *dw, int32_t *ret_changed)
{
    (void)ctx, (void)layer, (void)w, (void)dw;
    *ret_changed = 1;
    return BIOFT_OK;
}

static bioft_status gradient(void *ctx, uint32_t parameter, float *g, size_t count)
{
    (void)ctx, (void)parameter, (void)g, (void)count;
    return BIOFT_OK;
}

static void call(struct rig *r, bioft_status st)
{
    if (st != BIOFT_OK)
        fail_msg("%s", rig_error(r, st));
}

struct arrays {
    float *x, *d_out, *out, *dx;
};

/* One step with every kind of pass and hook, V drawn anew. */
static void step(struct rig *r, void *train, void *attack, const struct arrays *a, uint64_t t)
{
    static const uint32_t flags[] = { 0, BIOFT_EXACT, BIOFT_ACCUMULATE, BIOFT_NO_PARAMETERS };
    const bioft_feedback v = { .struct_size = sizeof v,
                               .g = BIOFT_G_SIGN,
                               .m = BIOFT_M_ABS_NORMAL,
                               .high = 1,
                               .redraw = BIOFT_REDRAW_EACH_UPDATE,
                               .scale = BIOFT_SCALE_MATCH_NORM };
    const bioft_hooks hooks = { .struct_size = sizeof hooks, .local = local, .updated = updated, .gradient = gradient };
    double lr[PARAMETERS];
    uint32_t first;

    for (int i = 0; i < PARAMETERS; i++)
        lr[i] = i % 2 ? 1e-3 : 1e-4;
    call(r, r->api->set_feedback(r->self, r->model, 0, &v, t));
    call(r, r->api->forward(r->self, train, N, a->x, t, a->out));
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        call(r, r->api->backward(r->self, train, a->d_out, flags[i], a->dx, &hooks));
    call(r, r->api->update(r->self, r->model,
                           &(bioft_update){ .struct_size = sizeof(bioft_update),
                                            .kind = t % 2 ? BIOFT_ADAM : BIOFT_SGD,
                                            .t = t,
                                            .lr = lr,
                                            .beta1 = 0.9,
                                            .beta2 = 0.999,
                                            .eps = 1e-8,
                                            .momentum = 0.9,
                                            .gradient_scale = 0.5 },
                           &hooks, &first));
    assert_int_equal(first, BIOFT_NONE);
    call(r, r->api->forward(r->self, attack, N, a->x, 0, a->out));
    call(r, r->api->backward(r->self, attack, a->d_out, 0, a->dx, &hooks));
}

static void steps_leave_nothing(void **state)
{
    const bioft_route routes[LAYERS] = { { 0 }, { .reads = BIOFT_X | BIOFT_DY, .writes = BIOFT_DW | BIOFT_DY } };
    struct net net;
    struct rig r;
    const size_t *live;
    size_t before, model;
    void *train, *attack;

    (void)state;
    rig_open(&r, NULL, 2);
    live = r.plugins[0]->descriptor.extension(r.self, "torch.handles/1");
    assert_non_null(live);
    before = *live;
    assert_true(before > 0);
    rig_close(&r);

    net_make(&net, 2, SIDE, SIDE, ops);
    rig_open(&r, &net, 2);
    live = r.plugins[0]->descriptor.extension(r.self, "torch.handles/1");
    model = *live;
    assert_true(model > before);
    struct arrays a = { net_random(N * node_count(&net.nodes[0]), 1), net_random(N * OUTPUTS, 2),
                        net_random(N * OUTPUTS, 3), net_random(N * node_count(&net.nodes[0]), 4) };
    train = rig_program(&r, BIOFT_TRAIN, 0, N, routes);
    attack = rig_program(&r, BIOFT_ATTACK, 0, N, NULL);
    for (uint64_t t = 1; t <= 2; t++)
        step(&r, train, attack, &a, t);
    const size_t settled = *live;
    for (uint64_t t = 3; t <= STEPS; t++)
        step(&r, train, attack, &a, t);
    assert_int_equal(*live, settled);
    assert_int_equal(r.api->backward(r.self, train, a.d_out, 64, a.dx, NULL), BIOFT_ERR_UNSUPPORTED);
    assert_int_equal(*live, settled);
    r.api->program_destroy(r.self, train);
    r.api->program_destroy(r.self, attack);
    r.api->model_destroy(r.self, r.model);
    r.model = NULL;
    assert_int_equal(*live, before);
    rig_close(&r);
    net_free(&net);
    free(a.x);
    free(a.d_out);
    free(a.out);
    free(a.dx);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(steps_leave_nothing) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
