/* Inline helpers for authors of backbones: the operators of bioft_builder.op. Nothing here is part of the ABI. */
#ifndef BIOFT_BACKBONE_UTIL_H
#define BIOFT_BACKBONE_UTIL_H

#include <bioft/backbone.h>

/* An operator of one tensor without attributes: "Sigmoid", "HardSwish", "Swish", "Gelu", "Softmax". */
static inline bioft_tensor bioft_plain(const bioft_builder *b, const char *onnx_op, bioft_tensor x)
{
    return b->op(b, onnx_op, NULL, &x, 1, NULL, 0);
}

static inline bioft_tensor bioft_relu6(const bioft_builder *b, bioft_tensor x)
{
    const double low = 0.0, high = 6.0;
    const bioft_attr attrs[2] = { { "min", BIOFT_F64, 1, &low }, { "max", BIOFT_F64, 1, &high } };
    return b->op(b, "Clip", NULL, &x, 1, attrs, 2);
}

static inline bioft_tensor bioft_hardsigmoid(const bioft_builder *b, bioft_tensor x)
{
    const double alpha = 1.0 / 6.0;
    const bioft_attr attr = { "alpha", BIOFT_F64, 1, &alpha };
    return b->op(b, "HardSigmoid", NULL, &x, 1, &attr, 1);
}

/* Value by value; a side of one tensor may be 1 where the other's is not. */
static inline bioft_tensor bioft_multiply(const bioft_builder *b, bioft_tensor x, bioft_tensor y)
{
    const bioft_tensor both[2] = { x, y };
    return b->op(b, "Mul", NULL, both, 2, NULL, 0);
}

/* Channels of x, then those of y. */
static inline bioft_tensor bioft_concat(const bioft_builder *b, bioft_tensor x, bioft_tensor y)
{
    const bioft_tensor both[2] = { x, y };
    return b->op(b, "Concat", NULL, both, 2, NULL, 0);
}

/* [start, end) along an axis: 1 channels, 2 height (tokens), 3 width. */
static inline bioft_tensor bioft_slice(const bioft_builder *b, bioft_tensor x, int64_t axis, int64_t start, int64_t end)
{
    const bioft_attr attrs[3] = { { "axis", BIOFT_I64, 1, &axis },
                                  { "start", BIOFT_I64, 1, &start },
                                  { "end", BIOFT_I64, 1, &end } };
    return b->op(b, "Slice", NULL, &x, 1, attrs, 3);
}

/* Each channel times a parameter called `name`, of initial values `value` and the shape [channels, 1, ...] of `dims`. */
static inline bioft_tensor bioft_scale(const bioft_builder *b, const char *name, bioft_tensor x, double value,
                                       int64_t dims)
{
    const bioft_attr attrs[2] = { { "value", BIOFT_F64, 1, &value }, { "dims", BIOFT_I64, 1, &dims } };
    return b->op(b, "Mul", name, &x, 1, attrs, 2);
}

/* Over the channels of each position. */
static inline bioft_tensor bioft_layernorm(const bioft_builder *b, const char *name, bioft_tensor x, double eps)
{
    const bioft_attr attr = { "epsilon", BIOFT_F64, 1, &eps };
    return b->op(b, "LayerNormalization", name, &x, 1, &attr, 1);
}

/* A linear layer at each position, N(0, std^2) first, the bias 0; std 0: as torch. */
static inline bioft_tensor bioft_positions_linear(const bioft_builder *b, const char *name, bioft_tensor x, int64_t out,
                                                  double std)
{
    const int64_t init = std > 0.0 ? BIOFT_INIT_NORMAL : BIOFT_INIT_TORCH;
    const bioft_attr attrs[3] = { { "out", BIOFT_I64, 1, &out },
                                  { "init", BIOFT_I64, 1, &init },
                                  { "init_std", BIOFT_F64, 1, &std } };
    return b->op(b, "MatMul", name, &x, 1, attrs, 3);
}

/* [channels][height][width] to [channels][1 + height width][1]: a class token called `name` before the others. */
static inline bioft_tensor bioft_class_token(const bioft_builder *b, const char *name, bioft_tensor x, double std)
{
    const bioft_attr attr = { "init_std", BIOFT_F64, 1, &std };
    return b->op(b, "Concat", name, &x, 1, &attr, 1);
}

/* Adds a parameter called `name` at each position: [1, positions, channels]. */
static inline bioft_tensor bioft_positions(const bioft_builder *b, const char *name, bioft_tensor x, double std)
{
    const bioft_attr attr = { "init_std", BIOFT_F64, 1, &std };
    return b->op(b, "Add", name, &x, 1, &attr, 1);
}

/* softmax(scale q^T k) v in each of `heads` groups of channels (Vaswani et al. 2017); q, k, v: [channels][tokens]. */
static inline bioft_tensor bioft_attention(const bioft_builder *b, bioft_tensor q, bioft_tensor k, bioft_tensor v,
                                           int64_t heads, double scale)
{
    const int64_t product = 1;
    const bioft_attr scores[2] = { { "heads", BIOFT_I64, 1, &heads }, { "scale", BIOFT_F64, 1, &scale } };
    const bioft_attr mixture = { "product", BIOFT_I64, 1, &product };
    const bioft_tensor qk[2] = { q, k };
    const bioft_tensor p = bioft_plain(b, "Softmax", b->op(b, "MatMul", NULL, qk, 2, scores, 2));
    const bioft_tensor pv[2] = { p, v };
    return b->op(b, "MatMul", NULL, pv, 2, &mixture, 1);
}

#endif
