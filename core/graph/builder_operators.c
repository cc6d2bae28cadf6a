/* The builder's operators without weights, and conv2d: their geometry, checked, and their nodes. */
#include "graph/builder.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The geometry of conv2d and pooling, which share their checks. */
struct geometry {
    uint32_t kernel[2], stride[2], dilation[2], padding[4];
    bool ceil_mode;
};

static uint32_t or_one(uint32_t value) { return value ? value : 1; }

static void fail_small(struct call *c, const struct geometry *g)
{
    const uint64_t height = (uint64_t)c->in.height + g->padding[0] + g->padding[2];
    const uint64_t width = (uint64_t)c->in.width + g->padding[1] + g->padding[3];
    char padded[80] = "", dilated[64] = "";

    if (height != c->in.height || width != c->in.width)
        snprintf(padded, sizeof padded, ", padded to %llux%llu,", (unsigned long long)height,
                 (unsigned long long)width);
    if (g->dilation[0] != 1 || g->dilation[1] != 1)
        snprintf(dilated, sizeof dilated, " of dilation %ux%u", g->dilation[0], g->dilation[1]);
    if (c->b->error.status == BIOFT_OK)
        c->b->too_small = true;
    builder_fail(c->b, BIOFT_ERR_INVALID, "%s: %ux%u image%s is too small for a %ux%u kernel%s", c->label, c->in.height,
                 c->in.width, padded, g->kernel[0], g->kernel[1], dilated);
}

/* The output's height and width into out; false after a failure. */
static bool slide(struct call *c, const struct geometry *g, struct shape *out)
{
    uint64_t count[2];

    if (g->kernel[0] == 0 || g->kernel[1] == 0) {
        builder_fail(c->b, BIOFT_ERR_INVALID, "%s: a %ux%u kernel: no side may be 0", c->label, g->kernel[0],
                     g->kernel[1]);
        return false;
    }
    for (int i = 0; i < 2; i++) {
        const struct window w = { g->kernel[i],  g->stride[i],      g->dilation[i],
                                  g->padding[i], g->padding[i + 2], g->ceil_mode };
        count[i] = window_count(w, i == 0 ? c->in.height : c->in.width);
    }
    if (count[0] == 0 || count[1] == 0) {
        fail_small(c, g);
        return false;
    }
    if (count[0] > SHAPE_LARGEST || count[1] > SHAPE_LARGEST) {
        builder_fail(c->b, BIOFT_ERR_UNSUPPORTED, "%s: its padding makes an output too large", c->label);
        return false;
    }
    out->height = (uint32_t)count[0];
    out->width = (uint32_t)count[1];
    return true;
}

static void set_geometry(bioft_node *n, const struct geometry *g)
{
    memcpy(n->kernel, g->kernel, sizeof n->kernel);
    memcpy(n->stride, g->stride, sizeof n->stride);
    memcpy(n->dilation, g->dilation, sizeof n->dilation);
    memcpy(n->padding, g->padding, sizeof n->padding);
    n->ceil_mode = g->ceil_mode;
}

/* What is missing for ceil(side/stride) outputs, half of it before, an odd one after. */
static void pad_same(const struct call *c, struct geometry *g)
{
    for (int i = 0; i < 2; i++) {
        const uint64_t side = i == 0 ? c->in.height : c->in.width;
        const uint64_t count = (side + g->stride[i] - 1) / g->stride[i];
        const uint64_t reach = (uint64_t)g->dilation[i] * (g->kernel[i] - 1) + 1;
        const uint64_t needs = (count - 1) * g->stride[i] + reach;
        const uint64_t missing = g->kernel[i] > 0 && needs > side ? needs - side : 0;
        const uint64_t before = missing / 2, after = missing - before;

        g->padding[i] = before > SHAPE_LARGEST ? SHAPE_LARGEST : (uint32_t)before;
        g->padding[i + 2] = after > SHAPE_LARGEST ? SHAPE_LARGEST : (uint32_t)after;
    }
}

