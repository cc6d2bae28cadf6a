/* Two engines on whole networks: the same outputs, gradients, updates and statistics to 1e-4, for several rules; in
 * bfloat16 outputs to some percent, and gradients to what is left of them where rounding moves many such values.
 *
 * A value that rounding puts on the other side of a relu's or a window's edge changes gradients by more than rounding
 * does. So each comparison is made on several inputs: all come close, and one at least to 1e-4. */
#include "engine/engine.h"

#include "base/random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ENGINES = 2, DRAWS = 4, THREADS = 2, MOST = 8 };

struct side {
    struct instance *backbone;
    struct pool *pool;
    struct engine *engine;
    struct graph *graph;
    struct model *model;
    struct program *program;
    float *out, *dx;
};
struct pair {
    struct registry *registry;
    struct side sides[ENGINES];
    uint32_t n;
    float *x, *d_out;
    double worst;                      /* of the comparisons of one draw */
    uint32_t precision;                /* of the first; the reference has float32 */
    double same, close, close_outputs; /* the best draw, every draw, every draw's outputs */
    double rounding;                   /* what norms are at least taken for */
};

static float *array(size_t count)
{
    float *ret = mem_aligned(count, sizeof *ret);

    assert_non_null(ret);
    return ret;
}

static void good(bioft_status st, const struct error *err)
{
    if (st != BIOFT_OK)
        fail_msg("%s", err->text);
}

static size_t pixels(const struct pair *p)
{
    const bioft_graph *g = &p->sides[0].graph->view;

    return (size_t)p->n * g->channels * g->height * g->width;
}

static size_t outputs(const struct pair *p) { return (size_t)p->n * p->sides[0].graph->view.outputs; }

/* The same first values for both; running statistics that are not those of a new network. */
static void fill(struct side *s)
{
    struct error err = { 0 };

    for (uint32_t i = 0; i < s->graph->view.parameter_count; i++) {
        const bioft_parameter *d = &s->graph->parameters[i];
        float *values = array(d->count);

        good(graph_initialise(s->graph, i, 5, NULL, values), &err);
        for (size_t k = 0; d->kind == BIOFT_PARAM_RUNNING && k < d->count; k++)
            values[k] += 0.1f * (float)(k % 7);
        good(model_write(s->model, BIOFT_VALUE, i, values, &err), &err);
        free(values);
    }
}

static void begin(struct pair *p, const char *backbone, uint32_t size, uint32_t n, uint32_t precision)
{
    const char *const names[ENGINES] = { getenv("BIOFT_TEST_ENGINE"), getenv("BIOFT_TEST_REFERENCE") };
    const struct registry_places places = { .environment = true };
    const struct option_value winograd = { .given = true, .integer = 1 }; /* openblas's only option */
    const struct plugin *plugin;
    struct error err = { 0 };

    *p = (struct pair){ .n = n, .precision = precision, .same = 1e-4, .close = 0.1, .close_outputs = 0.1 };
    if (precision == BIOFT_BF16) {
        p->same = 0.4;
        p->close = 0.8;
        p->close_outputs = 0.04;
    }
    good(registry_create(&places, NULL, &p->registry, &err), &err);
    for (int i = 0; i < ENGINES; i++) {
        struct side *s = &p->sides[i];
        good(pool_create(THREADS, &s->pool, &err), &err);
        good(registry_find(p->registry, BIOFT_KIND_BACKBONE, backbone, &plugin, &err), &err);
        good(instance_create(&(struct instance_params){ .plugin = plugin }, &s->backbone, &err), &err);
        good(graph_build(
                 &(struct graph_params){ .backbone = s->backbone, .height = size, .width = size, .head_outputs = 10 },
                 &s->graph, &err),
             &err);
        good(registry_find(p->registry, BIOFT_KIND_ENGINE, names[i], &plugin, &err), &err);
        good(engine_open(&(struct engine_params){ .registry = p->registry,
                                                  .plugin = plugin,
                                                  .pool = s->pool,
                                                  .values = i == 0 && getenv("BIOFT_TEST_WINOGRAD") ? &winograd : NULL,
                                                  .seed = 3 },
                         &s->engine, &err),
             &err);
        good(model_create(s->engine, s->graph, &s->model, &err), &err);
        fill(s);
        s->out = array(outputs(p));
        s->dx = array(pixels(p));
    }
    p->x = array(pixels(p));
    p->d_out = array(outputs(p));
}

