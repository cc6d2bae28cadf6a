/* Results on disk: a file a figure, and results.csv built from them. */
#include "results/results.h"

#include "base/file.h"
#include "base/sha256.h"
#include "formats/csv.h"
#include "results/attacked.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const columns[] = {
    "trial", "seed", "backbone", "dataset", "protocol", "rule", "stage", "engine", "precision", "split", "metric",
    "attack", "options", "gradient", "norm", "epsilon", "value", "ci_low", "ci_high", "n", "left_out", "delta_max",
    "delta_mean", "warnings"
};
enum { OWN_COLUMNS = sizeof columns / sizeof *columns, COLUMNS = OWN_COLUMNS + INDICATOR_COLUMNS, MAX_FILE = 256 << 20 };

enum { NAME_MOST = 200, NAME_SUM = 17 };           /* of a figure's file; the end of a longer one is a checksum */

static void add_header(struct text *t)
{
    for (size_t c = 0; c < OWN_COLUMNS; c++)
        csv_text(t, columns[c]);
    indicators_header(t);
    csv_end_line(t);
}

static void add_row(struct text *t, const struct trial_label *l, const struct figure *f)
{
    const char *const names[] = { l->backbone, f->dataset, f->protocol, f->rule, f->stage, l->engine, l->precision,
                                  f->split, f->metric, f->attack, f->options, f->gradient, f->norm };
    csv_text(t, l->id);
    csv_integer(t, (int64_t)l->seed);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        csv_text(t, names[i]);
    if (f->attacked)
        csv_number(t, f->epsilon);
    else
        csv_text(t, NULL);
    csv_number(t, f->value);
    csv_number(t, f->ci_low);
    csv_number(t, f->ci_high);
    csv_integer(t, (int64_t)f->n);
    csv_integer(t, (int64_t)f->left_out);
    if (f->attacked) {
        csv_number(t, f->delta_max);
        csv_number(t, f->delta_mean);
    } else {
        csv_text(t, NULL);
        csv_text(t, NULL);
    }
    csv_text(t, f->warnings);
    indicators_add(t, f);
    csv_end_line(t);
}

static bioft_status write_text(const char *path, struct text *t, struct error *err)
{
    bioft_status st = t->failed ? error_memory(err, path) : file_write(path, t->data, t->length, err);
    text_free(t);
    return st;
}

void figure_file(const struct figure *f, char *ret, size_t size)
{
    char number[TEXT_NUMBER] = "";
    struct text t = { 0 };
    text_printf(&t, "%s.%s", f->stage, f->split);
    if (f->attacked)
        text_printf(&t, ".%s%s%s.%s.%s", f->attack, f->options && *f->options ? "." : "", f->options ? f->options : "",
                    f->gradient, text_number(number, f->epsilon));
    size_t length = t.failed ? 0 : t.length < size - 1 ? t.length : size - 1;
    for (size_t i = 0; i < length; i++) {
        const char c = t.data[i];
        const bool safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          strchr("._-+=;,", c);
        ret[i] = safe ? c : '_';
    }
    ret[length] = '\0';
    if (length >= NAME_MOST) {                     /* two long names may differ behind their beginnings */
        char sum[SHA256_HEX];
        sha256_bytes(t.data, t.length, sum);
        snprintf(ret + NAME_MOST - NAME_SUM, size - NAME_MOST + NAME_SUM, "-%.*s", NAME_SUM - 1, sum);
    }
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
    csv_end_line(t);
}

static bool has_records(const struct figure *f) { return f->n > 0 && f->predictions[0].attack; }

static bioft_status save_predictions(const char *path, const struct figure *f, size_t count,
                                     struct error *err)
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
    csv_end_line(&t);
    for (uint64_t i = 0; i < f[0].n; i++)
        add_prediction(&t, f, count, i);
    return write_text(path, &t, err);
}

bioft_status figure_save(const char *folder, const struct trial_label *l, const struct figure *f,
                         size_t count, struct error *err)
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
        add_header(&t);
        for (size_t m = 0; m < count; m++)
            add_row(&t, l, &f[m]);
        st = write_text(results, &t, err);
    }
    free(predictions);
    free(results);
    free(predictions_folder);
    free(results_folder);
    return st;
}

