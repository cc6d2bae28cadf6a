/* Every operator as its definition reads. */
#include "reference.h"

#include "base/random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static double *doubles(size_t count)
{
    double *ret = mem_array(count, sizeof *ret);
    assert_non_null(ret);
    return ret;
}

static double *widen(const float *x, size_t count)
{
    double *ret = doubles(count);
    for (size_t i = 0; i < count; i++)
        ret[i] = (double)x[i];
    return ret;
}

/* y += w x, one plane and one place of the kernel. */
static void convolve_tap(const bioft_node *d, const bioft_node *in, int64_t ky, int64_t kx, double w, const double *x,
                         double *y)
{
    for (int64_t oy = 0; oy < d->height; oy++) {
        const int64_t iy = oy * d->stride[0] - d->padding[0] + ky * d->dilation[0];
        if (iy < 0 || iy >= in->height)
            continue;
        for (int64_t ox = 0; ox < d->width; ox++) {
            const int64_t ix = ox * d->stride[1] - d->padding[1] + kx * d->dilation[1];
            if (ix >= 0 && ix < in->width)
                y[oy * d->width + ox] += w * x[iy * in->width + ix];
        }
    }
}

/* y += x * w, one image. */
static void convolve(const bioft_node *d, const bioft_node *in, const double *w, const double *x, double *y)
{
    const int64_t ci = in->channels / d->groups, co = d->channels / d->groups;

    for (int64_t o = 0; o < d->channels; o++)
        for (int64_t c = 0; c < ci; c++)
            for (int64_t ky = 0; ky < d->kernel[0]; ky++)
                for (int64_t kx = 0; kx < d->kernel[1]; kx++)
                    convolve_tap(d, in, ky, kx, w[((o * ci + c) * d->kernel[0] + ky) * d->kernel[1] + kx],
                                 x + (o / co * ci + c) * in->height * in->width, y + o * d->height * d->width);
}

static void multiply(const bioft_node *d, const bioft_node *in, const double *w, const double *x, double *y)
{
    for (uint32_t o = 0; o < d->channels; o++)
        for (uint32_t i = 0; i < in->channels; i++)
            y[o] += w[(size_t)o * in->channels + i] * x[i];
}

static void layer_product(const bioft_node *d, const bioft_node *in, const double *w, const double *x, double *y)
{
    if (d->op == BIOFT_OP_CONV2D)
        convolve(d, in, w, x, y);
    else
        multiply(d, in, w, x, y);
}

/* Around base where V is another matrix than W; base NULL: at the point itself. */
static void layer(const struct reference *r, const bioft_node *d, const double *x, const double *base, double *y)
{
    const bioft_node *in = &r->net->nodes[d->input[0]];
    const float *v = base ? r->net->feedback[d->layer] : NULL;
    const size_t xs = node_count(in), ys = node_count(d), plane = ys / d->channels;
    double *wide = v ? widen(v, r->net->layers[d->layer].count) : NULL, *away = doubles(xs);

    for (uint32_t i = 0; i < r->n; i++, x += xs, y += ys) {
        for (size_t k = 0; k < ys; k++)
            y[k] = d->bias == BIOFT_NONE ? 0 : r->values[d->bias][k / plane];
        layer_product(d, in, r->values[d->weight], v ? base : x, y);
        if (!v)
            continue;
        for (size_t k = 0; k < xs; k++)
            away[k] = x[k] - base[k];
        layer_product(d, in, wide, away, y);
        base += xs;
    }
    free(wide);
    free(away);
}

static void statistics(const bioft_node *d, uint32_t n, const double *x, uint32_t channel, double *mean,
                       double *variance)
{
    const size_t plane = (size_t)d->height * d->width, all = node_count(d);
    double sum = 0, squares = 0;

    for (uint32_t i = 0; i < n; i++)
        for (size_t k = 0; k < plane; k++)
            sum += x[i * all + channel * plane + k];
    *mean = sum / (double)(n * plane);
    for (uint32_t i = 0; i < n; i++)
        for (size_t k = 0; k < plane; k++)
            squares += pow(x[i * all + channel * plane + k] - *mean, 2);
    *variance = squares / (double)(n * plane);
}

