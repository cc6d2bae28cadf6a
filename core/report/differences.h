/* What runs that share a page differ in. */
#ifndef REPORT_DIFFERENCES_H
#define REPORT_DIFFERENCES_H

#include "report/study.h"
#include "report/table.h"

/* A row a setting that the folders' trials have other values of, a column a folder: all values of its trials, each once.
 * rows 0: one folder, or nothing differs. In the arena. */
bioft_status differences_read(const struct study *s, struct arena *arena, struct table *ret, struct error *err);

#endif
