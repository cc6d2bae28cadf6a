/* The output folder: refused where it is not ours, locked while in use, with the manifest as resolved. */
#ifndef RUN_OUTPUT_H
#define RUN_OUTPUT_H

#include "base/log.h"
#include "manifest/experiment.h"

/* Who else may be at work in the folder: nobody; single trials, each under its own lock; or, for a child of a run that
 * has locked it, whatever that run allows. */
enum output_sharing { OUTPUT_ALONE, OUTPUT_SHARED, OUTPUT_CHILD };

struct output {
    char *folder; /* absolute */
    int lock;
    bool locked;
    struct experiment *replaced; /* the caller's, where the folder's own took its place; ends with this */
};
struct output_params {
    const char *out; /* --out, or NULL: the manifest's */
    bool resume;
    bool force; /* go on where the manifest only adds trials or attacks */
    enum output_sharing sharing;
    const char *const *plugin_paths; /* --plugin-path, to read the manifest that is there */
    size_t plugin_path_count;
    bool trust_plugins; /* as experiment_params has it */
    const struct log *log;
};
/* Creates or reopens it. Reopened, *e is replaced by the folder's own experiment where both have the same key, so that
 * what changes no key, threads above all, stays as it was. BIOFT_ERR_INVALID: it exists and is not empty (without
 * resume), or it belongs to another manifest: the first difference is shown. Nothing is changed then, nor is *e by any
 * other error. */
bioft_status output_open(const struct output_params *p, struct experiment **e, struct output *ret, struct error *err);
void output_unlock(struct output *o); /* the folder stays known */
void output_close(struct output *o);

#endif
