/* Building nets and opening the engine. */
#include "net.h"

#include "base/random.h"
#include "plugin/load.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

size_t node_count(const bioft_node *d) { return (size_t)d->channels * d->height * d->width; }

float *net_random(size_t count, uint64_t key)
{
    float *ret = mem_aligned(count, sizeof *ret);

    assert_non_null(ret);
    random_fill(BIOFT_NORMAL, 11, "test", key, 0, ret, count);
    return ret;
}

static uint32_t parameter(struct net *n, uint32_t kind, uint32_t layer, const char *node, const char *what,
                          const uint64_t *shape, uint32_t dims)
{
    const uint32_t i = n->graph.parameter_count++;
    bioft_parameter *p = &n->parameters[i];

    assert_true(i < PARAMETERS);
    char name[sizeof n->names[i]]; /* node is one of n's strings */
    snprintf(name, sizeof name, "%s.%s", node, what);
    memcpy(n->names[i], name, sizeof name);
    *p = (bioft_parameter){
        .struct_size = sizeof *p, .kind = kind, .layer = layer, .name = n->names[i], .dims = dims, .count = 1
    };
    for (uint32_t k = 0; k < dims; k++) {
        p->shape[k] = shape[k];
        p->count *= shape[k];
    }
    return i;
}

static uint32_t or_one(uint32_t v) { return v ? v : 1; }

/* How many windows there are, by trying: the first at -padding, each inside the padded image. */
static uint32_t windows(const struct op *o, int axis, uint32_t size)
{
    const bool pool = o->op == BIOFT_OP_MAXPOOL || o->op == BIOFT_OP_AVGPOOL;
    const int64_t stride = o->stride[axis] ? o->stride[axis] : pool ? o->kernel[axis] : 1;
    const int64_t reach = (int64_t)or_one(o->dilation[axis]) * (o->kernel[axis] - 1) + 1;
    const int64_t end = (int64_t)size + o->padding[axis + 2];
    uint32_t count = 0;

    for (int64_t at = -(int64_t)o->padding[axis];; at += stride) {
        if (at + reach <= end)
            count++;
        else
            return count + (o->ceil_mode && at < (int64_t)size && at + reach < end + stride);
    }
}

static void weights(struct net *n, bioft_node *d, const struct op *o, const bioft_node *x, uint32_t index)
{
    const bool conv = d->op == BIOFT_OP_CONV2D;
    const uint32_t groups = or_one(o->groups), in = x->channels / groups;
    const uint64_t shape[4] = { o->out, in, o->kernel[0], o->kernel[1] }, bias[1] = { o->out };
    const uint32_t l = n->graph.layer_count++;
    bioft_layer *layer = &n->layers[l];

    assert_true(l < LAYERS);
    snprintf(n->layer_names[l], sizeof n->layer_names[l], "%s%u", conv ? "conv" : "fc", index);
    d->layer = l;
    d->weight = parameter(n, BIOFT_PARAM_WEIGHT, l, n->layer_names[l], "weight", shape, conv ? 4 : 2);
    d->bias = o->no_bias ? BIOFT_NONE : parameter(n, BIOFT_PARAM_BIAS, l, n->layer_names[l], "bias", bias, 1);
    *layer = (bioft_layer){
        .struct_size = sizeof *layer,
        .index = l,
        .kind = conv ? BIOFT_LAYER_CONV2D : BIOFT_LAYER_LINEAR,
        .name = n->layer_names[l],
        .key = n->layer_names[l],
        .out_channels = o->out,
        .in_channels = x->channels,
        .groups = groups,
        .in_h = x->height,
        .in_w = x->width,
        .out_h = d->height,
        .out_w = d->width,
        .count = n->parameters[d->weight].count,
        .max_batch = 8,
    };
    memcpy(layer->kernel, d->kernel, sizeof layer->kernel);
    memcpy(layer->stride, d->stride, sizeof layer->stride);
    memcpy(layer->dilation, d->dilation, sizeof layer->dilation);
    memcpy(layer->padding, d->padding, sizeof layer->padding);
    layer->fan_in = layer->count / o->out;
    layer->fan_out = layer->count / in;
}

