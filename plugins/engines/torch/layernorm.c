/* Operators with an array a channel or a token: scale, layernorm, tokens. */
#include "program.h"

static tensor input_of(const struct program *p, const struct node *n) { return p->nodes[n->def->input[0]].y; }

static tensor parameter_of(struct program *p, uint32_t parameter)
{
    return model_value(p->model, parameter, p->use.precision);
}

/* A parameter of one value a channel beside images: [1][c][1][1]; a new handle. */
static tensor beside_images(struct program *p, uint32_t parameter, uint32_t channels)
{
    const struct shape s = shape_image(1, channels, 1, 1);
    tensor x = parameter_of(p, parameter);

    return x ? tensor_view(p->t, x, &s, 0) : NULL;
}

/* a times b's values for each channel, which may be none: then a itself. */
static tensor times_channels(struct program *p, tensor a, uint32_t parameter, uint32_t channels)
{
    tensor factor, ret;

    if (parameter == BIOFT_NONE)
        return tensor_same(p->t, a);
    factor = beside_images(p, parameter, channels);
    ret = factor ? call_two(p->t, "aten::mul", "Tensor", a, factor) : NULL;
    tensor_drop(p->t, &factor);
    return ret;
}

static tensor scale_forward(struct program *p, struct node *n)
{
    tensor product = times_channels(p, input_of(p, n), n->def->weight, n->def->channels), term, ret = NULL;

    if (!product || n->def->bias == BIOFT_NONE)
        return product;
    term = beside_images(p, n->def->bias, n->def->channels);
    if (term)
        ret = tensor_sum(p->t, product, term, 1);
    tensor_drop(p->t, &term);
    tensor_drop(p->t, &product);
    return ret;
}

/* The sum over all dimensions but the channels, in float32; x is given away. */
static tensor sum_of_channels(struct program *p, tensor x)
{
    struct call c = call_begin(p->t, "aten::sum", "dim_IntList");

    call_give(&c, x);
    call_some_integers(&c, (const int64_t[]){ 0, 2, 3 }, 3);
    call_integer(&c, 0);
    call_some_integer(&c, p->t->float32);
    return call_one(&c);
}

static bool scale_backward(struct program *p, struct node *n)
{
    const bioft_node *d = n->def;

    if (n->wants[0] &&
        !node_receive(p, d->input[0], times_channels(p, n->dy, d->weight, d->channels), d->weight == BIOFT_NONE))
        return false;
    if (n->trains && d->weight != BIOFT_NONE &&
        !parameter_receive(p, d->weight,
                           sum_of_channels(p, call_two(p->t, "aten::mul", "Tensor", n->dy, input_of(p, n)))))
        return false;
    return !n->trains || d->bias == BIOFT_NONE ||
           parameter_receive(p, d->bias, sum_of_channels(p, tensor_same(p->t, n->dy)));
}

/* [n][c][h][w] as [n][h][w][c], without a copy where it stands so; and back. */
static tensor channels_last(struct program *p, uint32_t node, tensor x)
{
    const bioft_node *d = def_of(p, node);
    const struct shape image = value_shape(p, node), s = shape_plain(p->n, d->height, d->width, d->channels);
    tensor dense = tensor_laid_out(p->t, x, &image), ret = dense ? tensor_view(p->t, dense, &s, 0) : NULL;

    tensor_drop(p->t, &dense);
    return ret;
}

/* x is given away. */
static tensor channels_second(struct program *p, uint32_t node, tensor x)
{
    const bioft_node *d = def_of(p, node);
    const struct shape image = value_shape(p, node), s = shape_plain(p->n, d->height, d->width, d->channels);
    tensor dense = x ? tensor_laid_out(p->t, x, &s) : NULL, ret = dense ? tensor_view(p->t, dense, &image, 0) : NULL;

    tensor_drop(p->t, &dense);
    tensor_drop(p->t, &x);
    return ret;
}

