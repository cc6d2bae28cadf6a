/* Convolution nodes: pieces of the batch forward and back, the gradients in one partial sum for each thread. */
#include "backend.h"

#include "../common/memory.h"

#include <float.h>
#include <math.h>
#include <string.h>

static void failed(struct program *p) { atomic_store(&p->failed, BIOFT_ERR_UNSUPPORTED); }

/* The relu that the library fuses takes NaN for 0. An image whose sums may have one is NaN throughout instead: so it
 * reaches the network's outputs, behind which the host looks for it. */
static void spoil(const struct program *p, const struct node *n, uint32_t image)
{
    float *y = value_at(p, n->out, image);

    for (size_t i = 0; i < p->tensors[n->out].floats; i++)
        y[i] = NAN;
}

/* Is a magnitude beyond limit, or NaN? By bits, which are in the order of magnitudes, NaN's above all: as vectors. */
static bool beyond(const float *x, size_t count, float limit)
{
    uint32_t most, sign = 0;

    memcpy(&most, &limit, sizeof most);
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        sign |= most - (bits & 0x7FFFFFFF);
    }
    return sign >> 31;
}

static bool may_hide(const struct program *p, const struct node *n, uint32_t image)
{
    const struct convolution_node *c = n->own;

    if (!c->relu)
        return false;
    return c->limit < 0 || beyond(value_at(p, n->x[0], image), p->tensors[n->x[0]].floats, c->limit) ||
           (c->add && beyond(value_at(p, n->other, image), p->tensors[n->other].floats, INFINITY));
}

static void our_forward(struct program *p, struct node *n, uint32_t first, uint32_t count, float *work)
{
    const struct convolution_node *c = n->own;
    const struct winograd_end e = {
        .bias = c->batchnorm ? c->bias : parameter_value(p, n->def->bias),
        .other = c->add ? value_at(p, n->other, first) : NULL,
        .relu = c->relu,
    };

    winograd_run(&c->ours[FORWARD], c->w.data, count, value_at(p, n->x[0], first), &e, value_at(p, n->out, first),
                 work);
}

/* y may stand where the sum's other operand does: what is to be seen of that is looked at before. */
static void library_forward(struct program *p, struct node *n, uint32_t first, float *work)
{
    const struct convolution_node *c = n->own;
    const struct convolution_arrays a = {
        .x = value_at(p, n->x[0], first),
        .y = value_at(p, n->out, first),
        .w = c->w.data,
        .bias = c->batchnorm ? c->bias : (float *)(uintptr_t)parameter_value(p, n->def->bias),
        .other = c->add ? value_at(p, n->other, first) : NULL,
        .scratch = work,
    };
    const uint32_t count = primitive_images(c->forward);
    bool hides[PIECE];

    for (uint32_t i = 0; i < count; i++)
        hides[i] = may_hide(p, n, first + i);
    if (!primitive_run(c->forward, thread_of(p, work), &a))
        failed(p);
    for (uint32_t i = 0; i < count; i++)
        if (hides[i])
            spoil(p, n, first + i);
}

static void forward(struct program *p, struct node *n, uint32_t first, uint32_t count, float *work)
{
    const struct convolution_node *c = n->own;

    if (!c->ours[FORWARD].kernels) {
        for (uint32_t i = first; i < first + count; i += primitive_images(c->forward))
            library_forward(p, n, i, work);
        return;
    }
    our_forward(p, n, first, count, work); /* its relu keeps NaN; what -INFINITY brings about is not seen */
    for (uint32_t i = first; c->relu && c->limit < 0 && i < first + count; i++)
        spoil(p, n, i);
}

static void input_error(struct program *p, struct node *n, uint32_t first, uint32_t count, float *work)
{
    const struct convolution_node *c = n->own;
    const size_t floats = count * p->tensors[n->x[0]].floats;
    float *dx = gradient_at(p, n->x[0], first);
    float *to = n->adds[0] ? work + (primitive_scratch(c->input_error) + 15) / 16 * 16 : dx;

    for (uint32_t i = 0; i < count; i += primitive_images(c->input_error)) {
        const struct convolution_arrays a = {
            .x = to + i * p->tensors[n->x[0]].floats,
            .y = gradient_at(p, n->y, first + i),
            .w = c->use_v->data,
            .scratch = work,
        };
        if (!primitive_run(c->input_error, thread_of(p, work), &a))
            failed(p);
    }
    for (size_t i = 0; n->adds[0] && i < floats; i++)
        dx[i] += to[i];
}

static void images(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count, float *work)
{
    const struct convolution_node *c = n->own;

    if (phase == FORWARD)
        forward(p, n, first, count, work);
    else if (n->wants[0] && c->ours[BACKWARD].kernels)
        winograd_run(&c->ours[BACKWARD], c->use_v->data, count, gradient_at(p, n->y, first),
                     &(struct winograd_end){ .add = n->adds[0] }, gradient_at(p, n->x[0], first), work);
    else if (n->wants[0] && c->input_error)
        input_error(p, n, first, count, work);
    else if (n->wants[0])
        columns_input_error(p, n, first, count, work);
}

/* A sum's primitive takes `each` images; those beyond the batch are made to add nothing. */
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
    if (sums * c->each > p->n && !c->our_gradient)
        clear_rest(p, n, sums * c->each);
    return sums;
}