static void batchnorm(struct net *n, bioft_node *d, uint32_t index)
{
    const uint64_t shape[1] = { d->channels };
    char name[16];

    snprintf(name, sizeof name, "bn%u", index);
    d->weight = parameter(n, BIOFT_PARAM_GAMMA, BIOFT_NONE, name, "weight", shape, 1);
    d->bias = parameter(n, BIOFT_PARAM_BETA, BIOFT_NONE, name, "bias", shape, 1);
    d->running_mean = parameter(n, BIOFT_PARAM_RUNNING, BIOFT_NONE, name, "running_mean", shape, 1);
    d->running_var = parameter(n, BIOFT_PARAM_RUNNING, BIOFT_NONE, name, "running_var", shape, 1);
    d->eps = 1e-5f;
    d->momentum = 0.1f;
}

static void affine(struct net *n, bioft_node *d, const char *called, uint32_t index)
{
    const uint64_t shape[1] = { d->channels };
    char name[16];

    snprintf(name, sizeof name, "%s%u", called, index);
    d->weight = parameter(n, BIOFT_PARAM_GAMMA, BIOFT_NONE, name, "weight", shape, 1);
    if (d->op == BIOFT_OP_LAYERNORM)
        d->bias = parameter(n, BIOFT_PARAM_BETA, BIOFT_NONE, name, "bias", shape, 1);
    d->eps = 1e-5f;
}

static void tokens(struct net *n, bioft_node *d, const struct op *o, uint32_t index)
{
    const uint64_t shape[3] = { 1, o->class_token ? 1 : d->height, d->channels };
    char name[16];

    snprintf(name, sizeof name, "tokens%u", index);
    *(o->class_token ? &d->bias : &d->weight) = parameter(n, BIOFT_PARAM_TABLE, BIOFT_NONE, name, "table", shape, 3);
}

static bool has_two(uint32_t op)
{
    return op == BIOFT_OP_ADD || op == BIOFT_OP_MULTIPLY || op == BIOFT_OP_CONCAT || op == BIOFT_OP_MATMUL;
}

static uint32_t *side(bioft_node *d, uint32_t axis)
{
    return axis == 0 ? &d->channels : axis == 1 ? &d->height : &d->width;
}

/* other: the second input, or NULL. */
static void other_shape(bioft_node *d, const struct op *o, const bioft_node *x, const bioft_node *other)
{
    bioft_node copy;

    d->channels = x->channels;
    d->height = x->height;
    d->width = x->width;
    if (o->op == BIOFT_OP_CONCAT) {
        copy = *other;
        *side(d, o->axis) += *side(&copy, o->axis);
    } else if (o->op == BIOFT_OP_SLICE) {
        *side(d, o->axis) = o->out;
    } else if (o->op == BIOFT_OP_MATMUL && o->product == 0) {
        d->channels = d->groups;
        d->height = x->height * x->width;
        d->width = other->height * other->width;
    } else if (o->op == BIOFT_OP_MATMUL) {
        d->groups = x->channels;
        d->channels = other->channels;
        d->width = 1;
    } else if (o->op == BIOFT_OP_TOKENS) {
        d->height = x->height * x->width + o->class_token;
        d->width = 1;
    }
}

static void shape(bioft_node *d, const struct op *o, const bioft_node *x)
{
    switch (o->op) {
    case BIOFT_OP_CONV2D:
    case BIOFT_OP_MAXPOOL:
    case BIOFT_OP_AVGPOOL:
        d->channels = o->op == BIOFT_OP_CONV2D ? o->out : x->channels;
        d->height = windows(o, 0, x->height);
        d->width = windows(o, 1, x->width);
        break;
    case BIOFT_OP_LINEAR:
        d->channels = o->out;
        d->height = d->width = 1;
        break;
    case BIOFT_OP_FLATTEN:
        d->channels = (uint32_t)node_count(x);
        d->height = d->width = 1;
        break;
    default:
        d->channels = x->channels;
        d->height = o->op == BIOFT_OP_ADAPTIVE_AVGPOOL ? o->height : x->height;
        d->width = o->op == BIOFT_OP_ADAPTIVE_AVGPOOL ? o->width : x->width;
        break;
    }
}

