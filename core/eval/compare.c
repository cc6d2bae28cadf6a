/* Paired comparisons of networks and rules, and Holm's correction. */
#include "eval/compare.h"

#include "base/memory.h"
#include "eval/permutation.h"
#include <math.h>
#include <stdlib.h>

static double log_factorial(uint64_t n)
{
    int sign;
    return lgamma_r((double)n + 1.0, &sign);
}

double compare_mcnemar(uint64_t only_a, uint64_t only_b)
{
    const uint64_t n = only_a + only_b, least = only_a < only_b ? only_a : only_b;
    double tail = 0.0;

    for (uint64_t i = 0; i <= least; i++)
        tail += exp(log_factorial(n) - log_factorial(i) - log_factorial(n - i) - (double)n * log(2.0));
    return 2.0 * tail < 1.0 ? 2.0 * tail : 1.0;
}

struct interval compare_newcombe(uint64_t both, uint64_t only_a, uint64_t only_b, uint64_t neither)
{
    const uint64_t n = both + only_a + only_b + neither;
    if (n == 0)
        return (struct interval){ -1.0, 1.0 };
    const double e = (double)both, f = (double)only_a, g = (double)only_b, h = (double)neither, count = (double)n;
    const double a = (e + f) / count, b = (e + g) / count, difference = (f - g) / count;
    const struct interval wa = interval_wilson(both + only_a, n), wb = interval_wilson(both + only_b, n);
    const double below_a = a - wa.low, above_a = wa.high - a, below_b = b - wb.low, above_b = wb.high - b;
    const double product = (e + f) * (g + h) * (e + g) * (f + h);
    double phi = e * h - f * g;
    if (phi > 0.0)
        phi = fmax(phi - count / 2.0, 0.0);
    phi = product > 0.0 ? phi / sqrt(product) : 0.0;
    return (struct interval){
        fmax(-1.0, difference - sqrt(below_a * below_a - 2.0 * phi * below_a * above_b + above_b * above_b)),
        fmin(1.0, difference + sqrt(above_a * above_a - 2.0 * phi * above_a * below_b + below_b * below_b)),
    };
}

static void compare_counts(const struct figure *a, const struct figure *b, struct comparison *ret)
{
    uint64_t cells[2][2] = { { 0, 0 }, { 0, 0 } };

    for (uint64_t i = 0; i < a->n; i++)
        cells[a->predictions[i].score > 0.0][b->predictions[i].score > 0.0]++;
    ret->difference = ((double)cells[1][0] - (double)cells[0][1]) / (double)a->n;
    ret->ci = compare_newcombe(cells[1][1], cells[1][0], cells[0][1], cells[0][0]);
    ret->p = compare_mcnemar(cells[1][0], cells[0][1]);
    ret->counts = true;
    ret->spread = sqrt(
        fmax(0.0, (double)(cells[1][0] + cells[0][1]) / (double)a->n - ret->difference * ret->difference));
}

/* Differences of n samples by the permutation test. */
static bioft_status compare_values(const double *values, uint64_t n, struct comparison *ret, struct error *err)
{
    double sum = 0.0, squares = 0.0;

    for (uint64_t i = 0; i < n; i++)
        sum += values[i];
    ret->difference = sum / (double)n;
    for (uint64_t i = 0; i < n; i++)
        squares += (values[i] - ret->difference) * (values[i] - ret->difference);
    ret->spread = sqrt(squares / (double)n);
    ret->ci = interval_mean(values, n, -1.0, 1.0);
    return permutation_test(values, (size_t)n, &ret->p, err);
}

static bioft_status compare_means(const struct figure *a, const struct figure *b, struct comparison *ret,
                                  struct error *err)
{
    double *values = mem_array(a->n, sizeof *values);

    if (!values)
        return error_memory(err, "a paired test");
    for (uint64_t i = 0; i < a->n; i++)
        values[i] = a->predictions[i].score - b->predictions[i].score;
    bioft_status st = compare_values(values, a->n, ret, err);
    free(values);
    return st;
}

static bool same_samples(const struct figure *a, const struct figure *b)
{
    bool same = a->predictions && b->predictions && a->n == b->n && a->n > 0;
    for (uint64_t i = 0; same && i < a->n; i++)
        same = a->predictions[i].sample == b->predictions[i].sample &&
               a->predictions[i].label == b->predictions[i].label;
    return same;
}

bioft_status compare_figures(const struct figure *a, const struct figure *b, struct comparison *ret, bool *ret_paired,
                             struct error *err)
{
    *ret_paired = same_samples(a, b);
    if (!*ret_paired)
        return BIOFT_OK;
    *ret = (struct comparison){ .n = a->n, .images = a->n };
    if (!figure_counts(a))
        return compare_means(a, b, ret, err);
    compare_counts(a, b, ret);
    return BIOFT_OK;
}

struct comparison compare_seeds(const double *values, uint64_t n, double low, double high)
{
    struct comparison ret = { .ci = { low, high }, .p = 1.0, .n = n };
    double sum = 0.0, squares = 0.0, least = INFINITY, most = -INFINITY;

    for (uint64_t i = 0; i < n; i++) {
        sum += values[i];
        least = fmin(least, values[i]);
        most = fmax(most, values[i]);
    }
    ret.difference = n ? sum / (double)n : 0.0;
    if (n < 2)
        return ret;
    for (uint64_t i = 0; i < n; i++)
        squares += (values[i] - ret.difference) * (values[i] - ret.difference);
    const double error = sqrt(squares / (double)(n - 1) / (double)n);
    /* Equal but for rounding. */
    if (most - least <= 1e-12) {
        ret.alike = true;
        if (fabs(ret.difference) > 1e-12)
            ret.p = pow(2.0, 1.0 - (double)n);
        return ret;
    }
    const double half = student_quantile(0.975, n - 1) * error;
    ret.ci = (struct interval){ fmax(low, ret.difference - half), fmin(high, ret.difference + half) };
    ret.p = 2.0 * student_below(-fabs(ret.difference) / error, n - 1);
    return ret;
}

