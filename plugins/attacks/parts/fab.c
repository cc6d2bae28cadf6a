/* FAB: the fast adaptive boundary attack. Its constants are those of its authors' code. */
#include "fab.h"

#include "ball.h"
#include <string.h>

/* One run over all that is left; arrays [batch]... */
struct hunt {
    const struct fab *a;
    struct left *l;
    double epsilon;
    float *x;                 /* ...[pixels] where the search stands */
    float *w;                 /* packed [n][pixels]: the normal of the nearest boundary */
    double *gap, *away;       /* packed [n]: outputs' gap at it, distance to it */
    float *step, *step_clean; /* packed [n][pixels]: onto it from x and from the clean image */
    uint32_t *work;           /* packed [n][pixels] */
    double *nearest;          /* distance of `result`; INFINITY: none yet */
    int32_t *target;
};

static bioft_status take(struct hunt *h, const struct fab *a, const bioft_host *host, const bioft_victim *v)
{
    const size_t pixels = attack_pixels(v);
    const struct {
        const char *name;
        size_t count, bytes;
        void *ret;
    } parts[] = {
        { "fab.x", pixels, sizeof *h->x, &h->x },
        { "fab.w", pixels, sizeof *h->w, &h->w },
        { "fab.gap", 1, sizeof *h->gap, &h->gap },
        { "fab.away", 1, sizeof *h->away, &h->away },
        { "fab.step", pixels, sizeof *h->step, &h->step },
        { "fab.step_clean", pixels, sizeof *h->step_clean, &h->step_clean },
        { "fab.work", a->norm == BIOFT_L1 ? pixels : 1, sizeof *h->work, &h->work },
        { "fab.nearest", 1, sizeof *h->nearest, &h->nearest },
        { "fab.target", 1, sizeof *h->target, &h->target },
    };
    bioft_status st = BIOFT_OK;

    h->a = a;
    for (size_t i = 0; st == BIOFT_OK && i < sizeof parts / sizeof *parts; i++)
        st = attack_scratch(host, v, parts[i].name, parts[i].count, parts[i].bytes, parts[i].ret);
    return st;
}

bioft_status fab_prepare(const struct fab *a, const bioft_host *host, const bioft_victim *v)
{
    struct hunt h = { 0 };
    bioft_status st = left_prepare(host, v);
    return st == BIOFT_OK ? take(&h, a, host, v) : st;
}

/* The norm that measures the distance to a plane: 1/p + 1/q = 1. */
static uint32_t dual(uint32_t norm) { return norm == BIOFT_LINF ? BIOFT_L1 : norm == BIOFT_L1 ? BIOFT_LINF : BIOFT_L2; }

/* The boundary between each image's own class and `other`; h->w keeps the nearest. own > other is a gap below 0. */
static bioft_status boundary(struct hunt *h, const int32_t *own, const int32_t *other, bool first)
{
    struct left *l = h->l;

    memset(l->d_out, 0, sizeof(float) * l->n * l->outputs);
    for (uint32_t j = 0; j < l->n; j++)
        if (own[l->image[j]] != other[l->image[j]]) {
            l->d_out[(size_t)j * l->outputs + (size_t)other[l->image[j]]] = 1.0f;
            l->d_out[(size_t)j * l->outputs + (size_t)own[l->image[j]]] = -1.0f;
        }
    bioft_status st = left_backward(l);
    for (uint32_t j = 0; st == BIOFT_OK && j < l->n; j++) {
        const uint32_t i = l->image[j];
        const float *z = l->out + (size_t)j * l->outputs;
        const double gap = (double)z[other[i]] - (double)z[own[i]];
        const double away = fabs(gap) / (1e-12 + ball_length(dual(h->a->norm), l->pixels, left_gradient(l, j)));
        if (own[i] == other[i] ? !first : !first && !(away < h->away[j]))
            continue;
        h->gap[j] = gap;
        h->away[j] = own[i] == other[i] ? INFINITY : away;
        memcpy(h->w + j * l->pixels, left_gradient(l, j), sizeof(float) * l->pixels);
    }
    return st;
}

/* Of a targeted attack the own class is that which the network puts first beside the target. */
static bioft_status boundaries(struct hunt *h)
{
    struct left *l = h->l;
    const bioft_batch *b = l->clean;
    bioft_status st = left_forward(l);

    if (st != BIOFT_OK)
        return st;
    if (b->target) {
        for (uint32_t j = 0; j < l->n; j++) {
            const float *z = l->out + (size_t)j * l->outputs;
            const uint32_t i = l->image[j];
            int32_t best = b->target[i] == 0 ? 1 : 0;
            for (int32_t c = best + 1; c < (int32_t)l->outputs; c++)
                best = c != b->target[i] && z[c] > z[best] ? c : best;
            h->target[i] = best;
        }
        return boundary(h, h->target, b->target, true);
    }
    if (h->a->targets > 0)
        return boundary(h, b->label, h->target, true);
    for (int32_t c = 0; st == BIOFT_OK && c < (int32_t)l->outputs; c++) {
        for (uint32_t j = 0; j < l->n; j++)
            h->target[l->image[j]] = c;
        st = boundary(h, b->label, h->target, c == 0);
    }
    return st;
}