static void add_node(struct net *n, const struct op *o, uint32_t index)
{
    bioft_node *d = &n->nodes[index];
    const uint32_t in = o->in > 0 ? (uint32_t)o->in : o->in < 0 ? 0 : index - 1;
    const bioft_node *x = &n->nodes[in];
    const bool pool = o->op == BIOFT_OP_MAXPOOL || o->op == BIOFT_OP_AVGPOOL;

    *d = (bioft_node){
        .struct_size = sizeof *d,
        .op = o->op,
        .input = { in, has_two(o->op) && o->in2 > 0 ? (uint32_t)o->in2 : 0 },
        .input_count = has_two(o->op) ? 2 : 1,
        .layer = BIOFT_NONE,
        .weight = BIOFT_NONE,
        .bias = BIOFT_NONE,
        .running_mean = BIOFT_NONE,
        .running_var = BIOFT_NONE,
        .groups = or_one(o->groups),
        .ceil_mode = o->ceil_mode,
        .exclude_padding = o->exclude_padding,
        .dropout = o->dropout,
        .low = o->low,
        .high = o->high,
        .scale = o->scale,
        .axis = o->axis,
        .from = o->from,
        .product = o->product,
    };
    for (int k = 0; k < 2; k++) {
        d->kernel[k] = o->kernel[k];
        d->stride[k] = o->stride[k] ? o->stride[k] : pool ? o->kernel[k] : 1;
        d->dilation[k] = or_one(o->dilation[k]);
    }
    memcpy(d->padding, o->padding, sizeof d->padding);
    shape(d, o, x);
    if (o->op > BIOFT_OP_FLATTEN)
        other_shape(d, o, x, d->input_count > 1 ? &n->nodes[d->input[1]] : NULL);
    if (o->op == BIOFT_OP_CONV2D || o->op == BIOFT_OP_LINEAR)
        weights(n, d, o, x, index);
    if (o->op == BIOFT_OP_BATCHNORM)
        batchnorm(n, d, index);
    if (o->op == BIOFT_OP_SCALE || o->op == BIOFT_OP_LAYERNORM)
        affine(n, d, o->op == BIOFT_OP_SCALE ? "scale" : "ln", index);
    if (o->op == BIOFT_OP_TOKENS)
        tokens(n, d, o, index);
}

static void draw(struct net *n, uint32_t i)
{
    const bioft_parameter *p = &n->parameters[i];
    float *v = n->values[i] = net_random(p->count, 100 + i);
    const float scale = p->kind == BIOFT_PARAM_WEIGHT ? 1 / sqrtf((float)(p->count / p->shape[0])) : 0.3f;
    const bool near_one = p->kind == BIOFT_PARAM_GAMMA || strstr(p->name, "running_var");

    for (size_t k = 0; k < p->count; k++)
        v[k] = near_one ? fabsf(1 + 0.3f * v[k]) + 0.1f : scale * v[k];
}

void net_make(struct net *n, uint32_t channels, uint32_t height, uint32_t width, const struct op *ops)
{
    uint32_t count = 1;

    *n = (struct net){ .graph = { .struct_size = sizeof n->graph } };
    n->nodes[0] = (bioft_node){ .struct_size = sizeof *n->nodes,
                                .channels = channels,
                                .height = height,
                                .width = width,
                                .layer = BIOFT_NONE,
                                .weight = BIOFT_NONE,
                                .bias = BIOFT_NONE,
                                .running_mean = BIOFT_NONE,
                                .running_var = BIOFT_NONE };
    for (; ops->op; ops++, count++) {
        assert_true(count < NODES);
        add_node(n, ops, count);
    }
    for (uint32_t i = 0; i < n->graph.parameter_count; i++)
        draw(n, i);
    n->graph.node_count = count;
    n->graph.node_size = sizeof *n->nodes;
    n->graph.parameter_size = sizeof *n->parameters;
    n->graph.layer_size = sizeof *n->layers;
    n->graph.channels = channels;
    n->graph.height = height;
    n->graph.width = width;
    n->graph.outputs = (uint32_t)node_count(&n->nodes[count - 1]);
    n->graph.nodes = n->nodes;
    n->graph.parameters = n->parameters;
    n->graph.layers = n->layers;
    for (uint32_t l = 0; l < n->graph.layer_count; l++)
        n->layers[l].outputs = n->graph.outputs;
}

