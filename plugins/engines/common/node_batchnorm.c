/* Batchnorm nodes (Ioffe and Szegedy 2015), as torch: normalised by the biased variance, the unbiased one kept.
 *
 * Three operators: by the batch's statistics; by the running ones with gradients for gamma and beta; and by the
 * running ones alone, which is one product and one sum a value. Saved, by channel: mean, 1/deviation, and the factor
 * and the term that turn x into y. */
#include "node_batchnorm.h"

#include "sums.h"

#include <math.h>

float *batchnorm_saved(const struct program *p, const struct node *n, enum batchnorm_saved what)
{
    const struct tensor *t = &p->tensors[n->x[0]];

    return n->saved + (size_t)what * parts_of(t->channels, t->block) * t->block;
}

void batchnorm_fix(const struct program *p, struct node *n, size_t channel, double mean, double variance)
{
    const float *gamma = parameter_value(p, n->def->weight), *beta = parameter_value(p, n->def->bias);
    const double inverse = 1.0 / sqrt(variance + (double)n->def->eps);
    const double factor = gamma ? (double)gamma[channel] * inverse : inverse;

    batchnorm_saved(p, n, MEAN)[channel] = (float)mean;
    batchnorm_saved(p, n, INVERSE)[channel] = (float)inverse;
    batchnorm_saved(p, n, FACTOR)[channel] = (float)factor;
    batchnorm_saved(p, n, TERM)[channel] = (float)((beta ? (double)beta[channel] : 0) - mean * factor);
}

void batchnorm_begin_fixed(struct program *p, struct node *n)
{
    const float *mean = parameter_value(p, n->def->running_mean);
    const float *variance = parameter_value(p, n->def->running_var);

    for (uint32_t c = 0; c < n->def->channels; c++)
        batchnorm_fix(p, n, c, (double)mean[c], (double)variance[c]);
}

void batchnorm_begin_batch(struct program *p, struct node *n)
{
    p->model->parameters[n->def->running_mean].version++;
    p->model->parameters[n->def->running_var].version++;
}

/* One channel of the batch: a plane in each image. */
struct channel {
    size_t plane, stride, offset; /* floats of a plane, from image to image, to this channel */
};
static struct channel channel_of(const struct node *n, size_t channel)
{
    const size_t plane = (size_t)n->def->height * n->def->width;

    return (struct channel){ plane, plane * n->def->channels, plane * channel };
}

static void scale_plane(const struct program *p, const struct node *n, size_t channel, const float *x, float *y,
                        size_t plane)
{
    const float factor = batchnorm_saved(p, n, FACTOR)[channel], term = batchnorm_saved(p, n, TERM)[channel];

    for (size_t i = 0; i < plane; i++)
        y[i] = x[i] * factor + term;
}

static void statistics(struct program *p, struct node *n, size_t index)
{
    const struct channel c = channel_of(n, index);
    const float *x = p->tensors[n->x[0]].value + c.offset, m = n->def->momentum;
    const double count = (double)p->n * (double)c.plane;
    float *running_mean = p->model->parameters[n->def->running_mean].value + index;
    float *running_var = p->model->parameters[n->def->running_var].value + index;
    double mean = 0, squares = 0;

    for (uint32_t i = 0; i < p->n; i++)
        mean += (double)sum_of(x + i * c.stride, c.plane);
    mean /= count;
    for (uint32_t i = 0; i < p->n; i++) {
        const float *plane = x + i * c.stride;
        squares += sum_product(plane, (float)mean, plane, (float)mean, c.plane);
    }
    batchnorm_fix(p, n, index, mean, squares / count);
    *running_mean = (1 - m) * *running_mean + m * (float)mean;
    *running_var = (1 - m) * *running_var + m * (float)(squares / (count - 1));
}

/* dbeta = sum dy, dgamma = sum dy (x - mean) / deviation; into the parameters where they are wanted. */
static void sums(struct program *p, struct node *n, size_t index, double *ret_dbeta, double *ret_dgamma)
{
    const struct channel c = channel_of(n, index);
    const float *x = p->tensors[n->x[0]].value + c.offset, *dy = p->tensors[n->y].gradient + c.offset;
    float *gamma = parameter_gradient(p, n->def->weight), *beta = parameter_gradient(p, n->def->bias);
    double dbeta = 0, dgamma = 0;

    for (uint32_t i = 0; i < p->n; i++) {
        dbeta += (double)sum_of(dy + i * c.stride, c.plane);
        dgamma += sum_product(dy + i * c.stride, 0, x + i * c.stride, batchnorm_saved(p, n, MEAN)[index], c.plane);
    }
    dgamma *= (double)batchnorm_saved(p, n, INVERSE)[index];
    if (n->trains && gamma)
        gamma[index] = accumulates(p) ? gamma[index] + (float)dgamma : (float)dgamma;
    if (n->trains && beta)
        beta[index] = accumulates(p) ? beta[index] + (float)dbeta : (float)dbeta;
    *ret_dbeta = dbeta;
    *ret_dgamma = dgamma;
}

