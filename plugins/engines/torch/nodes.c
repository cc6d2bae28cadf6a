/* Each operator, forward and backward. */
#include "program.h"

#include "random.h"

#include <stdio.h>

static tensor value_of(const struct program *p, uint32_t node) { return p->nodes[node].y; }

static struct geometry geometry_of(const bioft_node *d)
{
    return (struct geometry){ { d->stride[0], d->stride[1] },
                              { d->dilation[0], d->dilation[1] },
                              d->groups,
                              { d->padding[0], d->padding[1], d->padding[2], d->padding[3] } };
}

/* [n][c][1][1] as a matrix; and a matrix, which is given away, as that. */
static tensor as_matrix(struct program *p, tensor x, uint32_t channels)
{
    const struct shape s = shape_matrix(p->n, channels), image = shape_image(p->n, channels, 1, 1);
    tensor dense = x ? tensor_laid_out(p->t, x, &image) : NULL, ret = dense ? tensor_view(p->t, dense, &s, 0) : NULL;

    tensor_drop(p->t, &dense);
    return ret;
}

static tensor as_image(struct program *p, tensor x, uint32_t channels)
{
    const struct shape s = shape_image(p->n, channels, 1, 1);
    tensor ret = x ? tensor_view(p->t, x, &s, 0) : NULL;

    tensor_drop(p->t, &x);
    return ret;
}

/* linear(input, weight, bias). */
static tensor linear_forward(struct program *p, const struct node *n, tensor w, tensor bias)
{
    struct call c = call_begin(p->t, "aten::linear", "");
    tensor x = as_matrix(p, value_of(p, n->def->input[0]), def_of(p, n->def->input[0])->channels);

    if (!x)
        return NULL;
    call_give(&c, x);
    call_tensor(&c, w);
    call_some_tensor(&c, bias);
    return as_image(p, call_one(&c), n->def->channels);
}

static tensor layer_forward(struct program *p, const struct node *n)
{
    const struct geometry g = geometry_of(n->def);
    tensor w = model_value(p->model, n->def->weight, p->use.precision);
    tensor bias = model_value(p->model, n->def->bias, p->use.precision);

    if (!w || (n->def->bias != BIOFT_NONE && !bias))
        return NULL;
    return n->def->op == BIOFT_OP_LINEAR ? linear_forward(p, n, w, bias)
                                         : convolution_forward(p->t, &g, value_of(p, n->def->input[0]), w, bias);
}

/* native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps). */
static tensor batchnorm_forward(struct program *p, struct node *n)
{
    const bioft_node *d = n->def;
    struct model *m = p->model;
    struct call c = call_begin(p->t, "aten::native_batch_norm", "");
    tensor y = NULL;
    const bool saves = goes_back(p);

    call_tensor(&c, value_of(p, d->input[0]));
    call_some_tensor(&c, model_value(m, d->weight, BIOFT_F32));
    call_some_tensor(&c, model_value(m, d->bias, BIOFT_F32));
    call_some_tensor(&c, m->parameters[d->running_mean].value);
    call_some_tensor(&c, m->parameters[d->running_var].value);
    call_integer(&c, batch_statistics(p));
    call_number(&c, (double)d->momentum);
    call_number(&c, (double)d->eps);
    if (!call_run(&c, (tensor *const[]){ &y, saves ? &n->saved[MEAN] : NULL, saves ? &n->saved[DEVIATION] : NULL }, 3))
        return NULL;
    if (batch_statistics(p)) {
        m->parameters[d->running_mean].version++;
        m->parameters[d->running_var].version++;
    }
    return y;
}

/* NCHW in the channels' order: that of a linear layer's input. */
static tensor flatten_forward(struct program *p, const struct node *n)
{
    const bioft_node *x = def_of(p, n->def->input[0]);
    const struct shape flat = value_shape(p, n->index), plain = plain_shape(p, n->def->input[0]);
    tensor ret, view;

    if (x->height == 1 && x->width == 1)
        return tensor_same(p->t, value_of(p, n->def->input[0]));
    ret = tensor_empty(p->t, &flat, p->dtype);
    view = ret ? tensor_view(p->t, ret, &plain, 0) : NULL;
    if (!view || !tensor_copy(p->t, view, value_of(p, n->def->input[0])))
        tensor_drop(p->t, &ret);
    tensor_drop(p->t, &view);
    return ret;
}

