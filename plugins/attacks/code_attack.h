/* What attacks on hash codes share: relaxed codes, their steepness by iteration, and the codes of a
 * split with equal ones counted. */
#ifndef CODE_ATTACK_H
#define CODE_ATTACK_H

#include <bioft/attack.h>
#include <bioft/util.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What stands under the tanh: the outputs z themselves, or sqrt(bits) z / |z|, for networks whose
 * loss leaves the length of z free, so that tanh may have no slope left. */
enum { LOGITS_RAW, LOGITS_COSINE };
static const char *const code_logits[] = { "raw", "cosine", NULL };
#define CODE_LOGITS_OPTION(TYPE) \
    { \
        .name = "logits", .type = BIOFT_CHOICE, .offset = offsetof(TYPE, logits), .def = LOGITS_RAW, \
        .choices = code_logits, .unit = "", \
        .help = "relaxed codes are the tanh of the outputs, or of sqrt(bits) times their direction" \
    }

/* The steepness of the tanh at iteration t of `steps`, in tenths of the way. */
static inline float code_alpha(int64_t t, int64_t steps)
{
    static const float alpha[10] = { .1f, .1f, .1f, .1f, .1f, .2f, .3f, .5f, .7f, 1.0f };
    return alpha[t * 10 / steps];
}

static inline float code_length(const float *z, uint32_t bits)
{
    double sum = 0.0;
    for (uint32_t k = 0; k < bits; k++)
        sum += (double)z[k] * (double)z[k];
    return (float)fmax(sqrt(sum), 1e-12);
}

/* One image's relaxed code tanh(alpha u). */
static inline void code_relax(int32_t logits, const float *z, uint32_t bits, float alpha, float *ret)
{
    const float scale = logits == LOGITS_COSINE ? sqrtf((float)bits) / code_length(z, bits) : 1.0f;
    for (uint32_t k = 0; k < bits; k++)
        ret[k] = tanhf(alpha * scale * z[k]);
}

/* d: the derivative by the relaxed code h, made that by z. */
static inline void code_relax_back(int32_t logits, const float *z, const float *h, uint32_t bits, float alpha, float *d)
{
    const float length = code_length(z, bits);
    double along = 0.0;

    for (uint32_t k = 0; k < bits; k++) {
        d[k] *= alpha * (1.0f - h[k] * h[k]);
        along += (double)d[k] * (double)(z[k] / length);
    }
    for (uint32_t k = 0; logits == LOGITS_COSINE && k < bits; k++)
        d[k] = sqrtf((float)bits) / length * (d[k] - (float)along * (z[k] / length));
}

/* The sign as the code has it: 0 counts as +1. */
static inline float code_sign(float v) { return v < 0.0f ? -1.0f : 1.0f; }

/* Into the ball around the clean image, then into [0,1]. */
static inline float code_clip(float x, float clean, float epsilon)
{
    const float low = clean - epsilon, high = clean + epsilon;
    x = x < low ? low : x > high ? high : x;
    return x < 0.0f ? 0.0f : x > 1.0f ? 1.0f : x;
}

/* Named work space for the victim's largest batch, floats an image: asked for again in each
 * callback. */
static inline bioft_status code_scratch(const bioft_host *host, const bioft_victim *v, const char *name, size_t floats,
                                        float **ret)
{
    void *work;
    bioft_status st = host->scratch(host, name, sizeof(float) * v->max_batch * floats, &work);
    if (st == BIOFT_OK)
        *ret = work;
    return st;
}

static inline size_t code_pixels(const bioft_victim *v) { return (size_t)v->channels * v->height * v->width; }

/* What a gradient attack on codes works with. */
struct code_work {
    float *z, *h, *d_z, *dx; /* [batch][bits] three times, [batch][pixels] */
};

