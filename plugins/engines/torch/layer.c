/* One layer alone, for the extension "bioft.layer/1". */
#include "layer.h"

#include "program.h"

enum { OUTPUT = 0, INPUT_ERROR, WEIGHT_GRADIENT, PHASE_COUNT };

struct shapes {
    struct shape x, y, w, plain_x, plain_y, plain_w;
};

static struct shapes shapes_of(const bioft_layer *l, uint32_t n)
{
    const int64_t in = l->in_channels, out = l->out_channels, groups = l->groups ? l->groups : 1;

    if (l->kind == BIOFT_LAYER_LINEAR) {
        const struct shape x = shape_matrix(n, in), y = shape_matrix(n, out), w = shape_matrix(out, in);
        return (struct shapes){ x, y, w, x, y, w };
    }
    return (struct shapes){
        shape_image(n, in, l->in_h, l->in_w),
        shape_image(n, out, l->out_h, l->out_w),
        shape_image(out, in / groups, l->kernel[0], l->kernel[1]),
        shape_plain(n, in, l->in_h, l->in_w),
        shape_plain(n, out, l->out_h, l->out_w),
        shape_plain(out, in / groups, l->kernel[0], l->kernel[1]),
    };
}

static struct geometry geometry_of(const bioft_layer *l)
{
    return (struct geometry){
        { l->stride[0] ? l->stride[0] : 1, l->stride[1] ? l->stride[1] : 1 },
        { l->dilation[0] ? l->dilation[0] : 1, l->dilation[1] ? l->dilation[1] : 1 },
        l->groups ? l->groups : 1,
        { l->padding[0], l->padding[1], l->padding[2], l->padding[3] },
    };
}

static tensor loaded(struct torch *t, const struct shape *s, const struct shape *plain, const float *values)
{
    tensor ret = tensor_empty(t, s, t->float32);

    if (ret && !tensor_write(t, ret, plain, values))
        tensor_drop(t, &ret);
    return ret;
}

/* a b, or its like with one of them turned. */
static tensor product(struct torch *t, tensor a, bool turn_a, tensor b, bool turn_b)
{
    tensor left = turn_a ? call_simple(t, "aten::t", a) : tensor_same(t, a);
    tensor right = turn_b ? call_simple(t, "aten::t", b) : tensor_same(t, b);
    tensor ret = left && right ? call_two(t, "aten::mm", "", left, right) : NULL;

    tensor_drop(t, &left);
    tensor_drop(t, &right);
    return ret;
}

static tensor linear(struct torch *t, uint32_t phase, tensor a, tensor b)
{
    if (phase == OUTPUT)
        return product(t, b, false, a, true);
    if (phase == INPUT_ERROR)
        return product(t, b, false, a, false);
    return product(t, b, true, a, false);
}

static tensor convolution(struct torch *t, const bioft_layer *l, const struct shapes *s, uint32_t phase, tensor a,
                          tensor b)
{
    const struct geometry g = geometry_of(l);
    tensor other = NULL, ret = NULL;

    if (phase == OUTPUT)
        return convolution_forward(t, &g, b, a, NULL);
    other = tensor_zeros(t, phase == INPUT_ERROR ? &s->x : &s->w, t->float32); /* its size alone matters */
    if (other && phase == INPUT_ERROR)
        convolution_backward(t, &g, other, a, b, &ret, NULL);
    else if (other)
        convolution_backward(t, &g, a, other, b, NULL, &ret);
    tensor_drop(t, &other);
    return ret;
}

bioft_status layer_run(struct torch *t, const bioft_layer *l, uint32_t phase, uint32_t n, const float *a,
                       const float *b, float *ret)
{
    struct shapes s;
    tensor left, right, made = NULL;
    bool good;

    if (phase >= PHASE_COUNT || n == 0)
        return bioft_failf(t->host, BIOFT_ERR_INVALID, "layer '%s': phase %u of %u images", l->name, phase, n);
    if (l->kind != BIOFT_LAYER_CONV2D && l->kind != BIOFT_LAYER_LINEAR)
        return bioft_failf(t->host, BIOFT_ERR_UNSUPPORTED, "layer '%s': kind %u", l->name, l->kind);
    s = shapes_of(l, n);
    left = phase == WEIGHT_GRADIENT ? loaded(t, &s.x, &s.plain_x, a) : loaded(t, &s.w, &s.plain_w, a);
    right = phase == OUTPUT ? loaded(t, &s.x, &s.plain_x, b) : loaded(t, &s.y, &s.plain_y, b);
    if (left && right)
        made = l->kind == BIOFT_LAYER_LINEAR ? linear(t, phase, left, right)
                                             : convolution(t, l, &s, phase, left, right);
    good = made && tensor_read(t, made,
                               phase == OUTPUT        ? &s.plain_y
                               : phase == INPUT_ERROR ? &s.plain_x
                                                      : &s.plain_w,
                               ret);
    tensor_drop(t, &left);
    tensor_drop(t, &right);
    tensor_drop(t, &made);
    return good ? BIOFT_OK : torch_failed(t, "a layer");
}
