/* Taking a graph over: copies by stride, then every node against its inputs and parameters. */
#include "network.h"

#include "memory.h"
#include "traits.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct report {
    const struct network *n;
    char *why;
    size_t size;
};

void node_text(const struct network *n, uint32_t node, char *ret, size_t size)
{
    const bioft_node *d = &n->nodes[node];
    uint32_t parameter = d->weight != BIOFT_NONE ? d->weight : d->running_mean;

    if (parameter < n->parameter_count && n->parameters[parameter].name) {
        const char *name = n->parameters[parameter].name, *dot = strrchr(name, '.');
        snprintf(ret, size, "%s '%.*s'", bioft_operator_name(d->op), dot ? (int)(dot - name) : (int)strlen(name), name);
    } else {
        snprintf(ret, size, "%s (node %u)", bioft_operator_name(d->op), node);
    }
}

#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
static bioft_status
refuse(const struct report *r, uint32_t node, bioft_status status, const char *format, ...)
{
    char name[160], text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    node_text(r->n, node, name, sizeof name);
    snprintf(r->why, r->size, "%s: %s", name, text);
    return status;
}

/* One that stands in both structs' sizes; what a longer one says beyond ours would be ignored, so it must be zero. */
static bioft_status copy_items(const void *from, uint32_t stride, uint32_t count, size_t size, void *ret)
{
    const unsigned char *theirs = from;
    unsigned char *ours = ret;

    for (uint32_t i = 0; i < count; i++, theirs += stride, ours += size) {
        for (size_t k = size; k < stride; k++)
            if (theirs[k] != 0)
                return BIOFT_ERR_UNSUPPORTED;
        memcpy(ours, theirs, stride < size ? stride : size);
    }
    return BIOFT_OK;
}

static void fill_geometry(bioft_node *d)
{
    bool pool = d->op == BIOFT_OP_MAXPOOL || d->op == BIOFT_OP_AVGPOOL;

    for (int i = 0; i < 2; i++) {
        if (d->stride[i] == 0)
            d->stride[i] = pool ? d->kernel[i] : 1;
        if (d->dilation[i] == 0)
            d->dilation[i] = 1;
    }
    if (d->groups == 0)
        d->groups = 1;
}

uint64_t cpu_window_count(const bioft_node *d, uint32_t axis, uint32_t input)
{
    uint64_t padded = (uint64_t)input + d->padding[axis] + d->padding[axis + 2], count;
    uint64_t window;

    if (d->kernel[axis] == 0)
        return 0;
    window = (uint64_t)d->dilation[axis] * (d->kernel[axis] - 1) + 1;
    if (d->ceil_mode)
        padded += d->stride[axis] - 1;
    if (padded < window)
        return 0;
    count = (padded - window) / d->stride[axis] + 1;
    /* With ceil_mode the last window may hang over, but must begin inside the image or the padding before it. */
    return d->ceil_mode && (count - 1) * d->stride[axis] >= (uint64_t)input + d->padding[axis] ? count - 1 : count;
}

static bioft_status check_parameter(const struct report *r, uint32_t node, uint32_t parameter, const char *what,
                                    uint64_t count, bool needed)
{
    const struct network *n = r->n;

    if (parameter == BIOFT_NONE && !needed)
        return BIOFT_OK;
    if (parameter >= n->parameter_count)
        return refuse(r, node, BIOFT_ERR_INVALID, "it has no %s", what);
    if (n->parameters[parameter].count != count)
        return refuse(r, node, BIOFT_ERR_INVALID, "its %s '%s' has %zu values where %llu belong", what,
                      n->parameters[parameter].name, n->parameters[parameter].count, (unsigned long long)count);
    return BIOFT_OK;
}

