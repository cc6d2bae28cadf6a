/* Nodes without weights. */
#include "translate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const no_attributes[] = { NULL };

/* Value by value: the form stays. A builder's call of one tensor. */
static bool simple(struct translation *t, const onnx_node *n,
                   bioft_tensor (*call)(const bioft_builder *b, bioft_tensor x), const char *op)
{
    const uint32_t at = input_at(t, n, 0);
    const struct value *x = input_value(t, n, 0, at == NOWHERE ? FORM_IMAGE : t->values[at].form);
    struct value out;

    if (!x)
        return false;
    out = *x;
    out.x = call ? call(t->b, x->x) : bioft_plain(t->b, op, x->x);
    return out.x && output_set(t, n, out);
}

static bool make_relu(struct translation *t, const onnx_node *n) { return simple(t, n, t->b->relu, NULL); }
static bool make_tanh(struct translation *t, const onnx_node *n) { return simple(t, n, t->b->tanh_, NULL); }
static bool make_plain(struct translation *t, const onnx_node *n) { return simple(t, n, NULL, n->op_type); }

static bool make_gelu(struct translation *t, const onnx_node *n)
{
    char text[SHOWN];

    if (strcmp(attribute_text(n, "approximate", text), "tanh") == 0)
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "approximate 'tanh'; there is the exact Gelu, approximate 'none'");
    return simple(t, n, NULL, "Gelu");
}

static bool make_hardsigmoid(struct translation *t, const onnx_node *n)
{
    const double alpha = attribute_float(n, "alpha", 0.2), beta = attribute_float(n, "beta", 0.5);

    if (fabs(alpha - 1.0 / 6) > 1e-6 || fabs(beta - 0.5) > 1e-6)
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "alpha %g, beta %g; there is alpha 1/6, beta 1/2", alpha, beta);
    return simple(t, n, bioft_hardsigmoid, NULL);
}

/* Its bounds are attributes before opset 11, inputs from then on. */
static bool make_clip(struct translation *t, const onnx_node *n)
{
    const uint32_t at = input_at(t, n, 0);
    const struct value *x = input_value(t, n, 0, at == NOWHERE ? FORM_IMAGE : t->values[at].form);
    double bound[2] = { attribute_float(n, "min", -INFINITY), attribute_float(n, "max", INFINITY) };
    bioft_attr attrs[2];
    struct value out;
    uint32_t count = 0;

    if (!x)
        return false;
    for (size_t k = 0; k < 2; k++) {
        if (n->n_input > k + 1 && *n->input[k + 1] && !constant_number(t->m, n->input[k + 1], &bound[k], t->fault))
            return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "bounds that are no constants");
        if (isfinite(bound[k]))
            attrs[count++] = (bioft_attr){ k ? "max" : "min", BIOFT_F64, 1, &bound[k] };
    }
    out = *x;
    out.x = t->b->op(t->b, "Clip", NULL, &x->x, 1, attrs, count);
    return out.x && output_set(t, n, out);
}

static bool make_identity(struct translation *t, const onnx_node *n)
{
    const uint32_t at = input_at(t, n, 0);
    const struct value *x = input_value(t, n, 0, at == NOWHERE ? FORM_IMAGE : t->values[at].form);

    return x && output_set(t, n, *x);
}

static bool make_dropout(struct translation *t, const onnx_node *n)
{
    const uint32_t at = input_at(t, n, 0);
    const struct value *x = input_value(t, n, 0, at == NOWHERE ? FORM_IMAGE : t->values[at].form);
    double ratio = attribute_float(n, "ratio", 0.5);
    struct value out;

    if (!x || (n->n_input > 1 && *n->input[1] && !constant_number(t->m, n->input[1], &ratio, t->fault)))
        return x && refuse(t, n, BIOFT_ERR_UNSUPPORTED, "a ratio that is no constant");
    out = *x;
    out.x = t->b->dropout(t->b, x->x, ratio);
    return out.x && output_set(t, n, out);
}

