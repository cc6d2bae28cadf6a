/* CSV (RFC 4180, lines end in LF): fields quoted only where need be, and read back. What would act on its reader does
 * not: bytes that text_visible() hides stand as \xNN, and a text that a spreadsheet would take for a formula has a "'"
 * before it. csv_parse undoes both. */
#ifndef FORMATS_CSV_H
#define FORMATS_CSV_H

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

/* One field, with a comma before it where the line has begun. */
void csv_text(struct text *t, const char *value); /* NULL: empty */
void csv_number(struct text *t, double value);    /* NaN: empty */
void csv_integer(struct text *t, int64_t value);
void csv_end_line(struct text *t);

/* rows[r][c]; a byte order mark and empty lines at the end do not count. Every row has the first one's number of fields,
 * or it is an error with the line. */
struct csv {
    size_t rows, columns;
    char ***field;
};
bioft_status csv_parse(const char *name, const char *bytes, size_t size, struct arena *arena, struct csv *ret,
                       struct error *err);
/* A whole file of at most `most` bytes. */
bioft_status csv_load(const char *path, size_t most, struct arena *arena, struct csv *ret, struct error *err);
/* Where the header has a column; c->columns: it has none. And what a row has there: "" where there is no such column. */
size_t csv_column(const struct csv *c, const char *name);
const char *csv_cell(const struct csv *c, size_t row, const char *column);

#endif
