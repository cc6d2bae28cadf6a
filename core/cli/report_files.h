/* The report of output folders: what `bioft report` writes, and a run at its end. */
#ifndef CLI_REPORT_FILES_H
#define CLI_REPORT_FILES_H

#include "base/error.h"
#include <stddef.h>

/* Tables, plots and report.html into `out`; PNG files too where there is a gnuplot to draw them,
 * and nothing is said where there is none. */
bioft_status report_files(const char *const *folders, size_t count, const char *out,
                          const char *baseline, struct error *err);

#endif
