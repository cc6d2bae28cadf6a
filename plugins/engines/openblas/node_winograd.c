/* Convolutions of 3x3 by Winograd's minimal filtering, on copies of some images with their channels in blocks. How the
 * work is cut depends on the shapes alone, so that the bits do not depend on the number of threads. */
#include "backend.h"

#include "../common/memory.h"

#include <string.h>

enum { MOST_IMAGES = 8, ENOUGH_TILES = 64, SUMS = 4, REDUCE_FLOATS = 16384 };

struct packed {
    float *data;
    const float *from; /* what it was made of, and which state of that; NULL: nothing yet */
    uint64_t stamp;
};
struct winograd_node {
    struct winograd forward, input_error;
    struct tensor x, y;    /* how copies stand */
    uint32_t images;       /* at a time */
    struct packed w, v[2]; /* v: by the rule, and of an exact pass */
    const float *use_v;    /* of the backward pass that runs */
    uint32_t batch;        /* largest */
};

static struct winograd_node *winograd_of(const struct node *n) { return n->own; }

static struct tensor copy_of(const bioft_node *d, uint32_t block)
{
    const size_t plane = (size_t)d->height * d->width;

    return (struct tensor){
        .channels = d->channels, .block = block, .plane = plane, .floats = parts_of(d->channels, block) * block * plane
    };
}

static size_t copies(const struct winograd_node *w) { return w->images * (w->x.floats + w->y.floats); }

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* Floats of one partial sum of the gradients: dW, then db. */
static size_t sum_floats(const struct node *n)
{
    return (size_t)WINOGRAD_TAPS * winograd_of(n)->forward.in * n->def->channels + n->def->channels;
}

/* A batch is dealt to so many sums. */
static uint32_t sums_of(uint32_t batch) { return batch < SUMS ? batch : SUMS; }

bioft_status winograd_plan(struct program *p, struct node *n, const struct winograd_kernels *k)
{
    const bioft_node *x = &p->model->network.nodes[n->def->input[0]];
    struct winograd_node *w = n->own = memory_take(1, sizeof *w);
    size_t tiles;

    if (!w)
        return p->engine->host->fail(p->engine->host, BIOFT_ERR_MEMORY, "out of memory for a program");
    w->forward = winograd_forward(k, n->def, x->channels, x->height, x->width);
    w->input_error = winograd_input_error(k, n->def, x->channels, x->height, x->width);
    w->x = copy_of(x, k->block);
    w->y = copy_of(n->def, k->block);
    tiles = (size_t)w->forward.tiles_y * w->forward.tiles_x;
    w->images = tiles >= ENOUGH_TILES ? 1 : (uint32_t)parts_of(ENOUGH_TILES, tiles);
    w->images = w->images > MOST_IMAGES ? MOST_IMAGES : w->images;
    w->batch = p->use.max_batch;
    n->op = &operator_winograd;
    n->whole = true;
    n->work = (double)w->forward.in * n->def->channels * WINOGRAD_PRODUCTS * (double)tiles;
    n->work_floats = copies(w) + larger(winograd_work(&w->forward), goes_back(p) ? winograd_work(&w->input_error) : 0);
    if (trains(p))
        n->work_floats = larger(n->work_floats, copies(w) + winograd_gradient_work(&w->forward));
    n->sums_floats = trains(p) ? sums_of(w->batch) * sum_floats(n) : 0;
    return BIOFT_OK;
}

bioft_status winograd_finish(struct program *p, struct node *n)
{
    struct winograd_node *w = n->own;
    const size_t weights = winograd_weights(&w->forward), feedback = winograd_weights(&w->input_error);

    w->w.data = memory_take(weights, sizeof(float));
    for (int i = 0; goes_back(p) && i < 2; i++)
        w->v[i].data = memory_take(feedback, sizeof(float));
    if (!w->w.data || (goes_back(p) && (!w->v[0].data || !w->v[1].data)))
        return p->engine->host->fail(p->engine->host, BIOFT_ERR_MEMORY, "out of memory for the weights of a program");
    p->bytes += sizeof(float) * (weights + (goes_back(p) ? 2 * feedback : 0));
    return BIOFT_OK;
}

void winograd_release(struct node *n)
{
    struct winograd_node *w = n->own;

    memory_give(w->w.data);
    memory_give(w->v[0].data);
    memory_give(w->v[1].data);
}

struct job {
    const struct winograd *w;
    const float *from;
    float *ret;
};
static void pack_block(void *ctx, size_t index, uint32_t thread)
{
    const struct job *j = ctx;

    (void)thread;
    (void)winograd_pack(j->w, j->from, NULL, (uint32_t)index, j->ret);
}