static bioft_status check_windows(const struct report *r, uint32_t node, const bioft_node *x)
{
    const bioft_node *d = &r->n->nodes[node];

    if (d->height != cpu_window_count(d, 0, x->height) || d->width != cpu_window_count(d, 1, x->width) ||
        d->height == 0 || d->width == 0)
        return refuse(r, node, BIOFT_ERR_INVALID, "a %ux%u output does not follow from a %ux%u input", d->height,
                      d->width, x->height, x->width);
    return BIOFT_OK;
}

static bioft_status check_conv(const struct report *r, uint32_t node, const bioft_node *x)
{
    const bioft_node *d = &r->n->nodes[node];
    size_t count;
    bioft_status st = check_windows(r, node, x);

    if (st != BIOFT_OK)
        return st;
    if (x->channels % d->groups != 0 || d->channels % d->groups != 0 || d->ceil_mode)
        return refuse(r, node, BIOFT_ERR_INVALID, "%u groups do not divide %u and %u channels", d->groups, x->channels,
                      d->channels);
    if (!product(d->kernel[0], d->kernel[1], &count) || !product(count, x->channels / d->groups, &count) ||
        count > INT32_MAX || !product(count, d->channels, &count))
        return refuse(r, node, BIOFT_ERR_UNSUPPORTED, "its kernel is too large");
    st = check_parameter(r, node, d->weight, "weight", count, true);
    return st != BIOFT_OK ? st : check_parameter(r, node, d->bias, "bias", d->channels, false);
}

static bioft_status check_linear(const struct report *r, uint32_t node, const bioft_node *x)
{
    const bioft_node *d = &r->n->nodes[node];
    size_t count;
    bioft_status st;

    if (x->height != 1 || x->width != 1 || d->height != 1 || d->width != 1)
        return refuse(r, node, BIOFT_ERR_UNSUPPORTED, "it takes flat input: flatten before it");
    if (!product(x->channels, d->channels, &count))
        return refuse(r, node, BIOFT_ERR_UNSUPPORTED, "it is too large");
    st = check_parameter(r, node, d->weight, "weight", count, true);
    return st != BIOFT_OK ? st : check_parameter(r, node, d->bias, "bias", d->channels, false);
}

static bioft_status check_batchnorm(const struct report *r, uint32_t node)
{
    const bioft_node *d = &r->n->nodes[node];
    const struct {
        uint32_t parameter;
        const char *what;
        bool needed;
    } arrays[] = {
        { d->weight, "weight", false },
        { d->bias, "bias", false },
        { d->running_mean, "running_mean", true },
        { d->running_var, "running_var", true },
    };

    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        bioft_status st = check_parameter(r, node, arrays[i].parameter, arrays[i].what, d->channels, arrays[i].needed);
        if (st != BIOFT_OK)
            return st;
    }
    return BIOFT_OK;
}

static bioft_status check_pool(const struct report *r, uint32_t node, const bioft_node *x)
{
    const bioft_node *d = &r->n->nodes[node];

    if (d->channels != x->channels)
        return refuse(r, node, BIOFT_ERR_INVALID, "it cannot change the number of channels");
    if (d->op == BIOFT_OP_ADAPTIVE_AVGPOOL)
        return BIOFT_OK;
    for (int i = 0; i < 4; i++)
        if (d->padding[i] >= d->kernel[i % 2])
            return refuse(r, node, BIOFT_ERR_INVALID, "its padding must be smaller than its kernel");
    if (d->op == BIOFT_OP_AVGPOOL && (d->dilation[0] != 1 || d->dilation[1] != 1))
        return refuse(r, node, BIOFT_ERR_INVALID, "it has no dilation");
    return check_windows(r, node, x);
}

static bool same_shape(const bioft_node *a, const bioft_node *b)
{
    return a->channels == b->channels && a->height == b->height && a->width == b->width;
}

/* Inputs of one shape but for repeated sides of the second. */
static bioft_status check_multiply(const struct report *r, uint32_t node, const bioft_node *x)
{
    const bioft_node *d = &r->n->nodes[node], *other = &r->n->nodes[d->input[1]];

    if (!same_shape(d, x) || (other->channels != 1 && other->channels != x->channels) ||
        (other->height != 1 && other->height != x->height) || (other->width != 1 && other->width != x->width))
        return refuse(r, node, BIOFT_ERR_INVALID, "its second input cannot be repeated to the shape of the first");
    return BIOFT_OK;
}

