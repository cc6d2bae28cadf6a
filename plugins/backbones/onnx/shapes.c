/* Nodes that only move values: what is a flatten, or stands before one, or pads a convolution. */
#include "translate.h"

#include <string.h>

static bool set_flat(struct translation *t, const onnx_node *n, const struct value *x)
{
    struct value out = { .form = FORM_FLAT, .channels = x->pixel ? x->channels : 0, .x = t->b->flatten(t->b, x->x) };

    if (x->last && !x->pixel)
        out.order = x->channels;
    return out.x && output_set(t, n, out);
}

static const struct value *any_value(struct translation *t, const onnx_node *n)
{
    const uint32_t at = input_at(t, n, 0);
    const enum form form = at == NOWHERE ? FORM_IMAGE : t->values[at].form;
    const struct value *x = at == NOWHERE ? NULL : &t->values[at];

    return x && x->last && form == FORM_IMAGE ? x : input_value(t, n, 0, form);
}

static bool no_pad(const struct value *x) { return x->padding[0] + x->padding[1] + x->padding[2] + x->padding[3] == 0; }

static bool make_flatten(struct translation *t, const onnx_node *n)
{
    static const char *const attrs[] = { "axis", NULL };
    const struct value *x = any_value(t, n);
    const int64_t axis = attribute_int(n, "axis", 1);

    if (!x || !known_attributes(t, n, attrs))
        return false;
    if (axis != 1 && axis != (x->form == FORM_IMAGE ? -3 : -1))
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "axis %lld; a flatten has axis 1", (long long)axis);
    return x->form == FORM_IMAGE ? set_flat(t, n, x) : output_set(t, n, *x);
}

/* To two dimensions, the first of them the batch. */
static bool make_reshape(struct translation *t, const onnx_node *n)
{
    static const char *const attrs[] = { "allowzero", "shape", NULL };
    const Onnx__AttributeProto *a = attribute(n, "shape");
    const struct value *x = any_value(t, n);
    const uint32_t at = n->n_input > 1 ? input_at(t, n, 1) : NOWHERE;
    int64_t shape[DIMS] = { 0 };
    uint32_t count = 0;
    bool fits;

    if (!x || !known_attributes(t, n, attrs))
        return false;
    if (at != NOWHERE && t->values[at].form == FORM_SHAPE)
        count = t->values[at].count;
    else if (a && a->n_ints <= DIMS)
        for (; count < a->n_ints; count++)
            shape[count] = a->ints[count];
    else if (n->n_input > 1)
        constant_list(t->m, n->input[1], shape, DIMS, &count, t->fault);
    fits = count == 2 || (count == 4 && x->pixel && shape[2] == 1 && shape[3] == 1);
    if (!fits || (x->channels && x->pixel && shape[1] > 0 && shape[1] != (int64_t)x->channels) ||
        (shape[0] == -1 && shape[1] == -1))
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "a reshape to %u dimensions that is not a flatten", count);
    return x->form == FORM_IMAGE && count == 2 ? set_flat(t, n, x) : output_set(t, n, *x);
}

/* Of a 1x1 image: without its two sides. */
static bool make_squeeze(struct translation *t, const onnx_node *n)
{
    static const char *const attrs[] = { "axes", NULL };
    const Onnx__AttributeProto *a = attribute(n, "axes");
    const struct value *x = input_value(t, n, 0, FORM_IMAGE);
    int64_t axes[2] = { 0 };
    uint32_t count = 0;

    if (!x || !known_attributes(t, n, attrs))
        return false;
    if (a && a->n_ints == 2)
        for (; count < 2; count++)
            axes[count] = a->ints[count];
    else if (!a && n->n_input > 1)
        constant_list(t->m, n->input[1], axes, 2, &count, t->fault);
    for (uint32_t i = 0; i < count; i++)
        axes[i] += axes[i] < 0 ? 4 : 0;
    if (!x->pixel || count != 2 || axes[0] + axes[1] != 5 || axes[0] < 2 || axes[0] > 3)
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED,
                      "it takes other axes than height and width away, or of an image that is "
                      "not 1x1");
    return set_flat(t, n, x);
}

/* Channels last and back: kept in mind for the flatten or the transpose that follows. */
static bool make_transpose(struct translation *t, const onnx_node *n)
{
    static const char *const attrs[] = { "perm", NULL };
    static const int64_t to_last[4] = { 0, 2, 3, 1 }, to_first[4] = { 0, 3, 1, 2 };
    const Onnx__AttributeProto *a = attribute(n, "perm");
    const uint32_t at = input_at(t, n, 0);
    const struct value *x = at == NOWHERE ? NULL : &t->values[at];
    struct value out;

    if (!known_attributes(t, n, attrs))
        return false;
    if (!x || x->form != FORM_IMAGE || !a || a->n_ints != 4 || !no_pad(x) ||
        memcmp(a->ints, x->last ? to_first : to_last, sizeof to_last) != 0)
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED,
                      "a transpose other than of the channels to the last place before a "
                      "flatten, or from there at the input; bioft cannot shuffle channels or positions");
    out = *x;
    out.last = !x->last;
    return output_set(t, n, out);
}

/* Zeros around the image, which the conv behind takes as its own. */
static bool make_pad(struct translation *t, const onnx_node *n)
{
    static const char *const attrs[] = { "mode", "pads", "value", NULL };
    const Onnx__AttributeProto *a = attribute(n, "pads");
    const struct value *x = input_value(t, n, 0, FORM_IMAGE);
    int64_t pads[DIMS] = { 0 };
    uint32_t count = 0;
    double with = attribute_float(n, "value", 0);
    char text[SHOWN];
    const char *mode = attribute_text(n, "mode", text);
    struct value out;

    if (!x || !known_attributes(t, n, attrs))
        return false;
    if (a && a->n_ints == DIMS)
        for (; count < DIMS; count++)
            pads[count] = a->ints[count];
    else if (!a && n->n_input > 1)
        constant_list(t->m, n->input[1], pads, DIMS, &count, t->fault);
    if (n->n_input > 2 && *n->input[2] && !constant_number(t->m, n->input[2], &with, t->fault))
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "a value that is no constant");
    if (count != DIMS || (*mode && strcmp(mode, "constant") != 0) || with > 0 || with < 0 || pads[0] != 0 ||
        pads[1] != 0 || pads[4] != 0 || pads[5] != 0)
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "padding other than zeros above, below and beside the image");
    out = *x;
    for (int i = 0; i < 4; i++) {
        const int64_t p = pads[i < 2 ? 2 + i : 4 + i];
        if (p < 0 || p > INT16_MAX)
            return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "padding of %lld", (long long)p);
        out.padding[i] = (uint32_t)p;
    }
    return output_set(t, n, out);
}

bool make_shape(struct translation *t, const onnx_node *n)
{
    switch (n->op_type[0]) {
    case 'F': return make_flatten(t, n);
    case 'R': return make_reshape(t, n);
    case 'S': return make_squeeze(t, n);
    case 'T': return make_transpose(t, n);
    default: return make_pad(t, n);
    }
}
