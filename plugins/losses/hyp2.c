/* HyP2: codes near the proxies of their classes and far from all others, and pairs of samples that
 * share no class far from each other (Xu et al., "HyP2 Loss: Beyond Hypersphere Metric Space for
 * Multi-label Image Retrieval", ACM Multimedia 2022).
 *
 * For outputs x_i, label sets Y and trained proxies p_c:
 *   L = sum_{Y_ic = 1} (1 - cos(x_i, p_c)) / #{Y = 1}
 *     + sum_{Y_ic = 0} max(0, cos(x_i, p_c) - zeta) / #{Y = 0}
 *     + beta sum_{(i,j) in D} max(0, cos(x_i, x_j) - zeta) / #D
 * with D the ordered pairs of samples of several classes each that have none in common. Counts are
 * the whole batch's; a sum over nothing is 0. Outputs are codes' relaxations as they are, without
 * tanh; cos is of vectors divided by max(norm, 1e-12). */
#include "hyp2_threshold.h"

#include <bioft/loss.h>
#include <bioft/util.h>
#include <math.h>

typedef struct {
    double beta, zeta;
    uint32_t bits, classes;
    double margin; /* zeta as used */
    const bioft_host *host;
} hyp2;

static const double from_table = 2.0;

static const bioft_option options[] = {
    { .name = "beta",
      .type = BIOFT_F64,
      .offset = offsetof(hyp2, beta),
      .def = 0.5,
      .min = 0.0,
      .max = 1e6,
      .unit = "",
      .help = "weight of the pairs of samples with several labels" },
    { .name = "zeta",
      .type = BIOFT_F64,
      .offset = offsetof(hyp2, zeta),
      .def = 2.0,
      .min = -1.0,
      .max = 2.0,
      .unit = "cosine",
      .help = "up to this similarity others are let be; 2: the table's by bits and classes" },
};

/* The trained array, its gradient, and the proxies divided by their norms: [classes][bits]. */
struct proxies {
    float *value, *gradient, *unit;
};

static bioft_status find_margin(hyp2 *p)
{
    const uint32_t d = hyp2_distance(p->bits, p->classes);
    const uint32_t most = hyp2_griesmer(p->bits, p->classes);

    p->margin = p->zeta < from_table ? p->zeta : 1.0 - 2.0 * d / p->bits;
    if (p->zeta < from_table || d > 0)
        return BIOFT_OK;
    return bioft_failf(p->host, BIOFT_ERR_INVALID,
                       "its table has no threshold for %u bits and %u classes: give 'zeta', "
                       "1 - 2 d / bits of the best code's distance d; that is %.4g or a little more",
                       p->bits, p->classes, 1.0 - 2.0 * most / p->bits);
}

static bioft_status look_up(const hyp2 *p, struct proxies *ret)
{
    const size_t count = (size_t)p->classes * p->bits;
    void *work = NULL;
    bioft_status st = p->host->trainable(p->host, "proxies", count, 0, &ret->value, &ret->gradient);
    if (st == BIOFT_OK)
        st = p->host->scratch(p->host, "unit", sizeof(float) * count, &work);
    ret->unit = work;
    return st;
}

/* N(0, 2 / classes), as Kaiming's initialisation by the fan-out gives for [classes][bits]. */
static bioft_status attach(void *self, const bioft_task *task)
{
    hyp2 *p = self;
    struct proxies v;

    p->bits = task->outputs;
    p->classes = task->classes;
    bioft_status st = find_margin(p);
    if (st == BIOFT_OK)
        st = look_up(p, &v);
    const size_t count = (size_t)p->classes * p->bits;
    if (st == BIOFT_OK)
        st = p->host->random(p->host, BIOFT_NORMAL, "hyp2.proxies", 0, 0, v.value, count);
    const float deviation = sqrtf(2.0f / (float)p->classes);
    for (size_t i = 0; st == BIOFT_OK && i < count; i++)
        v.value[i] *= deviation;
    return st;
}

static int has(const bioft_batch *b, uint32_t i, uint32_t c)
{
    return b->labels[(size_t)i * b->label_words + c / 64] >> (c % 64) & 1;
}

/* Labels of sample i; *ret_shared: does it share one with sample j? */
static uint32_t count_labels(const bioft_batch *b, uint32_t i, uint32_t j, int *ret_shared)
{
    uint32_t count = 0;
    *ret_shared = 0;
    for (uint32_t c = 0; c < b->classes; c++) {
        count += has(b, i, c) != 0;
        *ret_shared |= has(b, i, c) && has(b, j, c);
    }
    return count;
}

static double dot(const float *a, const float *b, uint32_t n)
{
    double sum = 0.0;
    for (uint32_t k = 0; k < n; k++)
        sum += (double)a[k] * (double)b[k];
    return sum;
}

static double norm(const float *a, uint32_t n) { return fmax(sqrt(dot(a, a, n)), 1e-12); }

