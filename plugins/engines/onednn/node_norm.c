/* Batchnorm (Ioffe and Szegedy 2015) on channels in blocks, with the sum and the relu behind it.
 *
 * By the batch's statistics; by the running ones with gradients for gamma and beta; and by the running ones alone.
 * Saved, by channel: mean, 1/deviation, and the factor and the term that turn x into y; 0 for lanes that fill up the
 * last block. A block's channels are one task, and lane by lane its sums are in a fixed order. */
#include "backend.h"
#include "lanes.h"
#include "../common/node_batchnorm.h"
#include "../common/compile.h"

#include <math.h>
#include <string.h>

/* Of a block's first channel. */
static float *saved(const struct program *p, const struct node *n, enum batchnorm_saved what, size_t block)
{
    return batchnorm_saved(p, n, what) + block * p->tensors[n->x[0]].block;
}

/* One block of channels: where it begins in an image, its values there, and from image to image. */
struct strip {
    size_t offset, values, stride, first, channels;
    uint32_t lanes;
    const struct lanes *set;
};
static struct strip strip_of(const struct program *p, const struct node *n, size_t block)
{
    const struct tensor *t = &p->tensors[n->x[0]];
    const size_t first = block * t->block, left = t->channels - first;

    return (struct strip){ first * t->plane, t->plane,           t->floats, first, left < t->block ? left : t->block,
                           t->block,         lanes_for(t->block) };
}

/* The batch's mean and variance, as differences from the first image's mean: no digits are lost to a large mean. */
static void statistics(struct program *p, struct node *n, size_t block)
{
    const struct strip s = strip_of(p, n, block);
    const float *x = p->tensors[n->x[0]].value + s.offset, m = n->def->momentum;
    const double count = (double)p->n * (double)s.values;
    double sum[MOST_BLOCK] = { 0 }, squares[MOST_BLOCK] = { 0 };
    float shift[MOST_BLOCK] = { 0 };

    s.set->norm_moments(x, s.values, s.lanes, shift, sum, squares);
    for (uint32_t l = 0; l < s.lanes; l++) {
        shift[l] = (float)(sum[l] / (double)s.values);
        sum[l] = squares[l] = 0;
    }
    for (uint32_t i = 0; i < p->n; i++)
        s.set->norm_moments(x + i * s.stride, s.values, s.lanes, shift, sum, squares);
    for (size_t l = 0; l < s.channels; l++) {
        const double off = sum[l] / count, mean = (double)shift[l] + off;
        const double centred = squares[l] - sum[l] * off, left = centred > 0 ? centred : centred <= 0 ? 0 : centred;
        float *running_mean = &p->model->parameters[n->def->running_mean].value[s.first + l];
        float *running_var = &p->model->parameters[n->def->running_var].value[s.first + l];

        batchnorm_fix(p, n, s.first + l, mean, left / count);
        *running_mean = (1 - m) * *running_mean + m * (float)mean;
        *running_var = (1 - m) * *running_var + m * (float)(left / (count - 1));
    }
}

static void forward_block(struct program *p, struct node *n, size_t block)
{
    const struct strip s = strip_of(p, n, block);
    const struct node *relu = compile_only_reader(p, n->out);
    const bool rectifies = relu && relu->op == &operator_relu && relu->absorbed[FORWARD];

    for (uint32_t i = 0; i < p->n; i++) {
        const size_t at = i * s.stride + s.offset;
        s.set->norm_scale(p->tensors[n->x[0]].value + at,
                          n->other == BIOFT_NONE ? NULL : p->tensors[n->other].value + at,
                          p->tensors[n->out].value + at, s.values, s.lanes, saved(p, n, FACTOR, block),
                          saved(p, n, TERM, block), rectifies);
    }
}

/* The mask of the relu that this node does backward too. */
static const float *mask_of(const struct program *p, const struct node *n)
{
    const struct node *relu = compile_only_reader(p, n->y);

    return relu && relu->op == &operator_relu && relu->absorbed[BACKWARD] ? p->tensors[relu->y].value : NULL;
}

