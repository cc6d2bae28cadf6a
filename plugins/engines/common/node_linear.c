/* Linear nodes: y = x W^T + b, dx = dy V, dW = dy^T x. Large ones are cut by features, never by single rows. */
#include "program.h"

enum { FEATURES = 128 }; /* of one task; of dW a quarter, so that small layers have tasks enough */

static size_t task_features(enum phase phase) { return phase == GRADIENT ? FEATURES / 4 : FEATURES; }

/* What a phase is cut along: the output's features, the input's for the input's error. */
static size_t cut_features(const struct program *p, const struct node *n, enum phase phase)
{
    return phase == BACKWARD ? p->tensors[n->x[0]].floats : n->def->channels;
}

static size_t tasks(const struct program *p, const struct node *n, enum phase phase)
{
    if (phase == REDUCE || (phase == BACKWARD && !n->wants[0]) || (phase == GRADIENT && !n->trains))
        return 0;
    return parts_of(cut_features(p, n, phase), task_features(phase));
}

/* Output features [from, to) of some images. */
static void forward(struct program *p, struct node *n, uint32_t first, uint32_t count, size_t from, size_t to)
{
    const size_t in = p->tensors[n->x[0]].floats, out = n->def->channels;
    const float *bias = parameter_value(p, n->def->bias);
    float *y = value_at(p, n->y, first) + from;

    for (uint32_t i = 0; bias && i < count; i++)
        for (size_t k = 0; k < to - from; k++)
            y[i * out + k] = bias[from + k];
    gemm(&p->engine->blas, NO, YES, count, to - from, in, value_at(p, n->x[0], first), in,
         parameter_value(p, n->def->weight) + from * in, in, bias != NULL, y, out);
}

/* Input features [from, to) of some images. */
static void input_error(struct program *p, struct node *n, uint32_t first, uint32_t count, size_t from, size_t to)
{
    const size_t in = p->tensors[n->x[0]].floats, out = n->def->channels;

    gemm(&p->engine->blas, NO, NO, count, to - from, out, gradient_at(p, n->y, first), out, n->v + from, in, n->adds[0],
         gradient_at(p, n->x[0], first) + from, in);
}

static void weight_gradient(struct program *p, struct node *n, size_t from, size_t to)
{
    const size_t in = p->tensors[n->x[0]].floats, out = n->def->channels;
    const float *dy = p->tensors[n->y].gradient;
    float *db = parameter_gradient(p, n->def->bias);

    gemm(&p->engine->blas, YES, NO, to - from, in, p->n, dy + from, out, p->tensors[n->x[0]].value, in, accumulates(p),
         parameter_gradient(p, n->def->weight) + from * in, in);
    if (!db)
        return;
    for (size_t k = from; !accumulates(p) && k < to; k++)
        db[k] = 0;
    for (uint32_t i = 0; i < p->n; i++)
        for (size_t k = from; k < to; k++)
            db[k] += dy[i * out + k];
}

static void task(struct program *p, struct node *n, enum phase phase, size_t index, float *work)
{
    const size_t all = cut_features(p, n, phase), parts = parts_of(all, task_features(phase));
    const size_t from = part(all, parts, index), to = part(all, parts, index + 1);

    (void)work;
    if (phase == FORWARD)
        forward(p, n, 0, p->n, from, to);
    else if (phase == BACKWARD)
        input_error(p, n, 0, p->n, from, to);
    else
        weight_gradient(p, n, from, to);
}

static void images(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count, float *work)
{
    (void)work;
    if (phase == FORWARD)
        forward(p, n, first, count, 0, n->def->channels);
    else if (n->wants[0])
        input_error(p, n, first, count, 0, p->tensors[n->x[0]].floats);
}

const struct operator operator_linear = { .images = images, .tasks = tasks, .task = task };
