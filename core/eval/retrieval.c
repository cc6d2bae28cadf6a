/* Queries ranked against a database. */
#include "eval/retrieval.h"

#include "eval/map.h"
#include <inttypes.h>

static const enum map_ties ties[] = { TIES_EXPECTED, TIES_STABLE };
enum { TIES = sizeof ties / sizeof *ties };

size_t retrieval_metrics(const struct trained *t) { return t->k_count * TIES; }

const char *retrieval_metric(const struct trained *t, size_t metric, struct arena *arena)
{
    return arena_printf(arena, "map@%" PRIu64 "%s", t->k[metric / TIES],
                        ties[metric % TIES] == TIES_STABLE ? "/stable" : "");
}

bioft_status retrieval_rank(const struct trained *t, const struct codes *queries, struct prediction *const *ret,
                            struct error *err)
{
    const struct codes *database;
    bioft_status st = codebook_get(t->codebook, "database", &database, err);

    for (size_t i = 0; st == BIOFT_OK && i < t->k_count; i++) {
        struct map_result map = { 0 };
        st = map_compute(
            &(struct map_params){
                .query = queries, .database = database, .k = t->k[i], .stable = true, .pool = t->pool },
            &map, err);
        for (size_t k = 0; st == BIOFT_OK && k < TIES; k++)
            for (uint64_t q = 0; q < map.n; q++)
                ret[i * TIES + k][q].score = map.queries[q].ties[ties[k]].by[DIVIDE_BY_HITS];
        map_free(&map);
    }
    return st;
}

bioft_status retrieval_precisions(const struct trained *t, const struct codes *queries, double *ret, struct error *err)
{
    const struct codes *database;
    struct map_result map = { 0 };
    bioft_status st = codebook_get(t->codebook, "database", &database, err);

    if (st == BIOFT_OK)
        st = map_compute(&(struct map_params){ .query = queries, .database = database, .k = t->k[0], .pool = t->pool },
                         &map, err);
    for (uint64_t q = 0; st == BIOFT_OK && q < map.n; q++)
        ret[q] = map.queries[q].ties[TIES_EXPECTED].by[DIVIDE_BY_HITS];
    map_free(&map);
    return st;
}
