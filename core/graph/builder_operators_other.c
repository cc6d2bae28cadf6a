/* The builder's operators without a call of their own: op(), by ONNX name and attributes. */
#include "graph/builder.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ATTRIBUTES = 5, AXES = 3 };

/* One call of op(). */
struct asked {
    const bioft_builder *api;
    const char *op, *name;
    const bioft_tensor *x;
    uint32_t count;
    const bioft_attr *attrs;
    uint32_t attr_count;
};

static const bioft_attr *find(const struct asked *a, const char *name)
{
    for (uint32_t i = 0; i < a->attr_count; i++)
        if (a->attrs[i].name && strcmp(a->attrs[i].name, name) == 0)
            return &a->attrs[i];
    return NULL;
}

/* A single number of either type; `usual` where it is not given. */
static double number(const struct asked *a, const char *name, double usual)
{
    const bioft_attr *at = find(a, name);

    if (!at)
        return usual;
    return at->type == BIOFT_I64 ? (double)*(const int64_t *)at->value : *(const double *)at->value;
}

/* A whole number from `least` on into *ret; false after a failure. */
static bool whole(struct call *c, const struct asked *a, const char *name, uint32_t usual, uint32_t least,
                  uint32_t *ret)
{
    const double v = number(a, name, usual);

    if (v >= (double)least && v <= (double)SHAPE_LARGEST && v == floor(v)) {
        *ret = (uint32_t)v;
        return true;
    }
    builder_fail(c->b, BIOFT_ERR_INVALID, "%s: %s %g: a whole number from %u on", c->label, name, v, least);
    return false;
}

static uint32_t *side_of(struct shape *s, uint32_t axis)
{
    return axis == 0 ? &s->channels : axis == 1 ? &s->height : &s->width;
}

static bioft_tensor by_value(const struct asked *a, uint32_t op)
{
    struct call c;
    bioft_node n;

    if (!call_begin(&c, a->api, bioft_operator_name(op), a->x[0]))
        return 0;
    n = call_node(&c, op, c.in);
    return call_append(&c, &n);
}

static bioft_tensor sigmoid(const struct asked *a) { return by_value(a, BIOFT_OP_SIGMOID); }
static bioft_tensor hardswish(const struct asked *a) { return by_value(a, BIOFT_OP_HARDSWISH); }
static bioft_tensor silu(const struct asked *a) { return by_value(a, BIOFT_OP_SILU); }
static bioft_tensor gelu(const struct asked *a) { return by_value(a, BIOFT_OP_GELU); }
static bioft_tensor softmax(const struct asked *a) { return by_value(a, BIOFT_OP_SOFTMAX); }

/* ONNX's own slope is 0.2; everybody's networks have 1/6, and so do engines. */
static bioft_tensor hardsigmoid(const struct asked *a)
{
    struct call c;
    const double alpha = number(a, "alpha", 0.2), beta = number(a, "beta", 0.5);

    if (!call_begin(&c, a->api, "hardsigmoid", a->x[0]))
        return 0;
    if (fabs(alpha - 1.0 / 6) > 1e-6 || beta != 0.5)
        return builder_fail(c.b, BIOFT_ERR_UNSUPPORTED, "%s: alpha %g, beta %g: engines have alpha 1/6, beta 0.5",
                            c.label, alpha, beta);
    return by_value(a, BIOFT_OP_HARDSIGMOID);
}

static bioft_tensor clip(const struct asked *a)
{
    struct call c;
    bioft_node n;
    const double low = number(a, "min", -INFINITY), high = number(a, "max", INFINITY);

    if (!call_begin(&c, a->api, "clip", a->x[0]))
        return 0;
    if (!((float)low < (float)high))
        return builder_fail(c.b, BIOFT_ERR_INVALID, "%s: min %g is not below max %g", c.label, low, high);
    n = call_node(&c, BIOFT_OP_CLIP, c.in);
    n.low = (float)low;
    n.high = (float)high;
    return call_append(&c, &n);
}

