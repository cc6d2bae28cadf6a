/* CSV (RFC 4180, lines end in LF). */
#include "formats/csv.h"

#include "base/file.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static bool is_end(char c) { return is_blank(c) || c == '\n' || c == '\r'; }

/* Where the last line that is not empty ends. */
static size_t without_empty_lines(const char *bytes, size_t from, size_t size)
{
    size_t at = size;
    while (at > from && is_end(bytes[at - 1]))
        at--;
    const char *newline = memchr(bytes + at, '\n', size - at);
    return at == from ? from : newline ? (size_t)(newline - bytes) + 1 : size;
}

static bool at_line_start(const struct text *t) { return t->length == 0 || t->data[t->length - 1] == '\n'; }

/* A spreadsheet takes a field for a formula that begins with one of these, a number aside, also behind blanks. With a
 * quote before it it is text. Such a quote is told from one of the field's own by doubling that. */
static bool has_quote(const char *s)
{
    s += strspn(s, "'");
    return s[strspn(s, " \t\n")] && strchr("=+-@", s[strspn(s, " \t\n")]);
}

static bool is_formula(const char *s)
{
    double number;
    return has_quote(s) && !text_to_double(s, strlen(s), &number);
}

/* Two digits behind "\x", of a byte but NUL. */
static bool read_escape(const char *s, size_t length, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    const char *high = NULL, *low = NULL;

    if (length >= 4 && s[0] == '\\' && s[1] == 'x' && s[2] && s[3]) {
        high = strchr(digits, s[2]);
        low = strchr(digits, s[3]);
    }
    if (!high || !low || (*high == '0' && *low == '0'))
        return false;
    *ret = (char)((high - digits) << 4 | (low - digits));
    return true;
}

/* What a terminal acts on as \xNN, and the backslash where it would read as one of those. */
static void add_visible(struct text *t, const char *s, size_t length)
{
    const char *end = s + length, *backslash;

    while ((backslash = memmem(s, (size_t)(end - s), "\\x", 2))) {
        text_add_visible(t, s, (size_t)(backslash - s));
        text_add(t, "\\x5c");
        s = backslash + 1;
    }
    text_add_visible(t, s, (size_t)(end - s));
}

/* The field as it was before it was made fit for terminals and spreadsheets; not longer. */
static void undo(char *field)
{
    const char *from = field;
    char *to = field;
    size_t left;

    if (*from == '\'' && has_quote(from))
        from++;
    for (left = strlen(from); left > 0; to++) {
        const bool escape = read_escape(from, left, to);
        if (!escape)
            *to = *from;
        from += escape ? 4 : 1;
        left -= escape ? 4 : 1;
    }
    *to = '\0';
}

static void add_field(struct text *t, const char *s, bool formula)
{
    size_t length = strlen(s);
    bool first = at_line_start(t);
    /* An empty first field is quoted too, or the next could not see that the line has begun. */
    bool quoted = first;
    if (length > 0)
        quoted = strpbrk(s, ",\"\n") != NULL || is_blank(s[0]) || is_blank(s[length - 1]);
    if (!first)
        text_add(t, ",");
    if (quoted)
        text_add(t, "\"");
    if (formula)
        text_add(t, "'");
    for (const char *part = s; *part;) {
        size_t plain = strcspn(part, "\"");
        add_visible(t, part, plain);
        part += plain;
        if (*part) {
            text_add(t, "\"\"");
            part++;
        }
    }
    if (quoted)
        text_add(t, "\"");
}

void csv_text(struct text *t, const char *value)
{
    const char *s = value ? value : "";
    add_field(t, s, is_formula(s));
}

void csv_number(struct text *t, double value)
{
    char number[TEXT_NUMBER];
    add_field(t, isnan(value) ? "" : text_number(number, value), false);
}

void csv_integer(struct text *t, int64_t value)
{
    char number[TEXT_NUMBER];
    snprintf(number, sizeof number, "%" PRId64, value);
    add_field(t, number, false);
}

void csv_end_line(struct text *t) { text_add(t, "\n"); }

struct reading {
    const char *name, *bytes;
    size_t size, at, line; /* line: counted from 1, those inside quotes too */
    struct arena *arena;
    char **row; /* the fields of the line being read */
    size_t row_count, row_capacity;
    char ***rows;
    size_t rows_count, rows_capacity;
};

static bioft_status damaged(const struct reading *r, const char *what, struct error *err)
{
    return error_set(err, BIOFT_ERR_FORMAT, "%s:%zu: %s (at byte %zu)", r->name, r->line, what, r->at);
}

static bool ends_field(const struct reading *r, size_t at)
{
    return at == r->size || r->bytes[at] == ',' || r->bytes[at] == '\n' ||
           (r->bytes[at] == '\r' && at + 1 < r->size && r->bytes[at + 1] == '\n');
}

