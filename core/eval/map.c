/* Ranking a database for many queries. A few queries go through the database together, a tile of it
 * at a time, so that a tile is read from the cache; what they leave is a histogram of distances
 * each, from which everything follows. Only the database's own order inside ties needs the items
 * again, in a second pass, once the histogram has said at which rank each distance begins. */
#include "eval/map.h"

#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

/* PARTS: histograms side by side, so that equal distances in a row do not wait for each other. */
enum { TILE = 2048, QUERIES = 16, PARTS = 4 };

/* What one thread needs. */
struct work {
    uint16_t *marked, *near;    /* [TILE + HAMMING_SLACK] distances with the flag */
    uint64_t *columns;          /* [label_words][TILE] a tile's labels by word; one word: not used */
    uint32_t *parts;            /* [QUERIES][PARTS][2 * flag] items by distance and flag */
    uint32_t *count, *relevant; /* [QUERIES][bits + 1] */
    uint32_t *next;             /* [QUERIES][bits + 1] rank of the next item at a distance */
    uint64_t *ranks;            /* [QUERIES][rank_words] what stands there is relevant */
    uint16_t limit[QUERIES];    /* distance of the item of rank k - 1 */
};

struct ranking {
    const struct map_params *p;
    const struct hamming *kernels;
    struct map_result *result;
    double *harmonic;        /* [k + 1] */
    struct map_radius *sums; /* [pieces][bits + 1] over the piece's queries */
    struct work *work;       /* [threads] */
    size_t threads, levels, rank_words;
    uint16_t flag;
};

static void work_free(struct work *w)
{
    free(w->marked);
    free(w->near);
    free(w->columns);
    free(w->parts);
    free(w->count);
    free(w->relevant);
    free(w->next);
    free(w->ranks);
}

static bool work_create(const struct ranking *r, struct work *w)
{
    const size_t levels = r->levels * QUERIES;

    w->marked = mem_aligned(TILE + HAMMING_SLACK, sizeof *w->marked);
    w->near = mem_aligned(TILE + HAMMING_SLACK, sizeof *w->near);
    w->columns = mem_aligned((size_t)r->p->database->label_words * TILE, sizeof *w->columns);
    w->parts = mem_aligned((size_t)QUERIES * PARTS * 2 * r->flag, sizeof *w->parts);
    w->count = mem_aligned(levels, sizeof *w->count);
    w->relevant = mem_aligned(levels, sizeof *w->relevant);
    w->next = mem_aligned(r->p->stable ? levels : 0, sizeof *w->next);
    w->ranks = mem_aligned(r->p->stable ? r->rank_words * QUERIES : 0, sizeof *w->ranks);
    return w->marked && w->near && w->columns && w->parts && w->count && w->relevant && w->next && w->ranks;
}

/* Labels of a tile, one array a word: those are what the kernel reads. */
static const uint64_t *tile_columns(const struct codes *db, uint64_t first, size_t n, struct work *w)
{
    const uint64_t *labels = db->labels + first * db->label_words;

    if (db->label_words == 1)
        return labels;
    for (size_t i = 0; i < n; i++)
        for (uint32_t c = 0; c < db->label_words; c++)
            w->columns[(size_t)c * TILE + i] = *labels++;
    return w->columns;
}

/* Distances of a tile to a query, with the flag where a label is shared. */
static void mark_tile(const struct ranking *r, uint64_t query, uint64_t first, size_t n, const uint64_t *columns,
                      struct work *w)
{
    const struct codes *q = r->p->query, *db = r->p->database;
    const uint64_t *labels = q->labels + query * q->label_words;

    r->kernels->distances(q->codes + query * q->words, db->codes + first * db->words, n, db->words, w->marked);
    for (uint32_t c = 0; c < db->label_words; c++)
        if (labels[c])
            r->kernels->mark(labels[c], columns + (size_t)c * TILE, n, r->flag, w->marked);
}

typedef void tile_fn(const struct ranking *r, size_t n, struct work *w, size_t slot);

/* Every tile of the database for each of `n` queries from `query` on: marked, and then what `use`
 * makes of it. */
static void each_tile(const struct ranking *r, uint64_t query, size_t n, struct work *w, tile_fn *use)
{
    const struct codes *db = r->p->database;

    for (uint64_t first = 0; first < db->n; first += TILE) {
        const size_t size = db->n - first < TILE ? (size_t)(db->n - first) : TILE;
        const uint64_t *columns = tile_columns(db, first, size, w);
        for (size_t slot = 0; slot < n; slot++) {
            mark_tile(r, query + slot, first, size, columns, w);
            use(r, size, w, slot);
        }
    }
}

