/* Convolutions in bfloat16 beside the same engine's in float32: they differ by the rounding of what is multiplied, and
 * by no more. An engine or a CPU without bfloat16 says so. */
#include "compare.h"
#include "net.h"

#include "base/memory.h"
#include <stdlib.h>

static const struct shape {
    const char *name;
    uint32_t channels, size; /* what the layer sees, behind one of 1x1 if not 3 channels */
    struct op op;
    bool winograd; /* may be computed in float32: nothing is to be gained there */
} shapes[] = {
    { "5x5", 64, 13, { .op = BIOFT_OP_CONV2D, .out = 96, .kernel = { 5, 5 }, .padding = { 2, 2, 2, 2 } }, false },
    { "three channels",
      3,
      35,
      { .op = BIOFT_OP_CONV2D, .out = 64, .kernel = { 7, 7 }, .stride = { 2, 2 }, .padding = { 3, 3, 3, 3 } },
      false },
    { "3x3 of 13x13",
      64,
      13,
      { .op = BIOFT_OP_CONV2D, .out = 128, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 } },
      false },
    { "3x3 of 12x12",
      32,
      12,
      { .op = BIOFT_OP_CONV2D, .out = 64, .kernel = { 3, 3 }, .padding = { 1, 1, 1, 1 } },
      true },
    { "3x3 with a stride",
      64,
      14,
      { .op = BIOFT_OP_CONV2D, .out = 64, .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 1, 1, 1, 1 } },
      false },
    { "1x1 without bias", 64, 9, { .op = BIOFT_OP_CONV2D, .out = 128, .kernel = { 1, 1 }, .no_bias = true }, false },
};
enum { COLOURS = 3, N = 5, THREADS = 2, MOST = 6 };

/* What a training pass gives: y, dx, and each parameter's gradient. */
struct pass {
    float *arrays[MOST];
    size_t counts[MOST];
};

static void call(struct rig *r, bioft_status st)
{
    if (st != BIOFT_OK)
        fail_msg("%s", rig_error(r, st));
}

static void pass_free(struct pass *p)
{
    for (int i = 0; i < MOST; i++)
        free(p->arrays[i]);
}

/* false: not in this precision. */
static bool run(struct rig *r, uint32_t precision, const float *x, const float *dy, struct pass *ret)
{
    const bioft_use use = {
        .struct_size = sizeof use, .kind = BIOFT_TRAIN, .precision = precision, .max_batch = N, .threads = THREADS
    };
    const struct net *n = r->net;
    void *program = NULL;
    bioft_status st = r->api->program_create(r->self, r->model, &use, NULL, &program);

    *ret = (struct pass){ .counts = { N * (size_t)n->graph.outputs, N * node_count(&n->nodes[0]) } };
    if (precision == BIOFT_BF16 && st == BIOFT_ERR_UNSUPPORTED) {
        print_message("%s\n", rig_error(r, st));
        return false;
    }
    call(r, st);
    for (int i = 0; i < 2; i++)
        assert_non_null(ret->arrays[i] = mem_aligned(ret->counts[i], sizeof(float)));
    call(r, r->api->forward(r->self, program, N, x, 0, ret->arrays[0]));
    call(r, r->api->backward(r->self, program, dy, 0, ret->arrays[1], NULL));
    for (uint32_t i = 0; i < n->graph.parameter_count; i++) {
        ret->arrays[2 + i] = rig_read(r, BIOFT_GRADIENT, i);
        ret->counts[2 + i] = n->parameters[i].count;
    }
    r->api->program_destroy(r->self, program);
    return true;
}

static double difference(const float *a, const float *b, size_t count)
{
    double sum = 0, norm = 0;

    for (size_t i = 0; i < count; i++) {
        sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        norm += (double)b[i] * (double)b[i];
    }
    return sqrt(sum / norm);
}

/* Each factor is off by at most a 2^9th of itself, and their products' sum by about as much; twice for two layers. */
static void compare_passes(const struct shape *s, const struct net *n, const struct pass *half, const struct pass *full)
{
    const double most = ldexp(1, -7), least = ldexp(1, -12);

    for (uint32_t i = 0; i < 2 + n->graph.parameter_count; i++) {
        const char *name = i == 0 ? "y" : i == 1 ? "dx" : n->parameters[i - 2].name;
        const double d = difference(half->arrays[i], full->arrays[i], full->counts[i]);
        /* No product goes into a bias; there are no kernels for the error of three channels. */
        const bool exact = i >= 2 ? n->parameters[i - 2].kind == BIOFT_PARAM_BIAS : i == 1 && s->channels == COLOURS;
        if (!(d <= most))
            fail_msg("%s: %s differs by %.3g", s->name, name, d);
        if (!exact && !s->winograd && d < least)
            fail_msg("%s: %s differs by %.3g only: was it bfloat16?", s->name, name, d);
    }
}

static void within_rounding(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const struct shape *s = &shapes[i];
        const struct op widen = { .op = BIOFT_OP_CONV2D, .out = s->channels, .kernel = { 1, 1 } };
        const struct op two[] = { widen, s->op, { .op = 0 } }, *ops = s->channels == COLOURS ? two + 1 : two;
        struct pass full, half;
        struct net net;
        struct rig rig;
        float *x, *dy;
        bool known;

        net_make(&net, COLOURS, s->size, s->size, ops);
        rig_open(&rig, &net, THREADS);
        x = net_random(N * node_count(&net.nodes[0]), 1);
        dy = net_random(N * (size_t)net.graph.outputs, 2);
        known = run(&rig, BIOFT_BF16, x, dy, &half);
        if (known) {
            run(&rig, BIOFT_F32, x, dy, &full);
            compare_passes(s, &net, &half, &full);
            pass_free(&full);
        }
        pass_free(&half);
        free(x);
        free(dy);
        rig_close(&rig);
        net_free(&net);
        if (!known)
            skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(within_rounding) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
