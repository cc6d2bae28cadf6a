/* What a report writes: tables, plots and report.html from the results of output folders. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "report/study.h"

/* Writes OUT/tables/NAME.tex and .md, OUT/plots/NAME.svg, .dat and .gp, strips of images, and
 * OUT/report.html. baseline: as study_read's. *ret_scripts: the names of the scripts in OUT/plots
 * that gnuplot draws PNG files from, in the arena. */
bioft_status report_write(const char *const *folders, size_t count, const char *out,
                          const char *baseline, struct arena *arena, const char ***ret_scripts,
                          size_t *ret_script_count, struct error *err);

#endif