static tensor flatten_backward(struct program *p, const struct node *n)
{
    const bioft_node *x = def_of(p, n->def->input[0]);
    const struct shape image = value_shape(p, n->def->input[0]), plain = plain_shape(p, n->def->input[0]);
    const struct shape flat = value_shape(p, n->index);
    tensor ret, view, dense;

    if (x->height == 1 && x->width == 1)
        return tensor_same(p->t, n->dy);
    dense = tensor_laid_out(p->t, n->dy, &flat);
    view = dense ? tensor_view(p->t, dense, &plain, 0) : NULL;
    ret = view ? tensor_empty(p->t, &image, p->dtype) : NULL;
    if (ret && !tensor_copy(p->t, ret, view))
        tensor_drop(p->t, &ret);
    tensor_drop(p->t, &view);
    tensor_drop(p->t, &dense);
    return ret;
}

static tensor dropout_forward(struct program *p, struct node *n)
{
    const struct shape image = value_shape(p, n->index), plain = plain_shape(p, n->index);
    struct draw d = { .kind = BIOFT_UNIFORM,
                      .key = p->dropout_key,
                      .factor = 1,
                      .host = p->copies,
                      .mask = true,
                      .drop = n->def->dropout };

    snprintf(d.stream, sizeof d.stream, "dropout/%u", n->index);
    n->saved[MASK] = tensor_empty(p->t, &image, p->dtype);
    if (!n->saved[MASK] || !random_draw(p->t, &d, &plain, n->saved[MASK]))
        return NULL;
    return call_two(p->t, n->in_place ? "aten::mul_" : "aten::mul", "Tensor", value_of(p, n->def->input[0]),
                    n->saved[MASK]);
}

/* NULL: one of this file or of pool.c. */
static const struct operation *operation_of(uint32_t op)
{
    static const struct operation *const operations[] = {
        [BIOFT_OP_CLIP] = &operation_clip,
        [BIOFT_OP_SIGMOID] = &operation_sigmoid,
        [BIOFT_OP_HARDSIGMOID] = &operation_hardsigmoid,
        [BIOFT_OP_HARDSWISH] = &operation_hardswish,
        [BIOFT_OP_SILU] = &operation_silu,
        [BIOFT_OP_GELU] = &operation_gelu,
        [BIOFT_OP_MULTIPLY] = &operation_multiply,
        [BIOFT_OP_CONCAT] = &operation_concat,
        [BIOFT_OP_SLICE] = &operation_slice,
        [BIOFT_OP_SCALE] = &operation_scale,
        [BIOFT_OP_LAYERNORM] = &operation_layernorm,
        [BIOFT_OP_TOKENS] = &operation_tokens,
        [BIOFT_OP_SOFTMAX] = &operation_softmax,
        [BIOFT_OP_MATMUL] = &operation_matmul,
    };

    return op < sizeof operations / sizeof *operations ? operations[op] : NULL;
}

bool node_forward(struct program *p, struct node *n)
{
    const struct operation *operation = operation_of(n->def->op);
    tensor x = value_of(p, n->def->input[0]);

    switch (n->identity ? BIOFT_OP_INPUT : n->def->op) {
    case BIOFT_OP_CONV2D:
    case BIOFT_OP_LINEAR: n->y = layer_forward(p, n); break;
    case BIOFT_OP_BATCHNORM: n->y = batchnorm_forward(p, n); break;
    case BIOFT_OP_RELU: n->y = call_simple(p->t, n->in_place ? "aten::relu_" : "aten::relu", x); break;
    case BIOFT_OP_TANH: n->y = call_simple(p->t, n->in_place ? "aten::tanh_" : "aten::tanh", x); break;
    case BIOFT_OP_DROPOUT: n->y = dropout_forward(p, n); break;
    case BIOFT_OP_ADD: n->y = tensor_sum(p->t, x, value_of(p, n->def->input[1]), 1); break;
    case BIOFT_OP_FLATTEN: n->y = flatten_forward(p, n); break;
    case BIOFT_OP_INPUT: n->y = tensor_same(p->t, x); break;
    default: n->y = operation ? operation->forward(p, n) : pool_forward(p, n, x); break;
    }
    return n->y != NULL;
}

