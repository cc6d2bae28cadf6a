/* bioft map: mean average precision of hash codes in .npy files. */
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "run/retrieval_files.h"
#include "eval/interval.h"
#include "eval/map.h"
#include "formats/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const ties_names[MAP_TIES] = { "expected", "stable", "relevant_first", "relevant_last" };
static const char *const divisor_names[MAP_DIVISORS] = { "hits", "relevant", "k" };
enum { RADIUS = 2 }; /* of "precision within radius 2" */

struct map_command {
    struct retrieval_files files;
    const char *ties;
    uint32_t k, threads;
    bool json, quiet;
};

static void print_means(struct text *t, const struct map_result *r, const char *key, bool leave_out)
{
    json_key(t, key);
    json_begin_object(t);
    for (int ties = 0; ties < MAP_TIES; ties++) {
        json_key(t, ties_names[ties]);
        json_begin_object(t);
        for (int divisor = 0; divisor < MAP_DIVISORS; divisor++) {
            json_key(t, divisor_names[divisor]);
            json_number(t, map_mean(r, (enum map_ties)ties, (enum map_divisor)divisor, leave_out));
        }
        json_end_object(t);
    }
    json_end_object(t);
}

static void print_by_ties(struct text *t, const struct map_result *r, const char *key,
                          double (*mean)(const struct map_result *, enum map_ties))
{
    json_key(t, key);
    json_begin_object(t);
    for (int ties = 0; ties < MAP_TIES; ties++) {
        json_key(t, ties_names[ties]);
        json_number(t, mean(r, (enum map_ties)ties));
    }
    json_end_object(t);
}

static void print_radii(struct text *t, const struct map_result *r)
{
    json_key(t, "radii");
    json_begin_array(t);
    for (uint32_t d = 0; d <= r->bits; d++) {
        json_begin_object(t);
        json_key(t, "radius");
        json_integer(t, d);
        json_key(t, "precision");
        json_number(t, r->radii[d].precision);
        json_key(t, "recall");
        json_number(t, r->radii[d].recall);
        json_end_object(t);
    }
    json_end_array(t);
}

static void print_count(struct text *t, const char *key, uint64_t value)
{
    json_key(t, key);
    json_integer(t, (int64_t)value);
}

/* The 95% interval of the printed figure, by resampling queries. */
static bioft_status print_interval(struct text *t, const struct map_result *r, enum map_ties ties, struct error *err)
{
    double *values = mem_array((size_t)r->n, sizeof *values);

    if (!values)
        return error_memory(err, "an interval");
    for (uint64_t i = 0; i < r->n; i++)
        values[i] = r->queries[i].ties[ties].by[DIVIDE_BY_HITS];
    const struct interval ci = interval_mean(values, r->n, 0.0, 1.0);
    json_key(t, "ci_low");
    json_number(t, ci.low);
    json_key(t, "ci_high");
    json_number(t, ci.high);
    free(values);
    return BIOFT_OK;
}

static bioft_status print_json(const struct map_command *c, const struct map_result *r, enum map_ties ties,
                               const struct codes *query, const struct codes *database, struct error *err)
{
    struct text t = { 0 };

    json_begin_object(&t);
    print_count(&t, "k", c->k);
    json_key(&t, "ties");
    json_string(&t, ties_names[ties]);
    json_key(&t, "value");
    json_number(&t, map_mean(r, ties, DIVIDE_BY_HITS, false));
    bioft_status st = print_interval(&t, r, ties, err);
    print_count(&t, "queries", r->n);
    print_count(&t, "queries_without_relevant", r->without);
    print_count(&t, "database", database->n);
    print_count(&t, "bits", query->bits);
    print_count(&t, "classes", query->classes);
    print_means(&t, r, "map", false);
    print_means(&t, r, "map_of_queries_with_relevant", true);
    print_by_ties(&t, r, "precision", map_precision);
    print_by_ties(&t, r, "recall", map_recall);
    json_key(&t, "precision_radius_2");
    json_number(&t, r->radii[r->bits < RADIUS ? r->bits : RADIUS].precision);
    print_radii(&t, r);
    json_end_object(&t);
    if (st == BIOFT_OK && t.failed)
        st = error_memory(err, "the result");
    if (st == BIOFT_OK)
        print("%s\n", t.data);
    text_free(&t);
    return st;
}