/* want_columns 0: the caller looks. */
static bioft_status load_csv(const char *path, struct arena *arena, size_t want_columns, struct csv *ret,
                             struct error *err)
{
    uint8_t *bytes;
    size_t size;
    bioft_status st = file_read(path, MAX_FILE, &bytes, &size, err);
    if (st != BIOFT_OK)
        return st;
    st = csv_parse(path, (const char *)bytes, size, arena, ret, err);
    free(bytes);
    if (st == BIOFT_OK && (ret->rows < 1 || (want_columns && ret->columns != want_columns)))
        st = error_set(err, BIOFT_ERR_FORMAT, "%s: %zu columns, %zu expected", path, ret->columns, want_columns);
    return st;
}

static bioft_status number_at(const char *path, const struct csv *c, size_t row, size_t column, double *ret,
                              struct error *err)
{
    const char *s = c->field[row][column];
    *ret = 0.0;
    if (!*s || text_to_double(s, strlen(s), ret))
        return BIOFT_OK;
    return error_set(err, BIOFT_ERR_FORMAT, "%s:%zu: '%s' is not a number; remove the file to have it made again", path,
                     row + 1, s);
}

/* One row's figure; its strings stay in the csv's arena. */
static bioft_status read_row(const char *path, const struct csv *c, size_t row, struct figure *ret, struct error *err)
{
    char **s = c->field[row];
    double v[8];                                   /* epsilon to delta_mean */
    for (size_t k = 0; k < 8; k++) {
        bioft_status st = number_at(path, c, row, 15 + k, &v[k], err);
        if (st != BIOFT_OK)
            return st;
    }
    *ret = (struct figure){
        .dataset = s[3], .protocol = s[4], .rule = s[5], .stage = s[6], .split = s[9], .metric = s[10],
        .attack = s[11], .options = s[12], .gradient = s[13], .norm = s[14], .attacked = *s[15] != '\0',
        .epsilon = v[0], .value = v[1], .ci_low = v[2], .ci_high = v[3], .n = (uint64_t)v[4],
        .left_out = (uint64_t)v[5], .delta_max = v[6], .delta_mean = v[7], .warnings = s[23],
    };
    if (!indicators_read(s + OWN_COLUMNS, &ret->indicators))
        return error_set(err, BIOFT_ERR_FORMAT, "%s:%zu: a column of the attack's is not a number; remove the file to have "
                         "it made again", path, row + 1);
    return BIOFT_OK;
}

static bioft_status load_prediction(const char *path, const struct csv *c, size_t row,
                                    const struct figure *f, size_t count, struct attack_record *records,
                                    struct error *err)
{
    const size_t first = figure_counts(&f[0]) ? 3 : 2;     /* score's column */
    double v[5];                                   /* sample, label, answer, both deltas */
    bioft_status st = number_at(path, c, row, 0, &v[0], err);

    if (st == BIOFT_OK)
        st = number_at(path, c, row, 1, &v[1], err);
    if (st == BIOFT_OK)
        st = number_at(path, c, row, first - 1, &v[2], err);
    for (size_t k = 0; st == BIOFT_OK && k < 2; k++)
        st = number_at(path, c, row, first + count + k, &v[3 + k], err);
    for (size_t m = 0; st == BIOFT_OK && m < count; m++) {
        struct prediction *p = &f[m].predictions[row - 1];
        *p = (struct prediction){ .sample = (uint64_t)v[0], .label = (int32_t)v[1],
                                  .prediction = first == 3 ? (int32_t)v[2] : -1,
                                  .delta_max = v[3], .delta_mean = v[4],
                                  .attack = records ? &records[row - 1] : NULL };
        st = number_at(path, c, row, first + m, &p->score, err);
    }
    if (st == BIOFT_OK && records && !record_read(c->field[row] + first + count + 2, &records[row - 1]))
        st = error_set(err, BIOFT_ERR_FORMAT, "%s:%zu: a column of the attack's is not a number; remove the file to have it "
                       "made again", path, row + 1);
    return st;
}

static bioft_status load_predictions(const char *path, struct arena *arena, struct figure *f,
                                     size_t count, struct error *err)
{
    struct csv c;
    struct attack_record *records = NULL;
    const size_t plain = count + (figure_counts(&f[0]) ? 5 : 4);
    bioft_status st = load_csv(path, arena, 0, &c, err);

    if (st != BIOFT_OK)
        return st;
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
    for (size_t r = 1; st == BIOFT_OK && r < c.rows; r++)
        st = load_prediction(path, &c, r, f, count, records, err);
    return st;
}

