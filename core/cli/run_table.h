/* What a run prints at its end. */
#ifndef CLI_RUN_TABLE_H
#define CLI_RUN_TABLE_H

#include "manifest/experiment.h"
#include "run/failures.h"
#include <stdbool.h>

/* The table, the files, and which trials failed and why, to standard output. Where all did: only that, and why where
 * it has not been told. */
bioft_status run_table_print(const char *out, const struct experiment *e, const struct failures *failures, bool told,
                             struct error *err);

#endif
