/* Running plain operators: image by image, with copies of what stands in blocks. */
#include "plain.h"
#include "node_layernorm.h"

#include <string.h>

const struct plain_operator *plain_of(uint32_t op)
{
    switch (op) {
    case BIOFT_OP_MULTIPLY: return &plain_multiply;
    case BIOFT_OP_CONCAT: return &plain_concat;
    case BIOFT_OP_SLICE: return &plain_slice;
    case BIOFT_OP_SCALE: return &plain_scale;
    case BIOFT_OP_LAYERNORM: return &plain_layernorm;
    case BIOFT_OP_SOFTMAX: return &plain_softmax;
    case BIOFT_OP_MATMUL: return &plain_matmul;
    case BIOFT_OP_TOKENS: return &plain_tokens;
    default: return NULL;
    }
}

static size_t aligned(size_t floats) { return (floats + 15) / 16 * 16; }

static const bioft_node *input_of(const struct program *p, const struct node *n, uint32_t k)
{
    return &p->model->network.nodes[n->def->input[k]];
}

static size_t own_saved(const struct program *p, const struct node *n)
{
    const struct plain_operator *o = plain_of(n->def->op);

    return o->saved ? aligned(o->saved(n->def, input_of(p, n, 0))) : 0;
}

size_t plain_saved(const struct program *p, const struct node *n)
{
    return goes_back(p) ? p->capacity * own_saved(p, n) : 0;
}

size_t plain_work(const struct program *p, const struct node *n, uint32_t y_block)
{
    const struct plain_operator *o = plain_of(n->def->op);
    size_t floats = (o->work ? aligned(o->work(n->def, input_of(p, n, 0))) : 0) + own_saved(p, n);

    for (uint32_t k = 0; k < n->def->input_count; k++)
        if (p->tensors[n->x[k]].block > 1)
            floats += 2 * aligned(plain_floats(&p->tensors[n->x[k]]));
    return floats + (y_block > 1 ? aligned(node_floats(n->def)) : 0);
}

/* The next piece of scratch. */
static float *scratch(float **next, size_t floats)
{
    float *taken = *next;

    *next += aligned(floats);
    return taken;
}

/* An array of one image as it is read: itself or a copy. */
static const float *reading(const struct tensor *t, const float *array, float **next)
{
    float *copy;

    if (t->block == 1)
        return array;
    copy = scratch(next, plain_floats(t));
    tensor_export(t, array, 1, copy);
    return copy;
}

static bool reads(const struct program *p, const struct node *n, int k)
{
    (void)p;
    return operator_traits(n->def->op) & (k == 0 ? KEEPS_X : KEEPS_OTHER);
}

static void forward(struct program *p, struct node *n, struct plain *a, uint32_t image, float *next)
{
    const struct tensor *y = &p->tensors[n->y];

    a->x = reading(&p->tensors[n->x[0]], value_at(p, n->x[0], image), &next);
    if (a->other_from)
        a->other = reading(&p->tensors[n->x[1]], value_at(p, n->x[1], image), &next);
    a->y = y->block == 1 ? value_at(p, n->y, image) : scratch(&next, plain_floats(y));
    plain_of(n->def->op)->forward(a);
    if (y->block > 1)
        tensor_import(y, a->y, 1, false, value_at(p, n->y, image));
}

static void backward(struct program *p, struct node *n, struct plain *a, uint32_t image, float *next)
{
    const struct tensor *y = &p->tensors[n->y];
    const float *values[2] = { NULL };
    float *errors[2] = { NULL };

    for (uint32_t k = 0; k < n->def->input_count; k++) {
        const struct tensor *x = &p->tensors[n->x[k]];
        if (reads(p, n, (int)k))
            values[k] = reading(x, value_at(p, n->x[k], image), &next);
        if (!n->wants[k])
            continue;
        errors[k] = x->block == 1 ? gradient_at(p, n->x[k], image) : scratch(&next, plain_floats(x));
        if (x->block > 1 || !n->adds[k])
            memset(errors[k], 0, plain_floats(x) * sizeof *errors[k]);
    }
    a->x = values[0];
    a->other = values[1];
    a->dx = errors[0];
    a->other_dx = errors[1];
    if (operator_traits(n->def->op) & KEEPS_Y) /* softmax: its output never stands in blocks */
        a->y = value_at(p, n->y, image);
    a->dy = reading(y, gradient_at(p, n->y, image), &next);
    plain_of(n->def->op)->backward(a);
    for (uint32_t k = 0; k < n->def->input_count; k++)
        if (n->wants[k] && p->tensors[n->x[k]].block > 1)
            tensor_import(&p->tensors[n->x[k]], errors[k], 1, n->adds[k], gradient_at(p, n->x[k], image));
}

static void images(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count, float *work)
{
    const struct plain_operator *o = plain_of(n->def->op);
    const size_t saved = own_saved(p, n), own = o->work ? aligned(o->work(n->def, input_of(p, n, 0))) : 0;

    for (uint32_t i = first; i < first + count; i++) {
        struct plain a = {
            .d = n->def,
            .from = input_of(p, n, 0),
            .other_from = n->def->input_count > 1 ? input_of(p, n, 1) : NULL,
            .weight = parameter_value(p, n->def->weight),
            .bias = parameter_value(p, n->def->bias),
            .work = work,
            .saved = n->saved ? n->saved + i * saved : work + own,
            .blas = &p->engine->blas,
        };
        if (phase == FORWARD)
            forward(p, n, &a, i, work + own + saved);
        else if (n->wants[0] || n->wants[1])
            backward(p, n, &a, i, work + own + saved);
    }
}

const struct operator operator_plain = { .images = images, .tasks = affine_tasks, .task = affine_task };
