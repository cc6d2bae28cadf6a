/* A figure's own files: the predictions behind it, and its rows of results.csv. */
#include "results/results.h"

#include "base/file.h"
#include "base/sha256.h"
#include "formats/csv.h"
#include "results/attacked.h"
#include "results/columns.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char network_column[] = "network";

/* A file's name of a text. One that would be too long for a file system keeps its beginning, and is
 * told from others by a sum of all of it. */
static void safe_name(const char *text, char *ret, size_t size)
{
    enum { LONGEST = 200, KEPT = 160 };
    char sum[SHA256_HEX];
    size_t i = 0;

    for (; text[i] && i + 1 < size; i++) {
        const char c = text[i];
        const bool safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          strchr("._-+=;,", c);
        ret[i] = safe ? c : '_';
    }
    ret[i] = '\0';
    if (i <= LONGEST)
        return;
    sha256_bytes(text, strlen(text), sum);
    snprintf(ret + KEPT, size - KEPT, "~%.16s", sum);
}

void figure_file(const struct figure *f, char *ret, size_t size)
{
    const bool worst = f->attacked && strcmp(f->attack, ATTACK_WORST) == 0;
    char number[TEXT_NUMBER] = "";
    struct text t = { 0 };

    text_printf(&t, "%s.%s", f->stage, f->split);
    if (f->attacked) {
        text_printf(&t, ".%s%s", f->attack, worst && f->norm ? "." : "");
        text_add(&t, worst && f->norm ? f->norm : "");
        text_printf(&t, "%s%s", f->options && *f->options ? "." : "", f->options ? f->options : "");
        text_printf(&t, "%s%s.%s", *f->gradient ? "." : "", f->gradient, text_number(number, f->epsilon));
    }
    safe_name(t.failed ? "" : t.data, ret, size);
    text_free(&t);
}

static char *figure_path(const char *folder, const char *sub, const struct figure *f)
{
    char name[256];
    struct text t = { 0 };
    figure_file(f, name, sizeof name);
    text_printf(&t, "%s/%s/%s.csv", folder, sub, name);
    if (t.failed)
        text_free(&t);
    return t.data;
}

/* Where answers are counted a sample has one and its score; else a score a metric. */
static void add_prediction(struct text *t, const struct figure *f, size_t count, uint64_t i)
{
    const struct prediction *p = &f[0].predictions[i];

    csv_integer(t, (int64_t)p->sample);
    csv_integer(t, p->label);
    if (figure_counts(&f[0]))
        csv_integer(t, p->prediction);
    for (size_t m = 0; m < count; m++)
        csv_number(t, f[m].predictions[i].score);
    csv_number(t, p->delta_max);
    csv_number(t, p->delta_mean);
    if (p->attack)
        record_add(t, p->attack);
    csv_text(t, f[0].network);
    csv_end_line(t);
}

static bool has_records(const struct figure *f) { return f->n > 0 && f->predictions[0].attack; }

static bioft_status save_predictions(const char *path, const struct figure *f, size_t count, struct error *err)
{
    struct text t = { 0 };

    csv_text(&t, "sample");
    csv_text(&t, "label");
    if (figure_counts(&f[0]))
        csv_text(&t, "prediction");
    for (size_t m = 0; m < count; m++)
        csv_text(&t, figure_counts(&f[m]) ? "score" : f[m].metric);
    csv_text(&t, "delta_max");
    csv_text(&t, "delta_mean");
    if (has_records(f))
        record_header(&t);
    csv_text(&t, network_column);
    csv_end_line(&t);
    for (uint64_t i = 0; i < f[0].n; i++)
        add_prediction(&t, f, count, i);
    return columns_write(path, &t, err);
}

bioft_status figure_save(const char *folder, const struct trial_label *l, const struct figure *f, size_t count,
                         struct error *err)
{
    char *predictions = figure_path(folder, "predictions", f);
    char *results = figure_path(folder, "results", f);
    char *predictions_folder = predictions ? path_folder(predictions) : NULL;
    char *results_folder = results ? path_folder(results) : NULL;
    struct text t = { 0 };

