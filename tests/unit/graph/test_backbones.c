/* The backbones' plugins against torchvision and torch, as tests/golden/backbones.txt has them:
 * names, shapes, order, parameters, multiply-adds at two sizes, first values. Arguments: that file,
 * then places of plugins. */
#include "graph/graph.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINE = 256, DRAWN = 300000 }; /* larger parameters are not drawn: it takes long */

struct checker {
    FILE *golden;
    struct registry *registry;
    struct instance *instance;
    struct graph *graph;
    uint32_t parameter; /* next in the graph */
    size_t counter;
    int networks;
};

/* A plugin's instance with default options. */
static void open_plugin(struct checker *c, const char *name)
{
    const struct plugin *plugin;
    struct error err = { 0 };

    if (registry_find(c->registry, BIOFT_KIND_BACKBONE, name, &plugin, &err) != BIOFT_OK ||
        instance_create(&(struct instance_params){ .plugin = plugin }, &c->instance, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    assert_string_equal(plugin->descriptor.name, name);
}

static struct graph *build(struct checker *c, uint32_t height, uint32_t width)
{
    const struct graph_params p = { .backbone = c->instance, .height = height, .width = width };
    struct error err = { 0 };
    struct graph *g;

    if (graph_build(&p, &g, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    return g;
}

static void close_plugin(struct checker *c)
{
    if (!c->graph)
        return;
    assert_int_equal(c->parameter, c->graph->view.parameter_count);
    assert_int_equal(c->counter, c->graph->counter_count);
    graph_destroy(c->graph);
    instance_destroy(c->instance);
    c->graph = NULL;
}

/* Are the first values distributed as torch's? Deviations of a sample of n vary by 1/sqrt(2n) of
 * themselves, torch's and ours; means by deviation/sqrt(n). */
static void check_values(struct checker *c, uint32_t index, double mean, double deviation)
{
    const bioft_parameter *p = &c->graph->parameters[index];
    float *v;
    double sum = 0, squares = 0, n = (double)p->count;

    if (p->count > DRAWN)
        return;
    v = malloc(p->count * sizeof *v);
    assert_non_null(v);
    assert_int_equal(graph_initialise(c->graph, index, 1, NULL, v), BIOFT_OK);
    for (size_t i = 0; i < p->count; i++)
        sum += v[i];
    sum /= n;
    for (size_t i = 0; i < p->count; i++)
        squares += (v[i] - sum) * (v[i] - sum);
    squares = sqrt(squares / n);
    free(v);
    if (deviation == 0)
        assert_true(squares == 0 && sum == mean);
    else if (fabs(squares / deviation - 1) > 8 / sqrt(2 * n) || fabs(sum - mean) > 8 * deviation / sqrt(n))
        fail_msg("%s %s: mean %g, deviation %g; torch %g, %g", c->graph->backbone, p->name, sum, squares, mean,
                 deviation);
}

static void check_entry(struct checker *c, const char *name, const char *shape, double mean, double deviation)
{
    char ours[LINE] = "";
    const bioft_parameter *p;

    if (strcmp(shape, "counter") == 0) {
        assert_true(c->counter < c->graph->counter_count);
        assert_string_equal(c->graph->counters[c->counter++], name);
        return;
    }
    assert_true(c->parameter < c->graph->view.parameter_count);
    p = &c->graph->parameters[c->parameter];
    for (uint32_t i = 0; i < p->dims; i++)
        snprintf(ours + strlen(ours), sizeof ours - strlen(ours), "%s%llu", i ? "x" : "",
                 (unsigned long long)p->shape[i]);
    assert_string_equal(p->name, name);
    assert_string_equal(ours, shape);
    check_values(c, c->parameter++, mean, deviation);
}

static void begin_network(struct checker *c, const char *name, uint32_t channels, uint32_t height, uint32_t width,
                          unsigned long long parameters)
{
    close_plugin(c);
    open_plugin(c, name);
    c->graph = build(c, 0, 0);
    c->parameter = 0;
    c->counter = 0;
    c->networks++;
    assert_int_equal(c->graph->published_channels, channels);
    assert_true(c->graph->view.height == height && c->graph->view.width == width);
    assert_int_equal(graph_parameter_total(c->graph), parameters);
}

static void check_work(struct checker *c, uint32_t height, uint32_t width, unsigned long long work)
{
    struct graph *g = build(c, height, width);

    assert_int_equal(graph_work(g), work);
    graph_destroy(g);
}

static void as_torch_says(void **state)
{
    struct checker *c = *state;
    char line[LINE], name[LINE], shape[LINE];
    unsigned channels, height, width;
    unsigned long long number;
    double mean, deviation;

    while (fgets(line, sizeof line, c->golden)) {
        if (line[0] == '#')
            continue;
        if (sscanf(line, "backbone %255s %u %u %u %llu", name, &channels, &height, &width, &number) == 5)
            begin_network(c, name, channels, height, width, number);
        else if (sscanf(line, "work %u %u %llu", &height, &width, &number) == 3)
            check_work(c, height, width, number);
        else if (sscanf(line, "%255s %255s %lf %lf", name, shape, &mean, &deviation) == 4)
            check_entry(c, name, shape, mean, deviation);
        else
            fail_msg("not understood: %s", line);
    }
    close_plugin(c);
    assert_int_equal(c->networks, 21);
}

/* The networks are known by these figures (torchvision's table of models). */
static void known_figures(void **state)
{
    static const struct {
        const char *name;
        unsigned long long parameters;
        double giga;
    } known[] = {
        { "alexnet", 61100840, 0.71 },         { "vgg16", 138357544, 15.5 },
        { "resnet18", 11689512, 1.8 },         { "resnet50", 25557032, 4.09 },
        { "wide_resnet50_2", 68883240, 11.4 }, { "mobilenet_v2", 3504872, 0.3 },
        { "efficientnet_b0", 5288548, 0.39 },  { "densenet121", 7978856, 2.83 },
        { "convnext_tiny", 28589128, 4.46 },   { "deit_tiny", 5717416, 1.08 },
    };
    struct checker *c = *state;

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        open_plugin(c, known[i].name);
        c->graph = build(c, 224, 224);
        assert_int_equal(graph_parameter_total(c->graph), known[i].parameters);
        assert_true(fabs((double)graph_work(c->graph) / 1e9 - known[i].giga) < 0.05);
        assert_int_equal(c->graph->head_published, 1000);
        assert_true(c->graph->mean[0] == 0.485f && c->graph->mean[1] == 0.456f && c->graph->mean[2] == 0.406f);
        assert_true(c->graph->std[0] == 0.229f && c->graph->std[1] == 0.224f && c->graph->std[2] == 0.225f);
        c->parameter = c->graph->view.parameter_count;
        c->counter = c->graph->counter_count;
        close_plugin(c);
    }
}

/* The smallest sides, by hand. VGG halves five times: 32. AlexNet: (S + 4 - 11)/4 + 1 = s, (s -
 * 3)/2 + 1 = t >= 3 for the second pool, its result >= 3 for the third: t >= 7, s >= 15, S >= 63.
 */
static void smallest_inputs(void **state)
{
    static const struct {
        const char *name;
        uint32_t side, smallest;
        const char *text;
    } cases[] = {
        { "alexnet", 62, 63,
          "backbone 'alexnet': maxpool after features.10: 2x2 image is too small for a 3x3 "
          "kernel; the smallest input is 63x63" },
        { "vgg19_bn", 31, 32,
          "backbone 'vgg19_bn': maxpool after features.50: 1x1 image is too small for a 2x2 "
          "kernel; the smallest input is 32x32" },
        { "lenet5", 11, 12,
          "backbone 'lenet5': maxpool after conv2: 1x1 image is too small for a 2x2 kernel; the "
          "smallest input is 12x12" },
    };
    struct checker *c = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = { 0 };
        struct graph *g = NULL;

        open_plugin(c, cases[i].name);
        assert_int_equal(
            graph_build(
                &(struct graph_params){ .backbone = c->instance, .height = cases[i].side, .width = cases[i].side }, &g,
                &err),
            BIOFT_ERR_INVALID);
        assert_string_equal(err.text, cases[i].text);
        c->graph = build(c, cases[i].smallest, cases[i].smallest);
        c->parameter = c->graph->view.parameter_count;
        c->counter = c->graph->counter_count;
        close_plugin(c);
    }
}

int main(int argc, char **argv)
{
    struct checker c = { 0 };
    struct error err = { 0 };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(as_torch_says, &c),
        cmocka_unit_test_prestate(known_figures, &c),
        cmocka_unit_test_prestate(smallest_inputs, &c),
    };
    struct registry_places places = { .command_line = (const char *const *)argv + 2 };
    int failed;

    if (argc < 3 || !(c.golden = fopen(argv[1], "r")))
        return 2;
    places.command_line_count = (size_t)argc - 2;
    if (registry_create(&places, NULL, &c.registry, &err) != BIOFT_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    registry_destroy(c.registry);
    fclose(c.golden);
    return failed;
}