static void count_tile(const struct ranking *r, size_t n, struct work *w, size_t slot)
{
    const size_t bins = 2 * (size_t)r->flag;
    const uint16_t *marked = w->marked;
    uint32_t *parts = w->parts + slot * PARTS * bins;
    size_t i = 0;

    for (; i + PARTS <= n; i += PARTS) {
        parts[marked[i]]++;
        parts[bins + marked[i + 1]]++;
        parts[2 * bins + marked[i + 2]]++;
        parts[3 * bins + marked[i + 3]]++;
    }
    for (; i < n; i++)
        parts[marked[i]]++;
}

/* The histograms of a piece's queries. */
static void count_all(const struct ranking *r, uint64_t query, size_t n, struct work *w)
{
    const size_t bins = 2 * (size_t)r->flag;

    memset(w->parts, 0, n * PARTS * bins * sizeof *w->parts);
    each_tile(r, query, n, w, count_tile);
    for (size_t slot = 0; slot < n; slot++)
        for (size_t d = 0; d < r->levels; d++) {
            const uint32_t *part = w->parts + slot * PARTS * bins + d;
            uint32_t others = 0, relevant = 0;
            for (size_t i = 0; i < PARTS; i++, part += bins) {
                others += part[0];
                relevant += part[r->flag];
            }
            w->count[slot * r->levels + d] = others + relevant;
            w->relevant[slot * r->levels + d] = relevant;
        }
}

/* The tile's near items take the next ranks of their distances. */
static void place_tile(const struct ranking *r, size_t n, struct work *w, size_t slot)
{
    const size_t count = r->kernels->select(w->marked, n, r->flag, w->limit[slot], w->near);
    uint32_t *next = w->next + slot * r->levels;
    uint64_t *ranks = w->ranks + slot * r->rank_words;

    for (size_t i = 0; i < count; i++) {
        const uint32_t rank = next[w->near[i] & (r->flag - 1)]++;
        if (rank < r->result->k)
            ranks[rank / 64] |= (uint64_t)(w->near[i] >= r->flag) << rank % 64;
    }
}

/* The rank at which each distance begins; gives the distance of the item of rank k - 1. */
static uint16_t begin_ranks(const struct ranking *r, const uint32_t *count, uint32_t *next)
{
    uint64_t rank = 0;
    uint16_t limit = 0;

    for (size_t d = 0; d < r->levels; d++) {
        if (rank < r->result->k)
            limit = (uint16_t)d;
        next[d] = (uint32_t)rank;
        rank += count[d];
    }
    return limit;
}

/* The ranks of a piece's queries, from their histograms. */
static void order_all(const struct ranking *r, uint64_t query, size_t n, struct work *w)
{
    memset(w->ranks, 0, n * r->rank_words * sizeof *w->ranks);
    for (size_t slot = 0; slot < n; slot++)
        w->limit[slot] = begin_ranks(r, w->count + slot * r->levels, w->next + slot * r->levels);
    each_tile(r, query, n, w, place_tile);
}

/* Adds a query's precision and recall within each radius. */
static void add_radii(const struct tie_groups *g, uint64_t relevant, struct map_radius *sums)
{
    double items = 0.0, hits = 0.0;

    for (size_t d = 0; d < g->levels; d++) {
        items += g->count[d];
        hits += g->relevant[d];
        sums[d].precision += items > 0.0 ? hits / items : 0.0;
        sums[d].recall += relevant > 0 ? hits / (double)relevant : 0.0;
    }
}

static void rank_piece(void *ctx, size_t index, uint32_t thread)
{
    const struct ranking *r = ctx;
    struct work *w = &r->work[thread];
    const uint64_t query = (uint64_t)index * QUERIES, left = r->p->query->n - query;
    const uint64_t k = r->result->k;
    const size_t n = left < QUERIES ? (size_t)left : QUERIES;

    count_all(r, query, n, w);
    if (r->p->stable)
        order_all(r, query, n, w);
    for (size_t slot = 0; slot < n; slot++) {
        const struct tie_groups g = { w->count + slot * r->levels, w->relevant + slot * r->levels, r->levels };
        struct map_query *q = &r->result->queries[query + slot];
        for (size_t d = 0; d < g.levels; d++)
            q->relevant += g.relevant[d];
        precision_expected(&g, k, r->harmonic, &q->ties[TIES_EXPECTED]);
        precision_relevant_first(&g, k, r->harmonic, &q->ties[TIES_RELEVANT_FIRST]);
        precision_relevant_last(&g, k, r->harmonic, &q->ties[TIES_RELEVANT_LAST]);
        if (r->p->stable)
            precision_ordered(w->ranks + slot * r->rank_words, k, q->relevant, &q->ties[TIES_STABLE]);
        add_radii(&g, q->relevant, r->sums + index * r->levels);
    }
}

/* Sums of 1/i, each rounded once (Kahan's compensation): differences of them are what counts. */
static double *harmonic_sums(uint64_t k)
{
    double *ret = mem_array((size_t)k + 1, sizeof *ret), lost = 0.0;

    for (uint64_t i = 1; ret && i <= k; i++) {
        const double term = 1.0 / (double)i - lost;
        ret[i] = ret[i - 1] + term;
        lost = (ret[i] - ret[i - 1]) - term;
    }
    return ret;
}