/* Each sample's mean difference over the pairs. */
static bioft_status compare_samples(const struct figure *const *a, const struct figure *const *b, size_t n,
                                    struct comparison *ret, struct error *err)
{
    double *values = mem_array(a[0]->n, sizeof *values);

    if (!values)
        return error_memory(err, "a paired test");
    for (size_t k = 0; k < n; k++)
        for (uint64_t i = 0; i < a[0]->n; i++)
            values[i] += (a[k]->predictions[i].score - b[k]->predictions[i].score) / (double)n;
    for (uint64_t i = 0; i < a[0]->n; i++) /* thirds of seeds that cancel leave rounding */
        values[i] = fabs(values[i]) < 1e-12 ? 0.0 : values[i];
    *ret = (struct comparison){ .n = n, .images = a[0]->n };
    bioft_status st = compare_values(values, a[0]->n, ret, err);
    free(values);
    return st;
}

bioft_status compare_networks(const struct figure *const *a, const struct figure *const *b, size_t n,
                              struct comparison *ret, bool *ret_paired, struct error *err)
{
    *ret_paired = n > 0;
    for (size_t i = 0; i < n; i++)
        *ret_paired = *ret_paired && same_samples(a[i], b[i]) && same_samples(a[0], a[i]);
    if (!*ret_paired)
        return BIOFT_OK;
    return n == 1 ? compare_figures(a[0], b[0], ret, ret_paired, err) : compare_samples(a, b, n, ret, err);
}

bioft_status compare_runs(const struct figure *const *a, const struct figure *const *b, size_t n,
                          struct comparison *ret, bool *ret_paired, struct error *err)
{
    double *values = mem_array(n, sizeof *values);
    struct comparison samples;
    bool same = true;
    bioft_status st = BIOFT_OK;

    if (!values)
        return error_memory(err, "a paired test");
    for (size_t i = 0; i < n; i++) {
        values[i] = a[i]->value - b[i]->value;
        same = same && same_samples(a[i], b[i]) && same_samples(a[0], a[i]);
    }
    *ret_paired = n > 1;
    if (n > 1)
        *ret = compare_seeds(values, n, -1.0, 1.0);
    free(values);
    if (n == 1)
        return compare_figures(a[0], b[0], ret, ret_paired, err);
    if (n == 0 || !same)
        return BIOFT_OK;
    st = compare_samples(a, b, n, &samples, err);
    ret->ci.low = ret->alike ? samples.ci.low : fmin(ret->ci.low, samples.ci.low);
    ret->ci.high = ret->alike ? samples.ci.high : fmax(ret->ci.high, samples.ci.high);
    ret->p = fmax(ret->p, samples.p);
    ret->images = samples.images;
    ret->spread = samples.spread;
    ret->counts = figure_counts(a[0]);
    return st;
}

struct ranked {
    double p;
    size_t place;
};

static int by_p(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->p != y->p)
        return (x->p > y->p) - (x->p < y->p);
    return (x->place > y->place) - (x->place < y->place);
}

bool compare_holm(double *p, size_t n)
{
    struct ranked *order = mem_array(n, sizeof *order);
    double largest = 0.0;

    if (!order)
        return false;
    for (size_t i = 0; i < n; i++)
        order[i] = (struct ranked){ p[i], i };
    qsort(order, n, sizeof *order, by_p);
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fmin(order[i].p * (double)(n - i), 1.0));
        p[order[i].place] = largest;
    }
    free(order);
    return true;
}

enum outcome compare_outcome(const struct comparison *c, double adjusted)
{
    const double rounding = 1e-12;

    if (adjusted < COMPARE_LEVEL && c->difference >= COMPARE_MARGIN - rounding)
        return OUTCOME_MORE;
    if (adjusted < COMPARE_LEVEL && c->difference <= -COMPARE_MARGIN + rounding)
        return OUTCOME_LESS;
    return c->ci.low >= -COMPARE_MARGIN && c->ci.high <= COMPARE_MARGIN ? OUTCOME_SAME : OUTCOME_UNDECIDED;
}

/* The quantile of the normal distribution above which lies `tail`, by bisection. */
static double normal_above(double tail)
{
    double low = 0.0, high = 40.0;

    for (int i = 0; i < 100; i++) {
        const double middle = (low + high) / 2.0;
        *(0.5 * erfc(middle / sqrt(2.0)) > tail ? &low : &high) = middle;
    }
    return high;
}

uint64_t compare_needed(const struct comparison *c, size_t family)
{
    const double most = 1e7, size = fabs(c->difference), square = c->spread * c->spread;
    double n;

    if (c->images == 0)
        return 0;
    if (size >= COMPARE_MARGIN) { /* until the test tells */
        const double z = normal_above(COMPARE_LEVEL / 2.0 / (double)(family ? family : 1));
        const double deviation = z * sqrt(square + size * size);
        const double root = deviation + sqrt(deviation * deviation + (c->counts ? 4.0 * size : 0.0));
        n = root * root / (4.0 * size * size);
    } else { /* until the interval is within the margin */
        const double z = normal_above(0.025), room = COMPARE_MARGIN - size;
        n = fmax(z * z * square / (room * room), z * z / room);
    }
    if (n > most || c->images >= most)
        return 0;
    return n > (double)c->images ? (uint64_t)ceil(n) : c->images + 1;
}
