/* Results on disk: a file a figure, and results.csv built from them. */
#include "results/results.h"

#include "base/file.h"
#include "base/sha256.h"
#include "formats/csv.h"
#include "results/attacked.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, COUNT, NUMBER };
struct column {
    const char *name;
    enum kind kind;
    bool of_trial, of_attack;                      /* of a trial_label, else of a figure; empty of a clean figure */
    size_t at;
};
#define TRIAL(name, kind, field) { name, kind, true, false, offsetof(struct trial_label, field) }
#define FIGURE(name, kind, field) { name, kind, false, false, offsetof(struct figure, field) }
#define ATTACK(name, kind, field) { name, kind, false, true, offsetof(struct figure, field) }
/* A reader takes columns by their names; one that a file lacks is empty. */
static const struct column columns[] = {
    TRIAL("trial", TEXT, id), TRIAL("seed", COUNT, seed), TRIAL("backbone", TEXT, backbone),
    FIGURE("dataset", TEXT, dataset), FIGURE("protocol", TEXT, protocol), FIGURE("rule", TEXT, rule),
    FIGURE("stage", TEXT, stage), TRIAL("engine", TEXT, engine), TRIAL("precision", TEXT, precision),
    FIGURE("split", TEXT, split), FIGURE("metric", TEXT, metric), FIGURE("attack", TEXT, attack),
    FIGURE("options", TEXT, options), FIGURE("gradient", TEXT, gradient), FIGURE("norm", TEXT, norm),
    ATTACK("epsilon", NUMBER, epsilon), FIGURE("value", NUMBER, value), FIGURE("ci_low", NUMBER, ci_low),
    FIGURE("ci_high", NUMBER, ci_high), FIGURE("n", COUNT, n), FIGURE("left_out", COUNT, left_out),
    ATTACK("delta_max", NUMBER, delta_max), ATTACK("delta_mean", NUMBER, delta_mean),
    FIGURE("warnings", TEXT, warnings), FIGURE("dropped", COUNT, dropped), FIGURE("n_train", COUNT, n_train),
    FIGURE("steps", COUNT, steps), FIGURE("target", TEXT, target), FIGURE("masking", TEXT, masking),
    ATTACK("masking_p", NUMBER, masking_p), ATTACK("masking_n", COUNT, masking_n),
    FIGURE("verdict", TEXT, verdict), FIGURE("verdict_why", TEXT, verdict_why), FIGURE("identity", TEXT, identity),
    TRIAL("trial_identity", TEXT, identity), FIGURE("attacks", TEXT, attacks),
    FIGURE("from", TEXT, from),
};
enum { COLUMNS = sizeof columns / sizeof *columns, NEEDED = 23, MAX_FILE = 256 << 20 };

/* The indicators stand behind the columns of the first format. */
static void add_header(struct text *t)
{
    for (size_t c = 0; c < COLUMNS; c++) {
        csv_text(t, columns[c].name);
        if (c == NEEDED)
            indicators_header(t);
    }
}

/* Has the figure no value in this column? p and n of masking are those of a pair of gradients. */
static bool is_empty(const struct column *c, const struct figure *f)
{
    const bool paired = f->masking && *f->masking;
    return c->of_attack && (!f->attacked || (!paired && strncmp(c->name, "masking", 7) == 0));
}

static void add_cells(struct text *t, const struct trial_label *l, const struct figure *f)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        const struct column *c = &columns[i];
        const char *field = (const char *)(c->of_trial ? (const void *)l : (const void *)f) + c->at;
        if (is_empty(c, f))
            csv_text(t, NULL);
        else if (c->kind == TEXT)
            csv_text(t, *(const char *const *)(const void *)field);
        else if (c->kind == COUNT)
            csv_integer(t, (int64_t)*(const uint64_t *)(const void *)field);
        else
            csv_number(t, *(const double *)(const void *)field);
        if (i == NEEDED)
            indicators_add(t, f);
    }
}

