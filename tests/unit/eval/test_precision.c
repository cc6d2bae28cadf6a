/* Average precision under ties against all orders of the database, each evaluated by the
 * definition. */
#include "retrieval.h"

enum { MOST = 7, LEVELS = 5 };

struct items { /* a database as one query sees it */
    uint32_t distance[MOST];
    bool relevant[MOST];
    size_t n;
};
struct orders {                                /* over all permutations */
    struct average_precision sum, least, most; /* least, most: of the sums of precisions and of hits */
    double count;
};

/* A stable sort of the items taken in the given order. */
static void evaluate(const struct items *t, const size_t *order, uint64_t k, struct average_precision *ret)
{
    bool ranking[MOST];
    size_t rank = 0;

    for (uint32_t d = 0; d < LEVELS; d++)
        for (size_t i = 0; i < t->n; i++)
            if (t->distance[order[i]] == d)
                ranking[rank++] = t->relevant[order[i]];
    slow_precision(ranking, t->n, k, ret);
}

static void permute(const struct items *t, size_t *order, size_t fixed, uint64_t k, struct orders *ret)
{
    struct average_precision ap;

    if (fixed < t->n) {
        for (size_t i = fixed; i < t->n; i++) {
            const size_t a = order[fixed], b = order[i];
            order[fixed] = b;
            order[i] = a;
            permute(t, order, fixed + 1, k, ret);
            order[fixed] = a;
            order[i] = b;
        }
        return;
    }
    evaluate(t, order, k, &ap);
    for (int d = 0; d < MAP_DIVISORS; d++) {
        ret->sum.by[d] += ap.by[d];
        ret->least.by[d] = fmin(ret->least.by[d], ap.by[d]);
        ret->most.by[d] = fmax(ret->most.by[d], ap.by[d]);
    }
    ret->sum.hits += ap.hits;
    ret->least.hits = fmin(ret->least.hits, ap.hits);
    ret->most.hits = fmax(ret->most.hits, ap.hits);
    ret->count += 1.0;
}

static void count_groups(const struct items *t, uint32_t count[LEVELS], uint32_t relevant[LEVELS])
{
    memset(count, 0, LEVELS * sizeof *count);
    memset(relevant, 0, LEVELS * sizeof *relevant);
    for (size_t i = 0; i < t->n; i++) {
        count[t->distance[i]]++;
        relevant[t->distance[i]] += t->relevant[i];
    }
}

/* With relevant items first the ranking has the most hits and the largest sum of precisions, which
 * the divisors that do not depend on the order keep in place; and so for the least. */
static void check_bounds(const struct tie_groups *g, uint64_t k, const double *harmonic, const struct orders *all)
{
    struct average_precision first, last;

    precision_relevant_first(g, k, harmonic, &first);
    precision_relevant_last(g, k, harmonic, &last);
    for (int d = DIVIDE_BY_RELEVANT; d <= DIVIDE_BY_K; d++) {
        assert_true(fabs(first.by[d] - all->most.by[d]) < 1e-14);
        assert_true(fabs(last.by[d] - all->least.by[d]) < 1e-14);
    }
    assert_true(first.hits == all->most.hits && last.hits == all->least.hits);
}

static void check_items(const struct items *t, uint64_t k)
{
    static const double harmonic[MOST + 1] = { 0, 1, 3.0 / 2, 11.0 / 6, 25.0 / 12, 137.0 / 60, 49.0 / 20, 363.0 / 140 };
    struct orders all = { .least = { { 2, 2, 2 }, MOST } };
    size_t order[MOST] = { 0, 1, 2, 3, 4, 5, 6 };
    uint32_t count[LEVELS], relevant[LEVELS];
    const struct tie_groups g = { count, relevant, LEVELS };
    struct average_precision got;

    count_groups(t, count, relevant);
    permute(t, order, 0, k, &all);
    for (int d = 0; d < MAP_DIVISORS; d++)
        all.sum.by[d] /= all.count;
    all.sum.hits /= all.count;
    k = k < t->n ? k : t->n;
    precision_expected(&g, k, harmonic, &got);
    assert_close(&got, &all.sum, 1e-13, "expected");
    check_bounds(&g, k, harmonic, &all);
}

