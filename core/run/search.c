/* Chooses a trial's candidate by its accuracy on the validation split. Nothing else of the data is looked at: the test split
 * is for the trial that was chosen. */
#include "run/search.h"
#include "run/trial_stages.h"

#include "base/file.h"
#include "eval/evaluate.h"
#include "formats/csv.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 1 << 24, KEY_DIGITS = 16 };

struct result {                   /* of a candidate */
    char network[KEY_DIGITS + 1]; /* "": not known yet */
    double accuracy;              /* NaN: its training diverged */
    uint64_t n;                   /* 0: not measured yet */
};
struct search {
    const struct search_params *p;
    char *folder, *path;
    struct result *results; /* [candidate_count] */
};

void search_add_values(const struct trial *candidate, struct text *t)
{
    for (size_t i = 0; i < candidate->searched_count; i++)
        text_printf(t, "%s%s=%s", i ? ", " : "", candidate->searched[i].path, candidate->searched[i].value);
}

static char *path_of(const char *out, const struct trial *t)
{
    char *results = trial_results_path(out, t), *folder = results ? path_folder(results) : NULL;
    char *path = folder ? path_join(folder, "search.csv") : NULL;

    free(folder);
    free(results);
    return path;
}

/* Is the row the candidate's, by its values? */
static bool is_of(const struct csv *csv, size_t row, const struct trial *candidate)
{
    for (size_t i = 0; i < candidate->searched_count; i++)
        if (strcmp(csv_cell(csv, row, candidate->searched[i].path), candidate->searched[i].value) != 0)
            return false;
    return true;
}

static bioft_status write_results(const struct search *s, size_t chosen, struct error *err)
{
    const struct trial *t = s->p->trial;
    struct text out = { 0 };

    for (size_t i = 0; i < t->searched_count; i++)
        csv_text(&out, t->searched[i].path);
    csv_text(&out, "split");
    csv_text(&out, "accuracy");
    csv_text(&out, "n");
    csv_text(&out, "network");
    csv_text(&out, "chosen");
    csv_end_line(&out);
    for (size_t k = 0; k < t->candidate_count; k++) {
        const struct result *r = &s->results[k];
        for (size_t i = 0; i < t->searched_count; i++)
            csv_text(&out, t->candidates[k].searched[i].value);
        csv_text(&out, "val");
        csv_number(&out, r->n ? r->accuracy : NAN);
        csv_integer(&out, (int64_t)r->n);
        csv_text(&out, r->network);
        csv_text(&out, k == chosen ? "yes" : "");
        csv_end_line(&out);
    }
    bioft_status st = out.failed ? error_memory(err, s->path) : file_write(s->path, out.data, out.length, err);
    text_free(&out);
    return st;
}

/* What an earlier process found. A row of another network is measured again, by its key. */
static bioft_status read_results(const struct search *s, struct error *err)
{
    const struct trial *t = s->p->trial;
    struct arena *arena = arena_create();
    struct csv csv = { 0 };
    bioft_status st = arena ? BIOFT_OK : error_memory(err, s->path);

    if (st == BIOFT_OK && file_exists(s->path))
        st = csv_load(s->path, MOST_BYTES, arena, &csv, err);
    for (size_t row = 1; st == BIOFT_OK && row < csv.rows && row <= t->candidate_count; row++) {
        struct result *r = &s->results[row - 1];
        const char *network = csv_cell(&csv, row, "network"), *accuracy = csv_cell(&csv, row, "accuracy");
        if (!is_of(&csv, row, &t->candidates[row - 1]) || strlen(network) != KEY_DIGITS)
            continue;
        memcpy(r->network, network, KEY_DIGITS + 1);
        r->n = strtoull(csv_cell(&csv, row, "n"), NULL, 10);
        if (!text_to_double(accuracy, strlen(accuracy), &r->accuracy))
            r->accuracy = NAN;
    }
    arena_destroy(arena);
    return st;
}

/* The share of right answers of the last stage's network on the validation split. */
static bioft_status measure(struct trial_run *r, const struct split *val, double *ret, struct error *err)
{
    const size_t last = r->trial->stage_count - 1;
    const struct trained target = {
        .model = r->network.model,
        .feedback = r->feedback,
        .step = r->step,
        .precision = r->trial->precision,
        .dataset = r->data[last],
        .split = val,
        .image = r->network.image,
        .pool = r->pool,
        .log = r->log,
        .stop = r->stop,
        .seed = r->trial->seed,
    };
    struct prediction *predictions = mem_array(val->count, sizeof *predictions);
    double right = 0.0;

    bioft_status st = predictions ? evaluate_clean(&target, NULL, val->count, &predictions, err)
                                  : error_memory(err, "predictions");
    for (uint64_t i = 0; st == BIOFT_OK && i < val->count; i++)
        right += predictions[i].score;
    *ret = right / (double)val->count;
    free(predictions);
    return st;
}

static bioft_status train_and_measure(const struct search *s, struct trial_run *r, struct result *result,
                                      struct error *err)
{
    const struct trial *t = r->trial;
    const struct split *val;
    struct text values = { 0 };