    bioft_status st = predictions_folder && results_folder ? BIOFT_OK : error_memory(err, "a figure");
    if (st == BIOFT_OK)
        st = file_make_folder(predictions_folder, err);
    if (st == BIOFT_OK)
        st = file_make_folder(results_folder, err);
    if (st == BIOFT_OK && f->predictions)
        st = save_predictions(predictions, f, count, err);
    if (st == BIOFT_OK) {
        columns_header(&t);
        csv_end_line(&t);
        for (size_t m = 0; m < count; m++) {
            columns_row(&t, l, &f[m]);
            csv_end_line(&t);
        }
        st = columns_write(results, &t, err);
    }
    free(predictions);
    free(results);
    free(predictions_folder);
    free(results_folder);
    return st;
}

static bioft_status load_prediction(const char *path, const struct csv *c, size_t row, const struct figure *f,
                                    size_t count, struct attack_record *records, struct error *err)
{
    const size_t first = figure_counts(&f[0]) ? 3 : 2; /* score's column */
    double v[5];                                       /* sample, label, answer, both deltas */
    bioft_status st = columns_number(path, c, row, 0, &v[0], err);

    if (st != BIOFT_OK)
        return st;
    st = columns_number(path, c, row, 1, &v[1], err);
    if (st != BIOFT_OK)
        return st;
    st = columns_number(path, c, row, first - 1, &v[2], err);
    for (size_t k = 0; st == BIOFT_OK && k < 2; k++)
        st = columns_number(path, c, row, first + count + k, &v[3 + k], err);
    for (size_t m = 0; st == BIOFT_OK && m < count; m++) {
        struct prediction *p = &f[m].predictions[row - 1];
        *p = (struct prediction){ .sample = (uint64_t)v[0],
                                  .label = (int32_t)v[1],
                                  .prediction = first == 3 ? (int32_t)v[2] : -1,
                                  .delta_max = v[3],
                                  .delta_mean = v[4],
                                  .attack = records ? &records[row - 1] : NULL };
        st = columns_number(path, c, row, first + m, &p->score, err);
    }
    if (st != BIOFT_OK)
        return st;
    if (records && !record_read(c->field[row] + first + count + 2, &records[row - 1]))
        return error_set(err, BIOFT_ERR_FORMAT,
                         "%s:%zu: a column of the attack's is not a number; remove the file to have it "
                         "made again",
                         path, row + 1);
    return BIOFT_OK;
}

static bioft_status load_predictions(const char *path, struct arena *arena, struct figure *f, size_t count,
                                     const char **ret_network, struct error *err)
{
    struct csv c;
    struct attack_record *records = NULL;
    size_t plain = count + (figure_counts(&f[0]) ? 5 : 4);
    bioft_status st = columns_load(path, arena, &c, err);

    if (st != BIOFT_OK)
        return st;
    const bool named = strcmp(c.field[0][c.columns - 1], network_column) == 0; /* not in files of the first format */
    plain += named;
    const bool attacked = c.columns == plain + RECORD_COLUMNS;
    if (!attacked && c.columns != plain)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: %zu columns, %zu expected", path, c.columns, plain);
    if (attacked && !(records = arena_array(arena, c.rows, sizeof *records)))
        return error_memory(err, "predictions");
    for (size_t m = 0; m < count; m++) {
        f[m].n = c.rows - 1;
        f[m].predictions = arena_array(arena, f[m].n, sizeof *f->predictions);
        if (!f[m].predictions)
            return error_memory(err, "predictions");
    }
    *ret_network = NULL;
    for (size_t r = 1; st == BIOFT_OK && r < c.rows; r++) {
        const char *network = named ? c.field[r][c.columns - 1] : "";
        if (*ret_network && strcmp(*ret_network, network) != 0)
            return error_set(err, BIOFT_ERR_FORMAT,
                             "%s:%zu: of network '%s', the lines before of '%s'; remove the file to "
                             "have it recomputed",
                             path, r + 1, network, *ret_network);
        *ret_network = network;
        st = load_prediction(path, &c, r, f, count, records, err);
    }
    return st;
}