/* The rows of a figure's file, one a metric. */
static bioft_status load_rows(const char *path, struct arena *arena, const struct figure *wanted,
                              size_t count, struct figure *ret, bool *ret_found, struct error *err)
{
    struct csv c;
    bioft_status st = load_csv(path, arena, 0, &c, err);

    /* A file of another version of bioft is made again. */
    *ret_found = st == BIOFT_OK && c.columns == COLUMNS && c.rows == count + 1;
    for (size_t m = 0; st == BIOFT_OK && *ret_found && m < count; m++) {
        st = read_row(path, &c, m + 1, &ret[m], err);
        *ret_found = st == BIOFT_OK && strcmp(ret[m].metric, wanted[m].metric) == 0;
    }
    return st;
}

bioft_status figure_load(const char *folder, const struct figure *wanted, size_t count,
                         struct arena *arena, struct figure *ret, bool *ret_found,
                         struct error *err)
{
    char *results = figure_path(folder, "results", wanted);
    char *predictions = figure_path(folder, "predictions", wanted);
    struct figure *f = arena_array(arena, count, sizeof *f);
    bool found = false;

    *ret_found = false;
    bioft_status st = results && predictions && f ? BIOFT_OK : error_memory(err, "a figure");
    if (st == BIOFT_OK && file_exists(results))
        st = load_rows(results, arena, wanted, count, f, &found, err);
    if (st == BIOFT_OK && found && file_exists(predictions))
        st = load_predictions(predictions, arena, f, count, err);
    if (st == BIOFT_OK && found) {
        memcpy(ret, f, count * sizeof *ret);
        *ret_found = true;
    }
    free(results);
    free(predictions);
    return st;
}

bioft_status results_write(const char *path, const struct trial_figures *trial, struct error *err)
{
    struct text t = { 0 };
    add_header(&t);
    for (size_t k = 0; k < trial->count; k++)
        add_row(&t, &trial->label, &trial->figures[k]);
    return write_text(path, &t, err);
}

bioft_status results_join(const char *path, const char *const *parts, size_t count, struct error *err)
{
    struct text t = { 0 };
    add_header(&t);
    const size_t header = t.length;
    for (size_t i = 0; i < count; i++) {
        uint8_t *bytes;
        size_t size;
        if (!file_exists(parts[i]))
            continue;
        bioft_status st = file_read(parts[i], MAX_FILE, &bytes, &size, err);
        if (st == BIOFT_OK && (size < header || memcmp(bytes, t.data, header) != 0)) {
            st = error_set(err, BIOFT_ERR_FORMAT, "%s: not the header of a results file; remove it to have it made "
                           "again", parts[i]);
            free(bytes);
        }
        if (st != BIOFT_OK) {
            text_free(&t);
            return st;
        }
        text_add_n(&t, (char *)bytes + header, size - header);
        free(bytes);
    }
    return write_text(path, &t, err);
}

bioft_status results_read(const char *path, struct arena *arena, struct trial_figures **ret, size_t *ret_count,
                          struct error *err)
{
    struct csv c;
    size_t trials = 0;
    bioft_status st = load_csv(path, arena, COLUMNS, &c, err);
    if (st != BIOFT_OK)
        return st;
    struct trial_figures *list = arena_array(arena, c.rows, sizeof *list);
    struct figure *figures = arena_array(arena, c.rows, sizeof *figures);
    if (!list || !figures)
        return error_memory(err, path);
    for (size_t r = 1; r < c.rows; r++) {
        char **s = c.field[r];
        double seed;
        if (trials == 0 || strcmp(list[trials - 1].label.id, s[0]) != 0) {
            st = number_at(path, &c, r, 1, &seed, err);
            list[trials++] = (struct trial_figures){
                .label = { .id = s[0], .seed = (uint64_t)seed, .backbone = s[2], .engine = s[7], .precision = s[8] },
                .figures = &figures[r] };
        }
        if (st == BIOFT_OK)
            st = read_row(path, &c, r, &figures[r], err);
        if (st != BIOFT_OK)
            return st;
        list[trials - 1].count++;
    }
    *ret = list;
    *ret_count = trials;
    return BIOFT_OK;
}