void reference_statistics(const struct reference *r, uint32_t node, uint32_t channel, double *ret_mean,
                          double *ret_variance)
{
    const bioft_node *d = &r->net->nodes[node];
    statistics(d, r->n, r->base[d->input[0]], channel, ret_mean, ret_variance);
}

static void normalise(const struct reference *r, const bioft_node *d, const double *x, double *y)
{
    const size_t plane = (size_t)d->height * d->width, all = node_count(d);

    for (uint32_t c = 0; c < d->channels; c++) {
        double mean = r->values[d->running_mean][c], variance = r->values[d->running_var][c];
        if (r->batch_statistics)
            statistics(d, r->n, x, c, &mean, &variance);
        for (uint32_t i = 0; i < r->n; i++)
            for (size_t k = 0; k < plane; k++) {
                size_t at = i * all + c * plane + k;
                y[at] = (x[at] - mean) / sqrt(variance + (double)d->eps) * r->values[d->weight][c] +
                        r->values[d->bias][c];
            }
    }
}

/* Max (first in scan order), or the mean over a window; what torch divides by. */
static double window(const bioft_node *d, const bioft_node *in, const double *plane, int64_t oy, int64_t ox)
{
    int64_t y0 = oy * d->stride[0] - d->padding[0], x0 = ox * d->stride[1] - d->padding[1];
    int64_t y1 = y0 + d->kernel[0], x1 = x0 + d->kernel[1], count = 0, padded = 0;
    double best = -INFINITY, sum = 0;

    for (int64_t y = y0; y < y1; y++)
        for (int64_t x = x0; x < x1; x++) {
            padded += y < (int64_t)in->height + d->padding[2] && x < (int64_t)in->width + d->padding[3];
            if (y < 0 || x < 0 || y >= in->height || x >= in->width)
                continue;
            count++;
            sum += plane[y * in->width + x];
            if (plane[y * in->width + x] > best)
                best = plane[y * in->width + x];
        }
    if (d->op == BIOFT_OP_MAXPOOL)
        return best;
    return sum / (double)(d->exclude_padding ? count : padded);
}

static double bin(const bioft_node *d, const bioft_node *in, const double *plane, uint32_t oy, uint32_t ox)
{
    const int64_t y0 = (int64_t)floor((double)oy * in->height / d->height);
    const int64_t y1 = (int64_t)ceil((oy + 1.0) * in->height / d->height);
    const int64_t x0 = (int64_t)floor((double)ox * in->width / d->width);
    const int64_t x1 = (int64_t)ceil((ox + 1.0) * in->width / d->width);
    double sum = 0;

    for (int64_t y = y0; y < y1; y++)
        for (int64_t x = x0; x < x1; x++)
            sum += plane[y * in->width + x];
    return sum / (double)((y1 - y0) * (x1 - x0));
}

static void pool(const struct reference *r, const bioft_node *d, const double *x, double *y)
{
    const bioft_node *in = &r->net->nodes[d->input[0]];
    const size_t plane = (size_t)in->height * in->width;

    for (size_t p = 0; p < (size_t)r->n * d->channels; p++, x += plane)
        for (uint32_t oy = 0; oy < d->height; oy++)
            for (uint32_t ox = 0; ox < d->width; ox++)
                *y++ = d->op == BIOFT_OP_ADAPTIVE_AVGPOOL ? bin(d, in, x, oy, ox) : window(d, in, x, oy, ox);
}

static void dropout(const struct reference *r, uint32_t node, double *y, size_t count)
{
    const float p = r->net->nodes[node].dropout;
    float *u = mem_array(count, sizeof *u);
    char stream[32];

    assert_non_null(u);
    snprintf(stream, sizeof stream, "dropout/%u", node);
    random_fill(BIOFT_UNIFORM, SEED, stream, r->dropout_key, 0, u, count);
    for (size_t i = 0; r->dropout && i < count; i++)
        y[i] = u[i] < p ? 0 : y[i] / (1 - (double)p);
    free(u);
}