static void end(struct pair *p)
{
    for (int i = 0; i < ENGINES; i++) {
        struct side *s = &p->sides[i];
        model_destroy(s->model);
        engine_close(s->engine);
        graph_destroy(s->graph);
        instance_destroy(s->backbone);
        pool_destroy(s->pool);
        free(s->out);
        free(s->dx);
    }
    free(p->x);
    free(p->d_out);
    registry_destroy(p->registry);
}

static void program(struct pair *p, uint32_t kind)
{
    bioft_use use = {
        .struct_size = sizeof use, .kind = kind, .precision = p->precision, .max_batch = MOST, .threads = THREADS
    };
    struct error err = { 0 };

    for (int i = 0; i < ENGINES; i++) {
        good(program_create(p->sides[i].model, &use, NULL, &p->sides[i].program, &err), &err);
        use.precision = BIOFT_F32;
    }
}

static void no_program(struct pair *p)
{
    for (int i = 0; i < ENGINES; i++)
        program_destroy(p->sides[i].program);
}

static void forward(struct pair *p, uint64_t key)
{
    struct error err = { 0 };

    for (int i = 0; i < ENGINES; i++)
        good(program_forward(p->sides[i].program, p->n, p->x, key, p->sides[i].out, &err), &err);
}

static void backward(struct pair *p, uint32_t flags)
{
    struct error err = { 0 };

    for (int i = 0; i < ENGINES; i++)
        good(program_backward(p->sides[i].program, p->d_out, flags, p->sides[i].dx, NULL, &err), &err);
}

static void feedback(struct pair *p, const bioft_feedback *f, uint64_t draw)
{
    struct error err = { 0 };

    for (int i = 0; i < ENGINES; i++)
        for (uint32_t l = 0; l < p->sides[i].graph->view.layer_count; l++)
            good(model_feedback(p->sides[i].model, l, f, draw, &err), &err);
}

/* |a - b| / |b|, which must be close; |b| at least `rounding`. */
static void compare_within(struct pair *p, double close, const char *what, const float *a, const float *b, size_t count)
{
    double difference = 0, norm = 0, relative;

    for (size_t i = 0; i < count; i++) {
        difference += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        norm += (double)b[i] * (double)b[i];
    }
    norm = norm > p->rounding * p->rounding ? norm : p->rounding * p->rounding;
    relative = norm > 0 ? sqrt(difference / norm) : difference > 0 ? INFINITY : 0;
    if (!(relative <= close))
        fail_msg("%s: differs by %.3g of its norm %.3g", what, relative, sqrt(norm));
    if (relative > p->worst)
        p->worst = relative;
}

static void compare(struct pair *p, const char *what, const float *a, const float *b, size_t count)
{
    compare_within(p, p->close, what, a, b, count);
}

static void compare_outputs(struct pair *p)
{
    compare_within(p, p->close_outputs, "the output", p->sides[0].out, p->sides[1].out, outputs(p));
}

static void compare_arrays(struct pair *p, uint32_t what)
{
    const bioft_graph *g = &p->sides[0].graph->view;
    struct error err = { 0 };

    for (uint32_t i = 0; i < g->parameter_count; i++) {
        const size_t count = g->parameters[i].count;
        float *a, *b;

        if (what != BIOFT_VALUE && g->parameters[i].kind == BIOFT_PARAM_RUNNING)
            continue;
        a = array(count);
        b = array(count);
        good(model_read(p->sides[0].model, what, i, a, &err), &err);
        good(model_read(p->sides[1].model, what, i, b, &err), &err);
        compare(p, g->parameters[i].name, a, b, count);
        free(a);
        free(b);
    }
}

