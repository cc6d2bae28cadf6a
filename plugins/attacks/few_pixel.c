/* One- and few-pixel attack: differential evolution of places and colours, of outputs alone; L0 (Su, Vargas and Sakurai, "One
 * pixel attack for fooling deep neural networks", IEEE TEVC 2019, section III). Epsilon is the number of pixels. */
#include "parts/left.h"
#include "parts/loss.h"
#include <string.h>

typedef struct {
    int64_t population, generations;
    double scale;
    const bioft_host *host;
} state;

enum { MOST_POPULATION = 100000, MOST_PIXELS = 1000 };

static const bioft_option options[] = {
    { .name = "population",
      .type = BIOFT_I64,
      .offset = offsetof(state, population),
      .def = 400,
      .min = 4,
      .max = MOST_POPULATION,
      .unit = "candidates",
      .help = "of each generation" },
    { .name = "generations",
      .type = BIOFT_I64,
      .offset = offsetof(state, generations),
      .def = 100,
      .min = 1,
      .max = 1e6,
      .help = "at most; the search ends where an image is misclassified" },
    { .name = "scale",
      .type = BIOFT_F64,
      .offset = offsetof(state, scale),
      .def = 0.5,
      .min = 0.0,
      .max = 2.0,
      .help = "F: how much of the difference of two candidates is added to a third" },
};

/* The search on one image. A candidate is `pixels` times (row, column, value of each channel), rows and columns in [0, 1)
 * of the image's height and width. */
struct search {
    const state *s;
    struct left *l;
    uint32_t i;      /* the image */
    uint32_t pixels; /* that change */
    size_t genes;
    float *parents, *children; /* [population][genes] */
    float *value;              /* [population] cross-entropy: larger is better */
    float *random;             /* [genes] */
    uint32_t *image;           /* [largest batch] i, for each candidate that is asked for */
    float best;
    bool won;
};

static uint32_t most_pixels(const bioft_victim *v)
{
    const uint64_t places = (uint64_t)v->height * v->width;
    return places < MOST_PIXELS ? (uint32_t)places : MOST_PIXELS;
}

static bioft_status named(const state *s, const char *name, size_t count, float **ret)
{
    void *room;
    bioft_status st = s->host->scratch(s->host, name, sizeof(float) * count, &room);
    if (st == BIOFT_OK)
        *ret = room;
    return st;
}

static bioft_status take(const state *s, const bioft_victim *v, struct search *r)
{
    const size_t genes = (size_t)most_pixels(v) * (2 + (size_t)v->channels), all = genes * (size_t)s->population;
    bioft_status st = named(s, "few_pixel.parents", all, &r->parents);
    if (st == BIOFT_OK)
        st = named(s, "few_pixel.children", all, &r->children);
    if (st == BIOFT_OK)
        st = named(s, "few_pixel.value", (size_t)s->population, &r->value);
    if (st == BIOFT_OK)
        st = named(s, "few_pixel.random", genes, &r->random);
    return st == BIOFT_OK ? attack_scratch(s->host, v, "few_pixel.image", 1, sizeof *r->image, &r->image) : st;
}

static bioft_status prepare(void *self, const bioft_victim *v)
{
    struct search r = { 0 };
    bioft_status st = left_prepare(((state *)self)->host, v);
    return st == BIOFT_OK ? take(self, v, &r) : st;
}

static uint32_t place(float gene, uint32_t count)
{
    const uint32_t at = (uint32_t)(gene * (float)count);
    return at < count ? at : count - 1;
}

static void paint(const struct search *r, const float *candidate, float *x)
{
    const bioft_victim *v = r->l->v;

    memcpy(x, r->l->clean->x + r->i * r->l->pixels, sizeof(float) * r->l->pixels);
    for (uint32_t p = 0; p < r->pixels; p++) {
        const float *gene = candidate + p * (2 + (size_t)v->channels);
        const size_t at = (size_t)place(gene[0], v->height) * v->width + place(gene[1], v->width);
        for (uint32_t c = 0; c < v->channels; c++)
            x[(size_t)c * v->height * v->width + at] = gene[2 + c];
    }
}

/* What `count` candidates are worth, to value; where one wins the search is over. */
static bioft_status ask(struct search *r, const float *candidates, uint32_t count, float *value)
{
    struct left *l = r->l;
    const bioft_batch *b = l->clean;
    const int targeted = b->target != NULL;

    for (uint32_t j = 0; j < count; j++) {
        r->image[j] = r->i;
        paint(r, candidates + j * r->genes, left_x(l, j));
    }
    bioft_status st = left_ask(l, count, r->image, l->x, l->out);
    for (uint32_t j = 0; st == BIOFT_OK && !r->won && j < count; j++) {
        const float *z = l->out + (size_t)j * l->outputs;
        value[j] = (float)loss_value(LOSS_CE, l->outputs, z, b->label[r->i], targeted ? b->target[r->i] : 0, targeted,
                                     NULL);
        r->won = left_wins(b, r->i, z, l->outputs);
        if (!r->won && !(value[j] > r->best))
            continue;
        r->best = value[j];
        memcpy(l->result + r->i * l->pixels, left_x(l, j), sizeof(float) * l->pixels);
    }
    return st;
}

