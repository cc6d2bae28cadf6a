/* Tests for backbones: a graph of the published size and of a smaller one, its gradient, its names and values. */
#include "conform/network.h"

#include <stdlib.h>
#include <string.h>

static bool open_graph(struct conform *c, uint32_t size, struct instance **instance, struct graph **graph,
                       struct error *err)
{
    *instance = NULL;
    *graph = NULL;
    return instance_create(
               &(struct instance_params){ .plugin = c->p->plugin, .values = c->p->values, .seed = c->p->seed },
               instance, err) == BIOFT_OK &&
           graph_build(
               &(struct graph_params){ .backbone = *instance, .height = size, .width = size, .head_outputs = 7 }, graph,
               err) == BIOFT_OK;
}

static void calling_build(struct conform *c, const char *how)
{
    calling(c, "backbone.h", "build", "input first, head once and last; every tensor used; names as torchvision's",
            "build(%s)", how);
}

static void test_shapes(struct conform *c)
{
    struct instance *i[2];
    struct graph *g[2];
    struct error err;
    calling_build(c, "the published size");
    if (!open_graph(c, 0, &i[0], &g[0], &err)) {
        conform_find(c, "%s", err.text);
    } else if (g[0]->view.outputs != 7 || g[0]->view.layer_count == 0) {
        conform_find(c, "the network has %u outputs, the task's head 7", g[0]->view.outputs);
    } else if (!open_graph(c, 0, &i[1], &g[1], &err)) {
        conform_find(c, "another instance: %s", err.text);
    } else {
        const bioft_graph *a = &g[0]->view, *b = &g[1]->view;
        bool same = a->node_count == b->node_count && a->parameter_count == b->parameter_count;
        for (uint32_t k = 0; same && k < a->parameter_count; k++)
            same = a->parameters[k].count == b->parameters[k].count;
        if (!same)
            conform_find(c, "another graph when built again");
    }
    for (int k = 0; k < 2; k++) {
        const bool made = k == 0 || c->findings == 0;
        graph_destroy(made ? g[k] : NULL);
        instance_destroy(made ? i[k] : NULL);
    }
}

/* The smallest of a few sizes that the network takes: 0 where only the published one. */
static uint32_t small_size(struct conform *c)
{
    static const uint32_t sizes[] = { 16, 32, 64 };
    uint32_t found = 0;
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes && !found; k++) {
        struct instance *i;
        struct graph *g;
        if (open_graph(c, sizes[k], &i, &g, NULL))
            found = sizes[k];
        graph_destroy(g);
        instance_destroy(i);
    }
    return found;
}

/* Weights are found by name. That no two parameters have one name is the builder's to refuse. */
static void test_names(struct conform *c)
{
    struct instance *i[2];
    struct graph *g[2];
    struct error err;
    calling_build(c, "the published size, twice");
    bool fine = open_graph(c, 0, &i[0], &g[0], &err);
    fine = open_graph(c, 0, &i[1], &g[1], fine ? &err : NULL) && fine;
    if (!fine)
        conform_find(c, "%s", err.text);
    const int few = fine && g[1]->view.parameter_count < g[0]->view.parameter_count;
    for (uint32_t k = 0; fine && k < g[few]->view.parameter_count; k++)
        if (graph_parameter(g[!few], g[few]->parameters[k].name) == BIOFT_NONE) {
            conform_find(c, "no parameter is called '%s' when built again", g[few]->parameters[k].name);
            break;
        }
    for (int k = 0; k < 2; k++) {
        graph_destroy(g[k]);
        instance_destroy(i[k]);
    }
}

static void test_gradient(struct conform *c)
{
    struct small_network n;
    const uint32_t size = small_size(c);
    calling(c, "backbone.h", "build", "what it builds is a network that can be trained: its derivative is true",
            "forward and backward of one %ux%u image (0: the published size)", size, size);
    if (small_network_open(c, NULL, c->p->plugin, size, &n)) {
        small_network_check_gradient(c, &n);
        small_network_close(&n);
    }
}

/* The values that came with the graph are the same ones again; others are drawn by name and seed. A head of another width
 * than published takes none. */
static bool same_values(const struct graph *a, uint32_t i, const struct graph *b, uint32_t j)
{
    const float *x = a->initial[i].given, *y = b->initial[j].given;
    const size_t count = a->parameters[i].count;
    if (a->parameters[i].flags & BIOFT_PARAM_HEAD && count != b->parameters[j].count)
        return true;
    return x && y ? count == b->parameters[j].count && first_difference(x, y, count, sizeof *x) == SIZE_MAX : !x && !y;
}

/* What is written to a parameter is read back. */
static void round_trip(struct conform *c, struct small_network *n, uint32_t i)
{
    const bioft_parameter *p = &n->made.graph->parameters[i];
    float *a = mem_aligned(p->count, sizeof *a), *b = mem_aligned(p->count, sizeof *b);
    struct error err;
    if (!a || !b) {
        conform_skip(c, "out of memory");
    } else {
        for (size_t k = 0; k < p->count; k++)
            a[k] = (float)((k + i) % 65521);
        if (model_write(n->made.model, BIOFT_VALUE, i, a, &err) != BIOFT_OK ||
            model_read(n->made.model, BIOFT_VALUE, i, b, &err) != BIOFT_OK)
            conform_find(c, "%s", err.text);
        else if (first_difference(a, b, p->count, sizeof *a) != SIZE_MAX)
            conform_find(c, "'%s' reads back otherwise than it was written", p->name);
    }
    free(a);
    free(b);
}

static void test_weights(struct conform *c)
{
    struct small_network n;
    struct instance *again = NULL;
    struct graph *g = NULL;
    struct error err;
    const uint32_t size = small_size(c);
    calling(c, "backbone.h", "bioft_builder",
            "parameters are NAME.weight, NAME.bias and batchnorm's, found by name; "
            "they begin with the values that come with the graph, or drawn by the seed",
            "building twice, writing and reading back every parameter");
    if (!small_network_open_zero(c, NULL, c->p->plugin, size, &n))
        return;
    if (!open_graph(c, size, &again, &g, &err))
        conform_find(c, "%s", err.text);
    for (uint32_t i = 0; c->findings == 0 && i < n.made.graph->view.parameter_count; i++) {
        const char *name = n.made.graph->parameters[i].name;
        const uint32_t j = graph_parameter(g, name);
        if (graph_parameter(n.made.graph, name) != i)
            conform_find(c, "'%s' is found as another parameter", name);
        else if (j != BIOFT_NONE && !same_values(n.made.graph, i, g, j))
            conform_find(c, "'%s' begins with other values when built again with the same seed", name);
        else
            round_trip(c, &n, i);
    }
    graph_destroy(g);
    instance_destroy(again);
    small_network_close(&n);
}

static bool round_of(struct conform *c)
{
    struct instance *i;
    struct graph *g;
    const bool fine = open_graph(c, 0, &i, &g, NULL);
    graph_destroy(g);
    instance_destroy(i);
    return fine;
}

static void test_leaks(struct conform *c) { check_leak(c, round_of); }

const struct conform_test conform_backbone[] = {
    { "shapes", "builds the published size with the task's head, the same again", test_shapes },
    { "names", "parameters have names of their own, the same ones when built again", test_names },
    { "gradient", "the derivative by the pixels, against differences", test_gradient },
    { "weights", "the same initial values when built again; what is written to a parameter is read back",
      test_weights },
    { "leaks", "built again and again, it leaves nothing behind", test_leaks },
    { 0 },
};
