/* C&W: minimises the squared L2 distance plus c times how far the image is from being misclassified, in a variable whose
 * tanh is the image, with Adam; c by bisection (Carlini and Wagner, "Towards evaluating the robustness of neural networks",
 * S&P 2017, sections V and VI). */
#include "parts/ball.h"
#include "parts/left.h"
#include <string.h>

typedef struct {
    int64_t steps, searches;
    double stepsize, initial, confidence;
    int32_t abort_early;
    const bioft_host *host;
} state;

static const bioft_option options[] = {
    { .name = "steps",
      .type = BIOFT_I64,
      .offset = offsetof(state, steps),
      .def = 1000,
      .min = 1,
      .max = 1e7,
      .unit = "steps",
      .flags = BIOFT_OPTION_STEPS,
      .help = "of Adam, for each c; the paper has 10000" },
    { .name = "searches",
      .type = BIOFT_I64,
      .offset = offsetof(state, searches),
      .def = 9,
      .min = 1,
      .max = 100,
      .help = "values of c that are tried" },
    { .name = "stepsize",
      .type = BIOFT_F64,
      .offset = offsetof(state, stepsize),
      .def = 0.01,
      .min = 1e-6,
      .max = 10.0,
      .help = "Adam's, in the variable whose tanh is the image" },
    { .name = "initial_const",
      .type = BIOFT_F64,
      .offset = offsetof(state, initial),
      .def = 0.001,
      .min = 1e-12,
      .max = 1e12,
      .help = "the first c; ten times as much while nothing is found" },
    { .name = "confidence",
      .type = BIOFT_F64,
      .offset = offsetof(state, confidence),
      .def = 0.0,
      .min = 0.0,
      .max = 1e6,
      .help = "by how much the other output is to be the larger" },
    { .name = "abort_early",
      .type = BIOFT_BOOL,
      .offset = offsetof(state, abort_early),
      .def = 1,
      .help = "an image whose loss has not fallen by 0.01% after a tenth of the steps is left as it is for this c" },
};

struct image {                          /* what is known of c, and of this search */
    double c, low, high, nearest, last; /* nearest: distance of the best; last: loss at the last look */
    int32_t found;
};

/* Arrays of a run: [batch]... */
struct work {
    const state *s;
    struct left *l;
    struct image *image;
    float *w, *mean, *square; /* ...[pixels]: the variable, Adam's moments */
    uint32_t *all;            /* [n_all] the images of the run */
    uint32_t n_all;
    double *loss; /* packed */
    int64_t t;    /* steps of this search */
};

static bioft_status take(const state *s, const bioft_victim *v, struct work *w)
{
    const size_t pixels = attack_pixels(v);
    bioft_status st = attack_scratch(s->host, v, "cw.image", 1, sizeof *w->image, &w->image);
    if (st == BIOFT_OK)
        st = attack_scratch(s->host, v, "cw.w", pixels, sizeof(float), &w->w);
    if (st == BIOFT_OK)
        st = attack_scratch(s->host, v, "cw.mean", pixels, sizeof(float), &w->mean);
    if (st == BIOFT_OK)
        st = attack_scratch(s->host, v, "cw.square", pixels, sizeof(float), &w->square);
    if (st == BIOFT_OK)
        st = attack_scratch(s->host, v, "cw.all", 1, sizeof *w->all, &w->all);
    return st == BIOFT_OK ? attack_scratch(s->host, v, "cw.loss", 1, sizeof *w->loss, &w->loss) : st;
}

static bioft_status prepare(void *self, const bioft_victim *v)
{
    struct work w = { 0 };
    bioft_status st = left_prepare(((state *)self)->host, v);
    return st == BIOFT_OK ? take(self, v, &w) : st;
}

/* The variable of a pixel, a little inside so that it is finite, and the pixel of a variable. */
static float variable(float x) { return atanhf((2.0f * x - 1.0f) * 0.999999f); }
static float pixel(float w) { return 0.5f * tanhf(w) + 0.5f; }

static void begin_one(void *ctx, size_t j, uint32_t thread)
{
    struct work *w = ctx;
    const struct left *l = w->l;
    const size_t at = l->image[j] * l->pixels;
    const float *clean = left_clean(l, j);

    (void)thread;
    for (size_t k = 0; k < l->pixels; k++) {
        w->w[at + k] = variable(clean[k]);
        w->mean[at + k] = w->square[at + k] = 0.0f;
    }
    w->image[l->image[j]].found = 0;
    w->image[l->image[j]].last = INFINITY;
}

static void stand_one(void *ctx, size_t j, uint32_t thread)
{
    struct work *w = ctx;
    const struct left *l = w->l;
    const float *from = w->w + l->image[j] * l->pixels;
    float *x = left_x(l, j);

    (void)thread;
    for (size_t k = 0; k < l->pixels; k++)
        x[k] = pixel(from[k]);
}

