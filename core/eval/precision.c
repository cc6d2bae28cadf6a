/* Average precision at k under ties. Items at one distance are visited in a random order, all
 * orders alike; a query's groups are walked by distance with N items and R relevant ones behind
 * them and S, the expected sum of precisions at the ranks of relevant items. */
#include "eval/precision.h"

#include <math.h>
#include <stdbool.h>

struct walk {
    double n, r, s; /* N, R, S */
};

/* What the first c of a group add to S where each order of it is alike and t of those c are
 * relevant: the item at place j is relevant with t/c, and has R + 1 + (j-1)(t-1)/(c-1) relevant
 * items up to it. */
static double group_sum(const struct walk *w, double c, double t, const double *harmonic)
{
    const double a = harmonic[(size_t)(w->n + c)] - harmonic[(size_t)w->n];
    const double b = c - (w->n + 1.0) * a;
    const double pairs = c > 1.0 ? t * (t - 1.0) / (c * (c - 1.0)) : 0.0;
    return t / c * (w->r + 1.0) * a + pairs * b;
}

/* The same without t: the group has n items, m of them relevant, and any c of it come first. */
static double group_mean(const struct walk *w, double n, double m, double c, const double *harmonic)
{
    const double a = harmonic[(size_t)(w->n + c)] - harmonic[(size_t)w->n];
    const double b = c - (w->n + 1.0) * a;
    const double pairs = n > 1.0 ? m * (m - 1.0) / (n * (n - 1.0)) : 0.0;
    return m / n * (w->r + 1.0) * a + pairs * b;
}

/* The expectation of (S + sum) / (R + t) over t, the relevant among the c that the cut leaves:
 * hypergeometric. Its weights grow from the mode by their ratios, so nothing has to be a logarithm,
 * until they no longer count. */
static double cut_mean(const struct walk *w, double n, double m, double c, const double *harmonic)
{
    const double low = c > n - m ? c - (n - m) : 0.0, high = m < c ? m : c;
    const double mode = fmin(fmax(floor((c + 1.0) * (m + 1.0) / (n + 2.0)), low), high);
    double weights = 0.0, sum = 0.0;

    for (int up = 0; up < 2; up++) {
        double weight = 1.0, t = mode;
        if (up) {
            weight = (m - t) * (c - t) / ((t + 1.0) * (n - m - c + t + 1.0));
            t += 1.0;
        }
        while (t >= low && t <= high && weight > 1e-20) {
            if (w->r + t > 0.0)
                sum += weight * (w->s + group_sum(w, c, t, harmonic)) / (w->r + t);
            weights += weight;
            weight *= up ? (m - t) * (c - t) / ((t + 1.0) * (n - m - c + t + 1.0))
                         : t * (n - m - c + t) / ((m - t + 1.0) * (c - t + 1.0));
            t += up ? 1.0 : -1.0;
        }
    }
    return sum / weights;
}

static double total_relevant(const struct tie_groups *g)
{
    double total = 0.0;
    for (size_t d = 0; d < g->levels; d++)
        total += g->relevant[d];
    return total;
}

static void divide(struct average_precision *ret, double sum, double hits, double relevant, double k)
{
    ret->by[DIVIDE_BY_HITS] = hits > 0.0 ? sum / hits : 0.0;
    ret->by[DIVIDE_BY_RELEVANT] = relevant > 0.0 ? sum / fmin(relevant, k) : 0.0;
    ret->by[DIVIDE_BY_K] = k > 0.0 ? sum / k : 0.0;
    ret->hits = hits;
}

void precision_expected(const struct tie_groups *g, uint64_t k, const double *harmonic, struct average_precision *ret)
{
    struct walk w = { 0 };
    double by_hits = -1.0; /* where a group is cut */

    for (size_t d = 0; d < g->levels && w.n < (double)k; d++) {
        const double n = g->count[d], m = g->relevant[d], c = fmin(n, (double)k - w.n);
        if (n == 0.0)
            continue;
        if (c < n)
            by_hits = cut_mean(&w, n, m, c, harmonic);
        w.s += group_mean(&w, n, m, c, harmonic);
        w.r += m * (c / n);
        w.n += c;
    }
    divide(ret, w.s, w.r, total_relevant(g), w.n);
    if (by_hits >= 0.0)
        ret->by[DIVIDE_BY_HITS] = by_hits;
}

/* Relevant items at ranks first + 1, first + 2, ..., `count` of them: the j-th has precision
 * (R + j) / (first + j). */
static double run_sum(double r, double first, double count, const double *harmonic)
{
    return count + (r - first) * (harmonic[(size_t)(first + count)] - harmonic[(size_t)first]);
}

static void one_order(const struct tie_groups *g, uint64_t k, const double *harmonic, bool last,
                      struct average_precision *ret)
{
    struct walk w = { 0 };

    for (size_t d = 0; d < g->levels && w.n < (double)k; d++) {
        const double n = g->count[d], m = g->relevant[d], c = fmin(n, (double)k - w.n);
        const double before = last ? fmin(n - m, c) : 0.0, hits = fmin(m, c - before);
        w.s += run_sum(w.r, w.n + before, hits, harmonic);
        w.r += hits;
        w.n += c;
    }
    divide(ret, w.s, w.r, total_relevant(g), w.n);
}

void precision_relevant_first(const struct tie_groups *g, uint64_t k, const double *harmonic,
                              struct average_precision *ret)
{
    one_order(g, k, harmonic, false, ret);
}

void precision_relevant_last(const struct tie_groups *g, uint64_t k, const double *harmonic,
                             struct average_precision *ret)
{
    one_order(g, k, harmonic, true, ret);
}

void precision_ordered(const uint64_t *ranks, uint64_t k, uint64_t relevant, struct average_precision *ret)
{
    double sum = 0.0, hits = 0.0;

    for (uint64_t first = 0; first < k; first += 64) {
        uint64_t word = ranks[first / 64];
        if (k - first < 64)
            word &= (UINT64_C(1) << (k - first)) - 1;
        for (; word; word &= word - 1) {
            hits += 1.0;
            sum += hits / (double)(first + (unsigned)__builtin_ctzll(word) + 1);
        }
    }
    divide(ret, sum, hits, (double)relevant, (double)k);
}
