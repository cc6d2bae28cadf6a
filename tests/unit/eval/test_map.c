/* Ranking: against exact fractions computed elsewhere, against a plain sort, and for any kernels
 * and threads alike. */
#include "retrieval.h"

#include "golden_map.h"

static void compute(const struct codes *q, const struct codes *db, uint64_t k, const struct hamming *kernels,
                    unsigned threads, struct map_result *ret)
{
    struct error err = { 0 };
    struct pool *pool = NULL;

    if (threads)
        OK(pool_create(threads, &pool, &err), err);
    OK(map_compute(
           &(struct map_params){ .query = q, .database = db, .k = k, .stable = true, .pool = pool, .kernels = kernels },
           ret, &err),
       err);
    pool_destroy(pool);
}

static struct codes given_codes(uint64_t n, uint32_t bits, uint32_t classes, const uint64_t *codes,
                                const uint64_t *labels)
{
    struct codes c;
    struct error err = { 0 };

    OK(codes_create(n, bits, classes, &c, &err), err);
    memcpy(c.codes, codes, n * c.words * sizeof *codes);
    memcpy(c.labels, labels, n * c.label_words * sizeof *labels);
    return c;
}

static void agrees_with_fractions(const struct hamming *kernels)
{
    for (size_t i = 0; i < COUNT(golden_tasks); i++) {
        const uint64_t n = golden_tasks[i].queries, k = golden_tasks[i].k;
        const uint32_t bits = golden_tasks[i].bits, classes = golden_tasks[i].classes;
        struct codes q = given_codes(n, bits, classes, golden_tasks[i].query_codes, golden_tasks[i].query_labels);
        struct codes db = given_codes(golden_tasks[i].database, bits, classes, golden_tasks[i].database_codes,
                                      golden_tasks[i].database_labels);
        struct map_result r;
        compute(&q, &db, k, kernels, 0, &r);
        for (uint64_t j = 0; j < n; j++) {
            const double *v = golden_tasks[i].values + 8 * j;
            assert_close(&r.queries[j].ties[TIES_EXPECTED], &(struct average_precision){ { v[0], v[1], v[2] }, v[3] },
                         1e-13, "expected");
            assert_close(&r.queries[j].ties[TIES_STABLE], &(struct average_precision){ { v[4], v[5], v[6] }, v[7] },
                         1e-15, "stable");
        }
        map_free(&r);
        codes_free(&q);
        codes_free(&db);
    }
}

static void golden_tasks_agree(void **state)
{
    (void)state;
    agrees_with_fractions(hamming_portable());
    agrees_with_fractions(NULL);
}

/* The ranking of one query by distance and place, everything from it by the definitions. */
static void check_query(const struct codes *q, const struct codes *db, uint64_t i, const struct map_result *r)
{
    bool *ranking = malloc(db->n * sizeof *ranking);
    struct average_precision want;
    uint64_t rank = 0, relevant = 0;

    assert_non_null(ranking);
    for (uint32_t d = 0; d <= q->bits; d++)
        for (uint64_t j = 0; j < db->n; j++)
            if (slow_distance(q, i, db, j) == d)
                relevant += ranking[rank++] = slow_relevant(q, i, db, j);
    assert_true(rank == db->n && r->queries[i].relevant == relevant);
    slow_precision(ranking, db->n, r->k, &want);
    assert_close(&r->queries[i].ties[TIES_STABLE], &want, 1e-15, "stable");
    free(ranking);
}

static void check_radii(const struct codes *q, const struct codes *db, const struct map_result *r)
{
    for (uint32_t d = 0; d <= q->bits; d++) {
        double precision = 0.0, recall = 0.0;
        for (uint64_t i = 0; i < q->n; i++) {
            double items = 0.0, hits = 0.0, all = 0.0;
            for (uint64_t j = 0; j < db->n; j++) {
                const bool in = slow_distance(q, i, db, j) <= d, relevant = slow_relevant(q, i, db, j);
                items += in;
                hits += in && relevant;
                all += relevant;
            }
            precision += items > 0.0 ? hits / items / (double)q->n : 0.0;
            recall += all > 0.0 ? hits / all / (double)q->n : 0.0;
        }
        assert_true(fabs(r->radii[d].precision - precision) < 1e-12);
        assert_true(fabs(r->radii[d].recall - recall) < 1e-12);
    }
}