static void compare_both(struct pair *p)
{
    compare_outputs(p);
    compare(p, "the input's gradient", p->sides[0].dx, p->sides[1].dx, pixels(p));
}

static void draw(struct pair *p, uint64_t key)
{
    random_fill(BIOFT_NORMAL, 7, "x", key, 0, p->x, pixels(p));
    random_fill(BIOFT_NORMAL, 7, "d", key, 0, p->d_out, outputs(p));
    p->worst = 0;
}

/* The best of several draws. */
static void same(struct pair *p, const char *what, void (*run)(struct pair *p, uint64_t key))
{
    double best = INFINITY;

    for (uint64_t key = 0; key < DRAWS && best > p->same; key++) {
        draw(p, key);
        run(p, key);
        if (p->worst < best)
            best = p->worst;
    }
    if (best > p->same)
        fail_msg("%s: the engines differ by %.3g on every input", what, best);
}

static void train(struct pair *p, uint64_t key)
{
    forward(p, key);
    backward(p, 0);
    compare_both(p);
    compare_arrays(p, BIOFT_GRADIENT);
    compare_arrays(p, BIOFT_VALUE);
}

static void accumulate(struct pair *p, uint64_t key)
{
    forward(p, key);
    backward(p, 0);
    backward(p, BIOFT_ACCUMULATE);
    compare_both(p);
    compare_arrays(p, BIOFT_GRADIENT);
}

static void run_attack(struct pair *p, uint64_t key)
{
    forward(p, key);
    backward(p, 0);
    compare_both(p);
    backward(p, BIOFT_EXACT);
    compare_both(p);
}

static void evaluate(struct pair *p, uint64_t key)
{
    forward(p, key);
    compare_outputs(p);
}

static void update(struct pair *p, uint32_t kind, uint64_t t)
{
    double lr[256];
    const bioft_update u = { .struct_size = sizeof u,
                             .kind = kind,
                             .t = t,
                             .lr = lr,
                             .beta1 = 0.9,
                             .beta2 = 0.999,
                             .eps = 1e-8,
                             .momentum = 0.9,
                             .weight_decay = 5e-4,
                             .gradient_scale = 1 };
    struct error err = { 0 };
    uint32_t bad;

    for (int i = 0; i < 256; i++)
        lr[i] = 1e-4;
    assert_true(p->sides[0].graph->view.parameter_count <= 256);
    for (int i = 0; i < ENGINES; i++) {
        good(model_update(p->sides[i].model, &u, NULL, &bad, &err), &err);
        assert_int_equal(bad, BIOFT_NONE);
    }
    p->worst = 0;
    compare_arrays(p, BIOFT_VALUE);
    assert_true(p->worst < p->close);
}

/* From the reference to the other, so that what follows begins from the same values again. */
static void align(struct pair *p)
{
    const bioft_graph *g = &p->sides[0].graph->view;
    struct error err = { 0 };

    for (uint32_t what = BIOFT_VALUE; what <= BIOFT_MOMENT2; what++)
        for (uint32_t i = 0; i < g->parameter_count; i++) {
            float *values;
            if (what != BIOFT_VALUE && g->parameters[i].kind == BIOFT_PARAM_RUNNING)
                continue;
            values = array(g->parameters[i].count);
            good(model_read(p->sides[1].model, what, i, values, &err), &err);
            good(model_write(p->sides[0].model, what, i, values, &err), &err);
            free(values);
        }
}

#define FEEDBACK(...) \
    { \
        .struct_size = sizeof(bioft_feedback), .scale = BIOFT_SCALE_XAVIER, __VA_ARGS__ \
    }
static const struct {
    const char *name;
    bioft_feedback f;
} rules[] = {
    { "V = W", { .struct_size = sizeof(bioft_feedback) } },
    { "sign", FEEDBACK(.g = BIOFT_G_SIGN) },
    { "sign, magnitudes that stay", FEEDBACK(.g = BIOFT_G_SIGN, .m = BIOFT_M_UNIFORM, .high = 1) },
    { "sign, magnitudes drawn again",
      FEEDBACK(.g = BIOFT_G_SIGN, .m = BIOFT_M_UNIFORM, .high = 1, .redraw = BIOFT_REDRAW_EACH_UPDATE) },
    { "random", FEEDBACK(.g = BIOFT_G_ONE, .m = BIOFT_M_NORMAL, .high = 1) },
};

