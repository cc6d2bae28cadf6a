/* The builder that a backbone calls: what all its calls share, the input, the normalisation, the
 * last checks. */
#include "graph/builder.h"
#include "plugin/load.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bioft_tensor builder_fail(struct builder *b, bioft_status status, const char *format, ...)
{
    char text[sizeof b->error.text];
    va_list args;

    if (b->error.status != BIOFT_OK)
        return 0;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    error_set(&b->error, status, "%s", text);
    return 0;
}

static bool name_is_good(const char *name)
{
    size_t length = 0;
    for (; name[length] != '\0'; length++)
        if (length == BUILDER_NAME || name[length] <= ' ' || name[length] > '~')
            return false;
    return length > 0;
}

static bool name_is_new(const struct builder *b, const char *name)
{
    return names_find(&b->taken_names, b->taken, name) == SIZE_MAX;
}

static bool take(struct builder *b, const char *name)
{
    const size_t count = b->taken_names.count;

    if (!name_is_new(b, name))
        return true;
    if (!names_reserve(&b->taken_names, b->taken) ||
        !mem_grow(&b->taken, &b->taken_capacity, count + 1, sizeof *b->taken))
        return false;
    b->taken[count].name = name;
    names_add(&b->taken_names, b->taken);
    return true;
}

bool builder_take(struct builder *b, const char *parameter)
{
    const char *dot = strrchr(parameter, '.');
    const char *owner = dot ? arena_text_n(b->graph->arena, parameter, (size_t)(dot - parameter)) : parameter;

    return owner && take(b, parameter) && take(b, owner);
}

bool call_begin(struct call *c, const bioft_builder *api, const char *word, bioft_tensor x)
{
    struct builder *b = api->ctx;
    const struct graph *g = b->graph;

    *c = (struct call){ .b = b };
    if (b->error.status != BIOFT_OK)
        return false;
    if (x == 0 || x > g->view.node_count) {
        if (g->view.node_count == 0)
            builder_fail(b, BIOFT_ERR_INVALID, "%s: the graph has no input yet: input() comes first", word);
        else
            builder_fail(b, BIOFT_ERR_INVALID, "%s after %s: tensor %u is not of this graph", word,
                         b->anchors[g->view.node_count - 1], x);
        return false;
    }
    c->input = x - 1;
    c->in = (struct shape){ g->nodes[c->input].channels, g->nodes[c->input].height, g->nodes[c->input].width };
    snprintf(c->label, sizeof c->label, "%s after %s", word, b->anchors[c->input]);
    if (b->has_head) {
        builder_fail(b, BIOFT_ERR_INVALID, "%s: called after head(), which comes last", c->label);
        return false;
    }
    return true;
}

bool call_begin_named(struct call *c, const bioft_builder *api, const char *word, const char *name, bioft_tensor x)
{
    char shown[TEXT_ESCAPED];

    if (!call_begin(c, api, word, x))
        return false;
    if (!name || !name_is_good(name)) {
        builder_fail(c->b, BIOFT_ERR_INVALID, "%s: '%s' is not a name: 1 to %d printable characters without blanks",
                     c->label, name ? text_escape(shown, name, strlen(name)) : "", BUILDER_NAME);
        return false;
    }
    if (!name_is_new(c->b, name)) {
        builder_fail(c->b, BIOFT_ERR_INVALID, "%s: two layers have this name", name);
        return false;
    }
    c->name = arena_text(c->b->graph->arena, name);
    if (!c->name) {
        builder_fail(c->b, BIOFT_ERR_MEMORY, "%s: out of memory", name);
        return false;
    }
    snprintf(c->label, sizeof c->label, "%s", name);
    return true;
}

bool call_adopt(struct call *c, void *ret, size_t ours, const void *theirs)
{
    enum { SANE = 4096 };
    uint32_t size;

    if (!theirs) {
        builder_fail(c->b, BIOFT_ERR_INVALID, "%s: its parameters are NULL", c->label);
        return false;
    }
    memcpy(&size, theirs, sizeof size); /* struct_size stands first */
    if (size < 2 * sizeof size || size > SANE) {
        builder_fail(c->b, BIOFT_ERR_INVALID, "%s: a struct_size of %u makes no sense", c->label, size);
        return false;
    }
    if (!abi_adopt(ret, ours, theirs, size)) {
        builder_fail(c->b, BIOFT_ERR_UNSUPPORTED, "%s: uses a parameter that this bioft does not know", c->label);
        return false;
    }
    return true;
}

bioft_node call_node(const struct call *c, uint32_t op, struct shape out)
{
    return (bioft_node){
        .struct_size = sizeof(bioft_node),
        .op = op,
        .input = { c->input },
        .input_count = 1,
        .channels = out.channels,
        .height = out.height,
        .width = out.width,
        .layer = BIOFT_NONE,
        .weight = BIOFT_NONE,
        .bias = BIOFT_NONE,
        .running_mean = BIOFT_NONE,
        .running_var = BIOFT_NONE,
    };
}

