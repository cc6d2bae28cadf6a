/* What a report writes: tables, plots and report.html from the results of output folders. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "report/study.h"

struct report_order {
    const char *const *folders; /* of the runs */
    size_t count;
    const char *out, *baseline;  /* baseline: as study_read's */
    bool keep;                   /* put the verdicts into the folders' results.csv */
    struct published *published; /* NULL: none */
    /* Draws PNG and PDF files from the scripts in the folder of plots, where it can; NULL: nobody does. */
    void (*draw)(const char *plots, const char *const *scripts, size_t count);
};
/* Writes OUT/tables/NAME.csv, .tex and .md, OUT/plots/NAME.svg, .dat and .gp, strips of images, and OUT/report.html, which
 * links to those of them and of what `draw` left that exist. */
bioft_status report_write(const struct report_order *order, struct arena *arena, struct error *err);

#endif
