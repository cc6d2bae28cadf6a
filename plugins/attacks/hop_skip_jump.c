/* HopSkipJump: follows the boundary by the signs of decisions alone towards the clean image; no outputs, no gradient (Chen,
 * Jordan and Wainwright, "HopSkipJumpAttack: a query-efficient decision-based attack", S&P 2020, algorithm 2). */
#include "parts/ball.h"
#include "parts/left.h"
#include <string.h>

typedef struct {
    int32_t norm;
    int64_t steps, first_evaluations, most_evaluations, starts;
    double gamma;
    const bioft_host *host;
} state;

static const bioft_option options[] = {
    { .name = "norm",
      .type = BIOFT_CHOICE,
      .offset = offsetof(state, norm),
      .def = 1,
      .choices = ball_norms_smooth,
      .help = "of the distance" },
    { .name = "steps",
      .type = BIOFT_I64,
      .offset = offsetof(state, steps),
      .def = 25,
      .min = 1,
      .max = 1e6,
      .unit = "steps",
      .flags = BIOFT_OPTION_STEPS,
      .help = "along the boundary" },
    { .name = "first_evaluations",
      .type = BIOFT_I64,
      .offset = offsetof(state, first_evaluations),
      .def = 100,
      .min = 1,
      .max = 1e6,
      .unit = "queries",
      .flags = BIOFT_OPTION_QUERIES,
      .help = "for the direction of the first step; of step t sqrt(t) times as many" },
    { .name = "most_evaluations",
      .type = BIOFT_I64,
      .offset = offsetof(state, most_evaluations),
      .def = 10000,
      .min = 1,
      .max = 1e7,
      .unit = "queries",
      .flags = BIOFT_OPTION_QUERIES,
      .help = "for a direction, at most" },
    { .name = "starts",
      .type = BIOFT_I64,
      .offset = offsetof(state, starts),
      .def = 100,
      .min = 1,
      .max = 1e6,
      .unit = "queries",
      .flags = BIOFT_OPTION_QUERIES,
      .help = "images of uniform noise that are tried for a start" },
    { .name = "gamma",
      .type = BIOFT_F64,
      .offset = offsetof(state, gamma),
      .def = 1.0,
      .min = 1e-6,
      .max = 1e6,
      .help = "how exactly the boundary is found: gamma / d^1.5 of the way (Linf: / d^2) of d values" },
};

/* The search on one image; vectors are [pixels]. */
struct walk {
    const state *s;
    struct left *l;
    uint32_t i;
    const float *clean;
    float *x, *direction, *sum, *next; /* on the boundary; where to; of all tries; a candidate */
    uint32_t *image;                   /* [largest batch] i */
};

static bioft_status named(const state *s, const char *name, size_t count, float **ret)
{
    void *room;
    bioft_status st = s->host->scratch(s->host, name, sizeof(float) * count, &room);
    if (st == BIOFT_OK)
        *ret = room;
    return st;
}

static bioft_status take(const state *s, const bioft_victim *v, struct walk *w)
{
    const size_t pixels = attack_pixels(v);
    bioft_status st = named(s, "hop.x", pixels, &w->x);
    if (st == BIOFT_OK)
        st = named(s, "hop.direction", pixels, &w->direction);
    if (st == BIOFT_OK)
        st = named(s, "hop.sum", pixels, &w->sum);
    if (st == BIOFT_OK)
        st = named(s, "hop.next", pixels, &w->next);
    return st == BIOFT_OK ? attack_scratch(s->host, v, "hop.image", 1, sizeof *w->image, &w->image) : st;
}

static bioft_status prepare(void *self, const bioft_victim *v)
{
    struct walk w = { 0 };
    bioft_status st = left_prepare(((state *)self)->host, v);
    return st == BIOFT_OK ? take(self, v, &w) : st;
}

static uint32_t norm_of(const state *s) { return (uint32_t)s->norm + BIOFT_LINF; }
static float into_range(float v) { return v < 0.0f ? 0.0f : v > 1.0f ? 1.0f : v; }

/* The decision on one image. */
static bioft_status fools(struct walk *w, const float *x, bool *ret)
{
    bioft_status st = left_ask(w->l, 1, &w->i, x, w->l->out);
    if (st == BIOFT_OK)
        *ret = left_wins(w->l->clean, w->i, w->l->out, w->l->outputs);
    return st;
}