static uint32_t side(const bioft_node *d, uint32_t axis)
{
    return axis == 0 ? d->channels : axis == 1 ? d->height : d->width;
}

static bool same_but_axis(const bioft_node *a, const bioft_node *b, uint32_t axis)
{
    for (uint32_t i = 0; i < 3; i++)
        if (i != axis && side(a, i) != side(b, i))
            return false;
    return axis < 3;
}

static bioft_status check_join(const struct report *r, uint32_t node, const bioft_node *x)
{
    const bioft_node *d = &r->n->nodes[node];
    bool good = same_but_axis(d, x, d->axis);

    if (good && d->op == BIOFT_OP_CONCAT) {
        const bioft_node *other = &r->n->nodes[d->input[1]];
        good = same_but_axis(d, other, d->axis) &&
               (uint64_t)side(x, d->axis) + side(other, d->axis) == side(d, d->axis);
    } else if (good) {
        good = (uint64_t)d->from + side(d, d->axis) <= side(x, d->axis);
    }
    return good ? BIOFT_OK : refuse(r, node, BIOFT_ERR_INVALID, "its output's shape does not follow from its inputs");
}

static bioft_status check_matmul(const struct report *r, uint32_t node, const bioft_node *a)
{
    const bioft_node *d = &r->n->nodes[node], *b = &r->n->nodes[d->input[1]];
    const uint64_t rows = (uint64_t)a->height * a->width, columns = (uint64_t)b->height * b->width;
    bool good;

    if (d->product == 0)
        good = a->channels == b->channels && a->channels % d->groups == 0 && d->channels == d->groups &&
               d->height == rows && d->width == columns;
    else
        good = d->product == 1 && a->channels == d->groups && b->channels % d->groups == 0 && columns == a->width &&
               d->channels == b->channels && d->height == a->height && d->width == 1;
    return good ? BIOFT_OK : refuse(r, node, BIOFT_ERR_INVALID, "its output's shape does not follow from its inputs");
}

/* A value a channel, or none. */
static bioft_status check_affine(const struct report *r, uint32_t node, const bioft_node *x)
{
    const bioft_node *d = &r->n->nodes[node];
    bioft_status st;

    if (!same_shape(d, x))
        return refuse(r, node, BIOFT_ERR_INVALID, "its input and its output must have one shape");
    st = check_parameter(r, node, d->weight, "weight", d->channels, false);
    return st != BIOFT_OK ? st : check_parameter(r, node, d->bias, "bias", d->channels, false);
}

static bioft_status check_tokens(const struct report *r, uint32_t node, const bioft_node *x)
{
    const bioft_node *d = &r->n->nodes[node];
    const uint64_t before = d->bias != BIOFT_NONE, positions = (uint64_t)x->height * x->width;
    bioft_status st;

    if (d->channels != x->channels || d->width != 1 || d->height != positions + before)
        return refuse(r, node, BIOFT_ERR_INVALID, "its tokens are not the positions of its input");
    st = check_parameter(r, node, d->weight, "weight", (uint64_t)d->channels * d->height, false);
    return st != BIOFT_OK ? st : check_parameter(r, node, d->bias, "bias", d->channels, false);
}