/* The pieces in their order: sums do not depend on who made them. */
static void finish(const struct ranking *r, size_t pieces, struct map_result *result)
{
    for (size_t d = 0; d < r->levels; d++) {
        for (size_t i = 0; i < pieces; i++) {
            result->radii[d].precision += r->sums[i * r->levels + d].precision;
            result->radii[d].recall += r->sums[i * r->levels + d].recall;
        }
        result->radii[d].precision /= (double)result->n;
        result->radii[d].recall /= (double)result->n;
    }
    for (uint64_t i = 0; i < result->n; i++)
        result->without += result->queries[i].relevant == 0;
}

static bioft_status check(const struct map_params *p, struct error *err)
{
    const struct codes *q = p->query, *db = p->database;

    if (q->bits != db->bits)
        return error_set(err, BIOFT_ERR_INVALID, "codes of %u bits cannot be ranked for queries of %u", db->bits,
                         q->bits);
    if (q->classes != db->classes)
        return error_set(err, BIOFT_ERR_INVALID, "the database has labels of %u classes, the queries of %u",
                         db->classes, q->classes);
    if (q->n == 0 || db->n == 0)
        return error_set(err, BIOFT_ERR_INVALID, "no %s to rank", q->n ? "database" : "queries");
    if (db->n > UINT32_MAX)
        return error_set(err, BIOFT_ERR_UNSUPPORTED, "a database of more than %u codes cannot be ranked", UINT32_MAX);
    return BIOFT_OK;
}

static bool allocate(struct ranking *r, size_t pieces, struct map_result *result)
{
    size_t sums;

    result->queries = mem_array((size_t)result->n, sizeof *result->queries);
    result->radii = mem_array(r->levels, sizeof *result->radii);
    r->harmonic = harmonic_sums(result->k);
    r->sums = mem_product(pieces, r->levels, &sums) ? mem_array(sums, sizeof *r->sums) : NULL;
    r->work = mem_array(r->threads, sizeof *r->work);
    if (!result->queries || !result->radii || !r->harmonic || !r->sums || !r->work)
        return false;
    for (size_t i = 0; i < r->threads; i++)
        if (!work_create(r, &r->work[i]))
            return false;
    return true;
}

bioft_status map_compute(const struct map_params *p, struct map_result *ret, struct error *err)
{
    bioft_status st = check(p, err);

    if (st != BIOFT_OK)
        return st;
    const uint64_t k = p->k == 0 || p->k > p->database->n ? p->database->n : p->k;
    const size_t pieces = (size_t)((p->query->n + QUERIES - 1) / QUERIES);
    struct map_result result = { .k = k, .n = p->query->n, .bits = p->query->bits };
    struct ranking r = {
        .p = p,
        .kernels = p->kernels ? p->kernels : hamming_best(),
        .result = &result,
        .threads = p->pool ? pool_threads(p->pool) : 1,
        .levels = (size_t)p->query->bits + 1,
        .rank_words = (size_t)(k + 63) / 64,
        .flag = 1,
    };
    while (r.flag <= p->query->bits)
        r.flag = (uint16_t)(r.flag * 2);
    if (allocate(&r, pieces, &result)) {
        pool_run(p->pool, pieces, rank_piece, &r);
        finish(&r, pieces, &result);
        *ret = result;
    } else {
        map_free(&result);
        st = error_memory(err, "a ranking");
    }
    for (size_t i = 0; r.work && i < r.threads; i++)
        work_free(&r.work[i]);
    free(r.work);
    free(r.sums);
    free(r.harmonic);
    return st;
}

void map_free(struct map_result *r)
{
    free(r->queries);
    free(r->radii);
    memset(r, 0, sizeof *r);
}

double map_mean(const struct map_result *r, enum map_ties ties, enum map_divisor divisor, bool leave_out)
{
    const uint64_t n = leave_out ? r->n - r->without : r->n;
    double sum = 0.0;

    for (uint64_t i = 0; i < r->n; i++)
        sum += r->queries[i].ties[ties].by[divisor];
    return n ? sum / (double)n : 0.0;
}

double map_precision(const struct map_result *r, enum map_ties ties)
{
    double sum = 0.0;

    for (uint64_t i = 0; i < r->n; i++)
        sum += r->queries[i].ties[ties].hits / (double)r->k;
    return r->n ? sum / (double)r->n : 0.0;
}

double map_recall(const struct map_result *r, enum map_ties ties)
{
    double sum = 0.0;

    for (uint64_t i = 0; i < r->n; i++)
        if (r->queries[i].relevant)
            sum += r->queries[i].ties[ties].hits / (double)r->queries[i].relevant;
    return r->n ? sum / (double)r->n : 0.0;
}
