/* The report of output folders: what `bioft report` writes, and a run at its end. */
#ifndef CLI_REPORT_FILES_H
#define CLI_REPORT_FILES_H

#include "report/report.h"

/* Tables, plots and report.html into order->out; PNG files too where there is a gnuplot to draw
 * them, and nothing is said where there is none. */
bioft_status report_files(const struct report_order *order, struct error *err);

#endif