static bioft_status check_operator(const struct report *r, uint32_t node)
{
    const bioft_node *d = &r->n->nodes[node], *x = &r->n->nodes[d->input[0]];

    switch (d->op) {
    case BIOFT_OP_CONV2D: return check_conv(r, node, x);
    case BIOFT_OP_LINEAR: return check_linear(r, node, x);
    case BIOFT_OP_MAXPOOL:
    case BIOFT_OP_AVGPOOL:
    case BIOFT_OP_ADAPTIVE_AVGPOOL: return check_pool(r, node, x);
    case BIOFT_OP_FLATTEN:
        return node_floats(d) == node_floats(x)
                   ? BIOFT_OK
                   : refuse(r, node, BIOFT_ERR_INVALID, "it cannot change the number of values");
    case BIOFT_OP_MULTIPLY: return check_multiply(r, node, x);
    case BIOFT_OP_CONCAT:
    case BIOFT_OP_SLICE: return check_join(r, node, x);
    case BIOFT_OP_MATMUL: return check_matmul(r, node, x);
    case BIOFT_OP_SCALE:
    case BIOFT_OP_LAYERNORM: return check_affine(r, node, x);
    case BIOFT_OP_TOKENS: return check_tokens(r, node, x);
    default: break;
    }
    if (!same_shape(d, x) || (d->op == BIOFT_OP_ADD && !same_shape(d, &r->n->nodes[d->input[1]])))
        return refuse(r, node, BIOFT_ERR_INVALID, "its inputs and its output must have one shape");
    if (d->op == BIOFT_OP_DROPOUT && !(d->dropout >= 0.0f && d->dropout <= 1.0f))
        return refuse(r, node, BIOFT_ERR_INVALID, "its probability must be in [0, 1]");
    return d->op == BIOFT_OP_BATCHNORM ? check_batchnorm(r, node) : BIOFT_OK;
}

static bioft_status check_node(const struct report *r, uint32_t node)
{
    const struct network *n = r->n;
    const bioft_node *d = &n->nodes[node];
    const uint32_t inputs = d->op == BIOFT_OP_INPUT ? 0 : operator_traits(d->op) & TWO_INPUTS ? 2 : 1;
    size_t floats;

    if (d->op > BIOFT_OP_TOKENS)
        return refuse(r, node, BIOFT_ERR_UNSUPPORTED, "no such operator here (number %u)", d->op);
    if ((d->op == BIOFT_OP_INPUT) != (node == 0) || d->input_count != inputs)
        return refuse(r, node, BIOFT_ERR_INVALID, "%u inputs", d->input_count);
    for (uint32_t i = 0; i < inputs; i++)
        if (d->input[i] >= node)
            return refuse(r, node, BIOFT_ERR_INVALID, "it comes before its input");
    if (!product(d->channels, d->height, &floats) || !product(floats, d->width, &floats) || floats == 0 ||
        floats > INT32_MAX)
        return refuse(r, node, BIOFT_ERR_UNSUPPORTED, "an output of %ux%ux%u", d->channels, d->height, d->width);
    return node == 0 ? BIOFT_OK : check_operator(r, node);
}

/* Each weighted layer is one node, and no array belongs to two nodes: gradients are written, not shared out. */
static bioft_status check_owners(const struct report *r, unsigned char *owned)
{
    const struct network *n = r->n;

    for (uint32_t i = 1; i < n->node_count; i++) {
        const bioft_node *d = &n->nodes[i];
        const uint32_t arrays[] = { d->weight, d->bias, d->running_mean, d->running_var };
        bool weighted = d->op == BIOFT_OP_CONV2D || d->op == BIOFT_OP_LINEAR;

        for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) {
            if (arrays[k] == BIOFT_NONE || arrays[k] >= n->parameter_count)
                continue;
            if (owned[arrays[k]]++)
                return refuse(r, i, BIOFT_ERR_UNSUPPORTED, "'%s' is used twice: shared parameters are not supported",
                              n->parameters[arrays[k]].name);
        }
        if (!weighted)
            continue;
        if (d->layer >= n->layer_count || n->layer_node[d->layer] != BIOFT_NONE)
            return refuse(r, i, BIOFT_ERR_INVALID, "it is not a layer of its own");
        n->layer_node[d->layer] = i;
        if (n->layers[d->layer].count != n->parameters[d->weight].count || !n->layers[d->layer].name ||
            n->parameters[d->weight].kind != BIOFT_PARAM_WEIGHT || n->parameters[d->weight].layer != d->layer)
            return refuse(r, i, BIOFT_ERR_INVALID, "its layer has no name or another weight");
    }
    for (uint32_t i = 0; i < n->parameter_count; i++)
        if (!n->parameters[i].name || !owned[i]) {
            snprintf(r->why, r->size, "parameter %u has no name or belongs to no node", i);
            return BIOFT_ERR_INVALID;
        }
    for (uint32_t i = 0; i < n->layer_count; i++)
        if (n->layer_node[i] == BIOFT_NONE) {
            snprintf(r->why, r->size, "layer %u belongs to no node", i);
            return BIOFT_ERR_INVALID;
        }
    return BIOFT_OK;
}

