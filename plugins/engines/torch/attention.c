/* What attention is made of: products by heads, and softmax. Scores stand as [n][heads][rows][columns], all else with
 * the channels last, so that a head's matrices are views. */
#include "program.h"

static tensor value_of(const struct program *p, const struct node *n, int k) { return p->nodes[n->def->input[k]].y; }

/* _softmax(self, dim, half_to_float). */
static tensor softmax_forward(struct program *p, struct node *n)
{
    struct call c = call_begin(p->t, "aten::_softmax", "");

    call_tensor(&c, value_of(p, n, 0));
    call_integer(&c, 3);
    call_integer(&c, 0);
    return call_one(&c);
}

/* _softmax_backward_data(grad_output, output, dim, input_dtype). */
static bool softmax_backward(struct program *p, struct node *n)
{
    struct call c = call_begin(p->t, "aten::_softmax_backward_data", "");

    call_tensor(&c, n->dy);
    call_tensor(&c, n->y);
    call_integer(&c, 3);
    call_integer(&c, p->dtype);
    return node_receive(p, n->def->input[0], call_one(&c), false);
}

static bool has_one_step(const int64_t *stride, int64_t height, int64_t width)
{
    return height == 1 || width == 1 || stride[2] == width * stride[3];
}

/* x, of node's shape, as [n][heads][positions][channels of a head], or the last two turned. */
static tensor heads(struct program *p, uint32_t node, tensor x, int64_t count, bool turned)
{
    const struct shape image = value_shape(p, node);
    const int64_t height = image.size[2], width = image.size[3], depth = image.size[1] / count;
    int64_t *stride = NULL, step;
    tensor ret = NULL, dense = NULL;

    if (p->t->f.aoti_torch_get_strides(x, &stride) != 0)
        return NULL;
    if (!has_one_step(stride, height, width)) {
        dense = tensor_laid_out(p->t, x, &image);
        if (!dense || p->t->f.aoti_torch_get_strides(dense, &stride) != 0)
            goto done;
    }
    step = width > 1 ? stride[3] : stride[2];
    struct shape s = { 4, { p->n, count, height * width, depth }, { stride[0], depth * stride[1], step, stride[1] } };
    if (turned)
        s = (struct shape){ 4,
                            { s.size[0], s.size[1], s.size[3], s.size[2] },
                            { s.stride[0], s.stride[1], s.stride[3], s.stride[2] } };
    ret = tensor_view(p->t, dense ? dense : x, &s, 0);
done:
    tensor_drop(p->t, &dense);
    return ret;
}

/* [n][heads][positions][channels of a head] as node's value; x is given away. */
static tensor joined(struct program *p, uint32_t node, tensor x, int64_t count)
{
    const struct shape image = value_shape(p, node);
    tensor ret = x ? tensor_empty(p->t, &image, p->dtype) : NULL;
    tensor view = ret ? heads(p, node, ret, count, false) : NULL;

    if (!view || !tensor_copy(p->t, view, x))
        tensor_drop(p->t, &ret);
    tensor_drop(p->t, &view);
    tensor_drop(p->t, &x);
    return ret;
}

static tensor turned(struct program *p, tensor x)
{
    struct call c = call_begin(p->t, "aten::transpose", "int");

    call_tensor(&c, x);
    call_integer(&c, 2);
    call_integer(&c, 3);
    return call_one(&c);
}

/* scale a b; both are given away. */
static tensor product(struct program *p, tensor a, tensor b, float scale)
{
    tensor ret = a && b ? call_two(p->t, "aten::matmul", "", a, b) : NULL, scaled;

    tensor_drop(p->t, &a);
    tensor_drop(p->t, &b);
    if (!ret || scale == 1)
        return ret;
    scaled = tensor_times(p->t, ret, (double)scale);
    tensor_drop(p->t, &ret);
    return scaled;
}

static tensor matmul_forward(struct program *p, struct node *n)
{
    const bioft_node *d = n->def;
    const int64_t count = d->groups;
    tensor a = value_of(p, n, 0), b = value_of(p, n, 1);

    if (d->product == 0)
        return product(p, heads(p, d->input[0], a, count, false), heads(p, d->input[1], b, count, true), d->scale);
    return joined(p, n->index, product(p, tensor_same(p->t, a), heads(p, d->input[1], b, count, false), d->scale),
                  count);
}

/* y = a b^T: da = dy b, db = dy^T a. */
static bool scores_backward(struct program *p, struct node *n)
{
    const bioft_node *d = n->def;
    const uint32_t a = d->input[0], b = d->input[1];
    const int64_t count = d->groups;

    if (n->wants[0] &&
        !node_receive(
            p, a,
            joined(p, a, product(p, tensor_same(p->t, n->dy), heads(p, b, value_of(p, n, 1), count, false), d->scale),
                   count),
            false))
        return false;
    return !n->wants[1] ||
           node_receive(p, b,
                        joined(p, b,
                               product(p, turned(p, n->dy), heads(p, a, value_of(p, n, 0), count, false), d->scale),
                               count),
                        false);
}

/* y = a b: da = dy b^T, db = a^T dy. */
static bool mixture_backward(struct program *p, struct node *n)
{
    const bioft_node *d = n->def;
    const uint32_t b = d->input[1];
    const int64_t count = d->groups;

    if (n->wants[0] && !node_receive(p, d->input[0],
                                     product(p, heads(p, n->index, n->dy, count, false),
                                             heads(p, b, value_of(p, n, 1), count, true), d->scale),
                                     false))
        return false;
    return !n->wants[1] ||
           node_receive(
               p, b,
               joined(p, b, product(p, turned(p, value_of(p, n, 0)), heads(p, n->index, n->dy, count, false), d->scale),
                      count),
               false);
}

static bool matmul_backward(struct program *p, struct node *n)
{
    return n->def->product == 0 ? scores_backward(p, n) : mixture_backward(p, n);
}

const struct operation operation_softmax = { softmax_forward, softmax_backward };
const struct operation operation_matmul = { matmul_forward, matmul_backward };