static void fail_shapes(struct call *c, const struct call *other, const char *what)
{
    builder_fail(c->b, BIOFT_ERR_INVALID, "%s: %ux%ux%u and %ux%ux%u cannot be %s", c->label, c->in.channels,
                 c->in.height, c->in.width, other->in.channels, other->in.height, other->in.width, what);
}

/* Can `small` be repeated to the shape of `large`? */
static bool repeats(struct shape large, struct shape small)
{
    for (uint32_t i = 0; i < AXES; i++)
        if (*side_of(&small, i) != 1 && *side_of(&small, i) != *side_of(&large, i))
            return false;
    return true;
}

static bioft_tensor multiply(const struct asked *a)
{
    struct call c, other;
    bioft_node n;

    if (!call_begin(&c, a->api, "multiply", a->x[0]) || !call_begin(&other, a->api, "multiply", a->x[1]))
        return 0;
    if (!repeats(c.in, other.in) && repeats(other.in, c.in)) {
        const struct call first = c;
        c = other;
        other = first;
    }
    if (!repeats(c.in, other.in)) {
        fail_shapes(&c, &other, "multiplied");
        return 0;
    }
    n = call_node(&c, BIOFT_OP_MULTIPLY, c.in);
    n.input[1] = other.input;
    n.input_count = 2;
    return call_append(&c, &n);
}

/* Of ONNX's axes, which count the image's number as 0. */
static bool take_axis(struct call *c, const struct asked *a, uint32_t *ret)
{
    if (!whole(c, a, "axis", 1, 1, ret))
        return false;
    if (*ret > AXES) {
        builder_fail(c->b, BIOFT_ERR_INVALID, "%s: axis %u: 1 channels, 2 height, 3 width", c->label, *ret);
        return false;
    }
    --*ret;
    return true;
}

static bioft_tensor concat_two(const struct asked *a, bioft_tensor x, bioft_tensor y)
{
    struct call c, other;
    struct shape out, same;
    uint32_t axis;
    bioft_node n;

    if (!call_begin(&c, a->api, "concat", x) || !call_begin(&other, a->api, "concat", y) || !take_axis(&c, a, &axis))
        return 0;
    same = other.in;
    *side_of(&same, axis) = *side_of(&c.in, axis);
    if (memcmp(&same, &c.in, sizeof same) != 0) {
        fail_shapes(&c, &other, "joined along this axis");
        return 0;
    }
    out = c.in;
    if (*side_of(&other.in, axis) > SHAPE_LARGEST - *side_of(&out, axis))
        return builder_fail(c.b, BIOFT_ERR_UNSUPPORTED, "%s: its output is too large", c.label);
    *side_of(&out, axis) += *side_of(&other.in, axis);
    n = call_node(&c, BIOFT_OP_CONCAT, out);
    n.input[1] = other.input;
    n.input_count = 2;
    n.axis = axis;
    return call_append(&c, &n);
}

/* Engines join two; so any number. */
static bioft_tensor concat(const struct asked *a)
{
    bioft_tensor x = a->x[0];

    for (uint32_t i = 1; i < a->count; i++)
        x = concat_two(a, x, a->x[i]);
    return x;
}

static bioft_tensor slice(const struct asked *a)
{
    struct call c;
    struct shape out;
    uint32_t axis, from, to;
    bioft_node n;

    if (!call_begin(&c, a->api, "slice", a->x[0]) || !take_axis(&c, a, &axis))
        return 0;
    out = c.in;
    if (!whole(&c, a, "start", 0, 0, &from) || !whole(&c, a, "end", *side_of(&out, axis), 1, &to))
        return 0;
    if (from >= to || to > *side_of(&out, axis))
        return builder_fail(c.b, BIOFT_ERR_INVALID, "%s: start %u, end %u of %u", c.label, from, to,
                            *side_of(&out, axis));
    *side_of(&out, axis) = to - from;
    n = call_node(&c, BIOFT_OP_SLICE, out);
    n.axis = axis;
    n.from = from;
    return call_append(&c, &n);
}