/* The rows of a figure's file, one a metric. */
static bioft_status load_rows(const char *path, struct arena *arena, const struct figure *wanted, size_t count,
                              struct trial_label *ret_label, struct figure *ret, bool *ret_found, struct error *err)
{
    struct csv c;
    size_t at[RESULT_COLUMNS + 1];
    bioft_status st = columns_load(path, arena, &c, err);

    if (st == BIOFT_OK)
        st = columns_find(path, &c, at, err);
    /* A file of another version of bioft is made again. */
    *ret_found = st == BIOFT_OK && c.columns == RESULT_COLUMNS + INDICATOR_COLUMNS && c.rows == count + 1;
    for (size_t m = 0; st == BIOFT_OK && *ret_found && m < count; m++) {
        st = columns_read(path, &c, m + 1, at, &ret_label[m], &ret[m], err);
        *ret_found = st == BIOFT_OK && strcmp(ret[m].metric, wanted[m].metric) == 0;
    }
    return st;
}

/* A figure's files at hand. */
struct files {
    char *results, *predictions;
    struct trial_label *labels;    /* [count] */
    struct figure *rows, *figures; /* [count] as the rows say, and with predictions */
    const char *network;           /* the predictions'; NULL: there are none */
    bool found;
};

static bioft_status load(const char *folder, const struct figure *wanted, size_t count, struct arena *arena,
                         struct files *ret, struct error *err)
{
    struct files f = { .results = figure_path(folder, "results", wanted),
                       .predictions = figure_path(folder, "predictions", wanted),
                       .labels = arena_array(arena, count, sizeof *f.labels),
                       .rows = arena_array(arena, count, sizeof *f.rows),
                       .figures = arena_array(arena, count, sizeof *f.figures) };
    bioft_status st = f.results && f.predictions && f.labels && f.rows && f.figures ? BIOFT_OK
                                                                                    : error_memory(err, "a figure");

    if (st == BIOFT_OK && file_exists(f.results))
        st = load_rows(f.results, arena, wanted, count, f.labels, f.rows, &f.found, err);
    if (st == BIOFT_OK && f.found)
        memcpy(f.figures, f.rows, count * sizeof *f.figures);
    if (st == BIOFT_OK && f.found && file_exists(f.predictions))
        st = load_predictions(f.predictions, arena, f.figures, count, &f.network, err);
    *ret = f;
    return st;
}

static void free_files(struct files *f)
{
    free(f->results);
    free(f->predictions);
}

bioft_status figure_load(const char *folder, const struct figure *wanted, size_t count, struct arena *arena,
                         struct figure *ret, bool *ret_found, struct error *err)
{
    struct files f;
    bioft_status st = load(folder, wanted, count, arena, &f, err);

    *ret_found = st == BIOFT_OK && f.found;
    if (*ret_found)
        memcpy(ret, f.figures, count * sizeof *ret);
    free_files(&f);
    return st;
}

static bioft_status altered(const char *path, const struct columns_difference *d, const char *by, struct error *err)
{
    return error_set(err, BIOFT_ERR_FORMAT,
                     "%s: %s is %s in the file, %s by %s: it was altered; remove the file to have it "
                     "made again",
                     path, d->name, *d->a ? d->a : "empty", *d->b ? d->b : "empty", by);
}

/* Answers are scored by their label, where they have one; an attacked one has to be right without the attack too. */
static bioft_status check_scores(const char *path, const struct figure *f, struct error *err)
{
    for (uint64_t i = 0; figure_counts(f) && i < f->n; i++) {
        const struct prediction *p = &f->predictions[i];
        const bool right = p->prediction == p->label && (!p->attack || p->attack->clean > 0.0);
        if (p->label >= 0 && (p->score > 0.0) != right)
            return error_set(err, BIOFT_ERR_FORMAT,
                             "%s:%llu: score %g for answer %d and label %d: it was altered; remove the "
                             "file to have it recomputed",
                             path, (unsigned long long)i + 2, p->score, (int)p->prediction, (int)p->label);
    }
    return BIOFT_OK;
}

/* What the rows say of a figure against what it has to be, and against what its predictions give. `measured`: the values
 * are given too. */
