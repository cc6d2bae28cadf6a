/* Square: random search over squares. Its schedule and constants are those of its authors' code. */
#include "square.h"

#include "ball.h"
#include "loss.h"
#include <string.h>

enum { TOP, LEFT, OTHER_TOP, OTHER_LEFT, TURNED, SIGNS }; /* what the random numbers of a query are for */

struct search {
    const struct square *a;
    struct left *l;
    double epsilon;
    float *best, *value; /* [batch][pixels], [batch]: what is kept, and its objective */
    float *random;       /* packed [n][numbers] */
    float *bump;         /* [h][w]: L2, L1: the change for squares of this side */
    size_t numbers;      /* the most that a query or the start draws */
    uint32_t side;       /* of this query's squares */
    int64_t query;
};

static uint32_t smaller_of(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* The tiles of the start in L2 and L1. */
static uint32_t tile_side(const bioft_victim *v)
{
    const uint32_t side = smaller_of(v->height, v->width) / 5;
    return side > 0 ? side : 1;
}

static size_t numbers_needed(const struct square *a, const bioft_victim *v)
{
    const size_t query = SIGNS + (size_t)v->channels, side = tile_side(v),
                 start = a->norm == BIOFT_LINF ? (size_t)v->channels * v->width
                                               : (v->height / side) * (v->width / side) * ((size_t)v->channels + 1);
    return query > start ? query : start;
}

static bioft_status take(struct search *s, const struct square *a, const bioft_host *host, const bioft_victim *v)
{
    void *bump;

    s->a = a;
    s->numbers = numbers_needed(a, v);
    bioft_status st = attack_scratch(host, v, "square.best", attack_pixels(v), sizeof(float), &s->best);
    if (st != BIOFT_OK)
        return st;
    st = attack_scratch(host, v, "square.value", 1, sizeof(float), &s->value);
    if (st != BIOFT_OK)
        return st;
    st = attack_scratch(host, v, "square.random", s->numbers, sizeof(float), &s->random);
    if (st != BIOFT_OK)
        return st;
    st = host->scratch(host, "square.bump", sizeof(float) * v->height * v->width, &bump);
    if (st != BIOFT_OK)
        return st;
    s->bump = bump;
    return BIOFT_OK;
}

bioft_status square_prepare(const struct square *a, const bioft_host *host, const bioft_victim *v)
{
    struct search s = { 0 };
    bioft_status st = left_prepare(host, v);
    return st == BIOFT_OK ? take(&s, a, host, v) : st;
}

static float sign_of(float u) { return u < 0.5f ? -1.0f : 1.0f; }

/* Is query t of those of 10,000 beyond the start of size p_init / 2^k? */
static double part_changed(const struct square *a, int64_t t)
{
    static const int64_t halvings[] = { 10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000 };
    const int64_t at = a->rescale ? (int64_t)((double)t / (double)a->queries * 10000.0) : t;
    double part = a->p_init;

    for (size_t k = 0; k < sizeof halvings / sizeof *halvings; k++)
        part = at > halvings[k] ? part / 2.0 : part;
    return part;
}

static uint32_t side_of(const struct search *s)
{
    const bioft_victim *v = s->l->v;
    const double exact = sqrt(part_changed(s->a, s->query) * (double)v->height * (double)v->width);
    const uint32_t least = s->a->norm == BIOFT_LINF ? 1 : 3, most = smaller_of(v->height, v->width);
    uint32_t side = exact > (double)least ? (uint32_t)nearbyint(exact) : least;

    if (s->a->norm != BIOFT_LINF && side % 2 == 0)
        side++;
    return side < most ? side : most;
}

/* Rectangles around the middle, one inside the other, each the brighter the smaller: rows x columns into the square. */
static void add_hill(uint32_t norm, uint32_t rows, uint32_t columns, uint32_t side, float sign, float *ret)
{
    const int64_t steps = (int64_t)(rows > columns ? rows : columns) / 2 + 1;
    double length = 0.0;

    for (int64_t t = 0; t < steps; t++) {
        const int64_t top = (int64_t)rows / 2 - t, left = (int64_t)columns / 2 - t, width = 2 * t + 1;
        const double height = pow((double)t + 1.0, norm == BIOFT_L2 ? -2.0 : -4.0);
        for (int64_t r = top < 0 ? 0 : top; r < top + width && r < (int64_t)rows; r++)
            for (int64_t c = left < 0 ? 0 : left; c < left + width && c < (int64_t)columns; c++)
                ret[r * side + c] += (float)height;
    }
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t c = 0; c < columns; c++) {
            const double v = (double)ret[r * side + c];
            length += norm == BIOFT_L2 ? v * v : v;
        }
    length = norm == BIOFT_L2 ? sqrt(length) : length;
    for (uint32_t r = 0; length > 0.0 && r < rows; r++)
        for (uint32_t c = 0; c < columns; c++)
            ret[r * side + c] *= sign / (float)length;
}

