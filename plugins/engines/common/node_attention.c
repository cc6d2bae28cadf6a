/* What attention is made of (Vaswani et al. 2017; Dosovitskiy et al. 2021): products by heads, softmax, tokens. Tokens
 * stand as [channels][tokens]. */
#include "exponential.h"
#include "plain.h"

#include <string.h>

static void softmax_forward(const struct plain *a)
{
    const size_t width = a->d->width, rows = (size_t)a->d->channels * a->d->height;

    for (size_t r = 0; r < rows; r++) {
        const float *x = a->x + r * width;
        float *y = a->y + r * width, most = x[0], sum = 0;
        for (size_t i = 1; i < width; i++)
            most = x[i] > most ? x[i] : most;
        for (size_t i = 0; i < width; i++)
            y[i] = exponential(x[i] - most);
        for (size_t i = 0; i < width; i++)
            sum += y[i];
        for (size_t i = 0; i < width; i++)
            y[i] /= sum;
    }
}

/* dx = y (dy - sum dy y). */
static void softmax_backward(const struct plain *a)
{
    const size_t width = a->d->width, rows = (size_t)a->d->channels * a->d->height;

    for (size_t r = 0; a->dx && r < rows; r++) {
        const float *y = a->y + r * width, *dy = a->dy + r * width;
        float *dx = a->dx + r * width, sum = 0;
        for (size_t i = 0; i < width; i++)
            sum += dy[i] * y[i];
        for (size_t i = 0; i < width; i++)
            dx[i] += y[i] * (dy[i] - sum);
    }
}

/* A product's sizes: rows M and columns N of the matrix of scores, channels of one head. */
struct sizes {
    size_t heads, depth, rows, columns;
};
static struct sizes sizes_of(const bioft_node *d, const bioft_node *from)
{
    if (d->product == 0)
        return (struct sizes){ d->groups, from->channels / d->groups, d->height, d->width };
    return (struct sizes){ d->groups, d->channels / d->groups, from->height, from->width };
}

static void multiply_by(float factor, float *x, size_t count)
{
    for (size_t i = 0; factor != 1 && i < count; i++)
        x[i] *= factor;
}

static void matmul_forward(const struct plain *a)
{
    const struct sizes s = sizes_of(a->d, a->from);
    const size_t scores = s.rows * s.columns, wide = s.depth * s.columns, tall = s.depth * s.rows;

    for (size_t h = 0; h < s.heads; h++)
        if (a->d->product == 0)
            gemm(a->blas, YES, NO, s.rows, s.columns, s.depth, a->x + h * tall, s.rows, a->other + h * wide, s.columns,
                 false, a->y + h * scores, s.columns);
        else
            gemm(a->blas, NO, YES, s.depth, s.rows, s.columns, a->other + h * wide, s.columns, a->x + h * scores,
                 s.columns, false, a->y + h * tall, s.rows);
    multiply_by(a->d->scale, a->y, s.heads * (a->d->product == 0 ? scores : tall));
}

/* Of one head's dy times the scale. */
static size_t matmul_work(const bioft_node *d, const bioft_node *from)
{
    const struct sizes s = sizes_of(d, from);
    return d->product == 0 ? s.rows * s.columns : s.depth * s.rows;
}

/* y = x^T other: dx = other dy^T, dother = x dy. */
static void scores_backward(const struct plain *a, struct sizes s, size_t h, const float *dy)
{
    const size_t wide = s.depth * s.columns, tall = s.depth * s.rows;

    if (a->dx)
        gemm(a->blas, NO, YES, s.depth, s.rows, s.columns, a->other + h * wide, s.columns, dy, s.columns, true,
             a->dx + h * tall, s.rows);
    if (a->other_dx)
        gemm(a->blas, NO, NO, s.depth, s.columns, s.rows, a->x + h * tall, s.rows, dy, s.columns, true,
             a->other_dx + h * wide, s.columns);
}

/* y = other x^T: dx = dy^T other, dother = dy x. */
static void mixture_backward(const struct plain *a, struct sizes s, size_t h, const float *dy)
{
    const size_t scores = s.rows * s.columns, wide = s.depth * s.columns;

    if (a->dx)
        gemm(a->blas, YES, NO, s.rows, s.columns, s.depth, dy, s.rows, a->other + h * wide, s.columns, true,
             a->dx + h * scores, s.columns);
    if (a->other_dx)
        gemm(a->blas, NO, NO, s.depth, s.columns, s.rows, dy, s.rows, a->x + h * scores, s.columns, true,
             a->other_dx + h * wide, s.columns);
}

static void matmul_backward(const struct plain *a)
{
    const struct sizes s = sizes_of(a->d, a->from);
    const size_t each = matmul_work(a->d, a->from);

    for (size_t h = 0; h < s.heads; h++) {
        memcpy(a->work, a->dy + h * each, each * sizeof *a->work);
        multiply_by(a->d->scale, a->work, each);
        if (a->d->product == 0)
            scores_backward(a, s, h, a->work);
        else
            mixture_backward(a, s, h, a->work);
    }
}

static void tokens_forward(const struct plain *a)
{
    const size_t tokens = a->d->height, before = a->bias ? 1 : 0, positions = tokens - before;
    const size_t channels = a->d->channels;

    for (size_t c = 0; c < channels; c++) {
        float *y = a->y + c * tokens;
        if (before > 0)
            y[0] = a->bias[c];
        memcpy(y + before, a->x + c * positions, positions * sizeof *y);
        for (size_t i = 0; a->weight && i < tokens; i++)
            y[i] += a->weight[i * channels + c];
    }
}

static void tokens_backward(const struct plain *a)
{
    const size_t tokens = a->d->height, before = a->bias ? 1 : 0, positions = tokens - before;

    for (size_t c = 0; a->dx && c < a->d->channels; c++)
        for (size_t i = 0; i < positions; i++)
            a->dx[c * positions + i] += a->dy[c * tokens + before + i];
}

const struct plain_operator plain_softmax = { .forward = softmax_forward, .backward = softmax_backward };
const struct plain_operator plain_matmul = {
    .forward = matmul_forward,
    .backward = matmul_backward,
    .work = matmul_work,
};
const struct plain_operator plain_tokens = { .forward = tokens_forward, .backward = tokens_backward };
