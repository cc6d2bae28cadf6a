/* Published figures, from a CSV whose columns have the names of results.csv's. */
#include "report/published.h"

#include "base/file.h"
#include "eval/figure.h"
#include "eval/interval.h"
#include "formats/csv.h"
#include "base/utf8.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 256 << 10 };
enum column {
    BACKBONE,
    DATASET,
    RULE,
    METRIC,
    VALUE,
    NEEDED, /* the ones before it */
    ATTACK = NEEDED,
    OPTIONS,
    GRADIENT,
    EPSILON,
    N,
    SOURCE,
    COLUMNS
};
static const char *const columns[COLUMNS] = { "backbone", "dataset",  "rule",    "metric", "value", "attack",
                                              "options",  "gradient", "epsilon", "n",      "source" };

struct reading {
    const char *path;
    struct csv csv;
    bool there[COLUMNS];
    size_t at[COLUMNS];
    struct error *err;
};

static bool same_epsilon(double a, double b)
{
    char printed[2][TEXT_NUMBER];
    snprintf(printed[0], sizeof printed[0], "%.4g", a);
    snprintf(printed[1], sizeof printed[1], "%.4g", b);
    return strcmp(printed[0], printed[1]) == 0;
}

static const char *field(const struct reading *r, size_t row, enum column c)
{
    return r->there[c] ? r->csv.field[row][r->at[c]] : "";
}

static bioft_status wrong(const struct reading *r, size_t row, enum column c, const char *what)
{
    char shown[TEXT_ESCAPED];
    const char *s = field(r, row, c);
    return error_set(r->err, BIOFT_ERR_FORMAT, "%s:%zu: column %s: '%s' %s", r->path, row + 1, columns[c],
                     text_escape(shown, s, strlen(s)), what);
}

/* Which column is which, from the first line. */
static bioft_status read_head(struct reading *r)
{
    for (size_t k = 0; k < r->csv.columns; k++) {
        char shown[TEXT_ESCAPED];
        const char *name = r->csv.field[0][k];
        size_t c = 0;
        while (c < COLUMNS && strcmp(name, columns[c]) != 0)
            c++;
        if (c == COLUMNS) {
            const char *near = text_nearest(name, columns, COLUMNS);
            return error_set(r->err, BIOFT_ERR_FORMAT,
                             "%s:1: column '%s' is not known%s%s%s: columns are backbone, dataset, "
                             "rule, metric, value and, where wanted, attack, options, gradient, "
                             "epsilon, n, source",
                             r->path, text_escape(shown, name, strlen(name)), near ? " (meant '" : "", near ? near : "",
                             near ? "'?)" : "");
        }
        if (r->there[c])
            return error_set(r->err, BIOFT_ERR_FORMAT, "%s:1: column %s appears twice", r->path, columns[c]);
        r->there[c] = true;
        r->at[c] = k;
    }
    for (size_t c = 0; c < NEEDED; c++)
        if (!r->there[c])
            return error_set(r->err, BIOFT_ERR_FORMAT, "%s:1: column %s is missing", r->path, columns[c]);
    return BIOFT_OK;
}

/* What a table cannot print in one line is refused. */
static bioft_status check_fields(const struct reading *r, size_t row)
{
    for (size_t c = 0; c < COLUMNS; c++) {
        const char *s = field(r, row, (enum column)c);
        if (c < NEEDED && !*s)
            return wrong(r, row, (enum column)c, "is empty");
        for (; *s; s++)
            if ((unsigned char)*s < 0x20 || *s == 0x7f)
                return wrong(r, row, (enum column)c, "has a line break or control character");
    }
    return BIOFT_OK;
}

/* NaN where the field is empty. */
static bioft_status number_at(const struct reading *r, size_t row, enum column c, double *ret)
{
    const char *s = field(r, row, c);
    *ret = NAN;
    if (*s && !text_to_double(s, strlen(s), ret))
        return wrong(r, row, c, "is not a number");
    return BIOFT_OK;
}