/* More than one tile and more than one piece; the last ones partly full. */
static void agrees_with_a_plain_sort(void **state)
{
    static const struct {
        uint32_t bits, free_bits, classes;
        uint64_t k;
    } cases[] = { { 8, 8, 3, 0 }, { 12, 5, 21, 128 }, { 96, 9, 70, 2500 }, { 10, 0, 5, 2049 } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct codes q = random_codes(i + 1, 19, cases[i].bits, cases[i].free_bits, cases[i].classes);
        struct codes db = random_codes(i + 51, 4333, cases[i].bits, cases[i].free_bits, cases[i].classes);
        struct map_result r;
        compute(&q, &db, cases[i].k, NULL, 2, &r);
        assert_true(r.n == 19 && r.k == (cases[i].k ? cases[i].k : 4333) && r.bits == cases[i].bits);
        for (uint64_t j = 0; j < q.n; j++)
            check_query(&q, &db, j, &r);
        if (i < 2)
            check_radii(&q, &db, &r);
        map_free(&r);
        codes_free(&q);
        codes_free(&db);
    }
}

/* An order drawn at random is right on average: many shuffles of the database against the
 * expectation. */
static void expectation_is_the_mean_of_shuffles(void **state)
{
    enum { SHUFFLES = 400, N = 500 };
    struct codes q = random_codes(3, 6, 16, 4, 4), db = random_codes(4, N, 16, 4, 4);
    double sum[6][MAP_DIVISORS] = { { 0 } };
    uint64_t seed = 9;
    struct map_result r;

    (void)state;
    for (int s = 0; s < SHUFFLES; s++) {
        for (uint64_t i = N - 1; i > 0; i--) {
            const uint64_t j = draw(&seed) % (i + 1), code = db.codes[i], label = db.labels[i];
            db.codes[i] = db.codes[j];
            db.codes[j] = code;
            db.labels[i] = db.labels[j];
            db.labels[j] = label;
        }
        compute(&q, &db, 77, NULL, 0, &r);
        for (size_t i = 0; i < 6; i++)
            for (int d = 0; d < MAP_DIVISORS; d++)
                sum[i][d] += r.queries[i].ties[TIES_STABLE].by[d] / SHUFFLES;
        if (s + 1 < SHUFFLES)
            map_free(&r);
    }
    for (size_t i = 0; i < 6; i++)
        for (int d = 0; d < MAP_DIVISORS; d++)
            if (!(fabs(sum[i][d] - r.queries[i].ties[TIES_EXPECTED].by[d]) < 0.015))
                fail_msg("query %zu, divisor %d: %g, not %g", i, d, sum[i][d], r.queries[i].ties[TIES_EXPECTED].by[d]);
    map_free(&r);
    codes_free(&q);
    codes_free(&db);
}

static void nothing_depends_on_threads_or_kernels(void **state)
{
    (void)state;
    for (uint32_t bits = 8; bits <= 512; bits += bits < 64 ? 8 : 64) {
        struct codes q = random_codes(bits, 50, bits, bits, 80), db = random_codes(bits + 1, 3000, bits, bits, 80);
        struct map_result first, r;
        compute(&q, &db, 500, hamming_portable(), 0, &first);
        for (unsigned threads = 1; threads <= 5; threads += 2) {
            compute(&q, &db, 500, NULL, threads, &r);
            assert_memory_equal(r.queries, first.queries, r.n * sizeof *r.queries);
            assert_memory_equal(r.radii, first.radii, (bits + 1) * sizeof *r.radii);
            map_free(&r);
        }
        map_free(&first);
        codes_free(&q);
        codes_free(&db);
    }
}

/* Three queries by hand: the second shares no label with anything. Distances to query 0: 0 1 1 4;
 * relevant: all but the first. Expected at k = 2: rank 1 is the first item, rank 2 one of two
 * relevant ones. */