static bioft_status read_plain(struct reading *r, char **ret, struct error *err)
{
    size_t start = r->at;
    for (; !ends_field(r, r->at); r->at++) {
        if (r->bytes[r->at] == '"')
            return damaged(r, "a quote inside a field that does not begin with one", err);
        if (r->bytes[r->at] == '\r' || r->bytes[r->at] == '\0')
            return damaged(r, "a control character inside a field", err);
    }
    *ret = arena_text_n(r->arena, r->bytes + start, r->at - start);
    return *ret ? BIOFT_OK : error_memory(err, r->name);
}

static bioft_status read_quoted(struct reading *r, char **ret, struct error *err)
{
    size_t start = ++r->at, length = 0, opened = r->line;
    for (;; r->at++, length++) {
        if (r->at == r->size) {
            r->line = opened;
            return damaged(r, "a quoted field that does not end", err);
        }
        char c = r->bytes[r->at];
        if (c == '\0')
            return damaged(r, "a control character inside a field", err);
        if (c == '\n')
            r->line++;
        if (c != '"')
            continue;
        if (r->at + 1 == r->size || r->bytes[r->at + 1] != '"')
            break;
        r->at++;
    }
    char *field = arena_array(r->arena, length + 1, 1);
    if (!field)
        return error_memory(err, r->name);
    for (size_t from = start, to = 0; to < length; from++, to++) {
        field[to] = r->bytes[from];
        if (field[to] == '"')
            from++;
    }
    r->at++;
    if (!ends_field(r, r->at))
        return damaged(r, "text after the closing quote of a field", err);
    *ret = field;
    return BIOFT_OK;
}

/* One line, to behind its end. */
static bioft_status read_row(struct reading *r, struct error *err)
{
    r->row_count = 0;
    for (;;) {
        char *field;
        bool quoted = r->at < r->size && r->bytes[r->at] == '"';
        bioft_status st = quoted ? read_quoted(r, &field, err) : read_plain(r, &field, err);
        if (st != BIOFT_OK)
            return st;
        if (!mem_grow(&r->row, &r->row_capacity, r->row_count + 1, sizeof *r->row))
            return error_memory(err, r->name);
        undo(field);
        r->row[r->row_count++] = field;
        if (r->at == r->size)
            return BIOFT_OK;
        if (r->bytes[r->at] != ',')
            break;
        r->at++;
    }
    r->at += r->bytes[r->at] == '\r' ? 2 : 1;
    return BIOFT_OK;
}

static bioft_status read_rows(struct reading *r, size_t *ret_columns, struct error *err)
{
    size_t columns = 0;
    while (r->at < r->size) {
        size_t line = r->line;
        bioft_status st = read_row(r, err);
        if (st != BIOFT_OK)
            return st;
        if (r->rows_count == 0)
            columns = r->row_count;
        if (r->row_count != columns)
            return error_set(err, BIOFT_ERR_FORMAT, "%s:%zu: %zu fields where the first line has %zu", r->name, line,
                             r->row_count, columns);
        r->line++;
        char **row = arena_array(r->arena, columns, sizeof *row);
        if (!row || !mem_grow(&r->rows, &r->rows_capacity, r->rows_count + 1, sizeof *r->rows))
            return error_memory(err, r->name);
        memcpy(row, r->row, columns * sizeof *row);
        r->rows[r->rows_count++] = row;
    }
    *ret_columns = columns;
    return BIOFT_OK;
}

bioft_status csv_parse(const char *name, const char *bytes, size_t size, struct arena *arena, struct csv *ret,
                       struct error *err)
{
    struct reading r = { .name = name, .bytes = bytes, .size = size, .line = 1, .arena = arena };
    size_t columns = 0;
    char ***field = NULL;

    if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) /* a byte order mark */
        r.at = 3;
    r.size = without_empty_lines(bytes, r.at, size);
    bioft_status st = read_rows(&r, &columns, err);
    if (st == BIOFT_OK) {
        field = arena_array(arena, r.rows_count, sizeof *field);
        if (!field)
            st = error_memory(err, name);
    }
    if (st == BIOFT_OK) {
        if (r.rows_count > 0)
            memcpy(field, r.rows, r.rows_count * sizeof *field);
        *ret = (struct csv){ .rows = r.rows_count, .columns = columns, .field = field };
    }
    free(r.rows);
    free(r.row);
    return st;
}

bioft_status csv_load(const char *path, size_t most, struct arena *arena, struct csv *ret, struct error *err)
{
    uint8_t *bytes = NULL;
    size_t size;
    bioft_status st = file_read(path, most, &bytes, &size, err);

    if (st == BIOFT_OK)
        st = csv_parse(path, (const char *)bytes, size, arena, ret, err);
    free(bytes);
    return st;
}

size_t csv_column(const struct csv *c, const char *name)
{
    size_t k = 0;

    while (k < c->columns && strcmp(c->field[0][k], name) != 0)
        k++;
    return k;
}

const char *csv_cell(const struct csv *c, size_t row, const char *column)
{
    const size_t k = csv_column(c, column);

    return k < c->columns ? c->field[row][k] : "";
}