static bool check_conv2d(struct call *c, const bioft_conv2d *p, uint32_t groups)
{
    if (p->out == 0)
        builder_fail(c->b, BIOFT_ERR_INVALID, "%s: 0 output channels", c->label);
    else if (c->in.channels % groups != 0 || p->out % groups != 0)
        builder_fail(c->b, BIOFT_ERR_INVALID, "%s: %u input and %u output channels do not divide into %u groups",
                     c->label, c->in.channels, p->out, groups);
    else if (p->no_bias > 1)
        builder_fail(c->b, BIOFT_ERR_INVALID, "%s: no_bias is 0 or 1, not %u", c->label, p->no_bias);
    else if (p->same > 1 || (p->same && (p->padding[0] || p->padding[1] || p->padding[2] || p->padding[3])))
        builder_fail(c->b, BIOFT_ERR_INVALID, "%s: same is 0, or 1 and its padding 0", c->label);
    else
        return params_check_first(c, (struct first_values){ p->init, p->init_std });
    return false;
}

static bioft_tensor conv2d(const bioft_builder *api, const char *name, bioft_tensor x, const bioft_conv2d *theirs)
{
    struct call c;
    bioft_conv2d p;
    struct geometry g;
    struct shape out;
    bioft_node n;
    bioft_layer l;
    uint32_t groups;

    if (!call_begin_named(&c, api, "conv2d", name, x) || !call_adopt(&c, &p, sizeof p, theirs))
        return 0;
    groups = or_one(p.groups);
    g = (struct geometry){
        .kernel = { p.kernel[0], p.kernel[1] },
        .stride = { or_one(p.stride[0]), or_one(p.stride[1]) },
        .dilation = { or_one(p.dilation[0]), or_one(p.dilation[1]) },
    };
    memcpy(g.padding, p.padding, sizeof g.padding);
    out.channels = p.out;
    if (!check_conv2d(&c, &p, groups))
        return 0;
    if (p.same)
        pad_same(&c, &g);
    if (!slide(&c, &g, &out))
        return 0;
    n = call_node(&c, BIOFT_OP_CONV2D, out);
    set_geometry(&n, &g);
    n.groups = groups;
    l = (bioft_layer){ .kind = BIOFT_LAYER_CONV2D, .groups = groups };
    if (!params_add_layer(&c, &n, &l, 4, !p.no_bias, (struct first_values){ p.init, p.init_std }, 0))
        return 0;
    return call_append(&c, &n);
}

static bioft_tensor pool(struct call *c, uint32_t op, const bioft_pool *theirs)
{
    bioft_pool p;
    struct geometry g;
    struct shape out = { .channels = c->in.channels };
    bioft_node n;

    if (!call_adopt(c, &p, sizeof p, theirs))
        return 0;
    if (p.ceil_mode > 1 || p.exclude_padding > 1 || p.reserved != 0)
        return builder_fail(c->b, BIOFT_ERR_INVALID, "%s: ceil_mode and exclude_padding are 0 or 1, reserved is 0",
                            c->label);
    if (op == BIOFT_OP_MAXPOOL && p.exclude_padding)
        return builder_fail(c->b, BIOFT_ERR_INVALID, "%s: exclude_padding is for averages", c->label);
    for (int i = 0; i < 4; i++)
        if (p.padding[i] > p.kernel[i % 2] / 2)
            return builder_fail(c->b, BIOFT_ERR_INVALID, "%s: padding %u is above half of the %ux%u kernel", c->label,
                                p.padding[i], p.kernel[0], p.kernel[1]);
    g = (struct geometry){
        .kernel = { p.kernel[0], p.kernel[1] },
        .dilation = { 1, 1 },
        .ceil_mode = p.ceil_mode,
        .stride = { p.stride[0] ? p.stride[0] : p.kernel[0], p.stride[1] ? p.stride[1] : p.kernel[1] },
    };
    memcpy(g.padding, p.padding, sizeof g.padding);
    if (!slide(c, &g, &out))
        return 0;
    n = call_node(c, op, out);
    set_geometry(&n, &g);
    n.exclude_padding = p.exclude_padding;
    return call_append(c, &n);
}

static bioft_tensor maxpool(const bioft_builder *api, bioft_tensor x, const bioft_pool *p)
{
    struct call c;
    return call_begin(&c, api, "maxpool", x) ? pool(&c, BIOFT_OP_MAXPOOL, p) : 0;
}

static bioft_tensor avgpool(const bioft_builder *api, bioft_tensor x, const bioft_pool *p)
{
    struct call c;
    return call_begin(&c, api, "avgpool", x) ? pool(&c, BIOFT_OP_AVGPOOL, p) : 0;
}

