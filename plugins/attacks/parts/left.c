/* The images of a batch that are still to be fooled. */
#include "left.h"

#include <string.h>

bioft_status attack_scratch(const bioft_host *host, const bioft_victim *v, const char *name, size_t count, size_t bytes,
                            void *ret)
{
    void *room;

    if (bytes && count > SIZE_MAX / bytes / v->max_batch)
        return host->fail(host, BIOFT_ERR_MEMORY,
                          "the work space of this batch is larger than memory: a smaller "
                          "batch_size helps");
    bioft_status st = host->scratch(host, name, count * bytes * v->max_batch, &room);
    if (st == BIOFT_OK)
        memcpy(ret, &room, sizeof room);
    return st;
}

static bioft_status take(struct left *l, const bioft_host *host, const bioft_victim *v)
{
    const size_t pixels = attack_pixels(v);
    const struct {
        const char *name;
        size_t count, bytes;
        void *ret;
    } parts[] = {
        { "left.image", 1, sizeof *l->image, &l->image },
        { "left.x", pixels, sizeof *l->x, &l->x },
        { "left.gradient", v->backward ? pixels : 0, sizeof *l->gradient, &l->gradient },
        { "left.out", v->outputs, sizeof *l->out, &l->out },
        { "left.d_out", v->outputs, sizeof *l->d_out, &l->d_out },
        { "left.objective", 1, sizeof *l->objective, &l->objective },
        { "left.fooled", 1, sizeof *l->fooled, &l->fooled },
        { "left.lead", 1, sizeof *l->lead, &l->lead },
    };
    bioft_status st = BIOFT_OK;

    l->host = host;
    l->v = v;
    l->pixels = pixels;
    l->outputs = v->outputs;
    for (size_t i = 0; st == BIOFT_OK && i < sizeof parts / sizeof *parts; i++)
        if (parts[i].count > 0)
            st = attack_scratch(host, v, parts[i].name, parts[i].count, parts[i].bytes, parts[i].ret);
    return st;
}

bioft_status left_prepare(const bioft_host *host, const bioft_victim *v)
{
    struct left l = { 0 };
    return take(&l, host, v);
}

float left_lead(const bioft_batch *clean, uint32_t i, const float *out, uint32_t outputs)
{
    const int32_t own = clean->target ? clean->target[i] : clean->label[i];
    float other = -INFINITY;

    for (uint32_t c = 0; c < outputs; c++)
        if ((int32_t)c != own && out[c] > other)
            other = out[c];
    return clean->target ? other - out[own] : out[own] - other;
}

bool left_wins(const bioft_batch *clean, uint32_t i, const float *out, uint32_t outputs)
{
    uint32_t best = 0;

    for (uint32_t c = 1; c < outputs; c++)
        best = out[c] > out[best] ? c : best;
    return clean->target ? (int32_t)best == clean->target[i] : (int32_t)best != clean->label[i];
}

bioft_status left_all(struct left *l, const bioft_host *host, const bioft_victim *v, const bioft_batch *clean,
                      float *ret_x)
{
    bioft_status st = take(l, host, v);

    if (st != BIOFT_OK)
        return st;
    l->parallel = host->get_extension ? host->get_extension(host, "bioft.parallel/1") : NULL;
    l->clean = clean;
    l->result = ret_x;
    l->n = clean->n;
    for (uint32_t i = 0; i < clean->n; i++) {
        const int32_t own = clean->target ? clean->target[i] : clean->label[i];
        if (own < 0 || (uint32_t)own >= l->outputs)
            return host->fail(host, BIOFT_ERR_INVALID, "an image of this batch has no single label among the outputs");
        l->image[i] = i;
    }
    return BIOFT_OK;
}

bioft_status left_begin(struct left *l, const bioft_host *host, const bioft_victim *v, const bioft_batch *clean,
                        float *ret_x)
{
    bioft_status st = left_all(l, host, v, clean, ret_x);

    if (st != BIOFT_OK)
        return st;
    memcpy(l->x, clean->x, sizeof(float) * l->pixels * clean->n);
    st = left_forward(l);
    if (st != BIOFT_OK)
        return st;
    for (uint32_t i = 0; i < clean->n; i++) {
        l->lead[i] = left_lead(clean, i, l->out + (size_t)i * l->outputs, l->outputs);
        l->fooled[i] = left_wins(clean, i, l->out + (size_t)i * l->outputs, l->outputs);
    }
    return left_drop(l, NULL);
}

static bool is_told(const bioft_victim *v) { return BIOFT_HAS(v, bioft_victim, credit); }

bioft_status left_ask(struct left *l, uint32_t n, const uint32_t *image, const float *x, float *ret_out)
{
    const bioft_victim *v = l->v;
    bioft_status st = is_told(v) && v->subset ? v->subset(v, n, image) : BIOFT_OK;
    return st == BIOFT_OK ? v->forward(v, n, x, ret_out) : st;
}

bioft_status left_forward(struct left *l) { return left_ask(l, l->n, l->image, l->x, l->out); }

bioft_status left_backward(struct left *l) { return l->v->backward(l->v, l->n, l->d_out, l->gradient); }

bioft_status left_trace(struct left *l, uint64_t iteration)
{
    const bioft_victim *v = l->v;
    return is_told(v) && v->trace ? v->trace(v, iteration, l->n, l->image, l->x, l->objective) : BIOFT_OK;
}

void left_judge(struct left *l)
{
    for (uint32_t j = 0; j < l->n; j++) {
        const uint32_t i = l->image[j];
        const float *out = l->out + (size_t)j * l->outputs;
        const float lead = left_lead(l->clean, i, out, l->outputs);

        l->fooled[j] = left_wins(l->clean, i, out, l->outputs);
        if (!l->fooled[j] && !(lead < l->lead[i]))
            continue;
        l->lead[i] = lead;
        memcpy(l->result + i * l->pixels, left_x(l, j), sizeof(float) * l->pixels);
    }
}

bioft_status left_drop(struct left *l, const char *part)
{
    const bioft_victim *v = l->v;
    bioft_status st = BIOFT_OK;
    uint32_t kept = 0;

    for (uint32_t j = 0; st == BIOFT_OK && j < l->n; j++)
        if (!l->fooled[j])
            l->image[kept++] = l->image[j];
        else if (part && is_told(v) && v->credit)
            st = v->credit(v, 1, &l->image[j], part);
    l->n = kept;
    return st;
}

void left_each(const struct left *l, void (*body)(void *ctx, size_t j, uint32_t thread), void *ctx)
{
    if (l->parallel)
        l->parallel->run(l->host, l->n, body, ctx);
    else
        for (uint32_t j = 0; j < l->n; j++)
            body(ctx, j, 0);
}

bioft_status left_rank(struct left *l, uint32_t rank, int32_t *ret)
{
    for (uint32_t j = 0; j < l->n; j++)
        memcpy(left_x(l, j), left_clean(l, j), sizeof(float) * l->pixels);
    bioft_status st = left_forward(l);
    for (uint32_t j = 0; st == BIOFT_OK && j < l->n; j++) {
        const float *z = l->out + (size_t)j * l->outputs;
        for (uint32_t k = 0; k < l->outputs; k++) {
            uint32_t place = 1;
            for (uint32_t o = 0; o < l->outputs; o++)
                place += z[o] > z[k] || (z[o] == z[k] && o < k);
            if (place == rank)
                ret[l->image[j]] = (int32_t)k;
        }
    }
    return st;
}