/* A hill above and a hollow below, of length 1. */
static void make_bump(struct search *s, uint32_t side)
{
    const uint32_t norm = s->a->norm, upper = side / 2;

    memset(s->bump, 0, sizeof(float) * side * side);
    add_hill(norm, upper, side, side, 1.0f, s->bump);
    add_hill(norm, side - upper, side, side, -1.0f, s->bump + (size_t)upper * side);
    const float length = (float)ball_length(norm, (size_t)side * side, s->bump);
    for (size_t k = 0; k < (size_t)side * side; k++)
        s->bump[k] /= length;
}

static float bump_at(const struct search *s, uint32_t side, bool turned, uint32_t r, uint32_t c)
{
    return turned ? s->bump[c * side + r] : s->bump[r * side + c];
}

/* Linf: each column of each channel at one end of the ball. */
static void begin_stripes(const struct search *s, const float *u, float *x)
{
    const bioft_victim *v = s->l->v;

    for (uint32_t c = 0; c < v->channels; c++)
        for (size_t at = 0; at < (size_t)v->height * v->width; at++)
            x[(size_t)c * v->height * v->width + at] += (float)s->epsilon *
                                                        sign_of(u[(size_t)c * v->width + at % v->width]);
}

/* L2, L1: tiles of bumps, of length epsilon in all. */
static void begin_tiles(const struct search *s, const float *u, const float *clean, float *x)
{
    const bioft_victim *v = s->l->v;
    const uint32_t side = tile_side(v), rows = v->height / side, columns = v->width / side;
    const uint32_t edge = v->height >= side * 5 ? (v->height - side * 5) / 2 : 0;

    memset(x, 0, sizeof(float) * s->l->pixels);
    for (uint32_t tile = 0; tile < rows * columns; tile++) {
        const float *mine = u + (size_t)tile * (v->channels + 1);
        const uint32_t top = edge + tile / columns * side, left = edge + tile % columns * side;
        for (uint32_t c = 0; c < v->channels; c++)
            for (uint32_t r = 0; r < side && top + r < v->height; r++)
                for (uint32_t k = 0; k < side && left + k < v->width; k++)
                    x[((size_t)c * v->height + top + r) * v->width + left + k] += sign_of(mine[1 + c]) *
                                                                                  bump_at(s, side, mine[0] > 0.5f, r,
                                                                                          k);
    }
    const double scale = s->epsilon / (ball_length(s->a->norm, s->l->pixels, x) + 1e-12);
    for (size_t k = 0; k < s->l->pixels; k++)
        x[k] = (float)((double)clean[k] + scale * (double)x[k]);
}

static void begin_one(void *ctx, size_t j, uint32_t thread)
{
    struct search *s = ctx;
    struct left *l = s->l;
    float *u = s->random + j * s->numbers, *x = left_x(l, j);

    (void)thread;
    l->fooled[j] = l->host->random(l->host, BIOFT_UNIFORM, "square.start", left_sample(l, j), 0, u, s->numbers) !=
                   BIOFT_OK;
    memcpy(x, left_clean(l, j), sizeof(float) * l->pixels);
    if (s->a->norm == BIOFT_LINF)
        begin_stripes(s, u, x);
    else
        begin_tiles(s, u, left_clean(l, j), x);
    ball_project(s->a->norm, l->pixels, left_clean(l, j), s->epsilon, x);
}

/* One of room + 1 places, as in algorithms 2 and 3; the authors' code leaves out the last. */
static uint32_t place(float u, uint32_t room)
{
    const uint32_t drawn = (uint32_t)(u * (float)(room + 1));
    return drawn < room ? drawn : room;
}

/* Linf: 2 epsilon up or down in one square of each channel, so that it lies at the other end or stays. */
static void change_square(const struct search *s, const float *u, float *x)
{
    const bioft_victim *v = s->l->v;
    const uint32_t top = place(u[TOP], v->height - s->side), left = place(u[LEFT], v->width - s->side);

    for (uint32_t c = 0; c < v->channels; c++) {
        const float change = 2.0f * (float)s->epsilon * sign_of(u[SIGNS + c]);
        for (uint32_t r = top; r < top + s->side; r++)
            for (uint32_t k = left; k < left + s->side; k++)
                x[((size_t)c * v->height + r) * v->width + k] += change;
    }
}

static bool inside(uint32_t r, uint32_t c, uint32_t top, uint32_t left, uint32_t side)
{
    return r >= top && r < top + side && c >= left && c < left + side;
}