/* L2: part of the way from the clean image to `far`; Linf: every value at most that part of the distance away. */
static void part_of_way(const struct walk *w, const float *far, double part, double distance, float *ret)
{
    for (size_t k = 0; k < w->l->pixels; k++) {
        const double d = (double)far[k] - (double)w->clean[k], most = part * distance;
        const double cut = d > most ? most : d < -most ? -most : d;
        ret[k] = into_range((float)((double)w->clean[k] + (w->s->norm == 0 ? cut : part * d)));
    }
}

/* From `far`, which is misclassified, back to the boundary: x. */
static bioft_status to_boundary(struct walk *w, const float *far)
{
    const double d = (double)w->l->pixels, distance = ball_distance(BIOFT_LINF, w->l->pixels, far, w->clean),
                 enough = w->s->gamma / (w->s->norm == 0 ? d * d : d * sqrt(d));
    double low = 0.0, high = 1.0;
    bioft_status st = BIOFT_OK;

    memcpy(w->x, far, sizeof(float) * w->l->pixels);
    for (int t = 0; st == BIOFT_OK && t < 40 && high - low > enough; t++) {
        const double middle = 0.5 * (low + high);
        bool over = false;
        part_of_way(w, far, middle, distance, w->direction);
        st = fools(w, w->direction, &over);
        if (over)
            memcpy(w->x, w->direction, sizeof(float) * w->l->pixels);
        high = over ? middle : high;
        low = over ? low : middle;
    }
    return st;
}

/* Uniform noise that is misclassified; *ret: was there any? */
static bioft_status start(struct walk *w, bool *ret)
{
    const uint64_t sample = w->l->clean->sample[w->i];
    bioft_status st = BIOFT_OK;

    *ret = false;
    for (int64_t t = 0; st == BIOFT_OK && !*ret && t < w->s->starts; t++) {
        st = w->s->host->random(w->s->host, BIOFT_UNIFORM, "start", sample, (uint64_t)t * w->l->pixels, w->next,
                                w->l->pixels);
        if (st == BIOFT_OK)
            st = fools(w, w->next, ret);
    }
    return st == BIOFT_OK && *ret ? to_boundary(w, w->next) : st;
}

/* A random point delta away from x, to ret, and to `moved` the way there over delta. */
static bioft_status probe(const struct walk *w, uint64_t number, double delta, float *ret)
{
    const uint32_t kind = w->s->norm == 0 ? BIOFT_UNIFORM : BIOFT_NORMAL;
    bioft_status st = w->s->host->random(w->s->host, kind, "probe", w->l->clean->sample[w->i], number * w->l->pixels,
                                         ret, w->l->pixels);

    if (st != BIOFT_OK)
        return st;
    for (size_t k = 0; w->s->norm == 0 && k < w->l->pixels; k++)
        ret[k] = 2.0f * ret[k] - 1.0f;
    const double scale = delta / (ball_length(BIOFT_L2, w->l->pixels, ret) + 1e-12);
    for (size_t k = 0; k < w->l->pixels; k++)
        ret[k] = into_range((float)((double)w->x[k] + scale * (double)ret[k]));
    return BIOFT_OK;
}

/* The direction in which more probes are misclassified: the mean of their ways by their decisions, whose own mean is taken
 * off (equation 16), of length 1; Linf: its sign. */
static bioft_status estimate(struct walk *w, uint64_t first, int64_t count, double delta)
{
    struct left *l = w->l;
    const int64_t most = (int64_t)l->v->max_batch;
    int64_t over = 0;
    bioft_status st = BIOFT_OK;

    memset(w->direction, 0, sizeof(float) * l->pixels);
    memset(w->sum, 0, sizeof(float) * l->pixels);
    for (int64_t m = 0; st == BIOFT_OK && m < count; m += most) {
        const uint32_t n = (uint32_t)(count - m < most ? count - m : most);
        for (uint32_t j = 0; st == BIOFT_OK && j < n; j++) {
            w->image[j] = w->i;
            st = probe(w, first + (uint64_t)m + j, delta, left_x(l, j));
        }
        if (st == BIOFT_OK)
            st = left_ask(l, n, w->image, l->x, l->out);
        for (uint32_t j = 0; st == BIOFT_OK && j < n; j++) {
            const bool wins = left_wins(l->clean, w->i, l->out + (size_t)j * l->outputs, l->outputs);
            const float *x = left_x(l, j);
            over += wins;
            for (size_t k = 0; k < l->pixels; k++) {
                const float way = x[k] - w->x[k];
                w->direction[k] += wins ? way : -way;
                w->sum[k] += way;
            }
        }
    }
    const double mean = (double)(2 * over - count) / (double)count, taken = over == 0 || over == count ? 0.0 : mean;
    for (size_t k = 0; k < l->pixels; k++)
        w->direction[k] -= (float)(taken * (double)w->sum[k]);
    const double length = ball_length(BIOFT_L2, l->pixels, w->direction) + 1e-12;
    for (size_t k = 0; k < l->pixels; k++) {
        const float v = w->direction[k];
        w->direction[k] = w->s->norm == 0 ? (float)((v > 0.0f) - (v < 0.0f)) : (float)((double)v / length);
    }
    return st;
}