static bioft_tensor scores(struct call *c, const struct call *other, const struct asked *a, bioft_node *n)
{
    const uint64_t rows = (uint64_t)c->in.height * c->in.width;
    const uint64_t columns = (uint64_t)other->in.height * other->in.width;

    if (!whole(c, a, "heads", 1, 1, &n->groups))
        return 0;
    if (c->in.channels != other->in.channels || c->in.channels % n->groups != 0) {
        fail_shapes(c, other, "multiplied in this number of heads");
        return 0;
    }
    n->channels = n->groups;
    n->height = (uint32_t)rows;
    n->width = (uint32_t)columns;
    return call_append(c, n);
}

static bioft_tensor mixture(struct call *c, const struct call *other, bioft_node *n)
{
    n->groups = c->in.channels;
    if (other->in.channels % n->groups != 0 || (uint64_t)other->in.height * other->in.width != c->in.width) {
        fail_shapes(c, other, "multiplied: as many heads, and a column a position");
        return 0;
    }
    n->channels = other->in.channels;
    n->height = c->in.height;
    n->width = 1;
    return call_append(c, n);
}

static bioft_tensor matmul(const struct asked *a)
{
    struct call c, other;
    bioft_node n;

    if (!call_begin(&c, a->api, "matmul", a->x[0]) || !call_begin(&other, a->api, "matmul", a->x[1]))
        return 0;
    n = call_node(&c, BIOFT_OP_MATMUL, c.in);
    n.input[1] = other.input;
    n.input_count = 2;
    n.scale = (float)number(a, "scale", 1);
    if (!whole(&c, a, "product", 0, 0, &n.product))
        return 0;
    if (n.product > 1 || !isfinite(n.scale))
        return builder_fail(c.b, BIOFT_ERR_INVALID, "%s: product %u is 0 or 1, scale %g finite", c.label, n.product,
                            (double)n.scale);
    return n.product == 0 ? scores(&c, &other, a, &n) : mixture(&c, &other, &n);
}

/* A linear layer at each position: a convolution of a 1x1 kernel but for its weight's shape. */
static bioft_tensor positions_linear(const struct asked *a)
{
    struct call c;
    bioft_node n;
    bioft_layer l = { .kind = BIOFT_LAYER_CONV2D, .groups = 1 };
    struct first_values first = { .std = (float)number(a, "init_std", 0) };
    struct shape out;
    uint32_t bias;

    if (!call_begin_named(&c, a->api, "matmul", a->name, a->x[0]))
        return 0;
    out = c.in;
    if (!whole(&c, a, "out", 0, 1, &out.channels) || !whole(&c, a, "bias", 1, 0, &bias) ||
        !whole(&c, a, "init", BIOFT_INIT_TORCH, 0, &first.init) || !params_check_first(&c, first))
        return 0;
    n = call_node(&c, BIOFT_OP_CONV2D, out);
    for (int i = 0; i < 2; i++)
        n.kernel[i] = n.stride[i] = n.dilation[i] = 1;
    n.groups = 1;
    return params_add_layer(&c, &n, &l, 2, bias != 0, first, 0) ? call_append(&c, &n) : 0;
}

static bioft_tensor layernorm(const struct asked *a)
{
    struct call c;
    bioft_node n;

    if (!call_begin_named(&c, a->api, "layernorm", a->name, a->x[0]))
        return 0;
    n = call_node(&c, BIOFT_OP_LAYERNORM, c.in);
    n.eps = (float)number(a, "epsilon", 1e-5);
    if (!(n.eps > 0 && isfinite(n.eps)))
        return builder_fail(c.b, BIOFT_ERR_INVALID, "%s: epsilon %g is not above 0", c.label, (double)n.eps);
    n.weight = params_add(
        &c, "weight",
        &(bioft_parameter){ .kind = BIOFT_PARAM_GAMMA, .layer = BIOFT_NONE, .dims = 1, .shape = { n.channels } },
        &(struct initial){ .constant = 1 });
    if (n.weight == BIOFT_NONE)
        return 0;
    n.bias = params_add(
        &c, "bias",
        &(bioft_parameter){ .kind = BIOFT_PARAM_BETA, .layer = BIOFT_NONE, .dims = 1, .shape = { n.channels } },
        &(struct initial){ .constant = 0 });
    return n.bias == BIOFT_NONE ? 0 : call_append(&c, &n);
}