/* The inputs of Add, Sum, Mul and Concat, in one form. */
static bool same_form(struct translation *t, const onnx_node *n, size_t k, const struct value **ret)
{
    const uint32_t first = input_at(t, n, 0);
    const struct value *x = input_value(t, n, k, first == NOWHERE ? FORM_IMAGE : t->values[first].form);

    if (!x)
        return false;
    if (x->last != t->values[first].last || x->order != t->values[first].order)
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "one of its inputs has the channels last, another first");
    *ret = x;
    return true;
}

static bool add_all(struct translation *t, const onnx_node *n)
{
    const struct value *x = NULL, *y = NULL;
    struct value out;

    if (n->n_input == 0 || !same_form(t, n, 0, &x))
        return n->n_input > 0 ? false : refuse(t, n, BIOFT_ERR_FORMAT, "no input");
    out = *x;
    for (size_t k = 1; k < n->n_input; k++) {
        if (!same_form(t, n, k, &y))
            return false;
        out.x = t->b->add(t->b, out.x, y->x);
    }
    return out.x && output_set(t, n, out);
}

static bool make_add(struct translation *t, const onnx_node *n)
{
    struct constant c;

    for (size_t k = 0; n->n_input == 2 && k < 2; k++)
        if (is_constant(t, n->input[k], &c))
            return make_shift(t, n, k);
    return add_all(t, n);
}

static bool make_multiply(struct translation *t, const onnx_node *n)
{
    const struct value *x, *y;
    struct constant c;
    struct value out;

    for (size_t k = 0; n->n_input == 2 && k < 2; k++)
        if (is_constant(t, n->input[k], &c))
            return make_scale(t, n, k);
    if (n->n_input != 2)
        return refuse(t, n, BIOFT_ERR_FORMAT, "%zu inputs", n->n_input);
    if (!same_form(t, n, 0, &x) || !same_form(t, n, 1, &y))
        return false;
    out = x->pixel ? *y : *x;
    out.x = bioft_multiply(t->b, x->x, y->x);
    return out.x && output_set(t, n, out);
}

static bool make_concat(struct translation *t, const onnx_node *n)
{
    bioft_tensor all[64];
    const struct value *x = NULL;
    struct value out = { 0 };
    const int64_t axis = attribute_int(n, "axis", 1), one = 1;
    const bioft_attr attr = { "axis", BIOFT_I64, 1, &one };

    if (n->n_input < 1 || n->n_input > sizeof all / sizeof *all)
        return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "%zu inputs; at most %zu", n->n_input, sizeof all / sizeof *all);
    for (size_t k = 0; k < n->n_input; k++) {
        if (!same_form(t, n, k, &x))
            return false;
        if (x->order || x->last ||
            axis != (x->form == FORM_IMAGE && axis < 0  ? -3
                     : x->form == FORM_FLAT && axis < 0 ? -1
                                                        : 1))
            return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "axis %lld; channels are joined, axis 1", (long long)axis);
        if (x->form == FORM_FLAT && x->channels == 0)
            return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "a flattened image among its inputs");
        all[k] = x->x;
        if (k == 0)
            out = *x;
        else if (x->channels > INT32_MAX - out.channels)
            return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "more than %d channels", INT32_MAX);
        else
            out.channels += x->channels;
    }
    if (n->n_input > 1)
        out.x = t->b->op(t->b, "Concat", NULL, all, (uint32_t)n->n_input, &attr, 1);
    return out.x && output_set(t, n, out);
}

static bool refuse_batch(struct translation *t, const onnx_node *n)
{
    return refuse(t, n, BIOFT_ERR_UNSUPPORTED, "it normalises over neighbouring channels, which no engine has");
}

static bool is_shape(struct translation *t, const onnx_node *n)
{
    const uint32_t at = input_at(t, n, 0);
    return at != NOWHERE && t->values[at].form == FORM_SHAPE;
}