static bioft_status read_figure(const struct reading *r, size_t row, struct published_figure *ret)
{
    double value, epsilon, n;
    bioft_status st = check_fields(r, row);

    if (st == BIOFT_OK)
        st = number_at(r, row, VALUE, &value);
    if (st == BIOFT_OK)
        st = number_at(r, row, EPSILON, &epsilon);
    if (st == BIOFT_OK)
        st = number_at(r, row, N, &n);
    if (st != BIOFT_OK)
        return st;
    if (!(value >= 0.0 && value <= 1.0))
        return wrong(r, row, VALUE, "is not between 0 and 1: a percentage is divided by 100");
    if (!isnan(n) && !(n >= 1.0 && n <= 1e15 && n == floor(n)))
        return wrong(r, row, N, "is not a number of samples");
    if (!isnan(epsilon) && epsilon < 0.0)
        return wrong(r, row, EPSILON, "is below 0");
    const char *attack = field(r, row, ATTACK);
    if (*attack && isnan(epsilon))
        return wrong(r, row, EPSILON, "is empty: an attack has one");
    for (int c = OPTIONS; c <= EPSILON && !*attack; c++)
        if (*field(r, row, (enum column)c))
            return wrong(r, row, (enum column)c, "belongs to an attack, and column attack is empty");
    *ret = (struct published_figure){ .backbone = field(r, row, BACKBONE),
                                      .dataset = field(r, row, DATASET),
                                      .rule = field(r, row, RULE),
                                      .source = field(r, row, SOURCE),
                                      .place = { .metric = field(r, row, METRIC),
                                                 .attack = *attack ? attack : NULL,
                                                 .options = field(r, row, OPTIONS),
                                                 .gradient = field(r, row, GRADIENT),
                                                 .epsilon = *attack ? epsilon : 0.0 },
                                      .value = value,
                                      .low = NAN,
                                      .high = NAN,
                                      .n = isnan(n) ? 0 : (uint64_t)n,
                                      .line = row + 1 };
    if (ret->n && figure_counts(&(struct figure){ .metric = ret->place.metric })) {
        const struct interval ci = interval_wilson((uint64_t)llround(value * n), ret->n);
        ret->low = ci.low;
        ret->high = ci.high;
    }
    return BIOFT_OK;
}

static bool same_place(const struct place *a, const struct place *b)
{
    return same_text(a->metric, b->metric) && same_text(a->attack, b->attack) && same_text(a->options, b->options) &&
           same_text(a->gradient, b->gradient) && same_epsilon(a->epsilon, b->epsilon);
}

/* Of one column of a table: alike in all but the rule. */
static bool same_column(const struct published_figure *a, const struct published_figure *b)
{
    return same_text(a->backbone, b->backbone) && same_text(a->dataset, b->dataset) &&
           same_text(a->source, b->source) && same_place(&a->place, &b->place);
}

/* Each source once, and no figure twice. */
static bioft_status look_over(struct published *p, struct error *err)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct published_figure *f = &p->figures[i];
        size_t s = 0;
        for (size_t k = 0; k < i; k++)
            if (same_text(p->figures[k].rule, f->rule) && same_column(&p->figures[k], f))
                return error_set(err, BIOFT_ERR_FORMAT,
                                 "%s:%zu: this figure is in line %zu already: the columns "
                                 "from backbone to epsilon and the source are the same",
                                 p->path, f->line, p->figures[k].line);
        while (s < p->source_count && strcmp(p->sources[s], f->source) != 0)
            s++;
        p->sources[s] = f->source;
        p->source_count += s == p->source_count;
    }
    return BIOFT_OK;
}

/* The marks of the column that `first` begins; `values`, `marks` and `at` have room for all. */
static void mark_column(struct published *p, size_t first, double *values, enum mark *marks, size_t *at)
{
    size_t n = 0;

    for (size_t i = 0; i < p->count; i++) {
        const bool same = same_column(&p->figures[first], &p->figures[i]);
        if (same && i < first)
            return; /* an earlier one has begun it */
        if (same) {
            values[n] = 100.0 * p->figures[i].value;
            at[n++] = i;
        }
    }
    marks_as_printed(values, n, TABLE_DIGITS, marks);
    for (size_t k = 0; k < n; k++)
        p->figures[at[k]].mark = marks[k];
}

