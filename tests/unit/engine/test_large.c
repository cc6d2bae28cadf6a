/* Layers large enough to be cut into blocks, against plain double-precision sums, as nodes and alone. */
#include "compare.h"
#include "reference.h"

#include <stdlib.h>

struct shape {
    const char *name;
    uint32_t channels, height, width;
    struct op op;
};

static const struct shape shapes[] = {
    { "blocks of rows",
      3,
      61,
      67,
      { .op = BIOFT_OP_CONV2D, .out = 16, .kernel = { 5, 5 }, .padding = { 2, 2, 2, 2 } } },
    { "blocks of channels",
      150,
      14,
      13,
      { .op = BIOFT_OP_CONV2D, .out = 20, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 } } },
    { "blocks of both, with a stride",
      140,
      40,
      21,
      { .op = BIOFT_OP_CONV2D, .out = 8, .kernel = { 3, 3 }, .stride = { 1, 2 }, .padding = { 1, 0, 2, 1 } } },
    { "groups",
      96,
      17,
      17,
      { .op = BIOFT_OP_CONV2D, .out = 32, .kernel = { 5, 5 }, .groups = 2, .padding = { 2, 2, 2, 2 } } },
    { "1x1", 200, 30, 30, { .op = BIOFT_OP_CONV2D, .out = 60, .kernel = { 1, 1 } } },
    { "a wide row", 60, 2, 2400, { .op = BIOFT_OP_CONV2D, .out = 4, .kernel = { 2, 3 } } },
    { "linear", 700, 1, 1, { .op = BIOFT_OP_LINEAR, .out = 260 } },
    { "linear to one", 70000, 1, 1, { .op = BIOFT_OP_LINEAR, .out = 1 } },
};
enum { N = 2, PROBES = 40 };

static void call(struct rig *r, bioft_status st)
{
    if (st != BIOFT_OK)
        fail_msg("%s", rig_error(r, st));
}

/* One value of y, by its definition; in double, with the sum of its terms' sizes. */
static double y_at(const struct net *n, const float *w, const float *x, uint32_t image, uint32_t o, uint32_t oy,
                   uint32_t ox)
{
    const bioft_node *d = &n->nodes[1], *in = &n->nodes[0];
    const uint32_t ci = in->channels / d->groups, co = d->channels / d->groups;
    double sum = 0;

    x += image * node_count(in);
    if (d->op == BIOFT_OP_LINEAR) {
        for (uint32_t i = 0; i < in->channels; i++)
            sum += (double)w[(size_t)o * in->channels + i] * (double)x[i];
        return sum;
    }
    for (uint32_t c = 0; c < ci; c++)
        for (uint32_t ky = 0; ky < d->kernel[0]; ky++)
            for (uint32_t kx = 0; kx < d->kernel[1]; kx++) {
                int64_t iy = (int64_t)oy * d->stride[0] - d->padding[0] + ky;
                int64_t ix = (int64_t)ox * d->stride[1] - d->padding[1] + kx;
                if (iy >= 0 && ix >= 0 && iy < in->height && ix < in->width)
                    sum += (double)w[((o * ci + c) * d->kernel[0] + ky) * d->kernel[1] + kx] *
                           (double)x[((o / co * ci + c) * in->height + (size_t)iy) * in->width + (size_t)ix];
            }
    return sum;
}

/* <dy, y> for a dw or dx that is one only at `at`: the derivative by that value. */
static double derivative(const struct net *n, const float *w, const float *x, const float *dy)
{
    const bioft_node *d = &n->nodes[1];
    double sum = 0;

    for (uint32_t i = 0; i < N; i++)
        for (uint32_t o = 0; o < d->channels; o++)
            for (uint32_t oy = 0; oy < d->height; oy++)
                for (uint32_t ox = 0; ox < d->width; ox++)
                    sum += (double)*dy++ * y_at(n, w, x, i, o, oy, ox);
    return sum;
}

static size_t probe(uint32_t k, size_t count) { return (size_t)(2654435761u * (uint64_t)(k + 1) % count); }

static void check_forward(const struct net *n, const float *w, const float *x, const float *y, double bias)
{
    const bioft_node *d = &n->nodes[1];
    const size_t plane = (size_t)d->height * d->width, each = node_count(d);

    for (uint32_t k = 0; k < PROBES; k++) {
        size_t at = k == 0 ? N * each - 1 : probe(k, N * each), in = at % each;
        double want = y_at(n, w, x, (uint32_t)(at / each), (uint32_t)(in / plane), (uint32_t)(in % plane / d->width),
                           (uint32_t)(in % d->width)) +
                      bias * (double)n->values[1][in / plane];
        assert_near("y", &y[at], &want, 1, 1e-5, 1);
    }
}