/* The loss of each image and its derivative by the outputs; what is misclassified and nearer is kept. */
static void look(struct work *w)
{
    struct left *l = w->l;
    const bioft_batch *b = l->clean;

    memset(l->d_out, 0, sizeof(float) * l->n * l->outputs);
    for (uint32_t j = 0; j < l->n; j++) {
        const uint32_t i = l->image[j];
        const float *z = l->out + (size_t)j * l->outputs, *clean = left_clean(l, j);
        float *d = l->d_out + (size_t)j * l->outputs;
        struct image *m = &w->image[i];
        const int32_t own = b->target ? b->target[i] : b->label[i];
        const double lead = (double)left_lead(b, i, z, l->outputs), wanted = lead + w->s->confidence,
                     distance = ball_distance(BIOFT_L2, l->pixels, left_x(l, j), clean);
        int32_t other = own == 0 ? 1 : 0;

        for (int32_t c = other + 1; c < (int32_t)l->outputs; c++)
            other = c != own && z[c] > z[other] ? c : other;
        if (wanted > 0.0) {
            d[own] = (float)(b->target ? -m->c : m->c);
            d[other] = -d[own];
        }
        w->loss[j] = distance * distance + (wanted > 0.0 ? m->c * wanted : 0.0);
        l->objective[j] = (float)-w->loss[j];
        if (!left_wins(b, i, z, l->outputs) || wanted > 0.0)
            continue;
        m->found = 1;
        if (distance < m->nearest) {
            m->nearest = distance;
            memcpy(l->result + i * l->pixels, left_x(l, j), sizeof(float) * l->pixels);
        }
    }
}

/* One step of Adam (Kingma and Ba, ICLR 2015) in the variable. */
static void step_one(void *ctx, size_t j, uint32_t thread)
{
    struct work *w = ctx;
    const struct left *l = w->l;
    const size_t at = l->image[j] * l->pixels;
    const float *g = left_gradient(l, j), *x = left_x(l, j), *clean = left_clean(l, j);
    const double t = (double)w->t + 1.0, correct = sqrt(1.0 - pow(0.999, t)) / (1.0 - pow(0.9, t));

    (void)thread;
    for (size_t k = 0; k < l->pixels; k++) {
        const float origin = pixel(variable(clean[k])), slope = 2.0f * x[k] * (1.0f - x[k]),
                    d = (g[k] + 2.0f * (x[k] - origin)) * slope;
        float *m = &w->mean[at + k], *s = &w->square[at + k];
        *m = 0.9f * *m + 0.1f * d;
        *s = 0.999f * *s + 0.001f * d * d;
        w->w[at + k] -= (float)(w->s->stepsize * correct * (double)*m / (sqrt((double)*s) + 1e-8));
    }
}

/* Images that make no progress rest until the next c. */
static void leave_idle(struct work *w)
{
    struct left *l = w->l;
    uint32_t kept = 0;

    for (uint32_t j = 0; j < l->n; j++) {
        struct image *m = &w->image[l->image[j]];
        if (!(w->loss[j] <= 0.9999 * m->last))
            continue;
        m->last = w->loss[j];
        l->image[kept++] = l->image[j];
    }
    l->n = kept;
}

/* Every image with its c. */
static bioft_status search(struct work *w)
{
    struct left *l = w->l;
    const int64_t tenth = (w->s->steps + 9) / 10;
    bioft_status st = BIOFT_OK;

    l->n = w->n_all;
    memcpy(l->image, w->all, sizeof *w->all * w->n_all);
    left_each(l, begin_one, w);
    for (w->t = 0; st == BIOFT_OK && l->n > 0 && w->t < w->s->steps; w->t++) {
        left_each(l, stand_one, w);
        st = left_forward(l);
        if (st != BIOFT_OK)
            break;
        look(w);
        st = left_backward(l);
        if (st == BIOFT_OK)
            st = left_trace(l, (uint64_t)w->t);
        if (st != BIOFT_OK)
            break;
        left_each(l, step_one, w);
        if (w->s->abort_early && w->t % tenth == 0)
            leave_idle(w);
    }
    return st;
}

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    const state *s = self;
    struct left l = { 0 };
    struct work w = { .s = s, .l = &l };
    bioft_status st = take(s, v, &w);

    (void)epsilon; /* INFINITY: the nearest is sought */
    if (st == BIOFT_OK)
        st = left_begin(&l, s->host, v, clean, ret_x);
    if (st != BIOFT_OK)
        return st;
    w.n_all = l.n;
    memcpy(w.all, l.image, sizeof *w.all * l.n);
    for (uint32_t j = 0; j < w.n_all; j++)
        w.image[w.all[j]] = (struct image){ .c = s->initial, .high = INFINITY, .nearest = INFINITY };
    for (int64_t k = 0; st == BIOFT_OK && k < s->searches; k++) {
        st = search(&w);
        for (uint32_t j = 0; j < w.n_all; j++) {
            struct image *m = &w.image[w.all[j]];
            if (m->found)
                m->high = m->c;
            else
                m->low = m->c;
            m->c = isinf(m->high) ? 10.0 * m->c : 0.5 * (m->low + m->high);
        }
    }
    return st;
}

static const bioft_attack attack = {
    .struct_size = sizeof(attack),
    .norm = BIOFT_L2,
    .flags = BIOFT_ATTACK_GRADIENT | BIOFT_ATTACK_CLASSES | BIOFT_ATTACK_TARGETED | BIOFT_ATTACK_MINIMUM,
    .prepare = prepare,
    .run = run,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_ATTACK, "cw", "1.0", "bioft", "MIT"),
    .summary = "Carlini and Wagner's: distance and misclassification minimised together; L2",
    .reference = "Carlini and Wagner, S&P 2017",
    .instance_size = sizeof(state),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(state, host),
    .vtable = &attack,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