static bioft_status mark_all(struct published *p, struct error *err)
{
    double *values = mem_array(p->count, sizeof *values);
    enum mark *marks = mem_array(p->count, sizeof *marks);
    size_t *at = mem_array(p->count, sizeof *at);
    const bool fine = values && marks && at;

    for (size_t i = 0; fine && i < p->count; i++)
        if (!p->figures[i].place.attack)
            mark_column(p, i, values, marks, at);
    free(values);
    free(marks);
    free(at);
    return fine ? BIOFT_OK : error_memory(err, p->path);
}

/* The fields of the file; a byte-order mark, which spreadsheets write, is no part of the first. */
static bioft_status load(struct reading *r, struct arena *arena)
{
    uint8_t *bytes = NULL;
    size_t size = 0, line = 1;
    bioft_status st = file_read(r->path, MAX_FILE, &bytes, &size, r->err);

    if (st != BIOFT_OK)
        return st;
    const size_t valid = utf8_valid(bytes, size);
    const size_t from = size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    for (size_t i = 0; i < valid; i++)
        line += bytes[i] == '\n';
    if (valid < size)
        st = error_set(r->err, BIOFT_ERR_FORMAT, "%s:%zu: not UTF-8", r->path, line);
    else
        st = csv_parse(r->path, (const char *)bytes + from, size - from, arena, &r->csv, r->err);
    free(bytes);
    if (st != BIOFT_OK)
        return st;
    if (r->csv.rows < 2)
        return error_set(r->err, BIOFT_ERR_FORMAT,
                         "%s: no figures: the first line names the columns, then comes one a figure", r->path);
    return BIOFT_OK;
}

bioft_status published_read(const char *path, struct arena *arena, struct published *ret, struct error *err)
{
    struct reading r = { .path = path, .err = err };

    *ret = (struct published){ .path = path };
    bioft_status st = load(&r, arena);
    if (st == BIOFT_OK)
        st = read_head(&r);
    if (st != BIOFT_OK)
        return st;
    ret->figures = arena_array(arena, r.csv.rows, sizeof *ret->figures);
    ret->sources = arena_array(arena, r.csv.rows, sizeof *ret->sources);
    if (!ret->figures || !ret->sources)
        return error_memory(err, path);
    for (size_t row = 1; st == BIOFT_OK && row < r.csv.rows; row++)
        st = read_figure(&r, row, &ret->figures[ret->count++]);
    if (st == BIOFT_OK)
        st = look_over(ret, err);
    return st == BIOFT_OK ? mark_all(ret, err) : st;
}

struct published_figure *published_beside(const struct published *p, const char *source, const struct panel *panel,
                                          const struct series *series, const struct place *place)
{
    struct point ours;

    for (size_t i = 0; i < p->count; i++) {
        struct published_figure *f = &p->figures[i];
        if (same_text(f->source, source) && same_text(f->backbone, panel->backbone) &&
            same_text(f->dataset, panel->dataset) && same_text(f->rule, series->rule) && same_place(&f->place, place))
            return study_point(panel, series, place, &ours) ? f : NULL;
    }
    return NULL;
}

size_t published_unmatched(const struct published *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->count; i++)
        n += !p->figures[i].shown;
    return n;
}

void published_describe(const struct published_figure *f, struct text *ret)
{
    const struct place *at = &f->place;

    text_printf(ret, "line %zu: %s, %s, %s, ", f->line, f->backbone, f->dataset, f->rule);
    if (at->attack)
        text_printf(ret, "%s%s%s%s%s, epsilon %.4g, ", at->attack, *at->options ? " " : "", at->options,
                    *at->gradient ? ", gradient " : "", *at->gradient ? gradient_title(at->gradient) : "", at->epsilon);
    text_printf(ret, "%s %.*f", at->metric, TABLE_DIGITS, 100.0 * f->value);
    if (*f->source)
        text_printf(ret, " (%s)", f->source);
}
