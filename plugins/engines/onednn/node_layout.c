/* Nodes that have to know where a value stands: flatten, dropout's mask, the sum of two that stand differently. */
#include "backend.h"

/* To NCHW, and back. */
static void unblock(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count, float *work)
{
    const struct tensor *x = &p->tensors[n->x[0]];

    (void)work;
    if (phase == FORWARD)
        tensor_export(x, value_at(p, n->x[0], first), count, value_at(p, n->y, first));
    else if (n->wants[0])
        tensor_import(x, gradient_at(p, n->y, first), count, n->adds[0], gradient_at(p, n->x[0], first));
}

/* The mask is drawn by position in NCHW. */
static void draw_mask(struct program *p, struct node *n, uint32_t image, float *work)
{
    const struct tensor *x = &p->tensors[n->x[0]];
    const size_t floats = plain_floats(x);
    const float drop = n->def->dropout, scale = drop < 1 ? 1 / (1 - drop) : 0;
    char stream[32];
    bioft_status st;

    snprintf(stream, sizeof stream, "dropout/%u", n->index);
    st = p->engine->host->random(p->engine->host, BIOFT_UNIFORM, stream, p->dropout_key, image * floats, work, floats);
    if (st != BIOFT_OK)
        atomic_store(&p->failed, st);
    for (size_t i = 0; i < floats; i++)
        work[i] = work[i] < drop ? 0 : scale;
    tensor_import(x, work, 1, false, n->saved + image * x->floats);
}

static void dropout(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count, float *work)
{
    const size_t floats = count * p->tensors[n->y].floats, start = first * p->tensors[n->y].floats;
    const float *mask = n->saved + start, *from;
    float *to;

    if (phase == FORWARD) {
        for (uint32_t i = 0; i < count; i++)
            draw_mask(p, n, first + i, work);
        from = value_at(p, n->x[0], first);
        to = value_at(p, n->y, first);
        for (size_t i = 0; i < floats; i++)
            to[i] = mask[i] * from[i];
    } else if (n->wants[0]) {
        from = gradient_at(p, n->y, first);
        to = gradient_at(p, n->x[0], first);
        for (size_t i = 0; i < floats; i++)
            to[i] = n->adds[0] ? to[i] + mask[i] * from[i] : mask[i] * from[i];
    }
}

static void add_mixed(struct program *p, struct node *n, enum phase phase, uint32_t first, uint32_t count, float *work)
{
    const struct tensor *y = &p->tensors[n->y];
    const size_t floats = plain_floats(y);
    float *sum = work, *other = work + floats;

    for (uint32_t i = first; i < first + count; i++) {
        if (phase == FORWARD) {
            tensor_export(&p->tensors[n->x[0]], value_at(p, n->x[0], i), 1, sum);
            tensor_export(&p->tensors[n->x[1]], value_at(p, n->x[1], i), 1, other);
            for (size_t k = 0; k < floats; k++)
                sum[k] += other[k];
            tensor_import(y, sum, 1, false, value_at(p, n->y, i));
            continue;
        }
        tensor_export(y, gradient_at(p, n->y, i), 1, sum);
        for (int k = 0; k < 2; k++)
            if (n->wants[k])
                tensor_import(&p->tensors[n->x[k]], sum, 1, n->adds[k], gradient_at(p, n->x[k], i));
    }
}

const struct operator operator_unblock = { .images = unblock };
const struct operator operator_dropout_blocked = { .images = dropout, .by_value = true };
const struct operator operator_add_mixed = { .images = add_mixed };
