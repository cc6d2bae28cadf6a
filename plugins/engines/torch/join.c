/* Operators of two tensors, and of a part of one: multiply, concat, slice. */
#include "program.h"

static tensor value_of(const struct program *p, const struct node *n, int k) { return p->nodes[n->def->input[k]].y; }

static tensor multiply_forward(struct program *p, struct node *n)
{
    return call_two(p->t, "aten::mul", "Tensor", value_of(p, n, 0), value_of(p, n, 1));
}

/* The sum over the sides that are 1 in node's value; g is given away. */
static tensor summed_to(struct program *p, uint32_t node, uint32_t from, tensor g)
{
    const bioft_node *d = def_of(p, node), *wide = def_of(p, from);
    const uint32_t sides[3] = { d->channels, d->height, d->width };
    const uint32_t of[3] = { wide->channels, wide->height, wide->width };
    struct call c = call_begin(p->t, "aten::sum", "dim_IntList");
    int64_t dims[3];
    size_t count = 0;

    for (int k = 0; k < 3; k++)
        if (sides[k] != of[k])
            dims[count++] = k + 1;
    if (!g || count == 0)
        return g;
    call_give(&c, g);
    call_some_integers(&c, dims, count);
    call_integer(&c, 1);
    call_none(&c);
    return call_one(&c);
}

static bool multiply_backward(struct program *p, struct node *n)
{
    for (int k = 0; k < 2; k++) {
        tensor g;
        if (!n->wants[k])
            continue;
        g = summed_to(p, n->def->input[k], n->index,
                      call_two(p->t, "aten::mul", "Tensor", n->dy, value_of(p, n, 1 - k)));
        if (!g || !node_receive(p, n->def->input[k], g, false))
            return false;
    }
    return true;
}

/* The dimension of a tensor that a node's axis is. */
static int32_t dimension(const bioft_node *d) { return (int32_t)d->axis + 1; }

/* cat(tensors, dim). */
static tensor concat_forward(struct program *p, struct node *n)
{
    struct call c = call_begin(p->t, "aten::cat", "");

    call_tensors(&c, (const tensor[]){ value_of(p, n, 0), value_of(p, n, 1) }, 2);
    call_integer(&c, dimension(n->def));
    return call_one(&c);
}

/* A new tensor of node's part of x. */
static tensor copy_of_part(struct program *p, uint32_t node, tensor x, int32_t dim, int64_t from)
{
    const struct shape s = value_shape(p, node);
    tensor part = tensor_part(p->t, x, &s, dim, from), ret = part ? tensor_empty(p->t, &s, p->dtype) : NULL;

    if (ret && !tensor_copy(p->t, ret, part))
        tensor_drop(p->t, &ret);
    tensor_drop(p->t, &part);
    return ret;
}

static bool concat_backward(struct program *p, struct node *n)
{
    const int32_t dim = dimension(n->def);
    int64_t from = 0;

    for (int k = 0; k < 2; k++) {
        const uint32_t node = n->def->input[k];
        const struct shape s = value_shape(p, node);
        if (n->wants[k] && !node_receive(p, node, copy_of_part(p, node, n->dy, dim, from), false))
            return false;
        from += s.size[dim];
    }
    return true;
}

/* A view: nothing writes over a slice's input (program.c, may_write_over). */
static tensor slice_forward(struct program *p, struct node *n)
{
    const struct shape s = value_shape(p, n->index);

    return tensor_part(p->t, value_of(p, n, 0), &s, dimension(n->def), n->def->from);
}

/* The input's gradient as memory that may be written: zeros, what is there, or a copy of it where it is shared. */
static bool own_gradient(struct program *p, uint32_t node, bool *ret_fresh)
{
    const struct shape s = value_shape(p, node);
    struct node *x = &p->nodes[node];
    tensor made;

    *ret_fresh = !x->dy;
    if (x->dy && !x->dy_shared)
        return true;
    made = x->dy ? tensor_empty(p->t, &s, p->dtype) : tensor_zeros(p->t, &s, p->dtype);
    if (made && x->dy && !tensor_copy(p->t, made, x->dy))
        tensor_drop(p->t, &made);
    if (!made)
        return false;
    tensor_drop(p->t, &x->dy);
    x->dy = made;
    x->dy_shared = false;
    return true;
}

/* Only the part is added to: three slices of one tensor cost no more than one of its whole. */
static bool slice_backward(struct program *p, struct node *n)
{
    const struct shape s = value_shape(p, n->index);
    const uint32_t node = n->def->input[0];
    tensor part = NULL, sum = NULL;
    bool fresh = false, good = own_gradient(p, node, &fresh);

    if (good)
        part = tensor_part(p->t, p->nodes[node].dy, &s, dimension(n->def), n->def->from);
    sum = part && !fresh ? tensor_sum(p->t, part, n->dy, 1) : NULL;
    good = part && (fresh || sum) && tensor_copy(p->t, part, fresh ? n->dy : sum);
    tensor_drop(p->t, &part);
    tensor_drop(p->t, &sum);
    return good;
}

const struct operation operation_multiply = { multiply_forward, multiply_backward };
const struct operation operation_concat = { concat_forward, concat_backward };
const struct operation operation_slice = { slice_forward, slice_backward };