/* db: the sum of dy over all but the channels, in float32; convolution_backward's own is less exact. */
static tensor bias_gradient(struct program *p, tensor dy, bool is_matrix)
{
    struct call c = call_begin(p->t, "aten::sum", "dim_IntList");

    call_tensor(&c, dy);
    call_some_integers(&c, (const int64_t[]){ 0, 2, 3 }, is_matrix ? 1 : 3);
    call_integer(&c, 0);
    call_some_integer(&c, p->t->float32);
    return call_one(&c);
}

/* dx = dy V, dw = dy^T x. */
static bool linear_backward(struct program *p, const struct node *n, tensor *ret_dx, tensor *ret_dw, tensor *ret_db)
{
    const bioft_node *x = def_of(p, n->def->input[0]);
    tensor dy = as_matrix(p, n->dy, n->def->channels), turned = NULL, in = NULL;
    bool good = dy;

    if (good && ret_dx)
        good = (*ret_dx = as_image(p, call_two(p->t, "aten::mm", "", dy, n->v), x->channels)) != NULL;
    if (good && ret_dw) {
        turned = call_simple(p->t, "aten::t", dy);
        in = as_matrix(p, value_of(p, n->def->input[0]), x->channels);
        good = turned && in && (*ret_dw = call_two(p->t, "aten::mm", "", turned, in));
    }
    if (good && ret_db)
        good = (*ret_db = bias_gradient(p, dy, true)) != NULL;
    tensor_drop(p->t, &dy);
    tensor_drop(p->t, &turned);
    tensor_drop(p->t, &in);
    return good;
}

/* One call where V is W, two where it is not. */
static bool conv_backward(struct program *p, const struct node *n, tensor *ret_dx, tensor *ret_dw, tensor *ret_db)
{
    const struct geometry g = geometry_of(n->def);
    tensor x = value_of(p, n->def->input[0]), w = model_value(p->model, n->def->weight, p->use.precision);
    tensor dy = n->dy;

    if (!w || (ret_db && !(*ret_db = bias_gradient(p, dy, false))))
        return false;
    if (!x) { /* not kept: its size is all that dx needs */
        const struct shape s = value_shape(p, n->def->input[0]);
        x = tensor_empty(p->t, &s, p->dtype);
        const bool good = x && convolution_backward(p->t, &g, x, n->v, dy, ret_dx, NULL);
        tensor_drop(p->t, &x);
        return good;
    }
    if (!ret_dw)
        return convolution_backward(p->t, &g, x, n->v, dy, ret_dx, NULL);
    if (!ret_dx || n->v == w)
        return convolution_backward(p->t, &g, x, w, dy, ret_dx, ret_dw);
    return convolution_backward(p->t, &g, x, n->v, dy, ret_dx, NULL) &&
           convolution_backward(p->t, &g, x, w, dy, NULL, ret_dw);
}

static bool layer_backward(struct program *p, struct node *n, tensor *ret_dx)
{
    tensor dw = NULL, db = NULL;
    tensor *const want_dx = n->wants[0] ? ret_dx : NULL, *const want_dw = n->trains ? &dw : NULL;
    tensor *const want_db = n->trains && n->def->bias != BIOFT_NONE ? &db : NULL;
    bool good = n->def->op == BIOFT_OP_LINEAR ? linear_backward(p, n, want_dx, want_dw, want_db)
                                              : conv_backward(p, n, want_dx, want_dw, want_db);

    if (good && n->trains) {
        good = parameter_receive(p, n->def->weight, dw);
        dw = NULL;
        if (good && want_db) {
            good = parameter_receive(p, n->def->bias, db);
            db = NULL;
        }
    }
    tensor_drop(p->t, &dw);
    tensor_drop(p->t, &db);
    return good;
}

/* native_batch_norm_backward(grad_out, input, weight, running_mean, running_var, save_mean, save_invstd, train, eps,
 * output_mask). */
