/* A network's operators forward and backward, in plain loops over arrays [n][channels][height][width]. */
#ifndef OPERATORS_H
#define OPERATORS_H

#include <bioft/engine.h>
#include <math.h>
#include <string.h>

/* One node at work. Backward passes add to dx, other_dx, dw and db; NULL: nobody wants it. */
typedef struct {
    const bioft_node *d, *of; /* the node, and the one whose output it reads */
    const bioft_layer *layer; /* of conv2d and linear */
    uint32_t n;               /* images */
    const float *x, *other;   /* other: add's second input */
    float *y, *dx, *other_dx;
    const float *dy;
    const float *w, *b; /* batchnorm: gamma and beta; may be NULL */
    float *dw, *db;
    float *mean, *variance; /* batchnorm's running statistics */
    float *saved;           /* dropout's factors; batchnorm's mean and 1/deviation by channel */
    int by_the_batch;       /* batchnorm: by the batch's statistics */
} work;

static size_t floats_of(const bioft_node *d) { return (size_t)d->channels * d->height * d->width; }

/* A layer's arrays; `sum` is what a pass adds to: y forward, dx for the input error, dw for the weight gradient. */
enum { FORWARD = 0, INPUT_ERROR, WEIGHT_GRADIENT };
typedef struct {
    const float *w, *x, *y;
    float *sum;
} operands;

static void add_product(uint32_t phase, const operands *a, size_t w, size_t x, size_t y)
{
    if (phase == FORWARD)
        a->sum[y] += a->w[w] * a->x[x];
    else if (phase == INPUT_ERROR)
        a->sum[x] += a->w[w] * a->y[y];
    else
        a->sum[w] += a->x[x] * a->y[y];
}

/* Every product of one output value of a layer. A linear layer is a convolution of one pixel. */
static void window(const bioft_layer *l, uint32_t phase, const operands *a, uint32_t o, uint32_t oy, uint32_t ox)
{
    const uint32_t group = l->in_channels / l->groups, first = o / (l->out_channels / l->groups) * group;
    const size_t y = ((size_t)o * l->out_h + oy) * l->out_w + ox;
    size_t w = (size_t)o * group * l->kernel[0] * l->kernel[1];
    for (uint32_t i = first; i < first + group; i++)
        for (uint32_t ky = 0; ky < l->kernel[0]; ky++)
            for (uint32_t kx = 0; kx < l->kernel[1]; kx++, w++) {
                const int64_t iy = (int64_t)oy * l->stride[0] + (int64_t)ky * l->dilation[0] - l->padding[0];
                const int64_t ix = (int64_t)ox * l->stride[1] + (int64_t)kx * l->dilation[1] - l->padding[1];
                if (iy >= 0 && iy < l->in_h && ix >= 0 && ix < l->in_w)
                    add_product(phase, a, w, ((size_t)i * l->in_h + (size_t)iy) * l->in_w + (size_t)ix, y);
            }
}

static void layer_pass(const bioft_layer *l, uint32_t phase, uint32_t n, operands a)
{
    const size_t in = (size_t)l->in_channels * l->in_h * l->in_w, out = (size_t)l->out_channels * l->out_h * l->out_w;
    for (uint32_t image = 0; image < n; image++) {
        for (uint32_t o = 0; o < l->out_channels; o++)
            for (uint32_t oy = 0; oy < l->out_h; oy++)
                for (uint32_t ox = 0; ox < l->out_w; ox++)
                    window(l, phase, &a, o, oy, ox);
        a.x = a.x ? a.x + in : NULL;
        a.y = a.y ? a.y + out : NULL;
        a.sum += phase == FORWARD ? out : phase == INPUT_ERROR ? in : 0;
    }
}

static void layer_forward(const work *k)
{
    const size_t plane = (size_t)k->d->height * k->d->width;
    for (size_t i = 0; i < k->n * floats_of(k->d); i++)
        k->y[i] = k->b ? k->b[i / plane % k->d->channels] : 0.0f;
    layer_pass(k->layer, FORWARD, k->n, (operands){ .w = k->w, .x = k->x, .sum = k->y });
}