static inline bioft_status code_work(const bioft_host *host, const bioft_victim *v, struct code_work *ret)
{
    bioft_status st = code_scratch(host, v, "z", v->bits, &ret->z);
    if (st == BIOFT_OK)
        st = code_scratch(host, v, "h", v->bits, &ret->h);
    if (st == BIOFT_OK)
        st = code_scratch(host, v, "d_z", v->bits, &ret->d_z);
    if (st == BIOFT_OK)
        st = code_scratch(host, v, "dx", code_pixels(v), &ret->dx);
    return st;
}

/* A split's codes with their label sets, equal pairs as one with their number. */
struct code_groups {
    uint32_t bits, words, label_words;
    size_t n;
    uint64_t *rows;  /* [n][words + label_words], ascending */
    uint64_t *count; /* [n] */
};

static inline const uint64_t *code_row(const struct code_groups *g, size_t i)
{
    return g->rows + i * (g->words + g->label_words);
}

static inline void code_groups_free(struct code_groups *g)
{
    free(g->rows);
    free(g->count);
    memset(g, 0, sizeof *g);
}

struct code_pair { /* for sorting */
    const uint64_t *code, *labels;
    uint32_t words, label_words;
};

static inline int code_compare(const void *a, const void *b)
{
    const struct code_pair *p = a, *q = b;
    for (uint32_t i = 0; i < p->words; i++)
        if (p->code[i] != q->code[i])
            return p->code[i] < q->code[i] ? -1 : 1;
    for (uint32_t i = 0; i < p->label_words; i++)
        if (p->labels[i] != q->labels[i])
            return p->labels[i] < q->labels[i] ? -1 : 1;
    return 0;
}

/* For prepare(); frees what was there. */
static inline bioft_status code_groups_make(const bioft_host *host, const bioft_victim *v, const char *split,
                                            struct code_groups *ret)
{
    bioft_codes c;
    struct code_groups g;
    bioft_status st = v->codes(v, split, &c);

    code_groups_free(ret);
    if (st != BIOFT_OK)
        return st;
    const size_t row = c.words + c.label_words;
    struct code_pair *pairs = malloc((size_t)(c.n + 1) * sizeof *pairs);
    g = (struct code_groups){ .bits = c.bits, .words = c.words, .label_words = c.label_words };
    g.rows = malloc(((size_t)c.n + 1) * row * sizeof *g.rows);
    g.count = calloc((size_t)c.n + 1, sizeof *g.count);
    if (!pairs || !g.rows || !g.count) {
        free(pairs);
        code_groups_free(&g);
        return host->fail(host, BIOFT_ERR_MEMORY, "out of memory for the codes");
    }
    for (uint64_t i = 0; i < c.n; i++)
        pairs[i] = (struct code_pair){ c.codes + i * c.words, c.labels + i * c.label_words, c.words, c.label_words };
    qsort(pairs, (size_t)c.n, sizeof *pairs, code_compare);
    for (uint64_t i = 0; i < c.n; i++) {
        if (i == 0 || code_compare(&pairs[i - 1], &pairs[i]) != 0) {
            memcpy(g.rows + g.n * row, pairs[i].code, c.words * sizeof *g.rows);
            memcpy(g.rows + g.n * row + c.words, pairs[i].labels, c.label_words * sizeof *g.rows);
            g.n++;
        }
        g.count[g.n - 1]++;
    }
    free(pairs);
    *ret = g;
    return BIOFT_OK;
}

static inline uint32_t code_bits_set(uint64_t word)
{
    uint32_t n = 0;
    for (; word; word &= word - 1)
        n++;
    return n;
}

/* Labels that two sets have in common. */
static inline uint32_t code_shared(const uint64_t *a, const uint64_t *b, uint32_t words)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < words; i++)
        n += code_bits_set(a[i] & b[i]);
    return n;
}

static inline int code_bit(const uint64_t *code, uint32_t k) { return (int)(code[k / 64] >> (k % 64) & 1); }

#endif
