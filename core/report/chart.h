/* Charts: lines with bands, over epsilon on a logarithmic axis that has 0, as SVG and as a script
 * for gnuplot. */
#ifndef REPORT_CHART_H
#define REPORT_CHART_H

#include "base/memory.h"
#include "base/text.h"
#include <stdint.h>

struct curve {
    const char *name;           /* of its series */
    const char *what;           /* what is said of its points beside the name: "exact gradient"; or NULL */
    double *x, *y, *low, *high; /* low and high NULL or NaN: no band */
    const uint64_t *n;          /* [count] samples behind a point; or NULL */
    size_t count;
    unsigned colour, marker; /* colours.h */
    bool dashed;             /* not in the legend by its name, where there is a solid one */
};
struct chart {
    const char *name, *title, *x_label, *y_label;
    const char *solid, *dashed; /* what the line styles mean; NULL: nothing */
    const char *note;           /* of a page: what was done; or NULL */
    bool zero_and_log;          /* x is 0 or positive, positive ones by their logarithm */
    const char *const *x_names; /* NULL, or the names of x = 0, 1, ... */
    size_t x_name_count;
    double y_low, y_high;
    struct curve *curves;
    size_t count;
};

/* alone: a file of its own, with its title, on white. Colours are literal, for rsvg-convert, Inkscape and LaTeX; in a page
 * report.css replaces them by those of its paper. */
void chart_svg(const struct chart *c, bool alone, struct text *ret);
/* A block of "x y low high" a curve, parted by two empty lines; x as drawn, then as it is. */
void chart_data(const struct chart *c, struct text *ret);
/* Draws NAME.png and NAME.pdf from NAME.dat. */
void chart_gnuplot(const struct chart *c, struct text *ret);
/* Where a value is along x: 0 is one step left of the smallest positive one's decade. */
double chart_place(const struct chart *c, double least, double x);
double chart_least_positive(const struct chart *c);

#endif