/* Along the direction by distance / sqrt(t), half of it until it is misclassified there, then back to the boundary. */
static bioft_status hop(struct walk *w, int64_t t, double distance)
{
    double length = distance / sqrt((double)t);
    bool over = false;
    bioft_status st = BIOFT_OK;

    for (int h = 0; st == BIOFT_OK && !over && h < 30; h++, length /= 2.0) {
        for (size_t k = 0; k < w->l->pixels; k++)
            w->next[k] = into_range((float)((double)w->x[k] + length * (double)w->direction[k]));
        st = fools(w, w->next, &over);
    }
    return st == BIOFT_OK && over ? to_boundary(w, w->next) : st;
}

static bioft_status follow(struct walk *w)
{
    const bioft_victim *v = w->l->v;
    const size_t pixels = w->l->pixels;
    uint64_t asked = 0;
    bool found = false;
    bioft_status st = start(w, &found);
    double nearest = INFINITY;

    for (int64_t t = 1; st == BIOFT_OK && found && t <= w->s->steps + 1; t++) {
        const double distance = ball_distance(norm_of(w->s), pixels, w->x, w->clean);
        const float objective = (float)-distance;
        if (distance < nearest) {
            nearest = distance;
            memcpy(w->l->result + w->i * pixels, w->x, sizeof(float) * pixels);
        }
        if (BIOFT_HAS(v, bioft_victim, credit) && v->trace)
            st = v->trace(v, (uint64_t)t - 1, 1, &w->i, NULL, &objective);
        if (st != BIOFT_OK || t > w->s->steps)
            break;
        const double exact = (double)w->s->first_evaluations * sqrt((double)t), most = (double)w->s->most_evaluations;
        const int64_t count = (int64_t)(exact < most ? exact : most);
        st = estimate(w, asked, count, t == 1 ? 0.1 : w->s->gamma * distance / (double)pixels);
        asked += (uint64_t)count;
        if (st == BIOFT_OK)
            st = hop(w, t, distance);
    }
    return st;
}

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    const state *s = self;
    struct left l = { 0 };
    struct walk w = { .s = s, .l = &l };
    bioft_status st = take(s, v, &w);

    (void)epsilon; /* INFINITY: the nearest is sought */
    if (st != BIOFT_OK)
        return st;
    st = left_begin(&l, s->host, v, clean, ret_x);
    for (uint32_t j = 0; st == BIOFT_OK && j < l.n; j++) {
        w.i = l.image[j];
        w.clean = left_clean(&l, j);
        st = follow(&w);
    }
    return st;
}

static bioft_status ball(void *self, uint32_t *ret_norm)
{
    *ret_norm = norm_of(self);
    return BIOFT_OK;
}

static const bioft_attack attack = {
    .struct_size = sizeof(attack),
    .norm = BIOFT_L2,
    .flags = BIOFT_ATTACK_CLASSES | BIOFT_ATTACK_TARGETED | BIOFT_ATTACK_MINIMUM,
    .prepare = prepare,
    .run = run,
    .ball = ball,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_ATTACK, "hop_skip_jump", "1.0", "bioft", "MIT"),
    .summary = "HopSkipJump: along the boundary by decisions alone, to each image's nearest adversarial one; L2, Linf",
    .reference = "Chen et al., S&P 2020",
    .instance_size = sizeof(state),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(state, host),
    .vtable = &attack,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