/* In that precision, on this CPU. */
static bool computes(const struct pair *p)
{
    const bioft_use use = {
        .struct_size = sizeof use, .kind = BIOFT_EVAL, .precision = p->precision, .max_batch = 1, .threads = THREADS
    };
    struct program *program = NULL;
    struct error err = { 0 };
    const bioft_status st = program_create(p->sides[0].model, &use, NULL, &program, &err);

    program_destroy(program);
    assert_true(st == BIOFT_OK || (st == BIOFT_ERR_UNSUPPORTED && p->precision == BIOFT_BF16));
    return st == BIOFT_OK;
}

/* Everything: training by each rule, updates between, then evaluation and attacks with what they left. */
static void whole(const char *backbone, uint32_t size, uint32_t n, bool updates, double same_within, double rounding,
                  uint32_t precision)
{
    struct pair p;

    begin(&p, backbone, size, n, precision);
    p.same = p.same < same_within ? same_within : p.same;
    p.rounding = rounding;
    if (!computes(&p)) {
        end(&p);
        skip();
    }
    program(&p, BIOFT_TRAIN);
    for (size_t r = 0; r < (updates ? sizeof rules / sizeof *rules : 2); r++) {
        feedback(&p, &rules[r].f, r);
        same(&p, rules[r].name, train);
        if (!updates)
            continue;
        update(&p, r == 1 ? BIOFT_SGD : BIOFT_ADAM, r < 2 ? 1 : r);
        align(&p);
    }
    same(&p, "gradients added up", accumulate);
    no_program(&p);
    program(&p, BIOFT_EVAL);
    same(&p, "evaluation", evaluate);
    no_program(&p);
    program(&p, BIOFT_ATTACK);
    same(&p, "an attack", run_attack);
    p.n = 1;
    same(&p, "an attack on one image", run_attack);
    no_program(&p);
    end(&p);
}

static const struct {
    const char *backbone;
    uint32_t size, n;
    bool updates;
    double same;     /* fifty batchnorms over few values spread a rounding */
    double rounding; /* the gradient of a bias that a batchnorm takes out again */
} networks[] = {
    { "lenet5", 28, 8, true, 1e-4, 0 },
    { "resnet18", 48, 5, true, 1e-4, 0 },
    { "vgg11", 32, 3, false, 1e-4, 0 },
    { "alexnet", 64, 6, false, 1e-4, 0 },
    { "efficientnet_lite0", 64, 4, false, 1e-2, 1e-2 },
};

/* By operators: each of these has some that the others lack. */
static const struct {
    const char *backbone;
    uint32_t size, n;
} steppers[] = {
    { "alexnet", 64, 4 },          { "convnext_tiny", 64, 3 },
    { "deit_tiny", 224, 2 },       { "densenet121", 64, 4 },
    { "efficientnet_b0", 64, 4 },  { "efficientnet_lite0", 64, 4 },
    { "lenet5", 28, 8 },           { "mlp", 28, 8 },
    { "mobilenet_v2", 64, 4 },     { "preact_resnet18", 32, 4 },
    { "resnet18", 64, 4 },         { "resnet50", 64, 4 },
    { "vgg11_bn", 64, 4 },         { "vit_small_patch16_224", 224, 1 },
    { "wide_resnet28_10", 32, 2 },
};

static size_t trained(const struct pair *p)
{
    const bioft_graph *g = &p->sides[0].graph->view;
    size_t count = 0;

    for (uint32_t i = 0; i < g->parameter_count; i++)
        count += g->parameters[i].kind == BIOFT_PARAM_RUNNING ? 0 : g->parameters[i].count;
    return count;
}