/* dx = factor (dy - a - b (x - mean)): with the batch's statistics a = dbeta/N, b = dgamma/(N deviation). */
static void input_error(struct program *p, struct node *n, size_t index, float a, float b)
{
    const struct channel c = channel_of(n, index);
    const float factor = batchnorm_saved(p, n, FACTOR)[index], mean = batchnorm_saved(p, n, MEAN)[index];
    const bool add = n->adds[0];

    for (uint32_t k = 0; k < p->n; k++) {
        const size_t at = k * c.stride + c.offset;
        const float *x = p->tensors[n->x[0]].value + at, *dy = p->tensors[n->y].gradient + at;
        float *dx = p->tensors[n->x[0]].gradient + at;
        for (size_t i = 0; i < c.plane; i++) {
            float d = factor * (dy[i] - a - b * (x[i] - mean));
            dx[i] = add ? dx[i] + d : d;
        }
    }
}

static size_t tasks(const struct program *p, const struct node *n, enum phase phase)
{
    (void)p;
    return phase == FORWARD || (phase == BACKWARD && (n->wants[0] || n->trains)) ? n->def->channels : 0;
}

static void forward_channel(struct program *p, struct node *n, size_t index)
{
    const struct channel c = channel_of(n, index);

    for (uint32_t i = 0; i < p->n; i++)
        scale_plane(p, n, index, p->tensors[n->x[0]].value + i * c.stride + c.offset,
                    p->tensors[n->y].value + i * c.stride + c.offset, c.plane);
}

static void batch_task(struct program *p, struct node *n, enum phase phase, size_t index, float *work)
{
    const double count = (double)p->n * (double)channel_of(n, index).plane;
    double dbeta, dgamma;

    (void)work;
    if (phase == FORWARD) {
        statistics(p, n, index);
        forward_channel(p, n, index);
        return;
    }
    sums(p, n, index, &dbeta, &dgamma);
    if (n->wants[0])
        input_error(p, n, index, (float)(dbeta / count),
                    (float)(dgamma * (double)batchnorm_saved(p, n, INVERSE)[index] / count));
}

static void trained_task(struct program *p, struct node *n, enum phase phase, size_t index, float *work)
{
    double dbeta, dgamma;

    (void)work;
    if (phase == FORWARD) {
        forward_channel(p, n, index);
        return;
    }
    if (n->trains)
        sums(p, n, index, &dbeta, &dgamma);
    if (n->wants[0])
        input_error(p, n, index, 0, 0);
}

static void fixed_images(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count,
                         float *work)
{
    const size_t plane = channel_of(n, 0).plane;
    const bool forward = phase == FORWARD;
    const float *from;
    float *to;

    (void)work;
    if (!forward && !n->wants[0])
        return;
    from = forward ? value_at(p, n->x[0], first) : gradient_at(p, n->y, first);
    to = forward ? value_at(p, n->y, first) : gradient_at(p, n->x[0], first);
    for (uint32_t k = 0; k < count; k++)
        for (uint32_t c = 0; c < n->def->channels; c++, from += plane, to += plane) {
            const float factor = batchnorm_saved(p, n, FACTOR)[c];
            if (forward)
                scale_plane(p, n, c, from, to, plane);
            else
                for (size_t i = 0; i < plane; i++)
                    to[i] = n->adds[0] ? to[i] + factor * from[i] : factor * from[i];
        }
}

const struct operator operator_batchnorm_batch = { .begin = batchnorm_begin_batch, .tasks = tasks, .task = batch_task };
const struct operator operator_batchnorm_trained = {
    .begin = batchnorm_begin_fixed,
    .tasks = tasks,
    .task = trained_task,
};
const struct operator operator_batchnorm_fixed = {
    .begin = batchnorm_begin_fixed,
    .images = fixed_images,
    .by_value = true,
};
