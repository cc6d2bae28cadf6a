/* Paired comparisons of networks and rules, and Holm's correction. */
#include "eval/compare.h"

#include "base/memory.h"
#include <math.h>
#include <stdlib.h>

enum { DRAWS = 4999 };

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
        tail +=
            exp(log_factorial(n) - log_factorial(i) - log_factorial(n - i) - (double)n * log(2.0));
    return 2.0 * tail < 1.0 ? 2.0 * tail : 1.0;
}

struct interval compare_newcombe(uint64_t both, uint64_t only_a, uint64_t only_b, uint64_t neither)
{
    const uint64_t n = both + only_a + only_b + neither;
    if (n == 0)
        return (struct interval){ -1.0, 1.0 };
    const double e = (double)both, f = (double)only_a, g = (double)only_b, h = (double)neither,
                 count = (double)n;
    const double a = (e + f) / count, b = (e + g) / count, difference = (f - g) / count;
    const struct interval wa = interval_wilson(both + only_a, n),
                          wb = interval_wilson(both + only_b, n);
    const double below_a = a - wa.low, above_a = wa.high - a, below_b = b - wb.low,
                 above_b = wb.high - b;
    const double product = (e + f) * (g + h) * (e + g) * (f + h);
    double phi = e * h - f * g;
    if (phi > 0.0)
        phi = fmax(phi - count / 2.0, 0.0);
    phi = product > 0.0 ? phi / sqrt(product) : 0.0;
    return (struct interval){
        difference - sqrt(below_a * below_a - 2.0 * phi * below_a * above_b + above_b * above_b),
        difference + sqrt(above_a * above_a - 2.0 * phi * above_a * below_b + below_b * below_b),
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
}

static bioft_status compare_means(const struct figure *a, const struct figure *b,
                                  struct comparison *ret, struct error *err)
{
    double *values = mem_array(a->n, sizeof *values), *means = mem_array(DRAWS, sizeof *means),
           sum = 0.0;
    size_t reached = 0;

    if (!values || !means) {
        free(values);
        free(means);
        return error_memory(err, "a paired bootstrap");
    }
    for (uint64_t i = 0; i < a->n; i++)
        sum += values[i] = a->predictions[i].score - b->predictions[i].score;
    ret->difference = sum / (double)a->n;
    ret->ci = interval_bootstrap_means(values, a->n, 0, means, DRAWS);
    /* Rounding must not part equal means. */
    for (size_t i = 0; i < DRAWS; i++)
        reached += fabs(means[i] - ret->difference) >= fabs(ret->difference) - 1e-12;
    ret->p = (double)(reached + 1) / (DRAWS + 1);
    free(values);
    free(means);
    return BIOFT_OK;
}

bioft_status compare_figures(const struct figure *a, const struct figure *b, struct comparison *ret,
                             bool *ret_paired, struct error *err)
{
    *ret_paired = a->predictions && b->predictions && a->n == b->n && a->n > 0;
    for (uint64_t i = 0; *ret_paired && i < a->n; i++)
        *ret_paired = a->predictions[i].sample == b->predictions[i].sample &&
                      a->predictions[i].label == b->predictions[i].label;
    if (!*ret_paired)
        return BIOFT_OK;
    ret->n = a->n;
    if (!figure_counts(a))
        return compare_means(a, b, ret, err);
    compare_counts(a, b, ret);
    return BIOFT_OK;
}

/* The continued fraction of the incomplete beta function (Lentz's way of summing it). */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1.0, d = 1.0 - (a + b) * x / (a + 1.0);

    d = 1.0 / (fabs(d) < tiny ? tiny : d);
    double value = d;
    for (int m = 1; m < 10000; m++) {
        const double even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m));
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0));
        const double terms[2] = { even, odd };
        double factor = 1.0;
        for (int k = 0; k < 2; k++) {
            d = 1.0 + terms[k] * d;
            d = 1.0 / (fabs(d) < tiny ? tiny : d);
            c = 1.0 + terms[k] / c;
            c = fabs(c) < tiny ? tiny : c;
            factor = c * d;
            value *= factor;
        }
        if (fabs(factor - 1.0) < 1e-16)
            break;
    }
    return value;
}

/* The regularised incomplete beta function I_x(a, b). */
static double beta_share(double a, double b, double x)
{
    int sign;
    if (x <= 0.0 || x >= 1.0)
        return x <= 0.0 ? 0.0 : 1.0;
    const double front = exp(lgamma_r(a + b, &sign) - lgamma_r(a, &sign) - lgamma_r(b, &sign) +
                             a * log(x) + b * log1p(-x));
    return x < (a + 1.0) / (a + b + 2.0) ? front * beta_fraction(a, b, x) / a
                                         : 1.0 - front * beta_fraction(b, a, 1.0 - x) / b;
}

double student_below(double t, uint64_t df)
{
    const double tail = 0.5 * beta_share((double)df / 2.0, 0.5, (double)df / ((double)df + t * t));
    return t > 0.0 ? 1.0 - tail : tail;
}

double student_quantile(double p, uint64_t df)
{
    double low = 0.0, high = 1.0;

    if (p < 0.5)
        return -student_quantile(1.0 - p, df);
    while (student_below(high, df) < p && high < 1e15)
        high *= 2.0;
    for (int i = 0; i < 200 && low < high; i++) {
        const double middle = low + (high - low) / 2.0;
        if (middle <= low || middle >= high)
            break;
        *(student_below(middle, df) < p ? &low : &high) = middle;
    }
    return high;
}

struct comparison compare_seeds(const double *values, uint64_t n)
{
    struct comparison ret = { .ci = { -INFINITY, INFINITY }, .p = 1.0, .n = n };
    double sum = 0.0, squares = 0.0;

    for (uint64_t i = 0; i < n; i++)
        sum += values[i];
    ret.difference = n ? sum / (double)n : 0.0;
    if (n < 2)
        return ret;
    for (uint64_t i = 0; i < n; i++)
        squares += (values[i] - ret.difference) * (values[i] - ret.difference);
    const double error = sqrt(squares / (double)(n - 1) / (double)n);
    const double half = student_quantile(0.975, n - 1) * error;
    ret.ci = (struct interval){ ret.difference - half, ret.difference + half };
    if (error > 0.0)
        ret.p = 2.0 * student_below(-fabs(ret.difference) / error, n - 1);
    else
        ret.p = ret.difference == 0.0 ? 1.0 : 0.0;
    return ret;
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
