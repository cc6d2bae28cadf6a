/* Batchnorm (Ioffe and Szegedy 2015) on channels in blocks, with the sum and the relu behind it.
 *
 * By the batch's statistics; by the running ones with gradients for gamma and beta; and by the running ones alone.
 * Saved, by channel: mean, 1/deviation, and the factor and the term that turn x into y; 0 for lanes that fill up the
 * last block. A block's channels are one task, and lane by lane its sums are in a fixed order. */
#include "backend.h"
#include "../common/node_batchnorm.h"
#include "../common/compile.h"

#include <math.h>
#include <string.h>

enum { LANES = 16, RUN = 256 };     /* RUN: values that are added in float before they go on in double */

/* Of a block's first channel. */
static float *saved(const struct program *p, const struct node *n, enum batchnorm_saved what, size_t block)
{
    return batchnorm_saved(p, n, what) + block * p->tensors[n->x[0]].block;
}

/* One block of channels: where it begins in an image, its values there, and from image to image. */
struct strip {
    size_t offset, values, stride, first, channels;
    uint32_t lanes;
};
static struct strip strip_of(const struct program *p, const struct node *n, size_t block)
{
    const struct tensor *t = &p->tensors[n->x[0]];
    const size_t first = block * t->block, left = t->channels - first;

    return (struct strip){ first * t->plane, t->plane, t->floats, first, left < t->block ? left : t->block, t->block };
}

/* ret += sums of x - shift and of its squares, by lane. */
static inline void add_moments(const float *x, size_t values, const uint32_t lanes, const float *shift, double *ret,
                               double *ret_squares)
{
    while (values > 0) {
        const size_t run = values < RUN ? values : RUN;
        float sum[LANES] = { 0 }, squares[LANES] = { 0 };

        for (size_t k = 0; k < run; k++, x += lanes)
            for (uint32_t l = 0; l < lanes; l++) {
                float v = x[l] - shift[l];
                sum[l] += v;
                squares[l] += v * v;
            }
        for (uint32_t l = 0; l < lanes; l++) {
            ret[l] += (double)sum[l];
            ret_squares[l] += (double)squares[l];
        }
        values -= run;
    }
}

static void moments(const struct strip *s, const float *x, const float *shift, double *ret, double *ret_squares)
{
    if (s->lanes == 16)
        add_moments(x, s->values, 16, shift, ret, ret_squares);
    else
        add_moments(x, s->values, 8, shift, ret, ret_squares);
}