static void means_by_hand(void **state)
{
    const uint64_t query_codes[] = { 0, 0, 15 }, query_labels[] = { 1, 8, 2 };
    const uint64_t codes[] = { 0, 1, 2, 15 }, labels[] = { 4, 1, 1, 3 };
    struct codes q = given_codes(3, 4, 4, query_codes, query_labels), db = given_codes(4, 4, 4, codes, labels);
    struct map_result r;

    (void)state;
    compute(&q, &db, 2, NULL, 0, &r);
    assert_true(r.without == 1);
    assert_true(r.queries[0].ties[TIES_EXPECTED].by[DIVIDE_BY_HITS] == 0.5);
    assert_true(r.queries[0].ties[TIES_EXPECTED].by[DIVIDE_BY_RELEVANT] == 0.25);
    assert_true(r.queries[2].ties[TIES_EXPECTED].by[DIVIDE_BY_RELEVANT] == 1.0);
    assert_true(r.queries[2].ties[TIES_EXPECTED].by[DIVIDE_BY_K] == 0.5);
    assert_true(map_mean(&r, TIES_EXPECTED, DIVIDE_BY_HITS, false) == 0.5);
    assert_true(map_mean(&r, TIES_EXPECTED, DIVIDE_BY_HITS, true) == 0.75);
    assert_true(fabs(map_precision(&r, TIES_STABLE) - 1.0 / 3.0) < 1e-15);
    assert_true(fabs(map_recall(&r, TIES_STABLE) - (1.0 / 3.0 + 1.0) / 3.0) < 1e-15);
    assert_true(fabs(r.radii[0].precision - 1.0 / 3.0) < 1e-15 && fabs(r.radii[4].recall - 2.0 / 3.0) < 1e-15);
    map_free(&r);
    map_free(&r);
    codes_free(&q);
    codes_free(&db);
}

static void without_the_second_pass_the_rest_is_the_same(void **state)
{
    struct codes q = random_codes(1, 20, 32, 6, 9), db = random_codes(2, 700, 32, 6, 9);
    struct map_result both, one;
    struct error err = { 0 };

    (void)state;
    compute(&q, &db, 50, NULL, 0, &both);
    OK(map_compute(&(struct map_params){ .query = &q, .database = &db, .k = 50 }, &one, &err), err);
    for (uint64_t i = 0; i < q.n; i++) {
        assert_memory_equal(&one.queries[i].ties[TIES_EXPECTED], &both.queries[i].ties[TIES_EXPECTED],
                            sizeof(struct average_precision));
        assert_true(one.queries[i].ties[TIES_STABLE].by[DIVIDE_BY_HITS] == 0.0);
    }
    map_free(&both);
    map_free(&one);
    codes_free(&q);
    codes_free(&db);
}

static void refuse(const struct codes *q, const struct codes *db, const char *says)
{
    struct map_result r = { 0 };
    struct error err = { 0 };

    assert_int_equal(map_compute(&(struct map_params){ .query = q, .database = db, .k = 5 }, &r, &err),
                     BIOFT_ERR_INVALID);
    assert_non_null(strstr(err.text, says));
    assert_null(r.queries);
}

static void what_does_not_fit_is_refused(void **state)
{
    struct codes q = random_codes(1, 3, 32, 32, 5), bits = random_codes(1, 3, 31, 31, 5);
    struct codes classes = random_codes(1, 3, 32, 32, 6), none = random_codes(1, 0, 32, 32, 5);

    (void)state;
    refuse(&q, &bits, "codes of 31 bits cannot be ranked for queries of 32");
    refuse(&q, &classes, "labels of 6 classes, the queries of 5");
    refuse(&none, &q, "no queries");
    refuse(&q, &none, "no database");
    codes_free(&q);
    codes_free(&bits);
    codes_free(&classes);
    codes_free(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_tasks_agree),
        cmocka_unit_test(agrees_with_a_plain_sort),
        cmocka_unit_test(expectation_is_the_mean_of_shuffles),
        cmocka_unit_test(nothing_depends_on_threads_or_kernels),
        cmocka_unit_test(means_by_hand),
        cmocka_unit_test(without_the_second_pass_the_rest_is_the_same),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
