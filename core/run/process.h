/* What this process adds to an output folder: a file of its own in OUT/processes/, and provenance.json made of all of them. */
#ifndef RUN_PROCESS_H
#define RUN_PROCESS_H

#include "run/trial.h"

struct process {
    const char *const *argv; /* what the user typed */
    int argc;
    char *path;       /* its file; NULL: nothing has been added yet */
    struct text text; /* the file, its last trial open */
    bool in_trial;
};
/* A trial that this process runs, before its first step; the first makes the file. */
bioft_status process_trial(struct process *p, const struct trial_run *r, struct error *err);
/* Something that it did of it; kept at once. p NULL: nobody keeps it. */
bioft_status process_did(struct process *p, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The trial is at its end, whatever came of it; then provenance.json is made anew. */
bioft_status process_trial_end(struct process *p, const char *out, const struct stop *stop, struct error *err);
/* The process is at its end. finished: with all that it was to do. Nothing where it added nothing. */
bioft_status process_end(struct process *p, const char *out, bool finished, struct error *err);

#endif