static bioft_status check_one(const struct files *f, size_t m, const struct trial_label *l, const struct figure *wanted,
                              bool measured, struct arena *arena, struct error *err)
{
    const struct columns_side there = { &f->labels[m], &f->rows[m] }, here = { l, wanted };
    struct columns_difference d;
    struct figure again = f->figures[m];

    bioft_status st = columns_compare(&there, &here, COLUMNS_IS, arena, &d, err);
    if (st == BIOFT_OK && d.name)
        st = altered(f->results, &d, "the run", err);
    if (st == BIOFT_OK && measured) {
        st = columns_compare(&there, &here, COLUMNS_GIVEN, arena, &d, err);
        if (st == BIOFT_OK && d.name)
            st = altered(f->results, &d, "results.csv", err);
    }
    again.nearest = f->figures[m].nearest = wanted->nearest;
    if (st == BIOFT_OK)
        st = check_scores(f->predictions, &f->figures[m], err);
    if (st == BIOFT_OK)
        st = figure_fill(&again, f->figures[m].predictions, f->figures[m].n, err);
    /* The metrics of a worst case may be of different images, and the file has the changes of the first one's. */
    if (m > 0 && wanted->attacked && strcmp(wanted->attack, ATTACK_WORST) == 0) {
        again.delta_max = f->rows[m].delta_max;
        again.delta_mean = f->rows[m].delta_mean;
    }
    if (st == BIOFT_OK)
        st = columns_compare(&there, &(struct columns_side){ &f->labels[m], &again }, COLUMNS_GIVEN, arena, &d, err);
    return st == BIOFT_OK && d.name ? altered(f->results, &d, "its predictions", err) : st;
}

bioft_status figure_resume(const char *folder, const struct trial_label *l, const struct figure *wanted, size_t count,
                           struct arena *arena, struct figure *ret, struct figure_found *ret_found, struct error *err)
{
    struct files f;
    bioft_status st = load(folder, wanted, count, arena, &f, err);

    *ret_found = (struct figure_found){ 0 };
    if (st != BIOFT_OK || !f.found || !f.network)
        goto end;
    for (size_t m = 0; st == BIOFT_OK && !ret_found->other && m < count; m++) {
        const struct figure *there = &f.figures[m];
        const char *file = strrchr(f.results, '/') + 1;
        if (strcmp(there->network, wanted[m].network) != 0 || strcmp(f.network, wanted[m].network) != 0)
            ret_found->other = arena_printf(arena, "%s is of network %s, this is %s", file,
                                            strcmp(there->network, wanted[m].network) != 0 ? there->network : f.network,
                                            wanted[m].network);
        else if (strcmp(there->identity, wanted[m].identity) != 0)
            ret_found->other = arena_printf(arena, "%s is of settings %s, these are %s", file, there->identity,
                                            wanted[m].identity);
        else
            st = check_one(&f, m, l, &wanted[m], false, arena, err);
    }
    ret_found->found = st == BIOFT_OK && !ret_found->other;
    if (ret_found->found)
        memcpy(ret, f.figures, count * sizeof *ret);

end:
    free_files(&f);
    return st;
}

bioft_status figure_check(const char *folder, const struct trial_label *l, const struct figure *rows, size_t count,
                          struct arena *arena, struct error *err)
{
    struct files f;
    bioft_status st = load(folder, rows, count, arena, &f, err);

    if (st == BIOFT_OK && (!f.found || !f.network))
        st = error_set(err, BIOFT_ERR_FORMAT, "%s: %s; remove the trial's results.csv to have them recomputed",
                       f.found ? f.predictions : f.results,
                       file_exists(f.found ? f.predictions : f.results) ? "made by another version" : "missing");
    for (size_t m = 0; st == BIOFT_OK && m < count; m++) {
        if (strcmp(f.network, rows[m].network) != 0)
            st = error_set(err, BIOFT_ERR_FORMAT,
                           "%s: of network %s, by results.csv of %s; remove the file and the trial's "
                           "results.csv to have them recomputed",
                           f.predictions, f.network, rows[m].network);
        else
            st = check_one(&f, m, l, &rows[m], true, arena, err);
    }
    free_files(&f);
    return st;
}
