/* Pooling, and the means over an image. */
#include "translate.h"

#include <string.h>

static bool no_padding(const uint32_t padding[4]) { return padding[0] + padding[1] + padding[2] + padding[3] == 0; }

/* A mean over height and width. */
static bool global_average(struct translation *t, const onnx_node *n, bool flat)
{
    const struct value *x = input_value(t, n, 0, FORM_IMAGE);
    struct value out;

    if (!x)
        return false;
    out = (struct value){ .form = flat ? FORM_FLAT : FORM_IMAGE,
                          .channels = x->channels,
                          .pixel = !flat,
                          .x = t->b->adaptive_avgpool(t->b, x->x, 1, 1) };
    if (flat)
        out.x = t->b->flatten(t->b, out.x);
    return out.x && output_set(t, n, out);
}

static bool reduce_mean(struct translation *t, const onnx_node *n)
{
    static const char *const attrs[] = { "axes", "keepdims", "noop_with_empty_axes", NULL };
    const Onnx__AttributeProto *a = attribute(n, "axes");
    int64_t axes[2] = { 0 };
    uint32_t count = 0;

    if (!known_attributes(t, n, attrs))
        return false;
    if (a && a->n_ints == 2)
        for (; count < 2; count++)
            axes[count] = a->ints[count];
    else if (!a && n->n_input > 1)
        constant_list(t->m, n->input[1], axes, 2, &count, t->fault);
    for (uint32_t i = 0; i < count; i++)
        axes[i] += axes[i] < 0 ? 4 : 0;
    if (count != 2 || axes[0] + axes[1] != 5 || axes[0] < 2 || axes[0] > 3)
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "a mean over other axes than height and width, 2 and 3");
    return global_average(t, n, attribute_int(n, "keepdims", 1) == 0);
}

/* Explicit pads, VALID, or SAME_UPPER where it can be said without the image's size: a window no wider than 2, whose one
 * row or column of padding stands at the end, where a last window of a maximum may hang over. */
static bool read_padding(struct translation *t, const onnx_node *n, bool maximum, bioft_pool *p)
{
    char text[SHOWN];
    const char *automatic = attribute_text(n, "auto_pad", text);

    if (!*automatic || strcmp(automatic, "NOTSET") == 0)
        return whole_list(t, n, "pads", 4, 0, 0, p->padding);
    if (strcmp(automatic, "VALID") == 0)
        return true;
    if (strcmp(automatic, "SAME_UPPER") != 0 || !maximum || p->kernel[0] > 2 || p->kernel[1] > 2 ||
        p->kernel[0] != p->stride[0] || p->kernel[1] != p->stride[1])
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED,
                      "auto_pad '%s' of a %ux%u window, whose padding depends on the image's "
                      "size; export with explicit pads",
                      automatic, p->kernel[0], p->kernel[1]);
    p->ceil_mode = 1;
    return true;
}

static bool read_pool(struct translation *t, const onnx_node *n, bool maximum, bioft_pool *p)
{
    static const char *const attrs[] = { "auto_pad", "ceil_mode",     "count_include_pad", "dilations", "kernel_shape",
                                         "pads",     "storage_order", "strides",           NULL };
    uint32_t dilation[2];

    *p = (bioft_pool){ .struct_size = sizeof *p };
    if (!known_attributes(t, n, attrs) || !whole_list(t, n, "kernel_shape", 2, 0, 1, p->kernel) ||
        !whole_list(t, n, "strides", 2, 1, 1, p->stride) || !whole_list(t, n, "dilations", 2, 1, 1, dilation))
        return false;
    if (p->kernel[0] == 0 || p->kernel[1] == 0)
        return refuse(t, n, BIOFT_ERR_FORMAT, "it has no kernel_shape");
    if (dilation[0] != 1 || dilation[1] != 1)
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "a dilation of %ux%u", dilation[0], dilation[1]);
    p->ceil_mode = attribute_int(n, "ceil_mode", 0) != 0;
    p->exclude_padding = !maximum && attribute_int(n, "count_include_pad", 0) == 0;
    return read_padding(t, n, maximum, p);
}

bool make_window(struct translation *t, const onnx_node *n)
{
    const bool maximum = strcmp(n->op_type, "MaxPool") == 0;
    const struct value *x;
    struct value out;
    bioft_pool p;

    if (strcmp(n->op_type, "GlobalAveragePool") == 0)
        return global_average(t, n, false);
    if (strcmp(n->op_type, "ReduceMean") == 0)
        return reduce_mean(t, n);
    if (!(x = input_value(t, n, 0, FORM_IMAGE)) || !read_pool(t, n, maximum, &p))
        return false;
    if (n->n_output > 1 && *n->output[1] && t->uses[model_find(t->m, n->output[1])] > 0)
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "its second output, where the maxima stand, is used");
    out = *x;
    if (p.kernel[0] * p.kernel[1] == 1 && p.stride[0] * p.stride[1] == 1 && no_padding(p.padding))
        return output_set(t, n, out);
    out.pixel = false;
    out.x = (maximum ? t->b->maxpool : t->b->avgpool)(t->b, x->x, &p);
    return out.x && output_set(t, n, out);
}