static bioft_tensor adaptive_avgpool(const bioft_builder *api, bioft_tensor x, uint32_t height, uint32_t width)
{
    struct call c;
    bioft_node n;

    if (!call_begin(&c, api, "adaptive_avgpool", x))
        return 0;
    if (height == 0 || width == 0)
        return builder_fail(c.b, BIOFT_ERR_INVALID, "%s: an output of %ux%u", c.label, height, width);
    n = call_node(&c, BIOFT_OP_ADAPTIVE_AVGPOOL, (struct shape){ c.in.channels, height, width });
    return call_append(&c, &n);
}

static bioft_tensor batchnorm(const bioft_builder *api, const char *name, bioft_tensor x, const bioft_norm *theirs)
{
    struct call c;
    bioft_norm p;
    bioft_node n;

    if (!call_begin_named(&c, api, "batchnorm", name, x) || !call_adopt(&c, &p, sizeof p, theirs))
        return 0;
    if (p.reserved != 0 || !isfinite(p.eps) || p.eps < 0 || !(p.momentum >= 0 && p.momentum <= 1))
        return builder_fail(c.b, BIOFT_ERR_INVALID,
                            "%s: eps %g is not above 0 or momentum %g is not in (0, 1], or "
                            "reserved is set",
                            c.label, (double)p.eps, (double)p.momentum);
    n = call_node(&c, BIOFT_OP_BATCHNORM, c.in);
    n.eps = p.eps > 0 ? p.eps : 1e-5f;
    n.momentum = p.momentum > 0 ? p.momentum : 0.1f;
    return params_add_norm(&c, &n) ? call_append(&c, &n) : 0;
}

static bioft_tensor same_shape(const bioft_builder *api, const char *word, uint32_t op, bioft_tensor x)
{
    struct call c;
    bioft_node n;

    if (!call_begin(&c, api, word, x))
        return 0;
    n = call_node(&c, op, c.in);
    return call_append(&c, &n);
}

static bioft_tensor relu(const bioft_builder *api, bioft_tensor x) { return same_shape(api, "relu", BIOFT_OP_RELU, x); }

static bioft_tensor hyperbolic_tangent(const bioft_builder *api, bioft_tensor x)
{
    return same_shape(api, "tanh", BIOFT_OP_TANH, x);
}

static bioft_tensor dropout(const bioft_builder *api, bioft_tensor x, double p)
{
    struct call c;
    bioft_node n;

    if (!call_begin(&c, api, "dropout", x))
        return 0;
    if (!(p >= 0 && (float)p < 1))
        return builder_fail(c.b, BIOFT_ERR_INVALID, "%s: a probability of %g: 0 or more and below 1", c.label, p);
    n = call_node(&c, BIOFT_OP_DROPOUT, c.in);
    n.dropout = (float)p;
    return call_append(&c, &n);
}

static bioft_tensor add(const bioft_builder *api, bioft_tensor x, bioft_tensor y)
{
    struct call c, other;
    bioft_node n;

    if (!call_begin(&c, api, "add", x) || !call_begin(&other, api, "add", y))
        return 0;
    if (c.in.channels != other.in.channels || c.in.height != other.in.height || c.in.width != other.in.width)
        return builder_fail(c.b, BIOFT_ERR_INVALID, "%s: %ux%ux%u and %ux%ux%u cannot be added", c.label, c.in.channels,
                            c.in.height, c.in.width, other.in.channels, other.in.height, other.in.width);
    n = call_node(&c, BIOFT_OP_ADD, c.in);
    n.input[1] = other.input;
    n.input_count = 2;
    return call_append(&c, &n);
}

static bioft_tensor flatten(const bioft_builder *api, bioft_tensor x)
{
    struct call c;
    struct shape out = { .height = 1, .width = 1 };
    bioft_node n;

    if (!call_begin(&c, api, "flatten", x) || !shape_elements(c.in, &out.channels))
        return 0;
    n = call_node(&c, BIOFT_OP_FLATTEN, out);
    return call_append(&c, &n);
}

void operators_set(bioft_builder *api)
{
    api->conv2d = conv2d;
    api->batchnorm = batchnorm;
    api->maxpool = maxpool;
    api->avgpool = avgpool;
    api->adaptive_avgpool = adaptive_avgpool;
    api->relu = relu;
    api->tanh_ = hyperbolic_tangent;
    api->dropout = dropout;
    api->add = add;
    api->flatten = flatten;
    other_operators_set(api);
}
