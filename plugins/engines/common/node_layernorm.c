/* Nodes with an array a channel: scale and layernorm (Ba, Kiros and Hinton 2016); and the gradients of these arrays and
 * of tokens'. */
#include "plain.h"
#include "node_layernorm.h"

#include <math.h>
#include <string.h>

enum { CHANNELS = 16 }; /* of one task */

static size_t plane_of(const bioft_node *d) { return (size_t)d->height * d->width; }

static void scale_forward(const struct plain *a)
{
    const size_t plane = plane_of(a->d);

    for (size_t c = 0; c < a->d->channels; c++) {
        const float factor = a->weight ? a->weight[c] : 1, term = a->bias ? a->bias[c] : 0;
        for (size_t i = c * plane; i < (c + 1) * plane; i++)
            a->y[i] = factor * a->x[i] + term;
    }
}

static void scale_backward(const struct plain *a)
{
    const size_t plane = plane_of(a->d);

    for (size_t c = 0; a->dx && c < a->d->channels; c++) {
        const float factor = a->weight ? a->weight[c] : 1;
        for (size_t i = c * plane; i < (c + 1) * plane; i++)
            a->dx[i] += factor * a->dy[i];
    }
}

/* Saved: the mean at each position, then 1/deviation. */
static size_t layernorm_saved(const bioft_node *d, const bioft_node *from)
{
    (void)from;
    return 2 * plane_of(d);
}

static void layernorm_forward(const struct plain *a)
{
    const size_t plane = plane_of(a->d), channels = a->d->channels;
    float *mean = a->saved, *inverse = a->saved + plane;
    const float share = 1.0f / (float)channels;

    memset(a->saved, 0, 2 * plane * sizeof *a->saved);
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < plane; i++)
            mean[i] += a->x[c * plane + i];
    for (size_t i = 0; i < plane; i++)
        mean[i] *= share;
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < plane; i++) {
            const float off = a->x[c * plane + i] - mean[i];
            inverse[i] += off * off;
        }
    for (size_t i = 0; i < plane; i++)
        inverse[i] = 1.0f / sqrtf(inverse[i] * share + a->d->eps);
    for (size_t c = 0; c < channels; c++) {
        const float factor = a->weight ? a->weight[c] : 1, term = a->bias ? a->bias[c] : 0;
        for (size_t i = 0; i < plane; i++)
            a->y[c * plane + i] = factor * ((a->x[c * plane + i] - mean[i]) * inverse[i]) + term;
    }
}

/* dx = (g - mean(g) - z mean(g z))/deviation with g = weight dy, z = (x - mean)/deviation, means over the channels. */
static void layernorm_backward(const struct plain *a)
{
    const size_t plane = plane_of(a->d), channels = a->d->channels;
    const float *mean = a->saved, *inverse = a->saved + plane, share = 1.0f / (float)channels;
    float *sum = a->work, *product = a->work + plane;

    if (!a->dx)
        return;
    memset(a->work, 0, 2 * plane * sizeof *a->work);
    for (size_t c = 0; c < channels; c++) {
        const float factor = a->weight ? a->weight[c] : 1, *x = a->x + c * plane, *dy = a->dy + c * plane;
        for (size_t i = 0; i < plane; i++) {
            const float g = factor * dy[i];
            sum[i] += g;
            product[i] += g * ((x[i] - mean[i]) * inverse[i]);
        }
    }
    for (size_t c = 0; c < channels; c++) {
        const float factor = a->weight ? a->weight[c] : 1, *x = a->x + c * plane, *dy = a->dy + c * plane;
        float *dx = a->dx + c * plane;
        for (size_t i = 0; i < plane; i++) {
            const float z = (x[i] - mean[i]) * inverse[i];
            dx[i] += inverse[i] * (factor * dy[i] - share * (sum[i] + z * product[i]));
        }
    }
}

/* A channel of one image: from its first value on, one each `step` floats. */
struct channel {
    size_t at, step;
};
static struct channel channel_of(const struct tensor *t, uint32_t image, size_t c)
{
    return (struct channel){ image * t->floats + c / t->block * t->block * t->plane + c % t->block, t->block };
}

static struct channel plain_channel(const struct tensor *t, uint32_t image, size_t c)
{
    return t->block == 1 ? (struct channel){ image * t->floats + c * t->plane, 1 } : channel_of(t, image, c);
}

static void put(const struct program *p, float *ret, double sum)
{
    *ret = accumulates(p) ? *ret + (float)sum : (float)sum;
}

/* dbias = sum dy; dweight = sum dy x for scale, sum dy z for layernorm. */
static void affine_channel(struct program *p, const struct node *n, size_t c)
{
    const struct tensor *x = &p->tensors[n->x[0]], *y = &p->tensors[n->y];
    const bool norm = n->def->op == BIOFT_OP_LAYERNORM;
    const size_t saved = (2 * y->plane + 15) / 16 * 16;
    float *weight = parameter_gradient(p, n->def->weight), *bias = parameter_gradient(p, n->def->bias);
    double sum = 0, product = 0;

    for (uint32_t k = 0; k < p->n; k++) {
        const struct channel from = plain_channel(x, k, c), error = plain_channel(y, k, c);
        const float *mean = norm ? n->saved + k * saved : NULL, *inverse = norm ? mean + y->plane : NULL;
        for (size_t i = 0; i < y->plane; i++) {
            const float dy = y->gradient[error.at + i * error.step];
            sum += (double)dy;
            if (!weight)
                continue;
            const float v = x->value[from.at + i * from.step];
            product += (double)(dy * (norm ? (v - mean[i]) * inverse[i] : v));
        }
    }
    if (weight)
        put(p, &weight[c], product);
    if (bias)
        put(p, &bias[c], sum);
}

/* weight [tokens][channels], bias [channels] of the first token. */
static void tokens_channel(struct program *p, const struct node *n, size_t c)
{
    const struct tensor *y = &p->tensors[n->y];
    float *weight = parameter_gradient(p, n->def->weight), *bias = parameter_gradient(p, n->def->bias);

    for (size_t i = 0; i < (weight ? y->plane : 1); i++) {
        double sum = 0;
        for (uint32_t k = 0; k < p->n; k++) {
            const struct channel error = plain_channel(y, k, c);
            sum += (double)y->gradient[error.at + i * error.step];
        }
        if (weight)
            put(p, &weight[i * y->channels + c], sum);
        if (bias && i == 0)
            put(p, &bias[c], sum);
    }
}

size_t affine_tasks(const struct program *p, const struct node *n, enum phase phase)
{
    (void)p;
    return phase == GRADIENT && n->trains ? parts_of(n->def->channels, CHANNELS) : 0;
}

void affine_task(struct program *p, struct node *n, enum phase phase, size_t index, float *work)
{
    const size_t parts = parts_of(n->def->channels, CHANNELS);

    (void)phase;
    (void)work;
    for (size_t c = part(n->def->channels, parts, index); c < part(n->def->channels, parts, index + 1); c++)
        if (n->def->op == BIOFT_OP_TOKENS)
            tokens_channel(p, n, c);
        else
            affine_channel(p, n, c);
}

const struct plain_operator plain_scale = { .forward = scale_forward, .backward = scale_backward };
const struct plain_operator plain_layernorm = {
    .forward = layernorm_forward,
    .backward = layernorm_backward,
    .saved = layernorm_saved,
    .work = layernorm_saved,
};