/* v: what the error is multiplied by on its way back. */
static void layer_backward(const work *k, const float *v)
{
    const size_t plane = (size_t)k->d->height * k->d->width;
    if (k->dx)
        layer_pass(k->layer, INPUT_ERROR, k->n, (operands){ .w = v, .y = k->dy, .sum = k->dx });
    if (k->dw)
        layer_pass(k->layer, WEIGHT_GRADIENT, k->n, (operands){ .x = k->x, .y = k->dy, .sum = k->dw });
    for (size_t i = 0; k->db && i < k->n * floats_of(k->d); i++)
        k->db[i / plane % k->d->channels] += k->dy[i];
}

/* A window's rows (axis 0) or columns (axis 1): [from, to), some of them outside of the image. Returns how many torch
 * counts where it averages: those of the padding, but none beyond it. */
static int64_t reach(const bioft_node *d, const bioft_node *of, int axis, uint32_t at, int64_t *from, int64_t *to)
{
    const int64_t in = axis ? of->width : of->height, out = axis ? d->width : d->height;
    if (d->op == BIOFT_OP_ADAPTIVE_AVGPOOL) {
        *from = at * in / out;
        *to = ((at + 1) * in + out - 1) / out;
        return *to - *from;
    }
    *from = (int64_t)at * d->stride[axis] - d->padding[axis];
    *to = *from + (int64_t)(d->kernel[axis] - 1) * d->dilation[axis] + 1;
    return (*to < in + d->padding[axis + 2] ? *to : in + d->padding[axis + 2]) - *from;
}

/* One output of a pool. x, dx: a plane; dx NULL: forward, and the value is returned. */
static float pool_one(const work *k, uint32_t oy, uint32_t ox, const float *x, float dy, float *dx)
{
    const bioft_node *d = k->d, *of = k->of;
    int64_t y0, y1, x0, x1, counted = reach(d, of, 0, oy, &y0, &y1) * reach(d, of, 1, ox, &x0, &x1), inside = 0;
    const int64_t step[2] = { d->dilation[0] ? d->dilation[0] : 1, d->dilation[1] ? d->dilation[1] : 1 };
    size_t best = SIZE_MAX;
    float sum = 0.0f;
    for (int64_t iy = y0; iy < y1; iy += step[0])
        for (int64_t ix = x0; ix < x1; ix += step[1]) {
            const size_t at = (size_t)iy * of->width + (size_t)ix;
            if (iy < 0 || iy >= of->height || ix < 0 || ix >= of->width)
                continue;
            inside++;
            sum += x[at];
            if (best == SIZE_MAX || x[at] > x[best] || isnan(x[at]))
                best = at;
        }
    if (d->exclude_padding)
        counted = inside;
    if (d->op == BIOFT_OP_MAXPOOL && dx)
        dx[best] += dy;
    for (int64_t iy = y0; d->op != BIOFT_OP_MAXPOOL && dx && iy < y1; iy++)
        for (int64_t ix = x0; ix < x1; ix++)
            if (iy >= 0 && iy < of->height && ix >= 0 && ix < of->width)
                dx[iy * of->width + ix] += dy / (float)counted;
    return d->op == BIOFT_OP_MAXPOOL ? x[best] : sum / (float)counted;
}

static void pool(const work *k, int back)
{
    const size_t in = (size_t)k->of->height * k->of->width, out = (size_t)k->d->height * k->d->width;
    for (size_t plane = 0; plane < (size_t)k->n * k->d->channels; plane++)
        for (size_t i = 0; i < out; i++) {
            const uint32_t oy = (uint32_t)(i / k->d->width), ox = (uint32_t)(i % k->d->width);
            if (!back)
                k->y[plane * out + i] = pool_one(k, oy, ox, k->x + plane * in, 0.0f, NULL);
            else if (k->dx)
                pool_one(k, oy, ox, k->x + plane * in, k->dy[plane * out + i], k->dx + plane * in);
        }
}

/* y = gamma (x - mean) / deviation + beta, by the batch's statistics or by the running ones. */
static void batchnorm_forward(const work *k)
{
    const size_t plane = (size_t)k->d->height * k->d->width, count = k->n * plane, stride = floats_of(k->d);
    for (uint32_t c = 0; c < k->d->channels; c++) {
        const float *x = k->x + c * plane, gamma = k->w ? k->w[c] : 1.0f, beta = k->b ? k->b[c] : 0.0f;
        double mean = (double)k->mean[c], variance = (double)k->variance[c];
        if (k->by_the_batch) {
            mean = variance = 0.0;
            for (size_t i = 0; i < count; i++)
                mean += (double)x[i / plane * stride + i % plane] / (double)count;
            for (size_t i = 0; i < count; i++)
                variance += pow((double)x[i / plane * stride + i % plane] - mean, 2.0) / (double)count;
            k->mean[c] += k->d->momentum * ((float)mean - k->mean[c]);
            k->variance[c] += k->d->momentum *
                              ((float)(variance * (double)count / ((double)count - 1.0)) - k->variance[c]);
        }
        k->saved[2 * c] = (float)mean;
        k->saved[2 * c + 1] = (float)(1.0 / sqrt(variance + (double)k->d->eps));
        for (size_t i = 0; i < count; i++) {
            const size_t at = i / plane * stride + i % plane;
            k->y[c * plane + at] = gamma * (x[at] - k->saved[2 * c]) * k->saved[2 * c + 1] + beta;
        }
    }
}

