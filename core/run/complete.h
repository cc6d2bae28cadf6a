/* Is all of a trial on disk? */
#ifndef RUN_COMPLETE_H
#define RUN_COMPLETE_H

#include "manifest/experiment.h"

/* A finished trial's results.csv has every figure of the manifest, each with its own files behind it, and they agree. An
 * error names what is missing or differs, and what to do. */
bioft_status complete_check(const char *out, const struct trial *t, struct error *err);

#endif
