/* Convolution nodes: pieces of the batch forward and back, the gradients in one partial sum for each thread. */
#include "backend.h"

#include <math.h>
#include <string.h>

static void failed(struct program *p) { atomic_store(&p->failed, BIOFT_ERR_UNSUPPORTED); }

/* Weights that are not finite are to be seen behind a relu too, which the library's takes for 0. */
static void spoil(const struct program *p, const struct node *n, uint32_t first, uint32_t count)
{
    const size_t floats = count * p->tensors[n->out].floats;
    float *y = value_at(p, n->out, first);

    for (size_t i = 0; i < floats; i++)
        y[i] = NAN;
}

static void forward(struct program *p, struct node *n, uint32_t first, uint32_t count, float *work)
{
    const struct convolution_node *c = n->own;

    for (uint32_t i = first; i < first + count; i += primitive_pictures(c->forward)) {
        const struct convolution_arrays a = {
            .x = value_at(p, n->x[0], i), .y = value_at(p, n->out, i), .w = c->w.data,
            .bias = c->batchnorm ? c->bias : (float *)(uintptr_t)parameter_value(p, n->def->bias),
            .other = c->add ? value_at(p, n->other, i) : NULL, .scratch = work,
        };
        if (!primitive_run(c->forward, thread_of(p, work), &a))
            failed(p);
    }
    if (c->spoilt)
        spoil(p, n, first, count);
}

static void input_error(struct program *p, struct node *n, uint32_t first, uint32_t count, float *work)
{
    const struct convolution_node *c = n->own;
    const size_t floats = count * p->tensors[n->x[0]].floats;
    float *dx = gradient_at(p, n->x[0], first);
    float *to = n->adds[0] ? work + (primitive_scratch(c->input_error) + 15) / 16 * 16 : dx;

    for (uint32_t i = 0; i < count; i += primitive_pictures(c->input_error)) {
        const struct convolution_arrays a = {
            .x = to + i * p->tensors[n->x[0]].floats, .y = gradient_at(p, n->y, first + i), .w = c->use_v->data,
            .scratch = work,
        };
        if (!primitive_run(c->input_error, thread_of(p, work), &a))
            failed(p);
    }
    for (size_t i = 0; n->adds[0] && i < floats; i++)
        dx[i] += to[i];
}

static void pictures(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count, float *work)
{
    if (phase == FORWARD)
        forward(p, n, first, count, work);
    else if (n->wants[0] && convolution_of(n)->input_error)
        input_error(p, n, first, count, work);
    else if (n->wants[0])
        columns_input_error(p, n, first, count, work);
}

/* A sum's primitive takes `each` pictures; those beyond the batch are made to add nothing. */
static void clear_rest(const struct program *p, const struct node *n, uint32_t end)
{
    const struct tensor *x = &p->tensors[n->x[0]], *y = &p->tensors[n->y];

    memset(x->value + p->n * x->floats, 0, (end - p->n) * x->floats * sizeof *x->value);
    memset(y->gradient + p->n * y->floats, 0, (end - p->n) * y->floats * sizeof *y->gradient);
}

static size_t tasks(const struct program *p, const struct node *n, enum phase phase)
{
    const struct convolution_node *c = n->own;
    const uint32_t sums = (uint32_t)parts_of(p->n, c->each ? c->each : 1);

    if (!n->trains || (phase != GRADIENT && phase != REDUCE))
        return 0;
    if (phase == REDUCE)
        return parts_of(n->def->channels, WEIGHT_ROWS);
    if (sums * c->each > p->n)
        clear_rest(p, n, sums * c->each);
    return sums;
}

static void weight_gradient(struct program *p, struct node *n, size_t index, float *work)
{
    const struct convolution_node *c = n->own;
    const uint32_t first = (uint32_t)index * c->each;
    float *sum = n->sums + index * sum_floats(c, n);
    const struct convolution_arrays a = {
        .x = value_at(p, n->x[0], first), .y = gradient_at(p, n->y, first), .w = sum,
        .bias = sum + c->gradient_map.floats, .scratch = work,
    };

    if (!primitive_run(c->weight_gradient, thread_of(p, work), &a))
        failed(p);
}

