/* Sparse-RS: random search over which pixels change and to which corner of the colour cube; L0, of outputs alone (Croce,
 * Andriushchenko, Singh, Flammarion and Hein, "Sparse-RS: a versatile framework for query-efficient sparse black-box
 * adversarial attacks", AAAI 2022, algorithms 1 and 2). Epsilon is the number of pixels. */
#include "parts/left.h"
#include "parts/loss.h"
#include <string.h>

typedef struct {
    int64_t queries;
    double alpha_init;
    int32_t rescale, loss;
    const bioft_host *host;
} state;

static const char *const losses[] = { "margin", "ce", NULL };

static const bioft_option options[] = {
    { .name = "queries",
      .type = BIOFT_I64,
      .offset = offsetof(state, queries),
      .def = 5000,
      .min = 1,
      .max = 1e9,
      .unit = "queries",
      .flags = BIOFT_OPTION_QUERIES,
      .help = "candidates asked for each image" },
    { .name = "alpha_init",
      .type = BIOFT_F64,
      .offset = offsetof(state, alpha_init),
      .def = 0.3,
      .min = 0.0,
      .max = 1.0,
      .unit = "of the pixels",
      .help = "what is exchanged at first; divided by 2, 4, 5, 6, 8, 10, 12, 15 and 20 from query "
              "1, 51, 201, 501, 1001, 2001, 4001, 6001 and 8001 on" },
    { .name = "rescale",
      .type = BIOFT_BOOL,
      .offset = offsetof(state, rescale),
      .def = 1,
      .help = "those numbers are of 10,000 queries and scaled to `queries`" },
    { .name = "loss",
      .type = BIOFT_CHOICE,
      .offset = offsetof(state, loss),
      .def = 0,
      .choices = losses,
      .help = "what is raised: the largest other output over the label's, or cross-entropy" },
};

/* One search; arrays [batch]... */
struct search {
    const state *s;
    struct left *l;
    uint32_t places, chosen, changed; /* pixels of an image, of those that change, exchanged in this query */
    uint64_t query;
    uint32_t *order;     /* ...[places]: a permutation whose first `chosen` are changed */
    float *best, *value; /* ...[pixels]; what it is worth */
    float *random;       /* packed [n][numbers] */
    size_t numbers;
};

static bioft_status take(struct search *r, const state *s, const bioft_victim *v)
{
    r->s = s;
    r->places = v->height * v->width;
    r->numbers = ((size_t)v->channels + 2) * r->places + 1;
    bioft_status st = attack_scratch(s->host, v, "sparse_rs.order", r->places, sizeof *r->order, &r->order);
    if (st == BIOFT_OK)
        st = attack_scratch(s->host, v, "sparse_rs.best", attack_pixels(v), sizeof(float), &r->best);
    if (st == BIOFT_OK)
        st = attack_scratch(s->host, v, "sparse_rs.value", 1, sizeof(float), &r->value);
    return st == BIOFT_OK ? attack_scratch(s->host, v, "sparse_rs.random", r->numbers, sizeof(float), &r->random) : st;
}

static bioft_status prepare(void *self, const bioft_victim *v)
{
    struct search r = { 0 };
    bioft_status st = left_prepare(((state *)self)->host, v);
    return st == BIOFT_OK ? take(&r, self, v) : st;
}

static uint32_t exchanged(const struct search *r)
{
    static const struct {
        double after, divisor;
    } schedule[] = { { 0, 2 },     { 50, 4 },    { 200, 5 },   { 500, 6 },  { 1000, 8 },
                     { 2000, 10 }, { 4000, 12 }, { 6000, 15 }, { 8000, 20 } };
    const double at = r->s->rescale ? floor((double)r->query / (double)r->s->queries * 10000.0) : (double)r->query;
    double alpha = r->s->alpha_init;

    for (size_t k = 0; k < sizeof schedule / sizeof *schedule; k++)
        alpha = at > schedule[k].after ? r->s->alpha_init / schedule[k].divisor : alpha;
    const uint32_t count = (uint32_t)(alpha * (double)r->chosen), most = r->places - r->chosen;
    return count < 1 ? 1 : count > most ? most : count;
}

/* `count` of the `all` entries to the front, at random. */
static void draw_front(uint32_t *order, uint32_t all, uint32_t count, const float *u)
{
    for (uint32_t k = 0; k < count; k++) {
        const uint32_t drawn = (uint32_t)(u[k] * (float)(all - k)), at = k + (drawn < all - k ? drawn : all - k - 1);
        const uint32_t moved = order[at];
        order[at] = order[k];
        order[k] = moved;
    }
}

static void paint(const struct search *r, const float *u, uint32_t place, float *x)
{
    for (uint32_t c = 0; c < r->l->v->channels; c++)
        x[(size_t)c * r->places + place] = u[c] < 0.5f ? 0.0f : 1.0f;
}