bioft_tensor call_append(struct call *c, const bioft_node *n)
{
    struct builder *b = c->b;
    struct graph *g = b->graph;
    size_t count = (size_t)g->view.node_count + 1;
    uint32_t elements;

    if (count > BUILDER_NODES)
        return builder_fail(b, BIOFT_ERR_UNSUPPORTED, "%s: more than %d operators; that is the most of a network",
                            c->label, BUILDER_NODES);
    if (!shape_elements((struct shape){ n->channels, n->height, n->width }, &elements))
        return builder_fail(b, BIOFT_ERR_UNSUPPORTED, "%s: %ux%ux%u values an image are too many, %d is the most",
                            c->label, n->channels, n->height, n->width, SHAPE_LARGEST);
    if (!mem_grow(&g->nodes, &b->node_capacity, count, sizeof *g->nodes) ||
        !mem_grow(&b->anchors, &b->anchor_capacity, count, sizeof *b->anchors))
        return builder_fail(b, BIOFT_ERR_MEMORY, "%s: out of memory", c->label);
    g->nodes[count - 1] = *n;
    if (c->name)
        b->anchors[count - 1] = c->name;
    else
        b->anchors[count - 1] = n->op == BIOFT_OP_INPUT ? "the input" : b->anchors[c->input];
    g->view.node_count = (uint32_t)count;
    return (bioft_tensor)count;
}

static bioft_tensor input(const bioft_builder *api, uint32_t channels, uint32_t height, uint32_t width)
{
    struct builder *b = api->ctx;
    struct graph *g = b->graph;
    struct call c = { .b = b, .label = "input" };
    const uint32_t most = sizeof g->mean / sizeof *g->mean;
    struct shape out;
    bioft_node n;

    if (b->error.status != BIOFT_OK)
        return 0;
    if (g->view.node_count > 0)
        return builder_fail(b, BIOFT_ERR_INVALID, "input: called twice; a network has one input");
    if (channels == 0 || channels > most || height == 0 || width == 0)
        return builder_fail(b, BIOFT_ERR_INVALID, "input: %u channels of %ux%u: 1 to %u channels, no side 0", channels,
                            height, width, most);
    if (b->params->channels != 0 && b->params->channels != channels)
        return builder_fail(b, BIOFT_ERR_INVALID, "input: it takes images of %u channel%s, the data has %u", channels,
                            channels == 1 ? "" : "s", b->params->channels);
    g->published_channels = channels;
    g->published_height = height;
    g->published_width = width;
    out = (struct shape){ channels, b->height ? b->height : height, b->width ? b->width : width };
    n = call_node(&c, BIOFT_OP_INPUT, out);
    n.input_count = 0;
    return call_append(&c, &n);
}

static bioft_status normalise(const bioft_builder *api, const float *mean, const float *std, uint32_t channels)
{
    struct builder *b = api->ctx;
    struct graph *g = b->graph;

    if (b->error.status != BIOFT_OK)
        return b->error.status;
    if (!mean || !std || channels == 0 || channels > sizeof g->mean / sizeof *g->mean || b->normalised != 0)
        builder_fail(b, BIOFT_ERR_INVALID, "normalise: once, with the mean and deviation of 1 to 4 channels");
    for (uint32_t i = 0; i < channels && b->error.status == BIOFT_OK; i++) {
        if (!isfinite(mean[i]) || !isfinite(std[i]) || !(std[i] > 0))
            builder_fail(b, BIOFT_ERR_INVALID,
                         "normalise: mean %g, deviation %g of channel %u: finite, and the "
                         "deviation above 0",
                         (double)mean[i], (double)std[i], i);
        g->mean[i] = mean[i];
        g->std[i] = std[i];
    }
    b->normalised = channels;
    return b->error.status;
}

void builder_init(struct builder *b, const struct graph_params *p, struct graph *g)
{
    *b = (struct builder){
        .api = { .struct_size = sizeof(bioft_builder), .ctx = b, .input = input, .normalise = normalise },
        .params = p,
        .height = p->height,
        .width = p->width,
        .graph = g,
        .taken_names = { .stride = sizeof *b->taken },
    };
    for (size_t i = 0; i < sizeof g->std / sizeof *g->std; i++)
        g->std[i] = 1;
    operators_set(&b->api);
    head_set(&b->api);
    params_set(&b->api);
}

/* A tensor that nothing uses is a mistake of the backbone, and a node without a gradient for an
 * engine. */
static void check_used(struct builder *b)
{
    const struct graph *g = b->graph;
    bool *used = mem_array(g->view.node_count, sizeof *used);

    if (!used) {
        builder_fail(b, BIOFT_ERR_MEMORY, "out of memory");
        return;
    }
    for (uint32_t i = 0; i < g->view.node_count; i++)
        for (uint32_t k = 0; k < g->nodes[i].input_count; k++)
            used[g->nodes[i].input[k]] = true;
    for (uint32_t i = 0; i + 1 < g->view.node_count; i++)
        if (!used[i])
            builder_fail(b, BIOFT_ERR_INVALID, "%s: the output of its %s is never used", b->anchors[i],
                         bioft_operator_name(g->nodes[i].op));
    free(used);
}

void builder_check(struct builder *b)
{
    const struct graph *g = b->graph;

    if (b->error.status != BIOFT_OK)
        return;
    if (g->view.node_count == 0)
        builder_fail(b, BIOFT_ERR_INVALID, "it built nothing: no input(), no head()");
    else if (!b->has_head)
        builder_fail(b, BIOFT_ERR_INVALID, "it has no head(): the layer that the task's head replaces");
    else if (b->normalised != 0 && b->normalised != g->published_channels)
        builder_fail(b, BIOFT_ERR_INVALID, "normalise: %u channels, the input has %u", b->normalised,
                     g->published_channels);
    else
        check_used(b);
}

void builder_end(struct builder *b)
{
    free(b->anchors);
    b->anchors = NULL;
    free(b->taken);
    b->taken = NULL;
    names_free(&b->taken_names);
}
