/* Building a graph from a backbone, and what can be asked of it. */
#include "graph/graph.h"
#include "graph/builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One run of the backbone's build(). The graph is filled, or b->error says why not; builder_end is
 * the caller's. */
static void run(struct builder *b, const struct graph_params *p, struct graph *g)
{
    const bioft_backbone *api = &p->backbone->plugin->api.backbone;
    bioft_status status;

    g->arena = arena_create();
    if (!g->arena) {
        error_memory(&b->error, "the graph");
        return;
    }
    status = api->build(p->backbone->self, &b->api);
    if (b->error.status == BIOFT_OK && status != BIOFT_OK) {
        instance_error(p->backbone, status, &b->error);
        b->plugin_failed = true;
    }
    builder_check(b);
}

static void release(struct graph *g)
{
    free(g->nodes);
    free(g->parameters);
    free(g->layers);
    free(g->initial);
    free(g->counters);
    free(g->other_names);
    free(g->notes);
    arena_destroy(g->arena);
}

/* Can the network be built for a square image of this side? */
static bool fits(const struct graph_params *p, uint32_t side)
{
    struct graph g = { 0 };
    struct builder b;
    bool fits;

    builder_init(&b, p, &g);
    b.shapes_only = true;
    b.height = b.width = side;
    run(&b, p, &g);
    fits = b.error.status == BIOFT_OK;
    builder_end(&b);
    release(&g);
    return fits;
}

/* The smallest side of a square image that works, 0: none does. What windows need only grows with
 * the image, so sides are doubled until one fits, and then halved in between. */
static uint32_t smallest_side(const struct graph_params *p)
{
    enum { LARGEST = 1 << 14 };
    uint32_t enough = 1, low;

    while (enough <= LARGEST && !fits(p, enough))
        enough *= 2;
    if (enough > LARGEST)
        return 0;
    low = enough / 2; /* does not fit */
    while (enough - low > 1) {
        uint32_t middle = low + (enough - low) / 2;
        if (fits(p, middle))
            enough = middle;
        else
            low = middle;
    }
    return enough;
}

static void set_view(struct graph *g)
{
    const bioft_node *input = &g->nodes[0];

    g->view.struct_size = sizeof g->view;
    g->view.node_size = sizeof *g->nodes;
    g->view.parameter_size = sizeof *g->parameters;
    g->view.layer_size = sizeof *g->layers;
    g->view.channels = input->channels;
    g->view.height = input->height;
    g->view.width = input->width;
    g->view.nodes = g->nodes;
    g->view.parameters = g->parameters;
    g->view.layers = g->layers;
}

/* The builder's failure as the caller reads it. */
static bioft_status explain(const struct builder *b, struct error *err)
{
    const char *name = b->params->backbone->plugin->descriptor.name;
    const uint32_t side = b->too_small ? smallest_side(b->params) : 0;

    if (b->plugin_failed)
        return error_set(err, b->error.status, "%s", b->error.text);
    if (side > 0)
        return error_set(err, b->error.status, "backbone '%s': %s; the smallest input is %ux%u", name, b->error.text,
                         side, side);
    return error_set(err, b->error.status, "backbone '%s': %s", name, b->error.text);
}

bioft_status graph_build(const struct graph_params *p, struct graph **ret, struct error *err)
{
    struct graph *g = mem_array(1, sizeof *g);
    struct builder b;
    bioft_status status;

    if (!g)
        return error_memory(err, "the graph");
    builder_init(&b, p, g);
    run(&b, p, g);
    if (b.error.status == BIOFT_OK) {
        g->backbone = arena_text(g->arena, p->backbone->plugin->descriptor.name);
        if (!g->backbone || !layers_finish(g))
            error_memory(&b.error, "the graph");
    }
    status = b.error.status;
    if (status == BIOFT_OK) {
        set_view(g);
        *ret = g;
    } else {
        explain(&b, err);
        graph_destroy(g);
    }
    builder_end(&b);
    return status;
}

void graph_destroy(struct graph *g)
{
    if (!g)
        return;
    release(g);
    free(g);
}

uint32_t graph_parameter(const struct graph *g, const char *name)
{
    for (uint32_t i = 0; i < g->view.parameter_count; i++)
        if (strcmp(g->parameters[i].name, name) == 0)
            return i;
    return BIOFT_NONE;
}

uint32_t graph_layer(const struct graph *g, const char *name)
{
    for (uint32_t i = 0; i < g->view.layer_count; i++)
        if (strcmp(g->layers[i].name, name) == 0)
            return i;
    return BIOFT_NONE;
}

bool graph_is_variance(const struct graph *g, uint32_t parameter)
{
    for (uint32_t i = 0; i < g->view.node_count; i++)
        if (g->nodes[i].op == BIOFT_OP_BATCHNORM && g->nodes[i].running_var == parameter)
            return true;
    return false;
}

const char *graph_other_name(const struct graph *g, const char *name, char *ret, size_t size)
{
    for (size_t i = 0; i < g->other_name_count; i++) {
        const char *ours = g->other_names[2 * i];
        const size_t length = strlen(ours);
        if (strncmp(name, ours, length) != 0 ||
            (name[length] != '\0' && (name[length] != '.' || strchr(name + length + 1, '.'))))
            continue;
        if ((size_t)snprintf(ret, size, "%s%s", g->other_names[2 * i + 1], name + length) < size)
            return ret;
    }
    return NULL;
}

size_t graph_largest_parameter(const struct graph *g)
{
    size_t largest = 1;
    for (uint32_t p = 0; p < g->view.parameter_count; p++)
        largest = g->parameters[p].count > largest ? g->parameters[p].count : largest;
    return largest;
}

uint64_t graph_parameter_total(const struct graph *g)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < g->view.parameter_count; i++)
        if (g->parameters[i].kind != BIOFT_PARAM_RUNNING)
            total += g->parameters[i].count;
    return total;
}

uint64_t graph_work(const struct graph *g)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < g->view.layer_count; i++)
        total += (uint64_t)g->layers[i].count * g->layers[i].out_h * g->layers[i].out_w;
    return total;
}