/* dbeta = sum dy, dgamma = sum dy (x - mean) / deviation; into the parameters where they are wanted. */
static void sums(struct program *p, struct node *n, size_t block, double *ret_dbeta, double *ret_dgamma)
{
    const struct strip s = strip_of(p, n, block);
    const float *mask = mask_of(p, n), *inverse = saved(p, n, INVERSE, block);
    float *gamma = parameter_gradient(p, n->def->weight), *beta = parameter_gradient(p, n->def->bias);

    for (uint32_t i = 0; i < p->n; i++) {
        const size_t at = i * s.stride + s.offset;
        s.set->norm_errors(p->tensors[n->y].gradient + at, mask ? mask + at : NULL, p->tensors[n->x[0]].value + at,
                           s.values, s.lanes, saved(p, n, MEAN, block), ret_dbeta, ret_dgamma);
    }
    for (uint32_t l = 0; l < s.lanes; l++)
        ret_dgamma[l] *= (double)inverse[l];
    for (size_t l = 0; n->trains && l < s.channels; l++) {
        const size_t c = s.first + l;
        if (gamma)
            gamma[c] = accumulates(p) ? gamma[c] + (float)ret_dgamma[l] : (float)ret_dgamma[l];
        if (beta)
            beta[c] = accumulates(p) ? beta[c] + (float)ret_dbeta[l] : (float)ret_dbeta[l];
    }
}

static void input_error(struct program *p, struct node *n, size_t block, const struct norm_line *c)
{
    const struct strip s = strip_of(p, n, block);
    const float *mask = mask_of(p, n);

    for (uint32_t i = 0; i < p->n; i++) {
        const size_t at = i * s.stride + s.offset;
        s.set->norm_error(p->tensors[n->y].gradient + at, mask ? mask + at : NULL, p->tensors[n->x[0]].value + at,
                          p->tensors[n->x[0]].gradient + at, s.values, s.lanes, c, n->adds[0]);
    }
}

static size_t tasks(const struct program *p, const struct node *n, enum phase phase)
{
    const struct tensor *t = &p->tensors[n->x[0]];
    const bool runs = phase == FORWARD ? true : phase == BACKWARD && (n->wants[0] || n->trains);

    return runs ? parts_of(t->channels, t->block) : 0;
}

static void backward_block(struct program *p, struct node *n, size_t block, bool by_batch)
{
    const struct strip s = strip_of(p, n, block);
    const double count = (double)p->n * (double)s.values;
    double dbeta[MOST_BLOCK] = { 0 }, dgamma[MOST_BLOCK] = { 0 };
    struct norm_line c = { .a = { 0 } };

    if (by_batch || n->trains)
        sums(p, n, block, dbeta, dgamma);
    if (!n->wants[0])
        return;
    for (uint32_t l = 0; l < s.lanes; l++) {
        c.factor[l] = saved(p, n, FACTOR, block)[l];
        c.mean[l] = saved(p, n, MEAN, block)[l];
        if (!by_batch)
            continue;
        c.a[l] = (float)(dbeta[l] / count);
        c.b[l] = (float)(dgamma[l] * (double)saved(p, n, INVERSE, block)[l] / count);
    }
    input_error(p, n, block, &c);
}

static void batch_task(struct program *p, struct node *n, enum phase phase, size_t index, float *work)
{
    (void)work;
    if (phase == FORWARD) {
        statistics(p, n, index);
        forward_block(p, n, index);
    } else {
        backward_block(p, n, index, true);
    }
}

static void trained_task(struct program *p, struct node *n, enum phase phase, size_t index, float *work)
{
    (void)work;
    if (phase == FORWARD)
        forward_block(p, n, index);
    else
        backward_block(p, n, index, false);
}

static void fixed_images(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count,
                         float *work)
{
    const size_t blocks = parts_of(n->def->channels, p->tensors[n->x[0]].block);

    (void)work;
    if (phase == BACKWARD && !n->wants[0])
        return;
    for (uint32_t i = first; i < first + count; i++)
        for (size_t b = 0; b < blocks; b++) {
            const struct strip s = strip_of(p, n, b);
            const size_t at = i * s.stride + s.offset, floats = s.values * s.lanes;
            const float *factor = saved(p, n, FACTOR, b), *term = saved(p, n, TERM, b);
            const float *from = (phase == FORWARD ? p->tensors[n->x[0]].value : p->tensors[n->y].gradient) + at;
            float *to = (phase == FORWARD ? p->tensors[n->y].value : p->tensors[n->x[0]].gradient) + at;
            for (size_t k = 0; k < floats; k += s.lanes)
                for (uint32_t l = 0; l < s.lanes; l++) {
                    float v = from[k + l] * factor[l];
                    to[k + l] = phase == FORWARD ? v + term[l] : n->adds[0] ? to[k + l] + v : v;
                }
        }
}

const struct operator operator_norm_batch = { .begin = batchnorm_begin_batch, .tasks = tasks, .task = batch_task };
const struct operator operator_norm_trained = { .begin = batchnorm_begin_fixed, .tasks = tasks, .task = trained_task };
const struct operator operator_norm_fixed = {
    .begin = batchnorm_begin_fixed,
    .images = fixed_images,
    .by_value = true,
};
