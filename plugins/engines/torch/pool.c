/* Pooling nodes. Windows that hang over, or padding that libtorch refuses (uneven, or more than half the window), are
 * computed over an input that is padded first. */
#include "program.h"

#include <math.h>

static void call_window(struct call *c, const struct node *n)
{
    const bioft_node *d = n->def;
    const bool own = !n->window.padded;

    call_pair(c, d->kernel);
    call_pair(c, d->stride);
    call_pair(c, (const uint32_t[2]){ own ? d->padding[0] : 0, own ? d->padding[1] : 0 });
}

/* max_pool2d_with_indices(self, kernel_size, stride, padding, dilation, ceil_mode); backward has grad_output before
 * self and the places at the end. */
static tensor max_forward(struct program *p, struct node *n, tensor x)
{
    struct call c = call_begin(p->t, "aten::max_pool2d_with_indices", "");
    tensor y = NULL;

    call_tensor(&c, x);
    call_window(&c, n);
    call_pair(&c, n->def->dilation);
    call_integer(&c, n->window.ceil_mode);
    return call_run(&c, (tensor *const[]){ &y, goes_back(p) ? &n->saved[PLACES] : NULL }, 2) ? y : NULL;
}

static tensor max_backward(struct program *p, const struct node *n, tensor x, tensor dy)
{
    struct call c = call_begin(p->t, "aten::max_pool2d_with_indices_backward", "");

    call_tensor(&c, dy);
    call_tensor(&c, x);
    call_window(&c, n);
    call_pair(&c, n->def->dilation);
    call_integer(&c, n->window.ceil_mode);
    call_tensor(&c, n->saved[PLACES]);
    return call_one(&c);
}

/* avg_pool2d(self, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override); over a padded input
 * the sum of a window, and each window's own divisor after it. */
static void call_average(struct call *c, const struct node *n)
{
    call_window(c, n);
    call_integer(c, n->window.ceil_mode);
    call_integer(c, !n->def->exclude_padding);
    if (n->window.padded)
        call_some_integer(c, 1);
    else
        call_none(c);
}

static tensor average_forward(struct program *p, struct node *n, tensor x)
{
    struct call c = call_begin(p->t, "aten::avg_pool2d", "");
    tensor y, ret;

    call_tensor(&c, x);
    call_average(&c, n);
    y = call_one(&c);
    if (!y || !n->window.padded)
        return y;
    ret = call_two(p->t, "aten::mul", "Tensor", y, n->share);
    tensor_drop(p->t, &y);
    return ret;
}

static tensor average_backward(struct program *p, const struct node *n, tensor x, tensor dy)
{
    struct call c = call_begin(p->t, "aten::avg_pool2d_backward", "");
    tensor shared = n->window.padded ? call_two(p->t, "aten::mul", "Tensor", dy, n->share) : tensor_same(p->t, dy);

    if (!shared)
        return NULL;
    call_give(&c, shared);
    call_tensor(&c, x);
    call_average(&c, n);
    return call_one(&c);
}

static tensor adaptive_forward(struct program *p, const struct node *n, tensor x)
{
    struct call c = call_begin(p->t, "aten::_adaptive_avg_pool2d", "");

    call_tensor(&c, x);
    call_pair(&c, (const uint32_t[2]){ n->def->height, n->def->width });
    return call_one(&c);
}

static tensor window_input(struct program *p, const struct node *n, tensor x)
{
    return n->window.padded
               ? padded(p->t, x, n->window.before, n->window.after, n->def->op == BIOFT_OP_MAXPOOL ? -INFINITY : 0)
               : tensor_same(p->t, x);
}

tensor pool_forward(struct program *p, struct node *n, tensor x)
{
    tensor input, y;

    if (n->def->op == BIOFT_OP_ADAPTIVE_AVGPOOL)
        return adaptive_forward(p, n, x);
    input = window_input(p, n, x);
    if (!input)
        return NULL;
    y = n->def->op == BIOFT_OP_MAXPOOL ? max_forward(p, n, input) : average_forward(p, n, input);
    tensor_drop(p->t, &input);
    return y;
}

tensor pool_backward(struct program *p, struct node *n, tensor x, tensor dy)
{
    tensor input, dx, ret;

    if (n->def->op == BIOFT_OP_ADAPTIVE_AVGPOOL)
        return call_two(p->t, "aten::_adaptive_avg_pool2d_backward", "", dy, x);
    input = window_input(p, n, x);
    if (!input)
        return NULL;
    dx = n->def->op == BIOFT_OP_MAXPOOL ? max_backward(p, n, input, dy) : average_backward(p, n, input, dy);
    tensor_drop(p->t, &input);
    if (!dx || !n->window.padded)
        return dx;
    ret = cropped(p->t, dx, n->window.before, n->window.after);
    tensor_drop(p->t, &dx);
    return ret;
}