static bool batchnorm_backward(struct program *p, struct node *n, tensor *ret_dx)
{
    const bioft_node *d = n->def;
    struct model *m = p->model;
    struct call c = call_begin(p->t, "aten::native_batch_norm_backward", "");
    tensor gamma = NULL, beta = NULL;
    const bool gives_gamma = n->trains && d->weight != BIOFT_NONE, gives_beta = n->trains && d->bias != BIOFT_NONE;
    bool good;

    call_tensor(&c, n->dy);
    call_tensor(&c, value_of(p, d->input[0]));
    call_some_tensor(&c, model_value(m, d->weight, BIOFT_F32));
    call_some_tensor(&c, m->parameters[d->running_mean].value);
    call_some_tensor(&c, m->parameters[d->running_var].value);
    call_some_tensor(&c, n->saved[MEAN]);
    call_some_tensor(&c, n->saved[DEVIATION]);
    call_integer(&c, batch_statistics(p));
    call_number(&c, (double)d->eps);
    call_integers(&c, (const int64_t[]){ n->wants[0], gives_gamma, gives_beta }, 3);
    good = call_run(
        &c, (tensor *const[]){ n->wants[0] ? ret_dx : NULL, gives_gamma ? &gamma : NULL, gives_beta ? &beta : NULL },
        3);
    if (good && gives_gamma) {
        good = parameter_receive(p, d->weight, gamma);
        gamma = NULL;
    }
    if (good && gives_beta) {
        good = parameter_receive(p, d->bias, beta);
        beta = NULL;
    }
    tensor_drop(p->t, &gamma);
    tensor_drop(p->t, &beta);
    return good;
}

bool scratch_like(struct program *p, uint32_t node, tensor *ret_view)
{
    const struct shape s = value_shape(p, node);

    if (shape_count(&s) > p->scratch_count) {
        const struct shape v = shape_vector((int64_t)node_floats(def_of(p, node)) * p->use.max_batch);
        tensor_drop(p->t, &p->scratch);
        p->scratch = tensor_empty(p->t, &v, p->dtype);
        p->scratch_count = p->scratch ? shape_count(&v) : 0;
    }
    *ret_view = p->scratch ? tensor_view(p->t, p->scratch, &s, 0) : NULL;
    return *ret_view != NULL;
}

/* dy where y is above 0, or no number. libtorch's own function for that has an argument that the dispatcher cannot
 * take, so: times y != 0, as 0 or 1 in memory that stays. */
static tensor relu_backward(struct program *p, struct node *n)
{
    struct call compare = call_begin(p->t, "aten::ne", "Tensor_out");
    tensor factor, made = NULL, ret = NULL;

    if (!scratch_like(p, n->index, &factor))
        return NULL;
    call_tensor(&compare, n->y);
    call_tensor(&compare, p->t->zero);
    call_tensor(&compare, factor);
    made = call_one(&compare);
    if (made)
        ret = call_two(p->t, n->dy_shared ? "aten::mul" : "aten::mul_", "Tensor", n->dy, factor);
    tensor_drop(p->t, &made);
    tensor_drop(p->t, &factor);
    return ret;
}

static bool add_backward(struct program *p, struct node *n)
{
    const bool both = n->wants[0] && n->wants[1];

    for (int k = 0; k < 2; k++)
        if (n->wants[k] && !node_receive(p, n->def->input[k], tensor_same(p->t, n->dy), both || n->dy_shared))
            return false;
    return true;
}

bool node_backward(struct program *p, struct node *n)
{
    const struct operation *operation = operation_of(n->def->op);
    tensor dx = NULL, x = value_of(p, n->def->input[0]);
    bool shared = false, good = true;

    if (n->def->op == BIOFT_OP_ADD && !n->identity)
        return add_backward(p, n);
    if (!n->wants[0] && !n->wants[1] && !n->trains)
        return true;
    if (operation)
        return operation->backward(p, n);
    switch (n->identity ? BIOFT_OP_INPUT : n->def->op) {
    case BIOFT_OP_CONV2D:
    case BIOFT_OP_LINEAR: good = layer_backward(p, n, &dx); break;
    case BIOFT_OP_BATCHNORM: good = batchnorm_backward(p, n, &dx); break;
    case BIOFT_OP_RELU: dx = relu_backward(p, n); break;
    case BIOFT_OP_TANH: dx = call_two(p->t, "aten::tanh_backward", "", n->dy, n->y); break;
    case BIOFT_OP_DROPOUT:
        dx = call_two(p->t, n->dy_shared ? "aten::mul" : "aten::mul_", "Tensor", n->dy, n->saved[MASK]);
        break;
    case BIOFT_OP_FLATTEN:
        dx = flatten_backward(p, n);
        shared = n->dy_shared;
        break;
    case BIOFT_OP_INPUT:
        dx = tensor_same(p->t, n->dy);
        shared = n->dy_shared;
        break;
    default: dx = pool_backward(p, n, x, n->dy); break;
    }
    if (!good || (n->wants[0] && !dx)) {
        tensor_drop(p->t, &dx);
        return false;
    }
    return n->wants[0] ? node_receive(p, n->def->input[0], dx, shared) : true;
}
