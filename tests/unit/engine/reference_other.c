/* The operators that an engine may lack, as engine.h defines them. */
#include "reference.h"

#include <math.h>

static double by_value(const bioft_node *d, double x)
{
    const double hard = fmin(fmax(x / 6 + 0.5, 0), 1), logistic = 1 / (1 + exp(-x));

    switch (d->op) {
    case BIOFT_OP_CLIP: return fmin(fmax(x, (double)d->low), (double)d->high);
    case BIOFT_OP_SIGMOID: return logistic;
    case BIOFT_OP_HARDSIGMOID: return hard;
    case BIOFT_OP_HARDSWISH: return x * hard;
    case BIOFT_OP_SILU: return x * logistic;
    default: return x * 0.5 * (1 + erf(x / sqrt(2)));
    }
}

/* Value (c, i, k) of a tensor whose sides of 1 are repeated. */
static double repeated(const bioft_node *d, const double *x, size_t c, size_t i, size_t k)
{
    c = d->channels == 1 ? 0 : c;
    i = d->height == 1 ? 0 : i;
    k = d->width == 1 ? 0 : k;
    return x[(c * d->height + i) * d->width + k];
}

static double joined(const bioft_node *d, const bioft_node *a, const bioft_node *b, const double *x,
                     const double *other, const size_t at[3])
{
    const size_t sides[3] = { a->channels, a->height, a->width };
    size_t from[3] = { at[0], at[1], at[2] };

    if (d->op == BIOFT_OP_SLICE) {
        from[d->axis] += d->from;
    } else if (from[d->axis] >= sides[d->axis]) {
        from[d->axis] -= sides[d->axis];
        return other[(from[0] * b->height + from[1]) * b->width + from[2]];
    }
    return x[(from[0] * a->height + from[1]) * a->width + from[2]];
}

static double product(const bioft_node *d, const bioft_node *a, const bioft_node *b, const double *x,
                      const double *other, const size_t at[3])
{
    const size_t rows = (size_t)a->height * a->width, columns = (size_t)b->height * b->width;
    double sum = 0;

    if (d->product == 0) {
        const size_t depth = a->channels / d->groups;
        for (size_t c = at[0] * depth; c < (at[0] + 1) * depth; c++)
            sum += x[c * rows + at[1]] * other[c * columns + at[2]];
    } else {
        const size_t head = at[0] / (d->channels / d->groups);
        for (size_t j = 0; j < columns; j++)
            sum += x[(head * d->height + at[1]) * columns + j] * other[at[0] * columns + j];
    }
    return (double)d->scale * sum;
}

static double normalised(const struct reference *r, const bioft_node *d, const double *x, const size_t at[3])
{
    const size_t plane = (size_t)d->height * d->width, here = at[1] * d->width + at[2];
    double mean = 0, variance = 0;

    for (size_t c = 0; c < d->channels; c++)
        mean += x[c * plane + here] / d->channels;
    for (size_t c = 0; c < d->channels; c++)
        variance += pow(x[c * plane + here] - mean, 2) / d->channels;
    return (x[at[0] * plane + here] - mean) / sqrt(variance + (double)d->eps) * r->values[d->weight][at[0]] +
           r->values[d->bias][at[0]];
}

static double softmax(const bioft_node *d, const double *x, const size_t at[3])
{
    const double *row = x + (at[0] * d->height + at[1]) * d->width;
    double sum = 0;

    for (size_t k = 0; k < d->width; k++)
        sum += exp(row[k]);
    return exp(row[at[2]]) / sum;
}

static double token(const struct reference *r, const bioft_node *d, const double *x, const size_t at[3])
{
    const size_t before = d->bias != BIOFT_NONE, positions = d->height - before;
    const double v = at[1] < before ? r->values[d->bias][at[0]] : x[at[0] * positions + at[1] - before];

    return d->weight == BIOFT_NONE ? v : v + r->values[d->weight][at[1] * d->channels + at[0]];
}

static double value(const struct reference *r, const bioft_node *d, const double *x, const double *other,
                    const size_t at[3])
{
    const bioft_node *a = &r->net->nodes[d->input[0]], *b = &r->net->nodes[d->input[1]];
    const size_t same = (at[0] * d->height + at[1]) * d->width + at[2];

    switch (d->op) {
    case BIOFT_OP_MULTIPLY: return x[same] * repeated(b, other, at[0], at[1], at[2]);
    case BIOFT_OP_CONCAT:
    case BIOFT_OP_SLICE: return joined(d, a, b, x, other, at);
    case BIOFT_OP_SCALE: return r->values[d->weight][at[0]] * x[same];
    case BIOFT_OP_LAYERNORM: return normalised(r, d, x, at);
    case BIOFT_OP_SOFTMAX: return softmax(d, x, at);
    case BIOFT_OP_MATMUL: return product(d, a, b, x, other, at);
    case BIOFT_OP_TOKENS: return token(r, d, x, at);
    default: return by_value(d, x[same]);
    }
}

void reference_other(const struct reference *r, const bioft_node *d, const double *x, const double *other, double *y)
{
    const size_t xs = node_count(&r->net->nodes[d->input[0]]), others = node_count(&r->net->nodes[d->input[1]]);
    size_t at[3];

    for (uint32_t i = 0; i < r->n; i++) {
        for (at[0] = 0; at[0] < d->channels; at[0]++)
            for (at[1] = 0; at[1] < d->height; at[1]++)
                for (at[2] = 0; at[2] < d->width; at[2]++)
                    *y++ = value(r, d, x, other, at);
        x += xs;
        other += other ? others : 0;
    }
}
