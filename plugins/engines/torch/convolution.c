/* Convolutions of any geometry, and padding that libtorch's windows cannot have. */
#include "program.h"

/* Sizes of an image tensor. */
static bool sizes_of(struct torch *t, tensor x, int64_t ret[4])
{
    int64_t *sizes;

    if (t->f.aoti_torch_get_sizes(x, &sizes) != 0)
        return false;
    for (int i = 0; i < 4; i++)
        ret[i] = sizes[i];
    return true;
}

/* The part of a channels-last image tensor without what is around it. */
static tensor inside(struct torch *t, tensor x, const int64_t size[4], const uint32_t before[2],
                     const uint32_t after[2])
{
    struct shape s = shape_image(size[0], size[1], size[2], size[3]);
    const int64_t offset = before[0] * s.stride[2] + before[1] * s.stride[3];

    s.size[2] -= (int64_t)before[0] + after[0];
    s.size[3] -= (int64_t)before[1] + after[1];
    return tensor_view(t, x, &s, offset);
}

static int32_t type_of_images(struct torch *t, tensor like)
{
    int32_t ret = t->float32;

    t->f.aoti_torch_get_dtype(like, &ret);
    return ret;
}

tensor padded(struct torch *t, tensor x, const uint32_t before[2], const uint32_t after[2], double value)
{
    int64_t size[4];
    tensor ret = NULL, part = NULL, number = NULL;
    bool good;

    if (!sizes_of(t, x, size))
        return NULL;
    size[2] += (int64_t)before[0] + after[0];
    size[3] += (int64_t)before[1] + after[1];
    const struct shape s = shape_image(size[0], size[1], size[2], size[3]);
    ret = tensor_empty(t, &s, type_of_images(t, x));
    number = value != 0 ? tensor_number(t, value) : NULL;
    good = ret && (value != 0 ? number && tensor_copy(t, ret, number) : tensor_clear(t, ret));
    part = good ? inside(t, ret, size, before, after) : NULL;
    if (!part || !tensor_copy(t, part, x))
        tensor_drop(t, &ret);
    tensor_drop(t, &part);
    tensor_drop(t, &number);
    return ret;
}

/* x may stand in any layout: it is copied into one that is known first. */
tensor cropped(struct torch *t, tensor x, const uint32_t before[2], const uint32_t after[2])
{
    int64_t size[4];
    tensor whole = NULL, part = NULL, ret = NULL;

    if (!sizes_of(t, x, size))
        return NULL;
    const struct shape s = shape_image(size[0], size[1], size[2], size[3]);
    const struct shape r = shape_image(size[0], size[1], size[2] - before[0] - after[0],
                                       size[3] - before[1] - after[1]);
    const int32_t type = type_of_images(t, x);
    whole = tensor_empty(t, &s, type);
    if (whole && tensor_copy(t, whole, x))
        part = inside(t, whole, size, before, after);
    ret = part ? tensor_empty(t, &r, type) : NULL;
    if (ret && !tensor_copy(t, ret, part))
        tensor_drop(t, &ret);
    tensor_drop(t, &part);
    tensor_drop(t, &whole);
    return ret;
}

static bool is_even(const struct geometry *g)
{
    return g->padding[0] == g->padding[2] && g->padding[1] == g->padding[3];
}

/* Stride, padding, dilation, whether transposed, output padding: as both operators have them. */
static void call_geometry(struct call *c, const struct geometry *g)
{
    const bool even = is_even(g);

    call_integers(c, g->stride, 2);
    call_pair(c, (const uint32_t[2]){ even ? g->padding[0] : 0, even ? g->padding[1] : 0 });
    call_integers(c, g->dilation, 2);
    call_integer(c, 0);
    call_pair(c, (const uint32_t[2]){ 0, 0 });
    call_integer(c, g->groups);
}

/* x as the convolution takes it; a new handle. */
static tensor input_of(struct torch *t, const struct geometry *g, tensor x)
{
    return is_even(g) ? tensor_same(t, x) : padded(t, x, g->padding, g->padding + 2, 0);
}

/* convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups). */
tensor convolution_forward(struct torch *t, const struct geometry *g, tensor x, tensor w, tensor bias)
{
    struct call c = call_begin(t, "aten::convolution", "");
    tensor input = input_of(t, g, x);

    if (!input)
        return NULL;
    call_give(&c, input);
    call_tensor(&c, w);
    call_some_tensor(&c, bias);
    call_geometry(&c, g);
    return call_one(&c);
}

/* convolution_backward(grad_output, input, weight, bias_sizes, stride, padding, dilation, transposed, output_padding,
 * groups, output_mask). */
bool convolution_backward(struct torch *t, const struct geometry *g, tensor x, tensor v, tensor dy, tensor *ret_dx,
                          tensor *ret_dw)
{
    struct call c = call_begin(t, "aten::convolution_backward", "");
    tensor input = input_of(t, g, x), whole;

    if (!input)
        return false;
    call_tensor(&c, dy);
    call_give(&c, input);
    call_tensor(&c, v);
    call_none(&c);
    call_geometry(&c, g);
    call_integers(&c, (const int64_t[]){ ret_dx != NULL, ret_dw != NULL, 0 }, 3);
    if (!call_run(&c, (tensor *const[]){ ret_dx, ret_dw, NULL }, 3))
        return false;
    if (!ret_dx || is_even(g))
        return true;
    whole = *ret_dx;
    *ret_dx = cropped(t, whole, g->padding, g->padding + 2);
    tensor_drop(t, &whole);
    if (*ret_dx)
        return true;
    if (ret_dw)
        tensor_drop(t, ret_dw);
    return false;
}