/* What computes the shape of a flatten: only how many numbers it has is followed. */
static bool make_shape_arithmetic(struct translation *t, const onnx_node *n)
{
    struct value out = { .form = FORM_SHAPE, .count = 1 };
    struct constant c;

    if (strcmp(n->op_type, "Shape") == 0) {
        out.count = 4;
        return output_set(t, n, out);
    }
    if (strcmp(n->op_type, "Cast") == 0)
        out.count = t->values[input_at(t, n, 0)].count;
    if (strcmp(n->op_type, "Gather") == 0 && n->n_input > 1 && is_constant(t, n->input[1], &c))
        out.count = c.count < 64 ? (uint32_t)c.count : 64;
    if (strcmp(n->op_type, "Concat") == 0) {
        out.count = 0;
        for (size_t k = 0; k < n->n_input; k++) {
            const uint32_t at = input_at(t, n, k);
            out.count += at != NOWHERE && t->values[at].form == FORM_SHAPE ? t->values[at].count : 1;
        }
    }
    return output_set(t, n, out);
}

static const struct {
    const char *op;
    bool (*make)(struct translation *t, const onnx_node *n);
    const char *const *attrs; /* NULL: the call checks them itself */
} operators[] = {
    { "Conv", make_conv, NULL },
    { "BatchNormalization", make_norm, NULL },
    { "Relu", make_relu, no_attributes },
    { "Tanh", make_tanh, no_attributes },
    { "Sigmoid", make_plain, no_attributes },
    { "HardSwish", make_plain, no_attributes },
    { "HardSigmoid", make_hardsigmoid, (const char *const[]){ "alpha", "beta", NULL } },
    { "Gelu", make_gelu, (const char *const[]){ "approximate", NULL } },
    { "Clip", make_clip, (const char *const[]){ "min", "max", NULL } },
    { "Identity", make_identity, no_attributes },
    { "Dropout", make_dropout, (const char *const[]){ "ratio", "seed", NULL } },
    { "Add", make_add, (const char *const[]){ "axis", "broadcast", NULL } },
    { "Sum", add_all, no_attributes },
    { "Mul", make_multiply, (const char *const[]){ "axis", "broadcast", NULL } },
    { "Concat", make_concat, (const char *const[]){ "axis", NULL } },
    { "MaxPool", make_window, NULL },
    { "AveragePool", make_window, NULL },
    { "GlobalAveragePool", make_window, NULL },
    { "ReduceMean", make_window, NULL },
    { "Flatten", make_shape, NULL },
    { "Reshape", make_shape, NULL },
    { "Squeeze", make_shape, NULL },
    { "Transpose", make_shape, NULL },
    { "Pad", make_shape, NULL },
    { "Shape", make_shape_arithmetic, (const char *const[]){ "start", "end", NULL } },
    { "LRN", refuse_batch, NULL },
};

bool make_node(struct translation *t, const onnx_node *n)
{
    static const char *const on_shapes[] = { "Gather", "Cast", "Slice", "Unsqueeze", "Squeeze", "Concat" };
    bool made = false;

    if (strcmp(n->op_type, "Gemm") == 0 || strcmp(n->op_type, "MatMul") == 0)
        return make_linear(t, n, false);
    for (size_t i = 0; is_shape(t, n) && i < sizeof on_shapes / sizeof *on_shapes; i++)
        if (strcmp(n->op_type, on_shapes[i]) == 0)
            return make_shape_arithmetic(t, n);
    if (!make_pattern(t, n, &made))
        return false;
    if (made)
        return true;
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (strcmp(n->op_type, operators[i].op) == 0)
            return (!operators[i].attrs || known_attributes(t, n, operators[i].attrs)) && operators[i].make(t, n);
    return refuse(t, n, BIOFT_ERR_UNSUPPORTED,
                  "bioft does not have this operator; `output: NAME` with `head: added` ends the "
                  "network before it");
}
