/* The columns of results.csv and of a figure's own file: a row is a figure with its trial's label. */
#ifndef RESULTS_COLUMNS_H
#define RESULTS_COLUMNS_H

#include "formats/csv.h"
#include "results/results.h"

enum { RESULT_COLUMNS = 38 }; /* beside the indicators (attacked.h) */

/* Without the line's end, so that a caller can add columns of its own. */
void columns_header(struct text *t);
void columns_row(struct text *t, const struct trial_label *l, const struct figure *f);

/* Where a file's header has the columns, and last the first of the indicators; SIZE_MAX: not there. Those of the first
 * format are needed. */
bioft_status columns_find(const char *path, const struct csv *c, size_t ret[RESULT_COLUMNS + 1], struct error *err);
/* One row's figure and label, without predictions; their strings stay in the csv's arena. */
bioft_status columns_read(const char *path, const struct csv *c, size_t row, const size_t at[RESULT_COLUMNS + 1],
                          struct trial_label *ret_label, struct figure *ret, struct error *err);
/* A field as a number; an empty one is 0. */
bioft_status columns_number(const char *path, const struct csv *c, size_t row, size_t column, double *ret,
                            struct error *err);

/* A whole file read, with a header at least; written, and the text freed whatever comes of it. */
bioft_status columns_load(const char *path, struct arena *arena, struct csv *ret, struct error *err);
bioft_status columns_write(const char *path, struct text *t, struct error *err);

/* Two rows of one figure. `what`: in what it is, or in what its predictions give. The first column that differs and both
 * values as they are written, into the arena; *ret_name NULL: none does. BIOFT_ERR_MEMORY. */
struct columns_side {
    const struct trial_label *label;
    const struct figure *figure;
};
enum columns_what { COLUMNS_IS, COLUMNS_GIVEN };
struct columns_difference {
    const char *name, *a, *b;
};
bioft_status columns_compare(const struct columns_side *a, const struct columns_side *b, enum columns_what what,
                             struct arena *arena, struct columns_difference *ret, struct error *err);

#endif
