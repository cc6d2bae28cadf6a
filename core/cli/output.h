/* The output folder: refused where it is not ours, locked while in use, with the manifest as resolved. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/console.h"
#include "manifest/experiment.h"

struct output {
    char *folder;                                  /* absolute */
    int lock;
    bool locked;
};
/* Creates or reopens it. BIOFT_ERR_INVALID: it exists and is not empty (without resume), or it belongs to another
 * manifest: the first difference is shown. Nothing is changed then. */
bioft_status output_open(const struct experiment *e, const char *out, bool resume, struct output *ret,
                         struct error *err);
void output_close(struct output *o);

#endif