/* The step: onto the boundary from where the search stands, mixed with that from the clean image. */
static void step_one(void *ctx, size_t j, uint32_t thread)
{
    struct hunt *h = ctx;
    struct left *l = h->l;
    float *x = h->x + l->image[j] * l->pixels;
    const float *clean = left_clean(l, j), *w = h->w + j * l->pixels;
    float *d = h->step + j * l->pixels, *d_clean = h->step_clean + j * l->pixels;
    uint32_t *work = h->work + (h->a->norm == BIOFT_L1 ? j * l->pixels : 0);
    double from_clean = h->gap[j];

    (void)thread;
    for (size_t k = 0; k < l->pixels; k++)
        from_clean += (double)w[k] * ((double)clean[k] - (double)x[k]);
    ball_to_plane(h->a->norm, l->pixels, x, w, h->gap[j], work, d);
    ball_to_plane(h->a->norm, l->pixels, clean, w, from_clean, work, d_clean);
    const double a = fmax(ball_length(h->a->norm, l->pixels, d), 1e-8),
                 b = fmax(ball_length(h->a->norm, l->pixels, d_clean), 1e-8),
                 alpha = fmin(a / (a + b), h->a->alpha_max);
    for (size_t k = 0; k < l->pixels; k++) {
        const double v = ((double)x[k] + h->a->eta * (double)d[k]) * (1.0 - alpha) +
                         ((double)clean[k] + h->a->eta * (double)d_clean[k]) * alpha;
        x[k] = (float)(v < 0.0 ? 0.0 : v > 1.0 ? 1.0 : v);
    }
    memcpy(left_x(l, j), x, sizeof(float) * l->pixels);
}

/* Where the step led over the boundary: kept where it is nearer, and part of the way back. */
static void judge(struct hunt *h)
{
    struct left *l = h->l;

    for (uint32_t j = 0; j < l->n; j++) {
        const uint32_t i = l->image[j];
        const float *out = l->out + (size_t)j * l->outputs, *clean = left_clean(l, j);
        float *x = h->x + i * l->pixels;
        l->objective[j] = -left_lead(l->clean, i, out, l->outputs);
        l->fooled[j] = 0;
        if (!left_wins(l->clean, i, out, l->outputs))
            continue;
        const double distance = ball_distance(h->a->norm, l->pixels, x, clean);
        if (distance < h->nearest[i]) {
            h->nearest[i] = distance;
            if (distance <= h->epsilon)
                memcpy(l->result + i * l->pixels, x, sizeof(float) * l->pixels);
        }
        l->fooled[j] = !isinf(h->epsilon) && distance <= h->epsilon;
        for (size_t k = 0; k < l->pixels; k++)
            x[k] = (float)((double)clean[k] + ((double)x[k] - (double)clean[k]) * h->a->beta);
    }
}

static bioft_status begin(struct hunt *h, int64_t attempt)
{
    struct left *l = h->l;
    const double start = isinf(h->epsilon) ? h->a->start : h->epsilon;
    bioft_status st = BIOFT_OK;

    for (uint32_t j = 0; st == BIOFT_OK && j < l->n; j++) {
        float *x = h->x + l->image[j] * l->pixels;
        if (h->a->random_start)
            st = ball_random(l->host, &(struct ball){ h->a->norm, l->pixels, left_clean(l, j), start / 2.0 }, "start",
                             left_sample(l, j), (uint64_t)attempt * l->pixels, x);
        else
            memcpy(x, left_clean(l, j), sizeof(float) * l->pixels);
        memcpy(left_x(l, j), x, sizeof(float) * l->pixels);
    }
    return st;
}

static bioft_status attempt(struct hunt *h, int64_t number)
{
    struct left *l = h->l;
    bioft_status st = begin(h, number);

    for (int64_t t = 0; st == BIOFT_OK && t < h->a->iterations && l->n > 0; t++) {
        for (uint32_t j = 0; j < l->n; j++)
            memcpy(left_x(l, j), h->x + l->image[j] * l->pixels, sizeof(float) * l->pixels);
        st = boundaries(h);
        if (st != BIOFT_OK)
            break;
        left_each(l, step_one, h);
        st = left_forward(l);
        if (st != BIOFT_OK)
            break;
        judge(h);
        st = left_drop(l, h->a->part);
    }
    return st;
}

bioft_status fab_run(const struct fab *a, struct left *l, double epsilon)
{
    const int64_t most = (int64_t)l->outputs - 1;
    const bool ranks = a->targets > 0 && !l->clean->target;
    const int64_t targets = !ranks ? 1 : a->targets < most ? a->targets : most;
    struct hunt h = { .l = l, .epsilon = epsilon };
    bioft_status st = take(&h, a, l->host, l->v);

    for (uint32_t j = 0; st == BIOFT_OK && j < l->n; j++)
        h.nearest[l->image[j]] = INFINITY;
    for (int64_t t = 0; st == BIOFT_OK && t < targets && l->n > 0; t++) {
        if (ranks)
            st = left_rank(l, (uint32_t)t + 2, h.target);
        if (st == BIOFT_OK)
            st = attempt(&h, t);
    }
    return st;
}