/* d += weight times the derivative of cos(a, b) by a; |b| = 1 after division by `b_norm`. */
static void add_cosine(const float *a, double a_norm, const float *b, double b_norm, double cosine, double weight,
                       uint32_t n, float *d)
{
    for (uint32_t k = 0; k < n; k++)
        d[k] += (float)(weight * ((double)b[k] / b_norm - cosine * (double)a[k] / a_norm) / a_norm);
}

/* One sample against all proxies; share: of one pair of a sample and a class, [1] of its own. */
static double near_and_far(const hyp2 *p, const struct proxies *v, const float *x, const bioft_batch *b, uint32_t i,
                           const double share[2], float *d_x)
{
    const double x_norm = norm(x, p->bits);
    double total = 0.0;

    for (uint32_t c = 0; c < p->classes; c++) {
        const size_t at = (size_t)c * p->bits;
        const double cosine = dot(x, v->unit + at, p->bits) / x_norm;
        const int own = has(b, i, c);
        if (!own && !(cosine > p->margin))
            continue;
        const double weight = own ? -share[1] : share[0];
        total += own ? share[1] * (1.0 - cosine) : share[0] * (cosine - p->margin);
        if (!d_x)
            continue;
        add_cosine(x, x_norm, v->unit + at, 1.0, cosine, weight, p->bits, d_x);
        add_cosine(v->value + at, norm(v->value + at, p->bits), x, x_norm, cosine, weight, p->bits, v->gradient + at);
    }
    return total;
}

/* Pairs of samples of several classes each, none in common; each stands twice among the ordered
 * ones. Returns the number of unordered ones; total: NULL to count alone. */
static uint64_t pairs(const hyp2 *p, const float *out, const bioft_batch *b, double weight, double *total, float *d_out)
{
    const uint32_t n = p->bits;
    uint64_t found = 0;

    for (uint32_t i = 0; i < b->n; i++)
        for (uint32_t j = i + 1; j < b->n; j++) {
            int shared, ignored;
            if (count_labels(b, i, j, &shared) < 2 || shared || count_labels(b, j, i, &ignored) < 2)
                continue;
            found++;
            if (!total)
                continue;
            const float *x = out + (size_t)i * n, *y = out + (size_t)j * n;
            const double x_norm = norm(x, n), y_norm = norm(y, n);
            const double cosine = dot(x, y, n) / x_norm / y_norm;
            if (!(cosine > p->margin))
                continue;
            *total += weight * (cosine - p->margin);
            if (!d_out)
                continue;
            add_cosine(x, x_norm, y, y_norm, cosine, weight, n, d_out + (size_t)i * n);
            add_cosine(y, y_norm, x, x_norm, cosine, weight, n, d_out + (size_t)j * n);
        }
    return found;
}

static void make_unit(const hyp2 *p, const struct proxies *v)
{
    for (uint32_t c = 0; c < p->classes; c++) {
        const size_t at = (size_t)c * p->bits;
        const double length = norm(v->value + at, p->bits);
        for (uint32_t k = 0; k < p->bits; k++)
            v->unit[at + k] = (float)((double)v->value[at + k] / length);
    }
}

static bioft_status value(void *self, const float *out, const bioft_batch *b, double *ret_value, float *ret_d_out)
{
    const hyp2 *p = self;
    struct proxies v;
    uint64_t ones = 0;
    double total = 0.0;

    bioft_status st = look_up(p, &v);
    if (st != BIOFT_OK)
        return st;
    make_unit(p, &v);
    for (uint32_t i = 0; i < b->n; i++)
        for (uint32_t c = 0; c < p->classes; c++)
            ones += has(b, i, c) != 0;
    const uint64_t zeros = (uint64_t)b->n * p->classes - ones;
    const double share[2] = { zeros ? 1.0 / (double)zeros : 0.0, ones ? 1.0 / (double)ones : 0.0 };
    for (uint32_t i = 0; i < b->n; i++) {
        const size_t at = (size_t)i * p->bits;
        for (uint32_t k = 0; ret_d_out && k < p->bits; k++)
            ret_d_out[at + k] = 0.0f;
        total += near_and_far(p, &v, out + at, b, i, share, ret_d_out ? ret_d_out + at : NULL);
    }
    const uint64_t found = pairs(p, out, b, 0.0, NULL, NULL);
    if (found > 0)
        pairs(p, out, b, p->beta / (double)found, &total, ret_d_out);
    *ret_value = total;
    return BIOFT_OK;
}

static const bioft_loss loss = {
    .struct_size = sizeof(loss),
    .flags = BIOFT_LOSS_CODES | BIOFT_LOSS_MULTI_LABEL,
    .attach = attach,
    .value = value,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_LOSS, "hyp2", "1.0", "bioft", "MIT"),
    .summary = "trained proxies of the classes and pairs without a class in common, for hash codes",
    .reference = "Xu et al., ACM Multimedia 2022",
    .instance_size = sizeof(hyp2),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(hyp2, host),
    .vtable = &loss,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