void winograd_refresh(struct program *p, struct node *n, enum phase phase)
{
    struct winograd_node *w = n->own;
    const struct parameter *weight = &p->model->parameters[n->def->weight];
    const float *from = phase == FORWARD ? weight->value : n->v;
    const uint64_t stamp = from == weight->value ? weight->version : p->model->feedback[n->def->layer].revision;
    struct packed *to = phase == FORWARD ? &w->w : &w->v[from == weight->value];
    struct job j = { phase == FORWARD ? &w->forward : &w->input_error, from, to->data };

    if (phase == BACKWARD)
        w->use_v = to->data;
    if (to->from == from && to->stamp == stamp)
        return;
    parallel_run(&p->engine->parallel, j.w->out_blocks, pack_block, &j);
    to->from = from;
    to->stamp = stamp;
}

static size_t tasks(const struct program *p, const struct node *n, enum phase phase)
{
    const struct winograd_node *w = winograd_of(n);

    switch (phase) {
    case FORWARD: return parts_of(p->n, w->images);
    case BACKWARD: return n->wants[0] ? parts_of(p->n, w->images) : 0;
    case GRADIENT: return n->trains ? sums_of(p->n) : 0;
    default: return n->trains ? parts_of(sum_floats(n), REDUCE_FLOATS) : 0;
    }
}

/* Images first to first + count forward or back. */
static void run(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count, float *work)
{
    const struct winograd_node *w = winograd_of(n);
    float *x = work, *y = x + w->images * w->x.floats, *rest = work + copies(w);

    if (phase == FORWARD) {
        const struct winograd_end e = { .bias = parameter_value(p, n->def->bias) };
        tensor_import(&w->x, value_at(p, n->x[0], first), count, false, x);
        winograd_run(&w->forward, w->w.data, count, x, &e, y, rest);
        tensor_export(&w->y, y, count, value_at(p, n->y, first));
        return;
    }
    tensor_import(&w->y, gradient_at(p, n->y, first), count, false, y);
    if (n->adds[0])
        tensor_import(&w->x, gradient_at(p, n->x[0], first), count, false, x);
    winograd_run(&w->input_error, w->use_v, count, y, &(struct winograd_end){ .add = n->adds[0] }, x, rest);
    tensor_export(&w->x, x, count, gradient_at(p, n->x[0], first));
}

static void sum(struct program *p, struct node *n, size_t index, float *work)
{
    const struct winograd_node *w = winograd_of(n);
    const uint32_t sums = sums_of(p->n), end = (uint32_t)part(p->n, sums, index + 1);
    float *x = work, *y = x + w->images * w->x.floats, *rest = work + copies(w);
    float *dw = n->sums + index * sum_floats(n), *db = dw + sum_floats(n) - n->def->channels;
    const uint32_t begin = (uint32_t)part(p->n, sums, index);

    for (uint32_t first = begin; first < end; first += w->images) {
        const uint32_t count = end - first < w->images ? end - first : w->images;
        tensor_import(&w->x, value_at(p, n->x[0], first), count, false, x);
        tensor_import(&w->y, gradient_at(p, n->y, first), count, false, y);
        winograd_gradient(&w->forward, count, x, y, first > begin, dw, db, rest);
    }
}

/* Adds up values [from, from + count) of the sums. */
static void add_up(const struct program *p, const struct node *n, size_t from, size_t count, float *ret)
{
    const uint32_t sums = sums_of(p->n);

    for (size_t i = 0; ret && i < count; i++) {
        float value = accumulates(p) ? ret[i] : 0;
        for (uint32_t s = 0; s < sums; s++)
            value += n->sums[s * sum_floats(n) + from + i];
        ret[i] = value;
    }
}

static void reduce(const struct program *p, const struct node *n, size_t index)
{
    const size_t all = sum_floats(n), weights = all - n->def->channels, from = index * REDUCE_FLOATS;
    const size_t to = from + REDUCE_FLOATS < all ? from + REDUCE_FLOATS : all, split = to < weights ? to : weights;
    float *db = parameter_gradient(p, n->def->bias);

    if (from < weights)
        add_up(p, n, from, split - from, parameter_gradient(p, n->def->weight) + from);
    if (to > weights && db) {
        const size_t start = from > weights ? from : weights;
        add_up(p, n, start, to - start, db + (start - weights));
    }
}

static void task(struct program *p, struct node *n, enum phase phase, size_t index, float *work)
{
    const uint32_t images = winograd_of(n)->images, first = (uint32_t)index * images;

    if (phase == GRADIENT)
        sum(p, n, index, work);
    else if (phase == REDUCE)
        reduce(p, n, index);
    else
        run(p, n, phase, first, p->n - first < images ? p->n - first : images, work);
}

const struct operator operator_winograd = { .tasks = tasks, .task = task };