/* A worst case has no options: the attacks that it holds stand in a column of their own. */
static struct figure written(const struct figure *f)
{
    struct figure ret = *f;

    if (f->attacked && strcmp(f->attack, ATTACK_WORST) == 0) {
        ret.attacks = f->options;
        ret.options = "";
    }
    return ret;
}

static void add_row(struct text *t, const struct trial_label *l, const struct figure *f)
{
    const struct figure shown = written(f);

    add_cells(t, l, &shown);
    csv_end_line(t);
}

static bioft_status write_text(const char *path, struct text *t, struct error *err)
{
    bioft_status st = t->failed ? error_memory(err, path) : file_write(path, t->data, t->length, err);
    text_free(t);
    return st;
}

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
        csv_end_line(&t);
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

static bioft_status load_csv(const char *path, struct arena *arena, struct csv *ret, struct error *err)
{
    uint8_t *bytes;
    size_t size;
    bioft_status st = file_read(path, MAX_FILE, &bytes, &size, err);
    if (st != BIOFT_OK)
        return st;
    st = csv_parse(path, (const char *)bytes, size, arena, ret, err);
    free(bytes);
    if (st == BIOFT_OK && ret->rows < 1)
        st = error_set(err, BIOFT_ERR_FORMAT, "%s: no header", path);
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

/* Where the columns stand, and last the first of the indicators; SIZE_MAX: not there. Those of the first format are
 * needed. */
static bioft_status find_columns(const char *path, const struct csv *c, size_t ret[COLUMNS + 1], struct error *err)
{
    ret[COLUMNS] = SIZE_MAX;
    for (size_t k = 0; k + INDICATOR_COLUMNS <= c->columns && ret[COLUMNS] == SIZE_MAX; k++)
        if (indicators_begin(c->field[0] + k))
            ret[COLUMNS] = k;
    for (size_t i = 0; i < COLUMNS; i++) {
        ret[i] = SIZE_MAX;
        for (size_t k = 0; k < c->columns && ret[i] == SIZE_MAX; k++)
            if (strcmp(c->field[0][k], columns[i].name) == 0)
                ret[i] = k;
        if (ret[i] == SIZE_MAX && i <= NEEDED)
            return error_set(err, BIOFT_ERR_FORMAT, "%s: no column '%s': not the header of a results file; remove it "
                             "to have it made again", path, columns[i].name);
    }
    return BIOFT_OK;
}

static bioft_status count_at(const char *path, const struct csv *c, size_t row, size_t column, uint64_t *ret,
                             struct error *err)
{
    const char *s = c->field[row][column];
    char *end;

    *ret = strtoull(s, &end, 10);
    if (!*end)
        return BIOFT_OK;
    return error_set(err, BIOFT_ERR_FORMAT, "%s:%zu: '%s' is not a count; remove the file to have it made again", path,
                     row + 1, s);
}

/* One row's figure and label; their strings stay in the csv's arena. */
static bioft_status read_row(const char *path, const struct csv *c, size_t row, const size_t at[COLUMNS + 1],
                             struct trial_label *ret_label, struct figure *ret, struct error *err)
{
    static const char epsilon[] = "epsilon";
    bioft_status st = BIOFT_OK;

    *ret = (struct figure){ 0 };
    *ret_label = (struct trial_label){ 0 };
    for (size_t i = 0; st == BIOFT_OK && i < COLUMNS; i++) {
        const struct column *k = &columns[i];
        char *field = (char *)(k->of_trial ? (void *)ret_label : (void *)ret) + k->at;
        if (k->kind == TEXT)
            *(const char **)(void *)field = at[i] == SIZE_MAX ? "" : c->field[row][at[i]];
        else if (at[i] != SIZE_MAX && k->kind == COUNT)
            st = count_at(path, c, row, at[i], (uint64_t *)(void *)field, err);
        else if (at[i] != SIZE_MAX)
            st = number_at(path, c, row, at[i], (double *)(void *)field, err);
        if (strcmp(k->name, epsilon) == 0)
            ret->attacked = *c->field[row][at[i]] != '\0';
    }
    if (at[COLUMNS] == SIZE_MAX)
        ret->indicators = indicators_none();
    else if (st == BIOFT_OK && !indicators_read(c->field[row] + at[COLUMNS], &ret->indicators))
        st = error_set(err, BIOFT_ERR_FORMAT, "%s:%zu: a column of the attack's is not a number; remove the file to have "
                       "it made again", path, row + 1);
    if (st == BIOFT_OK && *ret->attacks)
        ret->options = ret->attacks;
    return st;
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
    bioft_status st = load_csv(path, arena, &c, err);

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
    struct trial_label label;
    size_t at[COLUMNS + 1];
    bioft_status st = load_csv(path, arena, &c, err);

    if (st == BIOFT_OK)
        st = find_columns(path, &c, at, err);
    /* A file of another version of bioft is made again. */
    *ret_found = st == BIOFT_OK && c.columns == COLUMNS + INDICATOR_COLUMNS && c.rows == count + 1;
    for (size_t m = 0; st == BIOFT_OK && *ret_found && m < count; m++) {
        st = read_row(path, &c, m + 1, at, &label, &ret[m], err);
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
    csv_end_line(&t);
    for (size_t k = 0; k < trial->count; k++)
        add_row(&t, &trial->label, &trial->figures[k]);
    return write_text(path, &t, err);
}

bioft_status results_read(const char *path, struct arena *arena, struct trial_figures **ret, size_t *ret_count,
                          struct error *err)
{
    struct csv c;
    size_t trials = 0, at[COLUMNS + 1];
    bioft_status st = load_csv(path, arena, &c, err);
    if (st == BIOFT_OK)
        st = find_columns(path, &c, at, err);
    if (st != BIOFT_OK)
        return st;
    struct trial_figures *list = arena_array(arena, c.rows, sizeof *list);
    struct figure *figures = arena_array(arena, c.rows, sizeof *figures);
    if (!list || !figures)
        return error_memory(err, path);
    for (size_t r = 1; r < c.rows; r++) {
        struct trial_label label;
        st = read_row(path, &c, r, at, &label, &figures[r], err);
        if (st != BIOFT_OK)
            return st;
        if (trials == 0 || strcmp(list[trials - 1].label.id, label.id) != 0)
            list[trials++] = (struct trial_figures){ .label = label, .figures = &figures[r] };
        list[trials - 1].count++;
    }
    *ret = list;
    *ret_count = trials;
    return BIOFT_OK;
}

/* The rows of one part, each with its trial's values of the sweep. */
static bioft_status join_part(const struct results_part *part, size_t swept, struct text *t, struct error *err)
{
    struct arena *arena = arena_create();
    struct trial_figures *trials;
    size_t count;
    bioft_status st = arena ? results_read(part->path, arena, &trials, &count, err) : error_memory(err, part->path);

    for (size_t i = 0; st == BIOFT_OK && i < count; i++)
        for (size_t k = 0; k < trials[i].count; k++) {
            const struct figure shown = written(&trials[i].figures[k]);
            add_cells(t, &trials[i].label, &shown);
            for (size_t s = 0; s < swept; s++)
                csv_text(t, part->swept[s]);
            csv_end_line(t);
        }
    arena_destroy(arena);
    return st;
}

bioft_status results_join(const char *path, const char *const *swept, size_t swept_count,
                          const struct results_part *parts, size_t count, struct error *err)
{
    struct text t = { 0 };
    bioft_status st = BIOFT_OK;

    add_header(&t);
    for (size_t i = 0; i < swept_count; i++)
        csv_text(&t, swept[i]);
    csv_end_line(&t);
    for (size_t i = 0; st == BIOFT_OK && i < count; i++)
        if (file_exists(parts[i].path))
            st = join_part(&parts[i], swept_count, &t, err);
    if (st == BIOFT_OK)
        return write_text(path, &t, err);
    text_free(&t);
    return st;
}