static void reduce(struct program *p, struct node *n, size_t index)
{
    const struct convolution_node *c = n->own;
    const uint32_t sums = (uint32_t)parts_of(p->n, c->each), first = (uint32_t)index * WEIGHT_ROWS;
    const uint32_t end = first + WEIGHT_ROWS < n->def->channels ? first + WEIGHT_ROWS : n->def->channels;
    float *db = parameter_gradient(p, n->def->bias);

    weights_unpack(&c->gradient_map, n->sums, sum_floats(c, n), sums, index, accumulates(p),
                   parameter_gradient(p, n->def->weight));
    for (uint32_t o = first; db && o < end; o++) {
        float sum = accumulates(p) ? db[o] : 0;
        for (uint32_t s = 0; s < sums; s++)
            sum += n->sums[s * sum_floats(c, n) + c->gradient_map.floats + o];
        db[o] = sum;
    }
}

static void task(struct program *p, struct node *n, enum phase phase, size_t index, float *work)
{
    if (phase == GRADIENT)
        weight_gradient(p, n, index, work);
    else
        reduce(p, n, index);
}

static uint64_t version(const struct program *p, uint32_t parameter)
{
    return parameter == BIOFT_NONE ? 0 : p->model->parameters[parameter].version;
}

/* Changes whenever one of the folded batchnorm's arrays does, since each only counts up. */
static uint64_t fold_stamp(const struct program *p, const struct node *n)
{
    const struct node *b = convolution_of(n)->batchnorm;

    return b ? version(p, b->def->weight) + version(p, b->def->bias) + version(p, b->def->running_mean) +
                   version(p, b->def->running_var) + version(p, n->def->bias) : 0;
}

static void fold(const struct program *p, const struct node *n, struct convolution_node *c)
{
    const bioft_node *d = c->batchnorm->def;
    const float *gamma = parameter_value(p, d->weight), *beta = parameter_value(p, d->bias);
    const float *mean = parameter_value(p, d->running_mean), *variance = parameter_value(p, d->running_var);
    const float *bias = parameter_value(p, n->def->bias);

    for (uint32_t i = 0; i < d->channels; i++) {
        const double factor = (gamma ? (double)gamma[i] : 1) / sqrt((double)variance[i] + (double)d->eps);
        const double shift = (bias ? (double)bias[i] : 0) - (double)mean[i];
        c->factor[i] = (float)factor;
        c->bias[i] = (float)((beta ? (double)beta[i] : 0) + shift * factor);
    }
}

/* Does the relu that the library fuses hide a NaN or an infinity of the parameters? */
static bool hides(const struct program *p, const struct node *n, const struct convolution_node *c)
{
    const float *bias = c->batchnorm ? c->bias : parameter_value(p, n->def->bias);
    bool odd = c->w.odd;

    for (uint32_t i = 0; bias && i < n->def->channels; i++)
        odd |= !isfinite(bias[i]);
    return c->relu && odd;
}

static void refresh(struct program *p, struct node *n, enum phase phase)
{
    struct convolution_node *c = n->own;
    const struct feedback *f = &p->model->feedback[n->def->layer];
    const float *w = parameter_value(p, n->def->weight), *from = phase == FORWARD ? w : n->v;
    const uint64_t stamp = fold_stamp(p, n) + (from == w ? version(p, n->def->weight) : f->revision);
    struct packed *to = phase == FORWARD ? &c->w : &c->v[from == w];

    if (phase == BACKWARD && !c->input_error)
        return;                                    /* columns take the values as they are */
    if (phase == BACKWARD)
        c->use_v = to;
    if (to->from == from && to->stamp == stamp)
        return;
    if (c->batchnorm)
        fold(p, n, c);
    weights_pack(p->engine, phase == FORWARD ? &c->w_map : &c->v_map, from, c->factor, stamp, to);
}

void convolution_refresh(struct program *p, struct node *n, enum phase phase)
{
    struct convolution_node *c = n->own;

    refresh(p, n, phase);
    if (phase == FORWARD)
        c->spoilt = hides(p, n, c);
}

const struct operator operator_convolution = { .pictures = pictures, .tasks = tasks, .task = task };
