/* Auto-PGD. Its constants are those of its authors' code. */
#include "apgd.h"

#include "ball.h"
#include "loss.h"
#include <string.h>

/* What an image remembers; vectors are [pixels]. */
struct course {
    double step, best, best_before, previous; /* step: its length; best: loss at x_best; previous: of the step before */
    double sparsity, sparsity_before;         /* L1: part of the values that move; values that had moved */
    int64_t rose;                             /* steps of this window in which the loss rose */
    int32_t halved;                           /* at the checkpoint before */
};

/* One run of the method over all that is left: each array [batch]... */
struct climb {
    const struct apgd *a;
    struct left *l;
    double epsilon;
    struct course *course;
    int32_t *target;                                       /* dlr_targeted */
    float *x, *before, *gradient, *x_best, *gradient_best; /* ...[pixels] */
    float *sorted;                                         /* work space of L1 */
    int64_t t, restart;                                    /* steps taken; which random start */
    bioft_status start;
};

static bioft_status take(struct climb *c, const struct apgd *a, const bioft_host *host, const bioft_victim *v)
{
    const size_t pixels = attack_pixels(v);
    const struct {
        const char *name;
        size_t count;
        float **ret;
    } parts[] = {
        { "apgd.x", pixels, &c->x },
        { "apgd.before", pixels, &c->before },
        { "apgd.gradient", pixels, &c->gradient },
        { "apgd.x_best", pixels, &c->x_best },
        { "apgd.gradient_best", pixels, &c->gradient_best },
        { "apgd.sorted", a->norm == BIOFT_L1 ? pixels : 0, &c->sorted },
    };
    bioft_status st = attack_scratch(host, v, "apgd.course", 1, sizeof *c->course, &c->course);

    c->a = a;
    if (st != BIOFT_OK)
        return st;
    st = attack_scratch(host, v, "apgd.target", 1, sizeof *c->target, &c->target);
    for (size_t i = 0; st == BIOFT_OK && i < sizeof parts / sizeof *parts; i++)
        if (parts[i].count > 0)
            st = attack_scratch(host, v, parts[i].name, parts[i].count, sizeof(float), parts[i].ret);
    return st;
}

static bioft_status enough_classes(const struct apgd *a, const bioft_host *host, const bioft_victim *v, bool targeted)
{
    const uint32_t least = loss_classes(a->loss, targeted);

    if (v->outputs >= least)
        return BIOFT_OK;
    return host->fail(
        host, BIOFT_ERR_UNSUPPORTED,
        least == 3
            ? "loss 'dlr' is defined for 3 classes and more; loss: margin works with 2"
            : "loss 'dlr_targeted', and 'dlr' with a target, are defined for 4 classes and more; loss: margin works "
              "with 2");
}

bioft_status apgd_prepare(const struct apgd *a, const bioft_host *host, const bioft_victim *v)
{
    struct climb c = { 0 };
    bioft_status st = enough_classes(a, host, v, false);

    if (st == BIOFT_OK)
        st = left_prepare(host, v);
    return st == BIOFT_OK ? take(&c, a, host, v) : st;
}

/* Each image of the network: out and d_out to the objective. */
static void value(struct climb *c)
{
    struct left *l = c->l;
    const int targeted = l->clean->target != NULL;

    for (uint32_t j = 0; j < l->n; j++) {
        const uint32_t i = l->image[j];
        const int32_t t = targeted ? l->clean->target[i] : c->target[i];
        l->objective[j] = (float)loss_value(c->a->loss, l->outputs, l->out + (size_t)j * l->outputs, l->clean->label[i],
                                            t, targeted, l->d_out + (size_t)j * l->outputs);
    }
}

/* The gradient of the objective at l->x, and what the images come to. */
static bioft_status look(struct climb *c)
{
    struct left *l = c->l;
    bioft_status st = left_forward(l);

    if (st != BIOFT_OK)
        return st;
    value(c);
    return left_backward(l);
}

