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
};
/* Writes OUT/tables/NAME.tex and .md, OUT/plots/NAME.svg, .dat and .gp, strips of images, and
 * OUT/report.html. *ret_scripts: the names of the scripts in OUT/plots that gnuplot draws PNG files
 * from, in the arena. */
bioft_status report_write(const struct report_order *order, struct arena *arena,
                          const char ***ret_scripts, size_t *ret_script_count, struct error *err);

#endif