/* A random set of pixels, each at a random corner. */
static void begin_one(void *ctx, size_t j, uint32_t thread)
{
    struct search *r = ctx;
    struct left *l = r->l;
    uint32_t *order = r->order + (size_t)l->image[j] * r->places;
    float *u = r->random + j * r->numbers, *x = left_x(l, j);
    const uint32_t channels = l->v->channels;

    (void)thread;
    l->fooled[j] = l->host->random(l->host, BIOFT_UNIFORM, "sparse_rs.start", left_sample(l, j), 0, u,
                                   ((size_t)channels + 1) * r->chosen) != BIOFT_OK;
    for (uint32_t p = 0; p < r->places; p++)
        order[p] = p;
    draw_front(order, r->places, r->chosen, u);
    memcpy(x, left_clean(l, j), sizeof(float) * l->pixels);
    for (uint32_t k = 0; k < r->chosen; k++)
        paint(r, u + r->chosen + (size_t)k * channels, order[k], x);
}

/* `changed` of the pixels back to what they were, as many others to random corners; a single one to another colour than it
 * has. */
static void change_one(void *ctx, size_t j, uint32_t thread)
{
    struct search *r = ctx;
    struct left *l = r->l;
    uint32_t *order = r->order + (size_t)l->image[j] * r->places;
    float *u = r->random + j * r->numbers, *x = left_x(l, j);
    const float *clean = left_clean(l, j), *best = r->best + l->image[j] * l->pixels;
    const uint32_t channels = l->v->channels, n = r->changed;
    const size_t stride = ((size_t)channels + 2) * r->places + 1;

    (void)thread;
    l->fooled[j] = l->host->random(l->host, BIOFT_UNIFORM, "sparse_rs", left_sample(l, j), r->query * stride, u,
                                   ((size_t)channels + 2) * n + 1) != BIOFT_OK;
    draw_front(order, r->chosen, n, u);
    draw_front(order + r->chosen, r->places - r->chosen, n, u + n);
    memcpy(x, best, sizeof(float) * l->pixels);
    for (uint32_t k = 0; k < n; k++)
        for (uint32_t c = 0; c < channels; c++)
            x[(size_t)c * r->places + order[k]] = clean[(size_t)c * r->places + order[k]];
    for (uint32_t k = 0; k < n; k++)
        paint(r, u + 2 * (size_t)n + (size_t)k * channels, order[r->chosen + k], x);
    bool same = n == 1;
    for (uint32_t c = 0; same && c < channels; c++)
        same = x[(size_t)c * r->places + order[r->chosen]] == best[(size_t)c * r->places + order[r->chosen]];
    if (same) {
        const uint32_t drawn = (uint32_t)(u[((size_t)channels + 2) * n] * (float)channels);
        float *one = &x[(size_t)(drawn < channels ? drawn : channels - 1) * r->places + order[r->chosen]];
        *one = 1.0f - *one;
    }
}

static bioft_status ask(struct search *r)
{
    struct left *l = r->l;
    const int targeted = l->clean->target != NULL;

    for (uint32_t j = 0; j < l->n; j++)
        if (l->fooled[j])
            return l->host->fail(l->host, BIOFT_ERR_INVALID, "no random numbers for a search");
    bioft_status st = left_forward(l);
    for (uint32_t j = 0; st == BIOFT_OK && j < l->n; j++) {
        const uint32_t i = l->image[j];
        uint32_t *order = r->order + (size_t)i * r->places;
        const float value = (float)loss_value(r->s->loss == 0 ? LOSS_MARGIN : LOSS_CE, l->outputs,
                                              l->out + (size_t)j * l->outputs, l->clean->label[i],
                                              targeted ? l->clean->target[i] : 0, targeted, NULL);
        l->objective[j] = value;
        if (r->query > 0 && !(value > r->value[i]))
            continue;
        r->value[i] = value;
        memcpy(r->best + i * l->pixels, left_x(l, j), sizeof(float) * l->pixels);
        for (uint32_t k = 0; r->query > 0 && k < r->changed; k++) {
            const uint32_t moved = order[k];
            order[k] = order[r->chosen + k];
            order[r->chosen + k] = moved;
        }
    }
    if (st == BIOFT_OK)
        st = left_trace(l, r->query);
    if (st != BIOFT_OK)
        return st;
    left_judge(l);
    return left_drop(l, NULL);
}

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    const state *s = self;
    struct left l = { 0 };
    struct search r = { .l = &l };
    bioft_status st = take(&r, s, v);

    if (st == BIOFT_OK)
        st = left_begin(&l, s->host, v, clean, ret_x);
    /* All pixels at once leave nothing to exchange. */
    r.chosen = epsilon < (double)r.places ? (uint32_t)epsilon : r.places - 1;
    if (st != BIOFT_OK || r.chosen == 0 || l.n == 0)
        return st;
    left_each(&l, begin_one, &r);
    st = ask(&r);
    for (r.query = 1; st == BIOFT_OK && l.n > 0 && r.query < (uint64_t)s->queries; r.query++) {
        r.changed = exchanged(&r);
        left_each(&l, change_one, &r);
        st = ask(&r);
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
    BIOFT_PLUGIN(BIOFT_KIND_ATTACK, "sparse_rs", "1.0", "bioft", "MIT"),
    .summary = "random search over a number of pixels, without gradients; L0",
    .reference = "Croce et al., AAAI 2022",
    .instance_size = sizeof(state),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(state, host),
    .vtable = &attack,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