static void agrees_with_all_orders(void **state)
{
    uint64_t seed = 11;

    (void)state;
    for (int round = 0; round < 60; round++) {
        struct items t = { .n = round < 20 ? 1 + draw(&seed) % 4 : round < 55 ? 5 + draw(&seed) % 2 : MOST };
        const uint32_t levels = 1 + draw(&seed) % 3, step = 1 + draw(&seed) % 2;
        for (size_t i = 0; i < t.n; i++) {
            t.distance[i] = draw(&seed) % levels * step;
            t.relevant[i] = draw(&seed) % 3 < 1 + (uint32_t)round % 2;
        }
        for (uint64_t k = 1; k <= t.n + 1; k++)
            check_items(&t, k);
    }
}

static void all_or_nothing_relevant(void **state)
{
    struct items t = { .n = 6, .distance = { 0, 0, 0, 2, 2, 2 } };

    (void)state;
    for (uint64_t k = 1; k <= 6; k++)
        check_items(&t, k);
    for (size_t i = 0; i < t.n; i++)
        t.relevant[i] = true;
    for (uint64_t k = 1; k <= 6; k++)
        check_items(&t, k);
}

/* One tie of a million items, every tenth relevant, cut at 1,000. Rank r has precision
 * (1 + (r-1) p) / r where it is relevant, p being the chance that another of the first k is; which
 * is (M-1)/(N-1), or (t-1)/(k-1) where t are known to be relevant. The mean of that over t is a
 * straight line in t, whose mean is k M / N; that t is 0 has no chance to speak of. */
static void large_ties_stay_exact(void **state)
{
    enum { N = 1000000, M = 100000, K = 1000 };
    const uint32_t count[] = { N }, relevant[] = { M };
    const struct tie_groups g = { count, relevant, 1 };
    double *harmonic = calloc(K + 1, sizeof *harmonic), want = 0.0, by_hits = 0.0;
    struct average_precision got;

    (void)state;
    assert_non_null(harmonic);
    for (size_t r = 1; r <= K; r++) {
        harmonic[r] = harmonic[r - 1] + 1.0 / (double)r;
        want += (1.0 + (double)(r - 1) * (M - 1) / (N - 1)) / (double)r / K;
        by_hits += (1.0 + (double)(r - 1) * (K / 10.0 - 1.0) / (K - 1)) / (double)r / K;
    }
    precision_expected(&g, K, harmonic, &got);
    assert_true(fabs(got.by[DIVIDE_BY_RELEVANT] - want * M / N) < 1e-13);
    assert_true(fabs(got.by[DIVIDE_BY_K] - want * M / N) < 1e-13);
    assert_true(fabs(got.by[DIVIDE_BY_HITS] - by_hits) < 1e-13);
    assert_true(fabs(got.hits - K / 10.0) < 1e-9);
    free(harmonic);
}

static void ordered_is_the_definition(void **state)
{
    uint64_t seed = 5;

    (void)state;
    for (size_t n = 1; n < 200; n += 7) {
        struct average_precision got, want;
        uint64_t ranks[4] = { 0 }, all = 0;
        bool relevant[200];
        for (size_t r = 0; r < n; r++) {
            relevant[r] = draw(&seed) % 3 == 0;
            ranks[r / 64] |= (uint64_t)relevant[r] << r % 64;
            all += relevant[r];
        }
        for (uint64_t k = 1; k <= n; k++) {
            precision_ordered(ranks, k, all, &got);
            slow_precision(relevant, n, k, &want);
            assert_close(&got, &want, 0.0, "ordered");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_all_orders),
        cmocka_unit_test(all_or_nothing_relevant),
        cmocka_unit_test(large_ties_stay_exact),
        cmocka_unit_test(ordered_is_the_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