static int run_map(const struct map_command *c, enum map_ties ties)
{
    struct codes query = { 0 }, database = { 0 };
    struct map_result result = { 0 };
    struct pool *pool = NULL;
    struct error err = { 0 };
    bioft_status st = pool_create(c->threads ? c->threads : threads_default(), &pool, &err);

    if (st == BIOFT_OK)
        st = retrieval_read(&c->files, &query, &database, &err);
    if (st == BIOFT_OK)
        st = map_compute(&(struct map_params){ .query = &query,
                                               .database = &database,
                                               .k = c->k,
                                               .pool = pool,
                                               .stable = c->json || ties == TIES_STABLE },
                         &result, &err);
    if (st == BIOFT_OK && c->json)
        st = print_json(c, &result, ties, &query, &database, &err);
    else if (st == BIOFT_OK)
        print("map@%u %.6f (%s)\n", c->k, map_mean(&result, ties, DIVIDE_BY_HITS, false), ties_names[ties]);
    if (st != BIOFT_OK)
        print_error("bioft map: %s\n", err.text);
    map_free(&result);
    codes_free(&query);
    codes_free(&database);
    pool_destroy(pool);
    return st == BIOFT_OK ? 0 : st == BIOFT_ERR_MEMORY ? 1 : 2;
}

static int wrong(const struct command_line *line, const char *what, const char *hint)
{
    print_error("bioft map: %s%s\nusage: bioft map %s\n", what, hint, line->usage);
    return 2;
}

int command_map(int argc, char **argv)
{
    struct map_command c = { .ties = ties_names[TIES_EXPECTED] };
    const struct argument arguments[] = {
        { "query-codes", "Q.npy", ARGUMENT_TEXT, &c.files.query_codes, "-1 and +1 float32 [n, bits], or packed uint8" },
        { "query-labels", "QL.npy", ARGUMENT_TEXT, &c.files.query_labels,
          "int64 [n], or uint8 [n, classes] of 0 and 1" },
        { "database-codes", "D.npy", ARGUMENT_TEXT, &c.files.database_codes, "what is ranked for each query" },
        { "database-labels", "DL.npy", ARGUMENT_TEXT, &c.files.database_labels, "its labels" },
        { "k", "N", ARGUMENT_COUNT, &c.k, "how many of the ranking count" },
        { "ties", "WHICH", ARGUMENT_TEXT, &c.ties, "expected over all their orders (default), or stable" },
        { "threads", "N", ARGUMENT_COUNT, &c.threads, "threads to use (default: all that this process may use)" },
        { "json", NULL, ARGUMENT_FLAG, &c.json, "every convention, with all digits" },
        { "quiet", NULL, ARGUMENT_FLAG, &c.quiet, "only the result, as always here" },
        { NULL, NULL, ARGUMENT_FLAG, NULL, NULL },
    };
    struct command_line line = {
        .name = "map",
        .usage = "--query-codes Q.npy --query-labels QL.npy --database-codes D.npy --database-labels "
                 "DL.npy --k N [--ties expected|stable] [--json]",
        .arguments = arguments,
        .summary = "Mean average precision of hash codes: the database ranked by Hamming distance "
                   "for each query.",
    };
    const int status = arguments_parse(&line, argc, argv);

    if (status >= 0)
        return status;
    for (const struct argument *a = arguments; a->kind == ARGUMENT_TEXT; a++)
        if (!*(const char **)a->target)
            return wrong(&line, "which files? Give --", a->name);
    if (c.k == 0)
        return wrong(&line, "how many of the ranking count? Give --k N", "");
    for (int ties = TIES_EXPECTED; ties <= TIES_STABLE; ties++)
        if (strcmp(c.ties, ties_names[ties]) == 0)
            return run_map(&c, (enum map_ties)ties);
    return wrong(&line, "'--ties' is 'expected' or 'stable', not ", c.ties);
}