/* native_layer_norm(input, normalized_shape, weight, bias, eps). */
static tensor layernorm_forward(struct program *p, struct node *n)
{
    struct call c = call_begin(p->t, "aten::native_layer_norm", "");
    const bool saves = goes_back(p);
    tensor y = NULL;

    call_give(&c, channels_last(p, n->def->input[0], input_of(p, n)));
    call_integers(&c, (const int64_t[]){ n->def->channels }, 1);
    call_some_tensor(&c, parameter_of(p, n->def->weight));
    call_some_tensor(&c, parameter_of(p, n->def->bias));
    call_number(&c, (double)n->def->eps);
    if (!call_run(&c, (tensor *const[]){ &y, saves ? &n->saved[MEAN] : NULL, saves ? &n->saved[DEVIATION] : NULL }, 3))
        return NULL;
    return channels_second(p, n->index, y);
}

/* Takes both over, or gives them back. */
static bool receive_affine(struct program *p, const struct node *n, tensor gamma, tensor beta)
{
    bool good = true;

    if (gamma)
        good = parameter_receive(p, n->def->weight, gamma);
    if (beta && good)
        return parameter_receive(p, n->def->bias, beta);
    tensor_drop(p->t, &beta);
    return good;
}

/* native_layer_norm_backward(grad_out, input, normalized_shape, mean, rstd, weight, bias, output_mask). */
static bool layernorm_backward(struct program *p, struct node *n)
{
    const bioft_node *d = n->def;
    const bool gives_gamma = n->trains && d->weight != BIOFT_NONE, gives_beta = n->trains && d->bias != BIOFT_NONE;
    struct call c = call_begin(p->t, "aten::native_layer_norm_backward", "");
    tensor dx = NULL, gamma = NULL, beta = NULL;

    call_give(&c, channels_last(p, n->index, n->dy));
    call_give(&c, channels_last(p, d->input[0], input_of(p, n)));
    call_integers(&c, (const int64_t[]){ d->channels }, 1);
    call_tensor(&c, n->saved[MEAN]);
    call_tensor(&c, n->saved[DEVIATION]);
    call_some_tensor(&c, parameter_of(p, d->weight));
    call_some_tensor(&c, parameter_of(p, d->bias));
    call_integers(&c, (const int64_t[]){ n->wants[0], gives_gamma, gives_beta }, 3);
    if (!call_run(&c,
                  (tensor *const[]){ n->wants[0] ? &dx : NULL, gives_gamma ? &gamma : NULL, gives_beta ? &beta : NULL },
                  3))
        return false;
    if (!receive_affine(p, n, gamma, beta)) {
        tensor_drop(p->t, &dx);
        return false;
    }
    return !n->wants[0] || node_receive(p, d->input[0], channels_second(p, d->input[0], dx), false);
}

/* Of tokens' node d: the tokens that are the positions of its input, as images of one column. */
static struct shape positions_of(const struct program *p, const bioft_node *d)
{
    return shape_image(p->n, d->channels, (int64_t)d->height - (d->bias != BIOFT_NONE), 1);
}

/* x [n][c][h][w] as [n][c][h w][1]. */
static tensor as_positions(struct program *p, const struct node *n)
{
    const uint32_t node = n->def->input[0];
    const struct shape image = value_shape(p, node), s = positions_of(p, n->def);
    tensor dense = tensor_laid_out(p->t, input_of(p, n), &image), ret = dense ? tensor_view(p->t, dense, &s, 0) : NULL;

    tensor_drop(p->t, &dense);
    return ret;
}