static void weight_gradient(struct program *p, struct node *n, size_t index, float *work)
{
    const struct convolution_node *c = n->own;
    const uint32_t first = (uint32_t)index * c->each, left = p->n - first;
    float *sum = n->sums + index * sum_floats(c, n);
    const struct convolution_arrays a = {
        .x = value_at(p, n->x[0], first),
        .y = gradient_at(p, n->y, first),
        .w = sum,
        .bias = sum + c->gradient_map.floats,
        .scratch = work,
    };

    if (c->our_gradient)
        winograd_gradient(&c->ours[FORWARD], left < c->each ? left : c->each, a.x, a.y, false, a.w,
                          n->def->bias == BIOFT_NONE ? NULL : a.bias, work);
    else if (!primitive_run(c->weight_gradient, thread_of(p, work), &a))
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
                   version(p, b->def->running_var) + version(p, n->def->bias)
             : 0;
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

/* Sums of products below FLT_MAX over their number have no NaN. The library may transform x, weights and sums by
 * Winograd's matrices before: 1e6 is more than what those multiply by. */
static float limit_of(const struct program *p, const struct node *n, const struct convolution_node *c)
{
    const float *bias = c->batchnorm ? c->bias : parameter_value(p, n->def->bias);
    const double terms = (double)c->w_map.in * (double)c->w_map.taps;
    const double limit = (double)FLT_MAX / (1e6 * terms * (double)c->w.largest);

    for (uint32_t i = 0; bias && i < n->def->channels; i++)
        if (!isfinite(bias[i]))
            return -1;
    if (!isfinite(c->w.largest))
        return -1;
    return limit < (double)FLT_MAX / 4 ? (float)limit : FLT_MAX / 4;
}

struct transformation {
    const struct winograd *w;
    const float *from, *factor;
    float *ret;
    atomic_bool odd;
};
static void transform_block(void *ctx, size_t index, uint32_t thread)
{
    struct transformation *t = ctx;

    (void)thread;
    if (!winograd_pack(t->w, t->from, t->factor, (uint32_t)index, t->ret))
        atomic_store(&t->odd, true);
}

static void transform(struct engine *e, const struct winograd *w, const float *from, const float *factor,
                      uint64_t stamp, struct packed *ret)
{
    struct transformation t = { .w = w, .from = from, .factor = factor, .ret = ret->data };

    atomic_init(&t.odd, false);
    parallel_run(&e->parallel, w->out_blocks, transform_block, &t);
    ret->from = from;
    ret->stamp = stamp;
    ret->largest = atomic_load(&t.odd) ? NAN : 0;
}

static void refresh(struct program *p, struct node *n, enum phase phase)
{
    struct convolution_node *c = n->own;
    const struct feedback *f = &p->model->feedback[n->def->layer];
    const float *w = parameter_value(p, n->def->weight), *from = phase == FORWARD ? w : n->v;
    const uint64_t stamp = fold_stamp(p, n) + (from == w ? version(p, n->def->weight) : f->revision);
    struct packed *to = phase == FORWARD ? &c->w : &c->v[from == w], *other = phase == FORWARD ? &c->v[1] : &c->w;

    if (phase == BACKWARD && !c->input_error && !c->ours[BACKWARD].kernels)
        return; /* columns take the values as they are */
    if (phase == BACKWARD)
        c->use_v = to;
    if (to->from == from && to->stamp == stamp)
        return;
    if (other->data == to->data)
        other->from = NULL;
    if (c->batchnorm)
        fold(p, n, c);
    if (c->ours[phase].kernels)
        transform(p->engine, &c->ours[phase], from, c->factor, stamp, to);
    else
        weights_pack(p->engine, phase == FORWARD ? &c->w_map : &c->v_map, from, c->factor, stamp, to);
}

void convolution_refresh(struct program *p, struct node *n, enum phase phase)
{
    struct convolution_node *c = n->own;

    refresh(p, n, phase);
    if (phase == FORWARD)
        c->limit = limit_of(p, n, c);
}

void convolution_choose(const struct program *p, struct node *n, const struct convolution_params *c, uint32_t block)
{
    const struct winograd_kernels *k = winograd_kernels_for(block);
    struct convolution_node *own = n->own;
    struct convolution_params known = *c;

    known.y_block = block;
    if (!k || c->x_block != block || !winograd_pays(n->def, c->in_channels) || !library_winograd(c) ||
        library_has_winograd(p->engine->own, &known, goes_back(p)))
        return;
    own->ours[FORWARD] = winograd_forward(k, n->def, c->in_channels, c->in_h, c->in_w);
    if (goes_back(p))
        own->ours[BACKWARD] = winograd_input_error(k, n->def, c->in_channels, c->in_h, c->in_w);
    own->our_gradient = trains(p);
}

/* Our gradients stand as the parameter does. */
bool convolution_our_gradient(struct node *n)
{
    struct convolution_node *c = n->own;
    struct weight_map m = { .groups = 1, .out = n->def->channels, .in = c->ours[FORWARD].in, .taps = WINOGRAD_TAPS };
    uint32_t *at = memory_take((size_t)1 + m.out + m.in + m.taps, sizeof *at);

    if (!at)
        return false;
    c->gradient_table = m.group_at = at; /* zero */
    m.out_at = m.group_at + 1;
    m.in_at = m.out_at + m.out;
    m.tap_at = m.in_at + m.in;
    for (uint32_t o = 0; o < m.out; o++)
        m.out_at[o] = o * m.in * m.taps;
    for (uint32_t i = 0; i < m.in; i++)
        m.in_at[i] = i * m.taps;
    for (uint32_t t = 0; t < m.taps; t++)
        m.tap_at[t] = t;
    m.floats = (size_t)m.out * m.in * m.taps;
    c->gradient_map = m;
    return m.floats <= UINT32_MAX;
}

size_t convolution_weights(const struct convolution_node *c, enum phase phase)
{
    return c->ours[phase].kernels ? winograd_weights(&c->ours[phase])
           : phase == FORWARD     ? c->w_map.floats
                                  : c->v_map.floats;
}

const struct operator operator_convolution = { .images = images, .tasks = tasks, .task = task };