static double first_step(const struct climb *c) { return c->epsilon * (c->a->norm == BIOFT_L1 ? 1.0 : 2.0); }

static double values_moved(const struct climb *c, size_t j, const float *x)
{
    const float *clean = left_clean(c->l, j);
    size_t moved = 0;

    for (size_t k = 0; k < c->l->pixels; k++)
        moved += x[k] != clean[k];
    return (double)moved;
}

/* A random point of the ball to l->x; where it began in a larger one, x_best there instead. */
static void begin_one(void *ctx, size_t j, uint32_t thread)
{
    struct climb *c = ctx;
    struct left *l = c->l;
    const size_t at = l->image[j] * l->pixels;
    bioft_status st = BIOFT_OK;

    (void)thread;
    if (c->restart >= 0)
        st = ball_random(l->host, &(struct ball){ c->a->norm, l->pixels, left_clean(l, j), c->epsilon }, "start",
                         left_sample(l, j), (uint64_t)c->restart * l->pixels, left_x(l, j));
    else {
        memcpy(left_x(l, j), c->x_best + at, sizeof(float) * l->pixels);
        ball_project(c->a->norm, l->pixels, left_clean(l, j), c->epsilon, left_x(l, j));
    }
    if (st != BIOFT_OK) /* any of several is the one reported */
        l->fooled[j] = 2;
}

static void begun_one(void *ctx, size_t j, uint32_t thread)
{
    struct climb *c = ctx;
    struct left *l = c->l;
    const size_t at = l->image[j] * l->pixels, bytes = sizeof(float) * l->pixels;
    struct course *s = &c->course[l->image[j]];
    const double values = (double)l->pixels;

    (void)thread;
    memcpy(c->x + at, left_x(l, j), bytes);
    memcpy(c->before + at, left_x(l, j), bytes);
    memcpy(c->x_best + at, left_x(l, j), bytes);
    memcpy(c->gradient + at, left_gradient(l, j), bytes);
    memcpy(c->gradient_best + at, left_gradient(l, j), bytes);
    s->step = first_step(c);
    s->best = s->best_before = (double)l->objective[j];
    s->previous = 0.0; /* the authors' code compares the first loss with 0 */
    s->rose = 0;
    s->halved = 1;
    s->sparsity_before = c->a->larger_first ? values_moved(c, j, left_x(l, j)) : values;
    s->sparsity = c->a->larger_first ? s->sparsity_before / values / 1.5 : 0.2;
}

/* The rank-th smallest of `count` values, which are reordered (Hoare's selection). */
static float nth_smallest(float *values, size_t count, size_t rank)
{
    size_t low = 0, high = count - 1;

    while (low < high) {
        const float pivot = values[low + (high - low) / 2];
        size_t a = low, b = high;
        for (;;) {
            while (values[a] < pivot)
                a++;
            while (values[b] > pivot)
                b--;
            if (a >= b)
                break;
            const float v = values[a];
            values[a++] = values[b];
            values[b--] = v;
        }
        if (rank <= b)
            high = b;
        else
            low = b + 1;
    }
    return values[low];
}

/* L1: the values of the largest |gradient| move, all as far. */
static void step_l1(const struct climb *c, size_t j, const float *x, float *ret)
{
    const struct left *l = c->l;
    const struct course *s = &c->course[l->image[j]];
    const float *g = c->gradient + l->image[j] * l->pixels;
    float *sorted = c->sorted + j * l->pixels;
    double rank = (1.0 - s->sparsity) * (double)l->pixels;
    size_t moved = 0;

    for (size_t k = 0; k < l->pixels; k++)
        sorted[k] = g[k] == g[k] ? fabsf(g[k]) : 0.0f;
    rank = rank < 0.0 ? 0.0 : rank > (double)(l->pixels - 1) ? (double)(l->pixels - 1) : rank;
    const float least = nth_smallest(sorted, l->pixels, (size_t)rank);
    for (size_t k = 0; k < l->pixels; k++)
        moved += fabsf(g[k]) >= least && g[k] != 0.0f;
    const float step = (float)(s->step / ((double)moved + 1e-10));
    for (size_t k = 0; k < l->pixels; k++)
        ret[k] = x[k] + (fabsf(g[k]) >= least ? step * (float)((g[k] > 0.0f) - (g[k] < 0.0f)) : 0.0f);
    ball_project(BIOFT_L1, l->pixels, left_clean(l, j), c->epsilon, ret);
}