/* A factor by channel; its array may stand in a longer shape, [channels, 1, 1]. */
static bioft_tensor scale(const struct asked *a)
{
    struct call c;
    bioft_node n;
    bioft_parameter p = { .kind = BIOFT_PARAM_GAMMA, .layer = BIOFT_NONE, .dims = 1 };
    struct initial initial = { .constant = (float)number(a, "value", 1) };

    if (!call_begin_named(&c, a->api, "scale", a->name, a->x[0]))
        return 0;
    if (!whole(&c, a, "dims", 1, 1, &p.dims))
        return 0;
    if (p.dims > 4)
        return builder_fail(c.b, BIOFT_ERR_INVALID, "%s: dims %u: 1 to 4", c.label, p.dims);
    for (uint32_t i = 0; i < p.dims; i++)
        p.shape[i] = i == 0 ? c.in.channels : 1;
    n = call_node(&c, BIOFT_OP_SCALE, c.in);
    n.weight = params_add(&c, NULL, &p, &initial);
    return n.weight == BIOFT_NONE ? 0 : call_append(&c, &n);
}

/* A class token before the others, or what is added at each position. */
static bioft_tensor tokens(const struct asked *a, bool class_token)
{
    struct call c;
    struct shape out;
    uint32_t index;
    bioft_node n;
    bioft_parameter p = { .kind = BIOFT_PARAM_TABLE, .layer = BIOFT_NONE, .dims = 3 };
    struct initial initial = { .std = (float)number(a, "init_std", 0) };

    if (!call_begin_named(&c, a->api, "tokens", a->name, a->x[0]))
        return 0;
    if (!(initial.std >= 0 && isfinite(initial.std)))
        return builder_fail(c.b, BIOFT_ERR_INVALID, "%s: init_std %g", c.label, (double)initial.std);
    initial.drawn = initial.std > 0;
    initial.init = BIOFT_INIT_NORMAL;
    out = (struct shape){ c.in.channels, c.in.height * c.in.width + class_token, 1 };
    p.shape[0] = 1;
    p.shape[1] = class_token ? 1 : out.height;
    p.shape[2] = out.channels;
    n = call_node(&c, BIOFT_OP_TOKENS, out);
    index = params_add(&c, NULL, &p, &initial);
    if (index == BIOFT_NONE)
        return 0;
    *(class_token ? &n.bias : &n.weight) = index;
    return call_append(&c, &n);
}

static bioft_tensor token(const struct asked *a) { return tokens(a, true); }
static bioft_tensor positions(const struct asked *a) { return tokens(a, false); }

/* What op() has. With one input, those that `named` says bring a parameter of that name. */
static const struct other {
    const char *onnx;
    uint32_t least, most; /* inputs */
    bool named;
    bioft_tensor (*make)(const struct asked *a);
    const char *attrs[ATTRIBUTES];
} others[] = {
    { "Clip", 1, 1, false, clip, { "min", "max" } },
    { "Sigmoid", 1, 1, false, sigmoid, { NULL } },
    { "HardSigmoid", 1, 1, false, hardsigmoid, { "alpha", "beta" } },
    { "HardSwish", 1, 1, false, hardswish, { NULL } },
    { "Swish", 1, 1, false, silu, { NULL } },
    { "Gelu", 1, 1, false, gelu, { NULL } },
    { "Mul", 2, 2, false, multiply, { NULL } },
    { "Mul", 1, 1, true, scale, { "value", "dims" } },
    { "Concat", 2, UINT32_MAX, false, concat, { "axis" } },
    { "Concat", 1, 1, true, token, { "init_std" } },
    { "Slice", 1, 1, false, slice, { "axis", "start", "end" } },
    { "LayerNormalization", 1, 1, true, layernorm, { "epsilon" } },
    { "Softmax", 1, 1, false, softmax, { NULL } },
    { "MatMul", 2, 2, false, matmul, { "heads", "scale", "product" } },
    { "MatMul", 1, 1, true, positions_linear, { "out", "bias", "init", "init_std" } },
    { "Add", 1, 1, true, positions, { "init_std" } },
};