static void node(const struct reference *r, uint32_t i, double *const *at, bool around, double *y)
{
    const bioft_node *d = &r->net->nodes[i];
    const size_t count = r->n * node_count(d);
    const double *x = at[d->input[0]];

    switch (d->op) {
    case BIOFT_OP_CONV2D:
    case BIOFT_OP_LINEAR: layer(r, d, x, around ? r->base[d->input[0]] : NULL, y); return;
    case BIOFT_OP_BATCHNORM: normalise(r, d, x, y); return;
    case BIOFT_OP_MAXPOOL:
    case BIOFT_OP_AVGPOOL:
    case BIOFT_OP_ADAPTIVE_AVGPOOL: pool(r, d, x, y); return;
    default: break;
    }
    if (d->op > BIOFT_OP_FLATTEN) {
        reference_other(r, d, x, d->input_count > 1 ? at[d->input[1]] : NULL, y);
        return;
    }
    for (size_t k = 0; k < count; k++)
        y[k] = d->op == BIOFT_OP_RELU   ? fmax(x[k], 0)
               : d->op == BIOFT_OP_TANH ? tanh(x[k])
               : d->op == BIOFT_OP_ADD  ? x[k] + at[d->input[1]][k]
                                        : x[k];
    if (d->op == BIOFT_OP_DROPOUT)
        dropout(r, i, y, count);
}

/* ret: the outputs of the nodes from `first` on; those before are there. */
static void forward(const struct reference *r, bool around, uint32_t first, double *const *ret)
{
    if (first == 0)
        memcpy(ret[0], r->x, r->n * node_count(&r->net->nodes[0]) * sizeof(double));
    for (uint32_t i = first > 0 ? first : 1; i < r->net->graph.node_count; i++)
        node(r, i, ret, around, ret[i]);
}

void reference_make(struct reference *r, const struct net *net, uint32_t n, const float *x, bool batch_statistics,
                    bool with_dropout, uint64_t dropout_key)
{
    *r = (struct reference){
        .net = net, .n = n, .batch_statistics = batch_statistics, .dropout = with_dropout, .dropout_key = dropout_key
    };
    r->x = widen(x, n * node_count(&net->nodes[0]));
    for (uint32_t i = 0; i < net->graph.parameter_count; i++)
        r->values[i] = widen(net->values[i], net->parameters[i].count);
    for (uint32_t i = 0; i < net->graph.node_count; i++)
        r->base[i] = doubles(n * node_count(&net->nodes[i]));
    forward(r, false, 0, r->base);
}

void reference_free(struct reference *r)
{
    free(r->x);
    for (uint32_t i = 0; i < r->net->graph.parameter_count; i++)
        free(r->values[i]);
    for (uint32_t i = 0; i < r->net->graph.node_count; i++)
        free(r->base[i]);
}

static double objective(const struct reference *r, uint32_t first, double *const *room, const float *d_out)
{
    const uint32_t last = r->net->graph.node_count - 1;
    const size_t count = r->n * node_count(&r->net->nodes[last]);
    double sum = 0;

    forward(r, true, first, room);
    for (size_t i = 0; i < count; i++)
        sum += (double)d_out[i] * room[last][i];
    return sum;
}

/* The first node that has the parameter; 0, the input, for BIOFT_NONE. */
static uint32_t first_user(const struct reference *r, uint32_t parameter)
{
    uint32_t i = parameter == BIOFT_NONE ? 0 : 1;
    while (i > 0 && r->net->nodes[i].weight != parameter && r->net->nodes[i].bias != parameter)
        i++;
    return i;
}

double *reference_gradient(struct reference *r, uint32_t parameter, const float *d_out)
{
    const double h = 1e-5;
    double *at = parameter == BIOFT_NONE ? r->x : r->values[parameter], *room[NODES];
    const size_t count = parameter == BIOFT_NONE ? r->n * node_count(&r->net->nodes[0])
                                                 : r->net->parameters[parameter].count;
    const uint32_t first = first_user(r, parameter);
    double *ret = doubles(count);

    for (uint32_t i = 0; i < r->net->graph.node_count; i++)
        room[i] = i < first ? r->base[i] : doubles(r->n * node_count(&r->net->nodes[i]));
    for (size_t k = 0; k < count; k++) {
        const double kept = at[k];
        at[k] = kept + h;
        ret[k] = objective(r, first, room, d_out);
        at[k] = kept - h;
        ret[k] = (ret[k] - objective(r, first, room, d_out)) / (2 * h);
        at[k] = kept;
    }
    for (uint32_t i = first; i < r->net->graph.node_count; i++)
        free(room[i]);
    return ret;
}