/* The first generation: places uniform, colours normal around grey as in the paper, cut to [0,1]. */
static bioft_status first(struct search *r)
{
    const bioft_host *host = r->s->host;
    const uint64_t sample = r->l->clean->sample[r->i];
    const size_t stride = 2 + (size_t)r->l->v->channels;

    for (int64_t m = 0; m < r->s->population; m++) {
        float *candidate = r->parents + (size_t)m * r->genes;
        bioft_status st = host->random(host, BIOFT_UNIFORM, "place", sample, (uint64_t)m * r->genes, candidate,
                                       r->genes);
        if (st == BIOFT_OK)
            st = host->random(host, BIOFT_NORMAL, "colour", sample, (uint64_t)m * r->genes, r->random, r->genes);
        if (st != BIOFT_OK)
            return st;
        for (size_t k = 0; k < r->genes; k++)
            if (k % stride >= 2) {
                const float v = (128.0f + 127.0f * r->random[k]) / 255.0f;
                candidate[k] = v < 0.0f ? 0.0f : v > 1.0f ? 1.0f : v;
            }
    }
    return BIOFT_OK;
}

/* Another parent than those in taken, which is in ascending order and grows. */
static uint32_t pick(float u, uint32_t population, uint32_t *taken, uint32_t *count)
{
    uint32_t at = place(u, population - *count), k = 0;

    for (; k < *count && at >= taken[k]; k++)
        at++;
    memmove(&taken[k + 1], &taken[k], sizeof *taken * (*count - k));
    taken[k] = at;
    (*count)++;
    return at;
}

/* Child m: a + F (b - c) of three other parents, each gene cut to [0,1]. */
static bioft_status breed(struct search *r, uint32_t m, int64_t generation)
{
    const uint32_t population = (uint32_t)r->s->population;
    float u[3], *child = r->children + m * r->genes;
    uint32_t taken[4] = { m }, count = 1;
    bioft_status st = r->s->host->random(r->s->host, BIOFT_UNIFORM, "parents", r->l->clean->sample[r->i],
                                         ((uint64_t)generation * population + m) * 3, u, 3);

    if (st != BIOFT_OK)
        return st;
    const float *a = r->parents + pick(u[0], population, taken, &count) * r->genes,
                *b = r->parents + pick(u[1], population, taken, &count) * r->genes,
                *c = r->parents + pick(u[2], population, taken, &count) * r->genes;
    for (size_t k = 0; k < r->genes; k++) {
        const float v = a[k] + (float)r->s->scale * (b[k] - c[k]);
        child[k] = v < 0.0f ? 0.0f : v > 1.0f ? 1.0f : v;
    }
    return BIOFT_OK;
}

/* A generation, as many at once as the network takes: the first, or children, each of which takes its parent's place where
 * it is worth more. */
static bioft_status live(struct search *r, int64_t generation)
{
    const uint32_t population = (uint32_t)r->s->population, most = r->l->v->max_batch;
    bioft_status st = generation == 0 ? first(r) : BIOFT_OK;
    float worth[1];

    for (uint32_t m = 0; st == BIOFT_OK && generation > 0 && m < population; m++)
        st = breed(r, m, generation);
    for (uint32_t m = 0; st == BIOFT_OK && !r->won && m < population; m += most) {
        const uint32_t count = population - m < most ? population - m : most;
        st = ask(r, (generation == 0 ? r->parents : r->children) + m * r->genes, count,
                 generation == 0 ? r->value + m : r->l->objective);
        for (uint32_t k = 0; st == BIOFT_OK && !r->won && generation > 0 && k < count; k++)
            if (r->l->objective[k] > r->value[m + k]) {
                r->value[m + k] = r->l->objective[k];
                memcpy(r->parents + (m + k) * r->genes, r->children + (m + k) * r->genes, sizeof(float) * r->genes);
            }
    }
    worth[0] = r->best;
    const bioft_victim *v = r->l->v;
    if (st != BIOFT_OK)
        return st;
    if (BIOFT_HAS(v, bioft_victim, credit) && v->trace)
        return v->trace(v, (uint64_t)generation, 1, &r->i, NULL, worth);
    return BIOFT_OK;
}

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    const state *s = self;
    struct left l = { 0 };
    struct search r = { .s = s, .l = &l };
    bioft_status st = take(s, v, &r);

    if (st == BIOFT_OK)
        st = left_begin(&l, s->host, v, clean, ret_x);
    r.pixels = epsilon < (double)most_pixels(v) ? (uint32_t)epsilon : most_pixels(v);
    r.genes = r.pixels * (2 + (size_t)v->channels);
    for (uint32_t j = 0; st == BIOFT_OK && r.pixels > 0 && j < l.n; j++) {
        r.i = l.image[j];
        r.best = -INFINITY;
        r.won = false;
        for (int64_t g = 0; st == BIOFT_OK && !r.won && g <= s->generations; g++)
            st = live(&r, g);
    }
    return st;
}

static const bioft_attack attack = {
    .struct_size = sizeof(attack),
    .norm = BIOFT_L0,
    .flags = BIOFT_ATTACK_CLASSES | BIOFT_ATTACK_TARGETED,
    .prepare = prepare,
    .run = run,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_ATTACK, "few_pixel", "1.0", "bioft", "MIT"),
    .summary = "one pixel, or a few, by differential evolution, without gradients; L0",
    .reference = "Su et al., IEEE TEVC 2019",
    .instance_size = sizeof(state),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(state, host),
    .vtable = &attack,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