    search_add_values(t, &values);
    bioft_status st = values.failed ? error_memory(err, "a candidate")
                                    : dataset_need(r->data[t->stage_count - 1], "val", &val, err);
    if (st == BIOFT_OK && val->count == 0)
        st = error_set(err, BIOFT_ERR_INVALID, "search: the validation split is empty");
    if (st != BIOFT_OK)
        goto out;
    log_write(s->p->log, LOG_INFO, "%s: candidate %s", t->id, values.data);
    st = trial_network(r, err);
    result->n = val->count;
    if (st == BIOFT_OK) {
        st = measure(r, val, &result->accuracy, err);
    } else if (st == BIOFT_ERR_INVALID) {
        log_write(s->p->log, LOG_WARNING, "%s: candidate %s is out: %s", t->id, values.data, err->text);
        result->accuracy = NAN;
        st = BIOFT_OK;
    }
    if (st == BIOFT_OK)
        log_write(s->p->log, LOG_INFO, "%s: candidate %s: accuracy %.4f on %llu images of the validation split", t->id,
                  values.data, result->accuracy, (unsigned long long)result->n);

out:
    text_free(&values);
    return st;
}

static bioft_status try_candidate(const struct search *s, size_t candidate, struct error *err)
{
    struct trial t = s->p->trial->candidates[candidate];
    struct result *result = &s->results[candidate];
    struct trial_run r = { .experiment = s->p->experiment,
                           .trial = &t,
                           .out = s->p->out,
                           .log = s->p->log,
                           .stop = s->p->stop,
                           .shared = s->p->shared,
                           .status = s->p->status };

    bioft_status st = trial_open(&r, err);
    const char *network = st == BIOFT_OK ? trial_network_key(&r, t.stage_count - 1) : NULL;
    if (st == BIOFT_OK && !network)
        st = error_memory(err, "a candidate");
    if (st == BIOFT_OK && (strcmp(result->network, network) != 0 || result->n == 0)) {
        *result = (struct result){ 0 };
        memcpy(result->network, network, KEY_DIGITS + 1);
        st = train_and_measure(s, &r, result, err);
    }
    trial_close(&r);
    return st == BIOFT_OK ? write_results(s, SIZE_MAX, err) : st;
}

static bioft_status choose(const struct search *s, size_t *ret, struct error *err)
{
    const struct trial *t = s->p->trial;
    struct text values = { 0 };
    bioft_status st = BIOFT_OK;

    *ret = SIZE_MAX;
    for (size_t k = 0; k < t->candidate_count; k++)
        if (!isnan(s->results[k].accuracy) && (*ret == SIZE_MAX || s->results[k].accuracy > s->results[*ret].accuracy))
            *ret = k;
    if (*ret == SIZE_MAX)
        return error_set(err, BIOFT_ERR_INVALID,
                         "%s: the training of all candidates of 'search' diverges: add smaller values", t->id);
    search_add_values(&t->candidates[*ret], &values);
    if (values.failed)
        st = error_memory(err, "a search");
    else
        log_write(s->p->log, LOG_INFO, "%s: chosen on the validation split: %s", t->id, values.data);
    text_free(&values);
    return st == BIOFT_OK ? write_results(s, *ret, err) : st;
}

bioft_status search_run(const struct search_params *p, const struct trial **ret, struct error *err)
{
    const struct trial *t = p->trial;
    struct search s = { .p = p };
    size_t chosen = 0;

    *ret = t;
    if (!t->candidate_count)
        return BIOFT_OK;
    s.path = path_of(p->out, t);
    s.folder = s.path ? path_folder(s.path) : NULL;
    s.results = mem_array(t->candidate_count, sizeof *s.results);
    bioft_status st = s.folder && s.results ? file_make_folder(s.folder, err) : error_memory(err, "a search");
    if (st == BIOFT_OK)
        st = read_results(&s, err);
    for (size_t k = 0; st == BIOFT_OK && k < t->candidate_count; k++)
        st = try_candidate(&s, k, err);
    if (st == BIOFT_OK)
        st = choose(&s, &chosen, err);
    if (st == BIOFT_OK)
        *ret = &t->candidates[chosen];
    free(s.results);
    free(s.folder);
    free(s.path);
    return st;
}

bioft_status search_find(const char *out, const struct trial *t, const struct trial **ret, struct error *err)
{
    char *path = t->candidate_count ? path_of(out, t) : NULL;
    struct arena *arena = arena_create();
    struct csv csv = { 0 };
    bioft_status st = arena && (path || !t->candidate_count) ? BIOFT_OK : error_memory(err, "a search");

    *ret = t;
    if (st == BIOFT_OK && path && file_exists(path))
        st = csv_load(path, MOST_BYTES, arena, &csv, err);
    if (st == BIOFT_OK && csv.rows > 0 && csv.rows != t->candidate_count + 1)
        st = error_set(err, BIOFT_ERR_FORMAT, "%s: %zu candidates, where the manifest has %zu", path, csv.rows - 1,
                       t->candidate_count);
    for (size_t row = 1; st == BIOFT_OK && row < csv.rows; row++)
        if (!is_of(&csv, row, &t->candidates[row - 1]))
            st = error_set(err, BIOFT_ERR_FORMAT, "%s:%zu: not the candidate of the manifest: it was altered", path,
                           row + 1);
        else if (strcmp(csv_cell(&csv, row, "chosen"), "yes") == 0)
            *ret = &t->candidates[row - 1];
    arena_destroy(arena);
    free(path);
    return st;
}