void net_free(struct net *n)
{
    for (uint32_t i = 0; i < n->graph.parameter_count; i++)
        free(n->values[i]);
    for (uint32_t i = 0; i < n->graph.layer_count; i++)
        free(n->feedback[i]);
}

/* An integer, or a choice by its number, where the environment has one. */
static void set_option(const struct plugin *p, struct option_value *values, const char *variable, const char *name)
{
    const char *number = getenv(variable);
    size_t index;

    if (!number)
        return;
    assert_non_null(options_find(p, name, &index));
    values[index].given = true;
    values[index].integer = atoi(number);
}

void rig_open(struct rig *r, struct net *n, unsigned threads)
{
    const char *path = getenv("BIOFT_TEST_ENGINE");
    struct instance_params params = { .seed = SEED };
    struct option_value *values;
    struct error err = { 0 };

    *r = (struct rig){ .net = n };
    assert_non_null(path);
    if (pool_create(threads, &r->pool, &err) != BIOFT_OK ||
        plugin_load(path, BIOFT_KIND_ENGINE, &r->plugins, &r->plugin_count, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    params.plugin = r->plugins[0];
    params.pool = r->pool;
    r->arena = arena_create();
    assert_non_null(r->arena);
    if (options_defaults(params.plugin, r->arena, &values, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    set_option(params.plugin, values, "BIOFT_TEST_WINOGRAD", "winograd");
    set_option(params.plugin, values, "BIOFT_TEST_DRAWS", "draws");
    params.values = values;
    if (instance_create(&params, &r->instance, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    r->api = &r->plugins[0]->api.engine;
    r->self = r->instance->self;
    if (!n)
        return;
    if (r->api->model_create(r->self, &n->graph, &r->model) != BIOFT_OK)
        fail_msg("%s", rig_error(r, BIOFT_ERR_INVALID));
    for (uint32_t i = 0; i < n->graph.parameter_count; i++)
        assert_int_equal(r->api->write(r->self, r->model, BIOFT_VALUE, i, n->values[i], n->parameters[i].count), 0);
}

void rig_close(struct rig *r)
{
    if (r->model)
        r->api->model_destroy(r->self, r->model);
    instance_destroy(r->instance);
    plugins_free(r->plugins, r->plugin_count);
    pool_destroy(r->pool);
    arena_destroy(r->arena);
}

void *rig_program(struct rig *r, uint32_t kind, uint32_t flags, uint32_t max_batch, const bioft_route *routes)
{
    const bioft_use use = { .struct_size = sizeof use,
                            .kind = kind,
                            .flags = flags,
                            .precision = BIOFT_F32,
                            .max_batch = max_batch,
                            .threads = pool_threads(r->pool) };
    void *ret = NULL;

    if (r->api->program_create(r->self, r->model, &use, routes, &ret) != BIOFT_OK)
        fail_msg("%s", rig_error(r, BIOFT_ERR_INVALID));
    return ret;
}

float *rig_read(struct rig *r, uint32_t what, uint32_t parameter)
{
    const size_t count = r->net->parameters[parameter].count;
    float *ret = mem_aligned(count, sizeof *ret);

    assert_non_null(ret);
    if (r->api->read(r->self, r->model, what, parameter, ret, count) != BIOFT_OK)
        fail_msg("%s", rig_error(r, BIOFT_ERR_INVALID));
    return ret;
}

const char *rig_error(struct rig *r, bioft_status status)
{
    static struct error err;

    instance_error(r->instance, status, &err);
    return err.text;
}