/* The next point of an image, to l->x: the projected step, then part of it with the step before. */
static void step_one(void *ctx, size_t j, uint32_t thread)
{
    struct climb *c = ctx;
    struct left *l = c->l;
    const struct course *s = &c->course[l->image[j]];
    const size_t at = l->image[j] * l->pixels;
    float *x = c->x + at, *before = c->before + at, *next = left_x(l, j);
    const float *g = c->gradient + at, a = c->t > 0 ? 0.75f : 1.0f;

    (void)thread;
    if (c->a->norm == BIOFT_L1)
        step_l1(c, j, x, next);
    else {
        const float step = (float)(c->a->norm == BIOFT_LINF ? s->step
                                                            : s->step / (ball_length(BIOFT_L2, l->pixels, g) + 1e-12));
        for (size_t k = 0; k < l->pixels; k++)
            next[k] = x[k] + step * (c->a->norm == BIOFT_LINF ? (float)((g[k] > 0.0f) - (g[k] < 0.0f)) : g[k]);
        ball_project(c->a->norm, l->pixels, left_clean(l, j), c->epsilon, next);
        for (size_t k = 0; k < l->pixels; k++)
            next[k] = x[k] + a * (next[k] - x[k]) + (1.0f - a) * (x[k] - before[k]);
        ball_project(c->a->norm, l->pixels, left_clean(l, j), c->epsilon, next);
    }
    memcpy(before, x, sizeof(float) * l->pixels);
    memcpy(x, next, sizeof(float) * l->pixels);
}

static void stepped_one(void *ctx, size_t j, uint32_t thread)
{
    struct climb *c = ctx;
    struct left *l = c->l;
    const size_t at = l->image[j] * l->pixels, bytes = sizeof(float) * l->pixels;
    struct course *s = &c->course[l->image[j]];
    const double loss = (double)l->objective[j];

    (void)thread;
    memcpy(c->gradient + at, left_gradient(l, j), bytes);
    s->rose += loss > s->previous;
    s->previous = loss;
    if (loss > s->best) {
        memcpy(c->x_best + at, left_x(l, j), bytes);
        memcpy(c->gradient_best + at, left_gradient(l, j), bytes);
        s->best = loss;
    }
}

static void back_to_best(struct climb *c, size_t j)
{
    const size_t at = c->l->image[j] * c->l->pixels, bytes = sizeof(float) * c->l->pixels;
    memcpy(c->x + at, c->x_best + at, bytes);
    memcpy(c->gradient + at, c->gradient_best + at, bytes);
}

/* The end of a window of `steps`: is it a plateau? */
static void check_one(struct climb *c, size_t j, int64_t steps)
{
    struct course *s = &c->course[c->l->image[j]];
    const int32_t plateau = (double)s->rose <= (double)steps * c->a->rho || (!s->halved && s->best_before >= s->best);

    s->halved = plateau;
    s->best_before = s->best;
    s->rose = 0;
    if (!plateau)
        return;
    s->step /= 2.0;
    back_to_best(c, j);
}

/* The same in L1: where x_best has become sparser the search begins anew there with the longest step, else the step gets
 * shorter. */