static bioft_status check(const struct report *r)
{
    const struct network *n = r->n;
    unsigned char *owned;
    bioft_status st = BIOFT_OK;

    for (uint32_t i = 0; st == BIOFT_OK && i < n->node_count; i++)
        st = check_node(r, i);
    if (st != BIOFT_OK)
        return st;
    if (node_floats(&n->nodes[n->node_count - 1]) != n->outputs ||
        node_floats(&n->nodes[0]) != (size_t)n->channels * n->height * n->width) {
        snprintf(r->why, r->size, "the graph's input and output are not those of its first and last node");
        return BIOFT_ERR_INVALID;
    }
    owned = memory_take(n->parameter_count, 1);
    if (!owned) {
        snprintf(r->why, r->size, "out of memory");
        return BIOFT_ERR_MEMORY;
    }
    st = check_owners(r, owned);
    memory_give(owned);
    return st;
}

bioft_status network_copy(const bioft_graph *graph, struct network *ret, char *why, size_t size)
{
    struct network n = {
        .node_count = graph->node_count,
        .parameter_count = graph->parameter_count,
        .layer_count = graph->layer_count,
        .channels = graph->channels,
        .height = graph->height,
        .width = graph->width,
        .outputs = graph->outputs,
    };
    bioft_status st = BIOFT_ERR_MEMORY;

    if (n.node_count < 2) {
        snprintf(why, size, "a graph of %u nodes computes nothing", n.node_count);
        return BIOFT_ERR_INVALID;
    }
    n.nodes = memory_take(n.node_count, sizeof *n.nodes);
    n.parameters = memory_take(n.parameter_count, sizeof *n.parameters);
    n.layers = memory_take(n.layer_count, sizeof *n.layers);
    n.layer_node = memory_take(n.layer_count, sizeof *n.layer_node);
    snprintf(why, size, "out of memory");
    if (!n.nodes || !n.parameters || !n.layers || !n.layer_node)
        goto fail;
    snprintf(why, size, "the graph uses something that this engine does not know");
    st = copy_items(graph->nodes, graph->node_size, n.node_count, sizeof *n.nodes, n.nodes);
    if (st == BIOFT_OK)
        st = copy_items(graph->parameters, graph->parameter_size, n.parameter_count, sizeof *n.parameters,
                        n.parameters);
    if (st == BIOFT_OK)
        st = copy_items(graph->layers, graph->layer_size, n.layer_count, sizeof *n.layers, n.layers);
    if (st != BIOFT_OK)
        goto fail;
    for (uint32_t i = 0; i < n.layer_count; i++)
        n.layer_node[i] = BIOFT_NONE;
    for (uint32_t i = 0; i < n.node_count; i++)
        fill_geometry(&n.nodes[i]);
    st = check(&(struct report){ .n = &n, .why = why, .size = size });
    if (st != BIOFT_OK)
        goto fail;
    *ret = n;
    return BIOFT_OK;

fail:
    network_free(&n);
    return st;
}

void network_free(struct network *n)
{
    if (!n)
        return;
    memory_give(n->nodes);
    memory_give(n->parameters);
    memory_give(n->layers);
    memory_give(n->layer_node);
    *n = (struct network){ .nodes = NULL };
}
