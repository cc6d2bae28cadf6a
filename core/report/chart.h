/* Charts: lines with bands, over epsilon on a logarithmic axis that has 0, as SVG and as a script
 * for gnuplot. */
#ifndef REPORT_CHART_H
#define REPORT_CHART_H

#include "base/memory.h"
#include "base/text.h"

struct curve {
    const char *name;           /* NULL: not in the legend */
    double *x, *y, *low, *high; /* low and high NULL or NaN: no band */
    size_t count;
    unsigned colour; /* by series; they repeat after CHART_COLOURS */
    bool dashed;
};
enum { CHART_COLOURS = 8 };
struct chart {
    const char *name, *title, *x_label, *y_label;
    bool zero_and_log;          /* x is 0 or positive, positive ones by their logarithm */
    const char *const *x_names; /* NULL, or the names of x = 0, 1, ... */
    size_t x_name_count;
    double y_low, y_high;
    struct curve *curves;
    size_t count;
};

/* alone: a file of its own, with its colours; else colours come from the page's style. */
void chart_svg(const struct chart *c, bool alone, struct text *ret);
/* The style of both, for light and dark. */
const char *chart_style(void);
/* A block of "x y low high" a curve, parted by two empty lines; x as drawn, then as it is. */
void chart_data(const struct chart *c, struct text *ret);
/* Draws NAME.png from NAME.dat. */
void chart_gnuplot(const struct chart *c, struct text *ret);

#endif
