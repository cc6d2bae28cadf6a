/* Operators that work value by value, but for relu and tanh (nodes.c). */
#include "program.h"

static tensor input_of(const struct program *p, const struct node *n) { return p->nodes[n->def->input[0]].y; }

/* Hands on a gradient that was made. */
static bool pass_on(struct program *p, const struct node *n, tensor dx)
{
    return dx && node_receive(p, n->def->input[0], dx, false);
}

/* clamp(self, min, max). */
static tensor clip_forward(struct program *p, struct node *n)
{
    struct call c = call_begin(p->t, "aten::clamp", "Tensor");

    call_tensor(&c, input_of(p, n));
    call_some_tensor(&c, n->bounds[0]);
    call_some_tensor(&c, n->bounds[1]);
    return call_one(&c);
}

/* x, which may be given away, where y is not `bound`; no number stays none. */
static tensor where_not(struct program *p, const struct node *n, tensor bound, tensor x, bool over)
{
    struct call compare = call_begin(p->t, "aten::ne", "Tensor_out");
    tensor factor, made, ret = NULL;

    if (!scratch_like(p, n->index, &factor))
        return NULL;
    call_tensor(&compare, n->y);
    call_tensor(&compare, bound);
    call_tensor(&compare, factor);
    made = call_one(&compare);
    if (made)
        ret = call_two(p->t, over ? "aten::mul_" : "aten::mul", "Tensor", x, factor);
    tensor_drop(p->t, &made);
    tensor_drop(p->t, &factor);
    return ret;
}

static bool clip_backward(struct program *p, struct node *n)
{
    tensor above = where_not(p, n, n->bounds[0], n->dy, false);
    tensor dx = above ? where_not(p, n, n->bounds[1], above, true) : NULL;

    tensor_drop(p->t, &above);
    return pass_on(p, n, dx);
}

static tensor sigmoid_forward(struct program *p, struct node *n)
{
    return call_simple(p->t, "aten::sigmoid", input_of(p, n));
}

static bool sigmoid_backward(struct program *p, struct node *n)
{
    return pass_on(p, n, call_two(p->t, "aten::sigmoid_backward", "", n->dy, n->y));
}

static tensor hardsigmoid_forward(struct program *p, struct node *n)
{
    return call_simple(p->t, "aten::hardsigmoid", input_of(p, n));
}

static bool hardsigmoid_backward(struct program *p, struct node *n)
{
    return pass_on(p, n, call_two(p->t, "aten::hardsigmoid_backward", "", n->dy, input_of(p, n)));
}

static tensor hardswish_forward(struct program *p, struct node *n)
{
    return call_simple(p->t, "aten::hardswish", input_of(p, n));
}

static bool hardswish_backward(struct program *p, struct node *n)
{
    return pass_on(p, n, call_two(p->t, "aten::hardswish_backward", "", n->dy, input_of(p, n)));
}

static tensor silu_forward(struct program *p, struct node *n)
{
    return call_simple(p->t, "aten::silu", input_of(p, n));
}

static bool silu_backward(struct program *p, struct node *n)
{
    return pass_on(p, n, call_two(p->t, "aten::silu_backward", "", n->dy, input_of(p, n)));
}

/* gelu(self, approximate). */
static tensor gelu_forward(struct program *p, struct node *n)
{
    struct call c = call_begin(p->t, "aten::gelu", "");

    call_tensor(&c, input_of(p, n));
    call_text(&c, "none");
    return call_one(&c);
}

static bool gelu_backward(struct program *p, struct node *n)
{
    struct call c = call_begin(p->t, "aten::gelu_backward", "");

    call_tensor(&c, n->dy);
    call_tensor(&c, input_of(p, n));
    call_text(&c, "none");
    return pass_on(p, n, call_one(&c));
}

const struct operation operation_clip = { clip_forward, clip_backward };
const struct operation operation_sigmoid = { sigmoid_forward, sigmoid_backward };
const struct operation operation_hardsigmoid = { hardsigmoid_forward, hardsigmoid_backward };
const struct operation operation_hardswish = { hardswish_forward, hardswish_backward };
const struct operation operation_silu = { silu_forward, silu_backward };
const struct operation operation_gelu = { gelu_forward, gelu_backward };