/* Of the derivatives only the terms that a value reaches are computed: dx and dw are zero but for it. */
static void check_backward(const struct net *n, const float *w, const float *x, const float *dy, const float *dx,
                           const float *dw)
{
    const size_t inputs = N * node_count(&n->nodes[0]), weights = n->layers[0].count;
    float *one = mem_array(inputs > weights ? inputs : weights, sizeof *one);

    assert_non_null(one);
    for (uint32_t k = 0; k < 3; k++) {
        size_t at = k == 0 ? inputs - 1 : probe(k, inputs);
        double want;
        one[at] = 1;
        want = derivative(n, w, one, dy);
        one[at] = 0;
        assert_near("dx", &dx[at], &want, 1, 1e-5, 1);
        at = k == 0 ? weights - 1 : probe(k, weights);
        one[at] = 1;
        want = derivative(n, one, x, dy);
        one[at] = 0;
        assert_near("dw", &dw[at], &want, 1, 1e-5, 10);
    }
    free(one);
}

static void check(const struct shape *s)
{
    struct op ops[2] = { s->op, { 0 } };
    struct net net;
    struct rig rig;
    float *x, *dy, *y, *dx, *dw, *db;
    void *p;
    size_t outputs;

    net_make(&net, s->channels, s->height, s->width, ops);
    rig_open(&rig, &net, 2);
    outputs = N * net.graph.outputs;
    p = rig_program(&rig, BIOFT_TRAIN, 0, N, NULL);
    x = net_random(N * node_count(&net.nodes[0]), 1);
    dy = net_random(outputs, 2);
    y = net_random(outputs, 3);
    dx = net_random(N * node_count(&net.nodes[0]), 3);
    call(&rig, rig.api->forward(rig.self, p, N, x, 0, y));
    call(&rig, rig.api->backward(rig.self, p, dy, 0, dx, NULL));
    dw = rig_read(&rig, BIOFT_GRADIENT, 0);
    db = rig_read(&rig, BIOFT_GRADIENT, 1);
    check_forward(&net, net.values[0], x, y, 1);
    check_backward(&net, net.values[0], x, dy, dx, dw);
    for (uint32_t o = 0; o < net.nodes[1].channels; o++) {
        const size_t plane = (size_t)net.nodes[1].height * net.nodes[1].width;
        double want = 0;
        for (uint32_t i = 0; i < N; i++)
            for (size_t k = 0; k < plane; k++)
                want += (double)dy[(i * (size_t)net.nodes[1].channels + o) * plane + k];
        assert_near("db", &db[o], &want, 1, 1e-5, 10);
    }
    call(&rig, rig.api->layer(rig.self, &net.layers[0], 0, N, net.values[0], x, y));
    check_forward(&net, net.values[0], x, y, 0);
    call(&rig, rig.api->layer(rig.self, &net.layers[0], 1, N, net.values[0], dy, dx));
    call(&rig, rig.api->layer(rig.self, &net.layers[0], 2, N, x, dy, dw));
    check_backward(&net, net.values[0], x, dy, dx, dw);
    rig.api->program_destroy(rig.self, p);
    rig_close(&rig);
    net_free(&net);
    free(x);
    free(dy);
    free(y);
    free(dx);
    free(dw);
    free(db);
}

static void blocks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check(&shapes[i]);
}

/* Values near the switch between the two formulas of tanh, far out, and the odd ones. */
static void tanh_of_everything(void **state)
{
    static const struct op ops[] = { { .op = BIOFT_OP_TANH, .in = -1 }, { 0 } };
    enum { COUNT = 40000 };
    struct net net;
    struct rig rig;
    float *x = net_random(COUNT, 1), *y = net_random(COUNT, 2);
    void *p;

    (void)state;
    for (int i = 0; i < COUNT; i++)
        x[i] = i < COUNT / 2 ? (float)(i - COUNT / 4) * 1.3e-3f : x[i] * powf(10, (float)(i % 9) - 7);
    x[0] = INFINITY;
    x[1] = -INFINITY;
    x[2] = NAN;
    x[3] = 0;
    net_make(&net, COUNT, 1, 1, ops);
    rig_open(&rig, &net, 1);
    p = rig_program(&rig, BIOFT_EVAL, 0, 1, NULL);
    call(&rig, rig.api->forward(rig.self, p, 1, x, 0, y));
    for (int i = 0; i < COUNT; i++) {
        double want = tanh((double)x[i]);
        if (i == 2)
            assert_true(isnan(y[i]));
        else if (!(fabs((double)y[i] - want) <= 3e-7 * fabs(want)))
            fail_msg("tanh(%.9g) is %.9g, not %.9g", (double)x[i], (double)y[i], want);
    }
    rig.api->program_destroy(rig.self, p);
    rig_close(&rig);
    net_free(&net);
    free(x);
    free(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(blocks), cmocka_unit_test(tanh_of_everything) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
