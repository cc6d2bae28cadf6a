/* A table, its marks, and how it is written: HTML, LaTeX with booktabs, Markdown, CSV. */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include "base/memory.h"
#include "base/text.h"

/* The marking rule of the paper's tables: the best value bold, the second underlined; three or more
 * equal best: none; two equal best: both underlined; two or more equal second: none of them. Values
 * are compared as they are printed, and a value that is NaN is not there. Larger is better. */
enum mark { MARK_NONE, MARK_SECOND, MARK_BEST };
void marks_set(const double *values, size_t count, enum mark *ret);
/* The same, after the values were rounded to `digits` decimals in place. */
void marks_as_printed(double *values, size_t count, int digits, enum mark *ret);
enum { TABLE_DIGITS = 2 }; /* of a percentage */

struct cell {
    const char *text; /* plain; NULL: empty */
    const char *note; /* smaller, beside it: an interval; or NULL */
    const char *more; /* under the pointer, in the CSV, and in LaTeX where asked for: an interval and n; or NULL */
    enum mark mark;
    bool published; /* not measured here */
    bool faint;     /* no evidence: grey */
};
/* Row 0 is the head, column 0 names the rows. */
struct table {
    const char *name; /* of its files */
    const char *caption;
    const char *about; /* what was done, in a page's caption; or NULL */
    const char *file;  /* of its files in tables/, without the suffix; NULL: it has none */
    size_t rows, columns;
    struct cell *cells; /* [rows][columns] */
};
bool table_create(struct table *t, size_t rows, size_t columns, struct arena *arena);
struct cell *table_cell(struct table *t, size_t row, size_t column);
/* Marks one column's rows from `first` on, `step` apart, by their values as printed with `digits`
 * decimals. */
bool table_mark(struct table *t, size_t column, size_t first, size_t step, const double *values, size_t count,
                int digits);

void table_html(const struct table *t, struct text *ret);
void table_latex(const struct table *t, struct text *ret);
void table_markdown(const struct table *t, struct text *ret);
/* A column of words is left-aligned, one of numbers right. A column that is long has words that want to be broken. */
bool table_is_word(const struct table *t, size_t column);
bool table_is_long(const struct table *t, size_t column);
/* The cells as printed; a column of notes behind each that has any. */
void table_csv(const struct table *t, struct text *ret);
/* Links to files of one name in a folder: "CSV TeX Markdown". suffixes end with NULL. */
void html_files(const char *folder, const char *name, const char *const *suffixes, struct text *ret);
/* Text for HTML, attributes too. */
void html_escape(struct text *t, const char *s);

#endif