/* dbeta = sum dy, dgamma = sum dy z with z = (x - mean) / deviation; dx = gamma / deviation (dy - what the batch's mean
 * and variance take back). */
static void batchnorm_backward(const work *k)
{
    const size_t plane = (size_t)k->d->height * k->d->width, count = k->n * plane, stride = floats_of(k->d);
    for (uint32_t c = 0; c < k->d->channels; c++) {
        const float *x = k->x + c * plane, *dy = k->dy + c * plane;
        const double mean = (double)k->saved[2 * c], inverse = (double)k->saved[2 * c + 1];
        const double factor = (k->w ? (double)k->w[c] : 1.0) * inverse;
        double sum = 0.0, product = 0.0;
        for (size_t i = 0; i < count; i++) {
            const size_t at = i / plane * stride + i % plane;
            sum += (double)dy[at];
            product += (double)dy[at] * ((double)x[at] - mean) * inverse;
        }
        if (k->dw)
            k->dw[c] += (float)product;
        if (k->db)
            k->db[c] += (float)sum;
        for (size_t i = 0; k->dx && i < count; i++) {
            const size_t at = i / plane * stride + i % plane;
            const double z = ((double)x[at] - mean) * inverse, back = (sum + z * product) / (double)count;
            k->dx[c * plane + at] += (float)(factor * ((double)dy[at] - (k->by_the_batch ? back : 0.0)));
        }
    }
}

static void forward_node(const work *k)
{
    const size_t count = k->n * floats_of(k->d);
    if (k->layer)
        layer_forward(k);
    else if (k->d->op == BIOFT_OP_BATCHNORM)
        batchnorm_forward(k);
    else if (k->d->op >= BIOFT_OP_MAXPOOL && k->d->op <= BIOFT_OP_ADAPTIVE_AVGPOOL)
        pool(k, 0);
    else if (k->d->op == BIOFT_OP_RELU)
        for (size_t i = 0; i < count; i++)
            k->y[i] = k->x[i] < 0.0f ? 0.0f : k->x[i];
    else if (k->d->op == BIOFT_OP_TANH)
        for (size_t i = 0; i < count; i++)
            k->y[i] = tanhf(k->x[i]);
    else if (k->d->op == BIOFT_OP_ADD)
        for (size_t i = 0; i < count; i++)
            k->y[i] = k->x[i] + k->other[i];
    else /* flatten: the factors are NULL; dropout outside of training too */
        for (size_t i = 0; i < count; i++)
            k->y[i] = k->saved ? k->saved[i] * k->x[i] : k->x[i];
}

/* The derivative of a value's output by its input, at an operator that works value by value. */
static float slope(const work *k, size_t i)
{
    if (k->d->op == BIOFT_OP_RELU)
        return k->y[i] <= 0.0f ? 0.0f : 1.0f;
    if (k->d->op == BIOFT_OP_TANH)
        return 1.0f - k->y[i] * k->y[i];
    return k->d->op == BIOFT_OP_DROPOUT && k->saved ? k->saved[i] : 1.0f;
}

static void backward_node(const work *k, const float *v)
{
    if (k->layer)
        layer_backward(k, v);
    else if (k->d->op == BIOFT_OP_BATCHNORM)
        batchnorm_backward(k);
    else if (k->d->op >= BIOFT_OP_MAXPOOL && k->d->op <= BIOFT_OP_ADAPTIVE_AVGPOOL)
        pool(k, 1);
    else
        for (size_t i = 0; i < k->n * floats_of(k->d); i++) {
            if (k->dx)
                k->dx[i] += slope(k, i) * k->dy[i];
            if (k->other_dx)
                k->other_dx[i] += k->dy[i];
        }
}

#endif