/* Those with a call of their own. */
static const struct {
    const char *onnx, *call;
} known[] = {
    { "Conv", "conv2d" },
    { "Gemm", "linear" },
    { "BatchNormalization", "batchnorm" },
    { "Relu", "relu" },
    { "Tanh", "tanh_" },
    { "MaxPool", "maxpool" },
    { "AveragePool", "avgpool" },
    { "GlobalAveragePool", "adaptive_avgpool" },
    { "Dropout", "dropout" },
    { "Add", "add" },
    { "Flatten", "flatten" },
};

static bioft_tensor fail_unknown(struct builder *b, const char *where, const char *onnx_op)
{
    char shown[TEXT_ESCAPED], list[512] = "";

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", known[i].onnx);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!others[i].named && strcmp(others[i].onnx, "Add") != 0)
            snprintf(list + strlen(list), sizeof list - strlen(list), ", %s", others[i].onnx);
    snprintf(list + strlen(list), sizeof list - strlen(list), ", LayerNormalization");
    return builder_fail(b, BIOFT_ERR_UNSUPPORTED, "%s: no engine has the ONNX operator '%s'; they have %s", where,
                        onnx_op ? text_escape(shown, onnx_op, strlen(onnx_op)) : "", list);
}

static bool has_attribute(const struct other *o, const char *name)
{
    for (int i = 0; i < ATTRIBUTES && o->attrs[i]; i++)
        if (strcmp(o->attrs[i], name) == 0)
            return true;
    return false;
}

/* Every attribute is one that the operator has, a single finite number. */
static bool check_attributes(struct builder *b, const struct asked *a, const struct other *o, const char *where)
{
    char shown[TEXT_ESCAPED];

    for (uint32_t i = 0; i < a->attr_count; i++) {
        const bioft_attr *at = &a->attrs[i];
        const char *name = at->name ? at->name : "";
        if (has_attribute(o, name) && at->count == 1 && at->value && (at->type == BIOFT_I64 || at->type == BIOFT_F64))
            continue;
        builder_fail(b, BIOFT_ERR_UNSUPPORTED, "%s: %s has no attribute '%s' that is one number", where, o->onnx,
                     text_escape(shown, name, strlen(name)));
        return false;
    }
    return true;
}

static bioft_tensor other_operator(const bioft_builder *api, const char *onnx_op, const char *name,
                                   const bioft_tensor *x, uint32_t count, const bioft_attr *attrs, uint32_t attr_count)
{
    struct builder *b = api->ctx;
    const struct asked a = { api, onnx_op, name, x, count, attrs, attr_count };
    const char *where = name && *name ? name : "op";
    const struct other *inputs = NULL;

    if (b->error.status != BIOFT_OK)
        return 0;
    for (size_t i = 0; onnx_op && i < sizeof others / sizeof *others; i++) {
        const struct other *o = &others[i];
        if (strcmp(onnx_op, o->onnx) != 0)
            continue;
        inputs = o;
        if (x && count >= o->least && count <= o->most)
            return check_attributes(b, &a, o, where) ? o->make(&a) : 0;
    }
    for (size_t i = 0; onnx_op && i < sizeof known / sizeof *known; i++)
        if (strcmp(onnx_op, known[i].onnx) == 0)
            return builder_fail(b, BIOFT_ERR_INVALID, "%s: '%s' has a call of its own, %s()", where, onnx_op,
                                known[i].call);
    if (inputs)
        return builder_fail(b, BIOFT_ERR_INVALID, "%s: %s of %u inputs", where, onnx_op, count);
    return fail_unknown(b, where, onnx_op);
}

void other_operators_set(bioft_builder *api) { api->op = other_operator; }