/* All gradients one after another, which is what a step of SGD adds, but for its factor. */
static void gradients(const struct pair *p, int side, uint64_t key, float *ret)
{
    const struct side *s = &p->sides[side];
    const bioft_graph *g = &s->graph->view;
    struct error err = { 0 };

    good(program_forward(s->program, p->n, p->x, key, s->out, &err), &err);
    good(program_backward(s->program, p->d_out, 0, NULL, NULL, &err), &err);
    for (uint32_t i = 0; i < g->parameter_count; i++) {
        if (g->parameters[i].kind == BIOFT_PARAM_RUNNING)
            continue;
        good(model_read(s->model, BIOFT_GRADIENT, i, ret, &err), &err);
        ret += g->parameters[i].count;
    }
}

static double apart(const float *a, const float *b, size_t count)
{
    double difference = 0, norm = 0;

    for (size_t i = 0; i < count; i++) {
        difference += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        norm += (double)b[i] * (double)b[i];
    }
    return sqrt(difference / norm);
}

/* What the last digit of the pixels changes on the reference alone: the worst of three. */
static double noise(struct pair *p, uint64_t key, const float *want, float *room)
{
    float *z = array(pixels(p)), *x = p->x;
    double worst = 0;

    p->x = array(pixels(p));
    for (uint64_t i = 0; i < 3; i++) {
        double found;
        random_fill(BIOFT_NORMAL, 7, "noise", i, 0, z, pixels(p));
        for (size_t k = 0; k < pixels(p); k++)
            p->x[k] = x[k] * (1 + 6e-8f * z[k]);
        gradients(p, 1, key, room);
        found = apart(room, want, trained(p));
        worst = found > worst ? found : worst;
    }
    free(p->x);
    p->x = x;
    free(z);
    return worst;
}

/* As in tests/system/test_steps.py: within 1e-3 of the update's norm, or four times what the last digit changes. */
static void one_step(struct pair *p, size_t rule)
{
    float *want = array(trained(p)), *found = array(trained(p));
    double ours, theirs;

    feedback(p, &rules[rule].f, rule);
    gradients(p, 1, rule, want);
    gradients(p, 0, rule, found);
    ours = apart(found, want, trained(p));
    theirs = ours > 1e-3 ? noise(p, rule, want, found) : 0;
    printf("%s: %.1e of the update, the last digit of the pixels %.1e\n", rules[rule].name, ours, theirs);
    if (!(ours <= fmax(1e-3, 4 * theirs)))
        fail_msg("%s: the engines differ by %.3g of the update", rules[rule].name, ours);
    free(want);
    free(found);
}

static void steps(const char *backbone, uint32_t size, uint32_t n)
{
    struct pair p;

    begin(&p, backbone, size, n, BIOFT_F32);
    draw(&p, 0);
    program(&p, BIOFT_EVAL);
    forward(&p, 0);
    compare_within(&p, 1e-4, "the output", p.sides[0].out, p.sides[1].out, outputs(&p));
    no_program(&p);
    program(&p, BIOFT_TRAIN);
    for (size_t r = 0; r < sizeof rules / sizeof *rules; r++)
        one_step(&p, r);
    no_program(&p);
    end(&p);
}

/* The network that the command line names, and a precision if it is not f32, or "steps". */
static void agreement(void **state)
{
    char **words = *state;
    const char *name = words[1];
    const bool only_steps = words[2] && strcmp(words[2], "steps") == 0;
    const uint32_t precision = words[2] && strcmp(words[2], "bf16") == 0 ? BIOFT_BF16 : BIOFT_F32;

    for (size_t i = 0; only_steps && i < sizeof steppers / sizeof *steppers; i++)
        if (strcmp(steppers[i].backbone, name) == 0) {
            steps(name, steppers[i].size, steppers[i].n);
            return;
        }
    for (size_t i = 0; !only_steps && i < sizeof networks / sizeof *networks; i++)
        if (strcmp(networks[i].backbone, name) == 0) {
            whole(name, networks[i].size, networks[i].n, networks[i].updates && precision == BIOFT_F32,
                  networks[i].same, networks[i].rounding, precision);
            return;
        }
    fail_msg("no network '%s' in this test", name);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_prestate(agreement, argv) };

    if (argc < 2)
        return 2;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