/* The batch's mean and variance, as differences from the first image's mean: no digits are lost to a large mean. */
static void statistics(struct program *p, struct node *n, size_t block)
{
    const struct strip s = strip_of(p, n, block);
    const float *x = p->tensors[n->x[0]].value + s.offset, m = n->def->momentum;
    const double count = (double)p->n * (double)s.values;
    double sum[LANES] = { 0 }, squares[LANES] = { 0 };
    float shift[LANES] = { 0 };

    moments(&s, x, shift, sum, squares);
    for (uint32_t l = 0; l < s.lanes; l++) {
        shift[l] = (float)(sum[l] / (double)s.values);
        sum[l] = squares[l] = 0;
    }
    for (uint32_t i = 0; i < p->n; i++)
        moments(&s, x + i * s.stride, shift, sum, squares);
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

/* What happens to a normalised value. */
enum { PLAIN = 0, RELU = 1, SUM = 2 };

static inline void scale_lanes(const float *restrict x, const float *restrict other, float *restrict y, size_t values,
                               const uint32_t lanes, const float *restrict factor, const float *restrict term,
                               const int what)
{
    for (size_t k = 0; k < values; k++, x += lanes, y += lanes, other += what & SUM ? lanes : 0)
        for (uint32_t l = 0; l < lanes; l++) {
            float v = x[l] * factor[l] + term[l];
            if (what & SUM)
                v += other[l];
            y[l] = (what & RELU) && v < 0 ? 0 : v;
        }
}

static inline void scale_any(const float *x, const float *other, float *y, size_t values, uint32_t lanes,
                             const float *factor, const float *term, const int what)
{
    if (lanes == 16)
        scale_lanes(x, other, y, values, 16, factor, term, what);
    else
        scale_lanes(x, other, y, values, 8, factor, term, what);
}

static int what_of(const struct program *p, const struct node *n)
{
    const struct node *relu = compile_only_reader(p, n->out);

    return (n->other != BIOFT_NONE ? SUM : PLAIN) |
           (relu && relu->op == &operator_relu && relu->absorbed[FORWARD] ? RELU : PLAIN);
}

static void forward_block(struct program *p, struct node *n, size_t block)
{
    const struct strip s = strip_of(p, n, block);
    const float *factor = saved(p, n, FACTOR, block), *term = saved(p, n, TERM, block);
    const int what = what_of(p, n);

    for (uint32_t i = 0; i < p->n; i++) {
        const size_t at = i * s.stride + s.offset;
        const float *x = p->tensors[n->x[0]].value + at;
        const float *other = what & SUM ? p->tensors[n->other].value + at : NULL;
        float *y = p->tensors[n->out].value + at;
        if (what == PLAIN)
            scale_any(x, other, y, s.values, s.lanes, factor, term, PLAIN);
        else if (what == RELU)
            scale_any(x, other, y, s.values, s.lanes, factor, term, RELU);
        else if (what == SUM)
            scale_any(x, other, y, s.values, s.lanes, factor, term, SUM);
        else
            scale_any(x, other, y, s.values, s.lanes, factor, term, SUM | RELU);
    }
}

/* masked: the error is let through where y is above 0. */
static inline void add_errors(const float *restrict dy, const float *restrict y, const float *restrict x, size_t values,
                              const uint32_t lanes, const bool masked, const float *restrict mean, double *ret,
                              double *ret_product)
{
    while (values > 0) {
        const size_t floats = (values < RUN ? values : RUN) * lanes;
        float sum[LANES] = { 0 }, product[LANES] = { 0 };

        for (size_t k = 0; k < floats; k += lanes)
            for (uint32_t l = 0; l < lanes; l++) {
                float d = dy[k + l];
                if (masked)
                    d = y[k + l] <= 0 ? 0 : d;
                sum[l] += d;
                product[l] += d * (x[k + l] - mean[l]);
            }
        for (uint32_t l = 0; l < lanes; l++) {
            ret[l] += (double)sum[l];
            ret_product[l] += (double)product[l];
        }
        dy += floats;
        x += floats;
        y += masked ? floats : 0;
        values -= floats / lanes;
    }
}

static void errors(const struct strip *s, const float *dy, const float *y, const float *x, const float *mean,
                   double *ret, double *ret_product)
{
    if (s->lanes == 16 && y)
        add_errors(dy, y, x, s->values, 16, true, mean, ret, ret_product);
    else if (s->lanes == 16)
        add_errors(dy, x, x, s->values, 16, false, mean, ret, ret_product);
    else if (y)
        add_errors(dy, y, x, s->values, 8, true, mean, ret, ret_product);
    else
        add_errors(dy, x, x, s->values, 8, false, mean, ret, ret_product);
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
        errors(&s, p->tensors[n->y].gradient + at, mask ? mask + at : NULL, p->tensors[n->x[0]].value + at,
               saved(p, n, MEAN, block), ret_dbeta, ret_dgamma);
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

/* dx = factor (dy - a - b (x - mean)), lane by lane. */
struct line {
    float factor[LANES], a[LANES], b[LANES], mean[LANES];
};

static inline void error_lanes(const float *restrict dy, const float *restrict y, const float *restrict x,
                               float *restrict dx, size_t floats, const uint32_t lanes, const bool masked,
                               const struct line *restrict c, const bool add)
{
    for (size_t k = 0; k < floats; k += lanes)
        for (uint32_t l = 0; l < lanes; l++) {
            float d = dy[k + l];
            if (masked)
                d = y[k + l] <= 0 ? 0 : d;
            d = c->factor[l] * (d - c->a[l] - c->b[l] * (x[k + l] - c->mean[l]));
            dx[k + l] = add ? dx[k + l] + d : d;
        }
}

static inline void error_any(const float *dy, const float *y, const float *x, float *dx, size_t floats,
                             uint32_t lanes, const bool masked, const struct line *c, const bool add)
{
    if (lanes == 16)
        error_lanes(dy, y, x, dx, floats, 16, masked, c, add);
    else
        error_lanes(dy, y, x, dx, floats, 8, masked, c, add);
}

static void input_error(struct program *p, struct node *n, size_t block, const struct line *c)
{
    const struct strip s = strip_of(p, n, block);
    const float *mask = mask_of(p, n);

    for (uint32_t i = 0; i < p->n; i++) {
        const size_t at = i * s.stride + s.offset;
        const float *x = p->tensors[n->x[0]].value + at, *dy = p->tensors[n->y].gradient + at;
        float *dx = p->tensors[n->x[0]].gradient + at;
        const size_t floats = s.values * s.lanes;
        if (n->adds[0] && mask)
            error_any(dy, mask + at, x, dx, floats, s.lanes, true, c, true);
        else if (n->adds[0])
            error_any(dy, x, x, dx, floats, s.lanes, false, c, true);
        else if (mask)
            error_any(dy, mask + at, x, dx, floats, s.lanes, true, c, false);
        else
            error_any(dy, x, x, dx, floats, s.lanes, false, c, false);
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
    double dbeta[LANES] = { 0 }, dgamma[LANES] = { 0 };
    struct line c = { .a = { 0 } };

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
    .begin = batchnorm_begin_fixed, .images = fixed_images, .by_value = true,
};