/* L2, L1: the length that one square has goes into another, of a new shape. d: the change of one channel. */
static void move_length(const struct search *s, const float *u, float sign, double spare, float *d)
{
    const bioft_victim *v = s->l->v;
    const uint32_t side = s->side, w = v->width, top = place(u[TOP], v->height - side), left = place(u[LEFT], w - side),
                   top2 = place(u[OTHER_TOP], v->height - side), left2 = place(u[OTHER_LEFT], w - side);
    const bool l2 = s->a->norm == BIOFT_L2;
    double here = 0.0, both = 0.0, length = 0.0;

    for (uint32_t r = 0; r < v->height; r++)
        for (uint32_t k = 0; k < w; k++) {
            const bool first = inside(r, k, top, left, side), second = inside(r, k, top2, left2, side);
            const double size = l2 ? (double)d[r * w + k] * (double)d[r * w + k] : fabs((double)d[r * w + k]);
            here += first ? size : 0.0;
            both += first || second ? size : 0.0;
            if (second && !first)
                d[r * w + k] = 0.0f;
        }
    here = l2 ? sqrt(here) : here;
    for (uint32_t r = 0; r < side; r++)
        for (uint32_t k = 0; k < side; k++) {
            float *at = &d[(top + r) * w + left + k];
            *at = sign * bump_at(s, side, u[TURNED] > 0.5f, r, k) + (float)((double)*at / (1e-12 + here));
            length += l2 ? (double)*at * (double)*at : fabs((double)*at);
        }
    length = l2 ? sqrt(length) : length;
    const double channels = (double)v->channels,
                 wanted = l2 ? sqrt(spare / channels + both) : (spare / channels + both) * channels;
    for (uint32_t r = 0; r < side; r++)
        for (uint32_t k = 0; k < side; k++)
            d[(top + r) * w + left + k] *= (float)(wanted / (1e-12 + length));
}

static void change_bump(const struct search *s, const float *u, const float *clean, float *x)
{
    const bioft_victim *v = s->l->v;
    const size_t pixels = s->l->pixels, plane = (size_t)v->height * v->width;
    const double length = ball_distance(s->a->norm, pixels, x, clean);
    double spare = s->a->norm == BIOFT_L2 ? s->epsilon * s->epsilon - length * length : s->epsilon - length;

    spare = spare > 0.0 ? spare : 0.0;
    for (size_t k = 0; k < pixels; k++)
        x[k] -= clean[k];
    for (uint32_t c = 0; c < v->channels; c++)
        move_length(s, u, sign_of(u[SIGNS + c]), spare, x + c * plane);
    const double scale = s->a->norm == BIOFT_L2 ? s->epsilon / (ball_length(BIOFT_L2, pixels, x) + 1e-12) : 1.0;
    for (size_t k = 0; k < pixels; k++)
        x[k] = (float)((double)clean[k] + scale * (double)x[k]);
}

static void change_one(void *ctx, size_t j, uint32_t thread)
{
    struct search *s = ctx;
    struct left *l = s->l;
    float *u = s->random + j * s->numbers, *x = left_x(l, j);
    const size_t drawn = SIGNS + (size_t)l->v->channels;

    (void)thread;
    l->fooled[j] = l->host->random(l->host, BIOFT_UNIFORM, "square", left_sample(l, j), (uint64_t)s->query * drawn, u,
                                   drawn) != BIOFT_OK;
    memcpy(x, s->best + l->image[j] * l->pixels, sizeof(float) * l->pixels);
    if (s->a->norm == BIOFT_LINF)
        change_square(s, u, x);
    else
        change_bump(s, u, left_clean(l, j), x);
    ball_project(s->a->norm, l->pixels, left_clean(l, j), s->epsilon, x);
}

/* What the network says to the candidates; the better ones are kept. */
static bioft_status ask(struct search *s, uint64_t asked, bool first)
{
    struct left *l = s->l;
    const int targeted = l->clean->target != NULL;

    for (uint32_t j = 0; j < l->n; j++)
        if (l->fooled[j])
            return l->host->fail(l->host, BIOFT_ERR_INVALID, "no random numbers for a search");
    bioft_status st = left_forward(l);
    for (uint32_t j = 0; st == BIOFT_OK && j < l->n; j++) {
        const uint32_t i = l->image[j];
        const float value = (float)loss_value(s->a->loss, l->outputs, l->out + (size_t)j * l->outputs,
                                              l->clean->label[i], targeted ? l->clean->target[i] : 0, targeted, NULL);
        if (first || value > s->value[i]) {
            s->value[i] = value;
            memcpy(s->best + i * l->pixels, left_x(l, j), sizeof(float) * l->pixels);
        }
        l->objective[j] = value;
    }
    if (st == BIOFT_OK)
        st = left_trace(l, asked);
    if (st != BIOFT_OK)
        return st;
    left_judge(l);
    return left_drop(l, s->a->part);
}

bioft_status square_run(const struct square *a, struct left *l, double epsilon)
{
    struct search s = { .l = l, .epsilon = epsilon };
    bioft_status st = take(&s, a, l->host, l->v);

    if (st != BIOFT_OK || l->n == 0)
        return st;
    if (a->norm != BIOFT_LINF)
        make_bump(&s, tile_side(l->v));
    left_each(l, begin_one, &s);
    st = ask(&s, 0, true);
    for (; st == BIOFT_OK && l->n > 0 && s.query < a->queries; s.query++) {
        const uint32_t side = side_of(&s);
        if (a->norm != BIOFT_LINF && side != s.side)
            make_bump(&s, side);
        s.side = side;
        left_each(l, change_one, &s);
        st = ask(&s, (uint64_t)s.query + 1, false);
    }
    return st;
}