/* The class token before the positions. */
static tensor with_class_token(struct program *p, const struct node *n, tensor positions)
{
    const struct shape all = value_shape(p, n->index), first = shape_image(p->n, n->def->channels, 1, 1);
    const struct shape rest = positions_of(p, n->def);
    tensor ret = tensor_empty(p->t, &all, p->dtype), class = NULL, to = NULL, after = NULL;
    bool good = ret;

    if (good)
        good = (to = tensor_part(p->t, ret, &first, 2, 0)) && (after = tensor_part(p->t, ret, &rest, 2, 1)) &&
               (class = beside_images(p, n->def->bias, n->def->channels)) && tensor_copy(p->t, to, class) &&
               tensor_copy(p->t, after, positions);
    tensor_drop(p->t, &class);
    tensor_drop(p->t, &to);
    tensor_drop(p->t, &after);
    if (!good)
        tensor_drop(p->t, &ret);
    return ret;
}

static tensor tokens_forward(struct program *p, struct node *n)
{
    const struct shape places = shape_image(1, n->def->channels, n->def->height, 1);
    tensor x = as_positions(p, n), tokens, weight, ret = NULL;

    if (!x)
        return NULL;
    tokens = n->def->bias != BIOFT_NONE ? with_class_token(p, n, x) : tensor_same(p->t, x);
    tensor_drop(p->t, &x);
    if (!tokens || n->def->weight == BIOFT_NONE)
        return tokens;
    weight = parameter_of(p, n->def->weight);
    weight = weight ? tensor_view(p->t, weight, &places, 0) : NULL;
    if (weight)
        ret = tensor_sum(p->t, tokens, weight, 1);
    tensor_drop(p->t, &weight);
    tensor_drop(p->t, &tokens);
    return ret;
}

/* The sum over the images of dy, in the parameter's order [t][c]. */
static tensor places_gradient(struct program *p, const struct node *n)
{
    const int64_t channels = n->def->channels, tokens = n->def->height;
    const struct shape flat = shape_vector(channels * tokens);
    const struct shape turned = { 3, { channels, tokens, 1 }, { 1, channels, channels } };
    struct call c = call_begin(p->t, "aten::sum", "dim_IntList");
    tensor sum, ret = NULL, view = NULL;

    call_tensor(&c, n->dy);
    call_some_integers(&c, (const int64_t[]){ 0 }, 1);
    call_integer(&c, 0);
    call_some_integer(&c, p->t->float32);
    sum = call_one(&c);
    if (sum)
        ret = tensor_empty(p->t, &flat, p->t->float32);
    view = ret ? tensor_view(p->t, ret, &turned, 0) : NULL;
    if (!view || !tensor_copy(p->t, view, sum))
        tensor_drop(p->t, &ret);
    tensor_drop(p->t, &view);
    tensor_drop(p->t, &sum);
    return ret;
}

/* dy of the positions, in the input's shape. */
static tensor positions_gradient(struct program *p, const struct node *n)
{
    const struct shape image = value_shape(p, n->def->input[0]), rest = positions_of(p, n->def);
    tensor part = tensor_part(p->t, n->dy, &rest, 2, n->def->bias != BIOFT_NONE);
    tensor ret = part ? tensor_empty(p->t, &image, p->dtype) : NULL,
           view = ret ? tensor_view(p->t, ret, &rest, 0) : NULL;

    if (!view || !tensor_copy(p->t, view, part))
        tensor_drop(p->t, &ret);
    tensor_drop(p->t, &part);
    tensor_drop(p->t, &view);
    return ret;
}

static bool tokens_backward(struct program *p, struct node *n)
{
    const struct shape first = shape_image(p->n, n->def->channels, 1, 1);

    if (n->wants[0] && !node_receive(p, n->def->input[0], positions_gradient(p, n), false))
        return false;
    if (n->trains && n->def->weight != BIOFT_NONE && !parameter_receive(p, n->def->weight, places_gradient(p, n)))
        return false;
    return !n->trains || n->def->bias == BIOFT_NONE ||
           parameter_receive(p, n->def->bias, sum_of_channels(p, tensor_part(p->t, n->dy, &first, 2, 0)));
}

const struct operation operation_scale = { scale_forward, scale_backward };
const struct operation operation_layernorm = { layernorm_forward, layernorm_backward };
const struct operation operation_tokens = { tokens_forward, tokens_backward };