static void check_one_l1(struct climb *c, size_t j)
{
    struct course *s = &c->course[c->l->image[j]];
    const double moved = values_moved(c, j, c->x_best + c->l->image[j] * c->l->pixels), longest = first_step(c);
    const bool sparser = moved / s->sparsity_before < 0.95;

    s->sparsity = moved / (double)c->l->pixels / 1.5;
    s->step = sparser ? longest : s->step / 1.5;
    s->step = s->step < longest / 10.0 ? longest / 10.0 : s->step;
    s->sparsity_before = moved;
    if (sparser)
        back_to_best(c, j);
}

static int64_t at_least(int64_t value, int64_t least) { return value < least ? least : value; }

/* `judged`: what is found counts; not so in the balls that are too large. */
static bioft_status climb(struct climb *c, double epsilon, int64_t iterations, bool judged)
{
    struct left *l = c->l;
    const bool l1 = c->a->norm == BIOFT_L1;
    int64_t window = at_least((int64_t)((l1 ? 0.04 : 0.22) * (double)iterations), 1), in_window = 0;
    bioft_status st;

    c->epsilon = epsilon;
    c->t = 0;
    memset(l->fooled, 0, l->n);
    left_each(l, begin_one, c);
    for (uint32_t j = 0; j < l->n; j++)
        if (l->fooled[j])
            return l->host->fail(l->host, BIOFT_ERR_INVALID, "no random numbers for a start");
    for (st = look(c); st == BIOFT_OK; st = look(c)) {
        if (judged) {
            st = left_trace(l, (uint64_t)c->t);
            left_judge(l);
        }
        left_each(l, c->t == 0 ? begun_one : stepped_one, c);
        if (c->t > 0 && ++in_window == window) {
            for (uint32_t j = 0; j < l->n; j++)
                if (l1)
                    check_one_l1(c, j);
                else
                    check_one(c, j, window);
            if (!l1)
                window = at_least(window - at_least((int64_t)(0.03 * (double)iterations), 1),
                                  at_least((int64_t)(0.06 * (double)iterations), 1));
            in_window = 0;
        }
        if (st == BIOFT_OK && judged)
            st = left_drop(l, c->a->part);
        if (st != BIOFT_OK || l->n == 0 || c->t == iterations)
            break;
        left_each(l, step_one, c);
        c->t++;
    }
    return st;
}

/* One random start. */
static bioft_status attempt(struct climb *c, double epsilon)
{
    const int64_t all = c->a->iterations, part = (3 * all + 9) / 10;

    if (!c->a->larger_first)
        return climb(c, epsilon, all, true);
    const int64_t start = c->restart;
    bioft_status st = climb(c, 3.0 * epsilon, part, false);
    c->restart = -1;
    if (st == BIOFT_OK)
        st = climb(c, 2.0 * epsilon, part, false);
    if (st == BIOFT_OK)
        st = climb(c, epsilon, at_least(all - 2 * part, 1), true);
    c->restart = start;
    return st;
}

bioft_status apgd_run(const struct apgd *a, struct left *l, double epsilon)
{
    const bool ranks = a->loss == LOSS_DLR_TARGETED && !l->clean->target;
    const int64_t most = (int64_t)l->outputs - 1;
    const int64_t targets = !ranks ? 1 : a->targets < most ? a->targets : most;
    struct climb c = { .l = l };
    bioft_status st = enough_classes(a, l->host, l->v, l->clean->target != NULL);

    if (st != BIOFT_OK)
        return st;
    st = take(&c, a, l->host, l->v);
    for (int64_t t = 0; st == BIOFT_OK && t < targets; t++)
        for (int64_t r = 0; st == BIOFT_OK && r < a->restarts && l->n > 0; r++) {
            if (ranks)
                st = left_rank(l, (uint32_t)t + 2, c.target);
            c.restart = t * a->restarts + r;
            if (st == BIOFT_OK)
                st = attempt(&c, epsilon);
        }
    return st;
}
